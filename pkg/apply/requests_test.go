package apply_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// fleet is how many agents each of these tests declares: more than a page of any vendor's list.
const fleet = 120

// pages is how many requests the list of c takes for n agents.
func (c vendorCase) pages(w *world, n int) int { return w.accounts[c.provider].Generation.Can.Pages(n) }

// sent counts what reached the vendors since the log was reset: lists, reads of one agent, and writes by method.
func (w *world) sent() map[string]int {
	sent := map[string]int{}
	for _, call := range w.server.Log() {
		kind := call.Method
		switch {
		case strings.Contains(call.Path, "oauth"):
			continue
		case kind == http.MethodGet && (strings.HasSuffix(call.Path, "agents") || strings.HasSuffix(call.Path, "agent-list")):
			kind = "list"
		}
		sent[kind]++
	}
	return sent
}

// costs demands exactly these requests of do.
func (w *world) costs(what string, want map[string]int, do func()) {
	w.t.Helper()
	w.server.ResetLog()
	do()
	maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
	if got := w.sent(); !maps.Equal(got, want) {
		w.t.Errorf("%s: sent %v, want %v", what, got, want)
	}
}

// floor is the requests of reading bound agents of an account with fleet agents.
func (c vendorCase) floor(w *world, bound int, wholeRows bool) map[string]int {
	switch pages := c.pages(w, fleet); {
	case c.provider == "voicy" && bound > 1:
		return map[string]int{"list": 1}
	case c.provider == "convirza" && wholeRows && pages < bound:
		return map[string]int{"list": pages}
	case c.provider == "convirza" && pages < bound:
		return map[string]int{"list": 1, http.MethodGet: bound} // the first page tells that rows are not whole
	}
	return map[string]int{http.MethodGet: bound}
}

func plus(a, b map[string]int) map[string]int {
	sum := maps.Clone(a)
	for kind, n := range b {
		sum[kind] += n
	}
	return sum
}

// changes is what k updates cost beyond the plan's reads.
func (c vendorCase) changes(k int) map[string]int {
	method := http.MethodPatch
	if c.provider == "centerfy" || c.provider == "convirza" {
		method = http.MethodPut
	}
	return map[string]int{method: k, http.MethodGet: 2 * k}
}

// stocked is a world with a fleet of c that is in sync.
func stocked(t *testing.T, c vendorCase, quirks sandbox.Quirks) (*world, []manifest) {
	t.Helper()
	w := newWorld(t, quirks)
	var manifests []manifest
	for i := range fleet {
		manifests = append(manifests, c.manifest(fmt.Sprintf("desk-%03d", i)))
	}
	w.mustApply(apply.Applied, manifests, options{})
	return w, manifests
}

// edited is manifests with the first k changed.
func (c vendorCase) edited(manifests []manifest, k int) []manifest {
	manifests = slices.Clone(manifests)
	for i := range k {
		manifests[i] = c.manifest(manifests[i].name, c.edits[0])
	}
	return manifests
}

func eachFleet(t *testing.T, test func(t *testing.T, c vendorCase, quirks sandbox.Quirks)) {
	var whole sandbox.Quirks
	whole.Convirza.WholeItems = true
	for _, c := range cases() {
		t.Run(c.provider, func(t *testing.T) {
			t.Parallel()
			test(t, c.quick(), sandbox.Quirks{})
		})
		if c.provider == "convirza" {
			t.Run("convirza, whole rows", func(t *testing.T) {
				t.Parallel()
				test(t, c.quick(), whole)
			})
		}
	}
}

func TestRequestsAreAtTheFloor(t *testing.T) {
	eachFleet(t, func(t *testing.T, c vendorCase, quirks sandbox.Quirks) {
		w, manifests := stocked(t, c, quirks)
		wholeRows := quirks.Convirza.WholeItems
		all := c.floor(w, fleet, wholeRows)
		var p *plan.Plan

		w.costs("plan, unchanged", maps.Clone(all), func() { p = w.plan(manifests, options{}) })
		if p.HasChanges() || p.Reads.Apply.Requests != 0 {
			t.Fatalf("not in sync: %+v %+v", p.Summary, p.Reads)
		}
		w.costs("apply, unchanged", maps.Clone(all), func() { w.mustApply(apply.Unchanged, manifests, options{}) })
		for _, k := range []int{1, 5} {
			manifests = c.edited(manifests, k)
			if k == 5 {
				manifests[0] = c.manifest(manifests[0].name, c.edits[0], c.edits[1])
			}
			w.costs(fmt.Sprintf("plan, %d changed", k), maps.Clone(all), func() { p = w.plan(manifests, options{seen: true}) })
			if p.Reads.Apply.Requests != 3*k {
				t.Errorf("%d changed: the plan predicts %+v", k, p.Reads)
			}
			w.costs(fmt.Sprintf("apply, %d changed", k), plus(all, c.changes(k)), func() { w.apply(manifests, options{seen: true}) })
		}
		w.costs("apply, again", maps.Clone(all), func() { w.mustApply(apply.Unchanged, manifests, options{}) })

		for _, k := range []int{1, 2, 3} {
			var targets []string
			since := map[string]bool{}
			for _, m := range manifests[10 : 10+k] {
				targets = append(targets, m.provider+"/"+m.name)
				since[m.provider+"/"+m.name] = true
			}
			w.costs(fmt.Sprintf("%d by --target", k), c.floor(w, k, wholeRows), func() { w.plan(manifests, options{selects: plan.Select{Targets: targets}}) })
			w.costs(fmt.Sprintf("%d by --changed-since", k), c.floor(w, k, wholeRows), func() { w.plan(manifests, options{selects: plan.Select{Changed: since}}) })
		}
	})
}

func TestRequestsOfACreate(t *testing.T) {
	eachFleet(t, func(t *testing.T, c vendorCase, quirks sandbox.Quirks) {
		w, manifests := stocked(t, c, quirks)
		added := c.manifest("another")
		reads := c.floor(w, fleet, quirks.Convirza.WholeItems)
		if lists := w.accounts[c.provider].Generation.Can.List != "none"; lists { // to look for its name
			reads["list"] = c.pages(w, fleet)
		}
		writes := map[string]int{http.MethodPost: 1, http.MethodGet: 1}
		if c.provider == "nova" {
			writes = map[string]int{http.MethodPost: 1, http.MethodPatch: 1, http.MethodGet: 2}
		}
		var p *plan.Plan
		w.costs("plan", maps.Clone(reads), func() { p = w.plan(append(manifests, added), options{}) })
		total := 0
		for _, n := range writes {
			total += n
		}
		if p.Reads.Apply.Requests != total {
			t.Errorf("the plan predicts %+v, want %d", p.Reads, total)
		}
		w.costs("apply", plus(reads, writes), func() { w.apply(append(manifests, added), options{}) })
	})
}

// marked are the generations whose list shows a change mark.
func (c vendorCase) marked(w *world) bool { return w.accounts[c.provider].Generation.Can.Mark != "" }

func TestRefreshChangedReadsOnlyWhatMoved(t *testing.T) {
	eachFleet(t, func(t *testing.T, c vendorCase, quirks sandbox.Quirks) {
		w, manifests := stocked(t, c, quirks)
		o := options{refresh: plan.RefreshChanged, seen: true}
		list := map[string]int{"list": c.pages(w, fleet)}
		read := func(n int) map[string]int { return plus(list, map[string]int{http.MethodGet: n}) }
		unread := func(p *plan.Plan, want int) {
			t.Helper()
			if p.Reads.Unread != want || (want > 0 && len(p.Reads.Notes) != 1) {
				t.Errorf("reads %+v, want %d unread and a note", p.Reads, want)
			}
		}
		if quirks.Convirza.WholeItems {
			read = func(int) map[string]int { return maps.Clone(list) }
		} else if !c.marked(w) {
			w.costs("no mark", c.floor(w, fleet, false), func() {
				p := w.plan(manifests, o)
				unread(p, 0)
				if len(p.Reads.Notes) != 1 || !strings.Contains(p.Reads.Notes[0], "no effect") {
					t.Errorf("the plan says %q", p.Reads.Notes)
				}
			})
			return
		}
		whole := quirks.Convirza.WholeItems
		w.costs("unchanged", read(0), func() {
			p := w.plan(manifests, o)
			if whole {
				return
			}
			unread(p, fleet)
			for _, change := range p.Changes {
				if change.Action != plan.None || !strings.Contains(change.Reason, "not read") || change.ID == "" || change.Precondition != (plan.Precondition{}) {
					t.Fatalf("%+v", change)
				}
			}
		})
		manifests = c.edited(manifests, 2)
		w.costs("2 manifests changed", plus(read(2), c.changes(2)), func() {
			if p := w.apply(manifests, o).Plan; !whole {
				unread(p, fleet-2)
			}
		})
		w.costs("unchanged again", read(0), func() {
			if r := w.mustApply(apply.Unchanged, manifests, o); len(w.writes()) > 0 {
				t.Errorf("%v", r.Results)
			}
		})
		w.edit(c, "desk-050", c.undeclared, c.value)
		w.costs("an edit in the dashboard", read(1), func() {
			if p := w.plan(manifests, o); p.HasChanges() {
				t.Errorf("%+v", p.Summary)
			}
		})
		target := options{refresh: plan.RefreshChanged, selects: plan.Select{Targets: []string{c.provider + "/desk-007"}}}
		w.costs("one target", map[string]int{http.MethodGet: 1}, func() { unread(w.plan(manifests, target), 0) })
	})
}

// A mark that is wrong, or stands still although the agent moved or went, at worst keeps it from being read.
func TestAWrongMarkLeadsToNothing(t *testing.T) {
	for _, c := range cases() {
		w := newWorld(t, sandbox.Quirks{})
		if !c.marked(w) {
			continue
		}
		t.Run(c.provider, func(t *testing.T) {
			c := c.quick()
			w.t = t
			var manifests []manifest
			for i := range 4 {
				manifests = append(manifests, c.manifest(fmt.Sprintf("desk-%d", i)))
			}
			w.mustApply(apply.Applied, manifests, options{})
			account := w.accounts[c.provider]
			honest := account.Provider
			rows, err := honest.(providers.Lister).List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			o := options{refresh: plan.RefreshChanged, prune: true}
			for _, mark := range []string{"", "always the same"} {
				same := slices.Clone(rows)
				for i := range same {
					same[i].Revision = mark
				}
				account.Provider = frozen{honest, same}
				if p := w.plan(manifests, o); p.HasChanges() || p.Reads.Unread > 0 {
					t.Errorf("mark %q: %+v %+v", mark, p.Summary, p.Reads)
				}
			}

			account.Provider = frozen{honest, rows}
			w.edit(c, "desk-1", c.undeclared, c.value)
			w.edit(c, "desk-2", c.nameAt, "renamed")
			w.edit(c, "desk-3", "_foreign", true) // it cannot be read any more
			p := w.plan(manifests, o)
			if p.HasChanges() || p.Summary.Blocked > 0 || p.Reads.Unread != 4 {
				t.Errorf("masked: %+v %+v", p.Summary, p.Reads)
			}
			w.server.ResetLog()
			w.mustApply(apply.Unchanged, manifests, o)
			if writes := w.writes(); len(writes) > 0 {
				t.Errorf("masked: %v", writes)
			}
			for i := range manifests { // a changed manifest is always read
				manifests[i] = c.manifest(manifests[i].name, c.edits[0])
			}
			p = w.plan(manifests, o)
			if s := p.Summary; p.Reads.Unread > 0 || s.Create+s.Delete+s.Adopt > 0 || s.Update != 3 || s.Blocked != 1 {
				t.Errorf("changed: %+v %+v", s, p.Reads)
			}
		})
	}
}

// edit changes a field of a live agent, as somebody in the dashboard does.
func (w *world) edit(c vendorCase, name, field string, value any) {
	w.t.Helper()
	id := fmt.Sprint(w.find(c, name)[0][c.idAt])
	if err := w.server.Edit(c.store, id, func(agent map[string]any) { agent[field] = value }); err != nil {
		w.t.Fatal(err)
	}
}

// frozen is an account whose list does not change.
type frozen struct {
	providers.Provider
	rows []providers.Live
}

// List implements [providers.Lister].
func (f frozen) List(context.Context) ([]providers.Live, error) { return f.rows, nil }
