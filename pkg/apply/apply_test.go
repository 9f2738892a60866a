package apply_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
)

func each(t *testing.T, test func(t *testing.T, c vendorCase)) {
	for _, c := range cases() {
		t.Run(c.provider, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}

// mustApply applies and demands that every agent ends as wanted.
func (w *world) mustApply(want apply.Outcome, manifests []manifest, o options) *apply.Report {
	w.t.Helper()
	r := w.apply(manifests, o)
	for _, result := range r.Results {
		if result.Outcome != want {
			w.t.Fatalf("want %s: %s\n%v", want, outcomes(r), result.Findings)
		}
	}
	return r
}

// inSync demands that a plan is empty and that an apply sends no write.
func (w *world) inSync(manifests []manifest) {
	w.t.Helper()
	p := w.plan(manifests, options{})
	for _, change := range p.Changes {
		if change.Action != plan.None || len(change.Fields) > 0 || change.Blocked() {
			w.t.Fatalf("%s is not in sync: %s %v %v", change.Address, change.Action, change.Fields, change.Findings)
		}
	}
	w.server.ResetLog()
	w.mustApply(apply.Unchanged, manifests, options{})
	if writes := w.writes(); len(writes) > 0 {
		w.t.Fatalf("a second apply writes: %v", writes)
	}
}

func TestCreateThenNothing(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		manifests := []manifest{c.manifest("Front desk")}
		manifests[0].name = "front-desk"
		w.mustApply(apply.Applied, manifests, options{})
		w.inSync(manifests)
		if found := w.find(c, "Front desk"); len(found) != 1 {
			t.Errorf("%d agents live", len(found))
		}
	})
}

func TestEveryEditIsOneWriteAndThenNothing(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		manifests := []manifest{c.manifest("desk")}
		w.mustApply(apply.Applied, manifests, options{})
		for i, edit := range c.edits {
			manifests[0] = c.manifest("desk", c.edits[:i+1]...)
			w.server.ResetLog()
			// A field declared for the first time has no base: a person has to see it.
			w.mustApply(apply.Applied, manifests, options{seen: true})
			if writes := w.writes(); len(writes) != 1 {
				t.Errorf("%s: writes %v", edit, writes)
			}
			w.inSync(manifests)
		}
	})
}

func TestUndeclaredIsUntouched(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		if c.undeclared == "" {
			return // every field of this vendor is declared
		}
		w := newWorld(t, sandbox.Quirks{})
		manifests := []manifest{c.manifest("desk")}
		w.mustApply(apply.Applied, manifests, options{})
		agent := w.find(c, "desk")[0]
		id := fmt.Sprint(agent[c.idAt])
		if err := w.server.Edit(c.store, id, func(a map[string]any) { a[c.undeclared] = c.value }); err != nil {
			t.Fatal(err)
		}
		w.inSync(manifests)
		manifests[0] = c.manifest("desk", c.edits[0])
		w.mustApply(apply.Applied, manifests, options{seen: true})
		if got := w.find(c, "desk")[0][c.undeclared]; fmt.Sprint(got) != fmt.Sprint(c.value) {
			t.Errorf("%s is %v, want %v", c.undeclared, got, c.value)
		}
	})
}

func TestDriftIsRefusedUnlessSeen(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		manifests := []manifest{c.manifest("desk")}
		w.mustApply(apply.Applied, manifests, options{})
		id := fmt.Sprint(w.find(c, "desk")[0][c.idAt])
		if err := w.server.Edit(c.store, id, func(a map[string]any) { a[c.nameAt] = "renamed" }); err != nil {
			t.Fatal(err)
		}
		p := w.plan(manifests, options{})
		if got := p.Changes[0].Fields; len(got) != 1 || got[0].Origin != "drift" || string(got[0].Path) != "/"+c.nameAt {
			t.Fatalf("fields %v", got)
		}
		w.server.ResetLog()
		r := w.mustApply(apply.Refused, manifests, options{})
		if writes := w.writes(); len(writes) > 0 {
			t.Errorf("refused, and sent %v", writes)
		}
		if message := r.Results[0].Findings[0].Message; !strings.Contains(message, `"renamed"`) || !strings.Contains(message, `"desk"`) {
			t.Errorf("the refusal does not show the sides: %s", message)
		}
		ignored := []manifest{manifests[0]}
		ignored[0].change = func(a *spec.Agent) { a.Drift = spec.DriftIgnore }
		w.mustApply(apply.Unchanged, ignored, options{})
		w.mustApply(apply.Applied, manifests, options{drift: spec.DriftOverwrite})
		w.inSync(manifests)
	})
}

func TestAdoption(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		manifests := []manifest{c.manifest("desk")}
		w.mustApply(apply.Applied, manifests, options{})
		w.store = newStore()
		if c.provider == "centerfy" {
			// There is no list, so nothing is known of the agent without its id.
			manifests[0].change = func(a *spec.Agent) { a.ID = fmt.Sprint(w.find(c, "desk")[0][c.idAt]) }
			w.mustApply(apply.Unchanged, manifests, options{})
			w.inSync(manifests)
			return
		}
		w.mustApply(apply.Refused, manifests, options{seen: true})
		w.mustApply(apply.Applied, manifests, options{adopt: true, seen: true})
		w.inSync(manifests)
		if found := w.find(c, "desk"); len(found) != 1 {
			t.Errorf("%d agents live", len(found))
		}
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		keep, drop := c.manifest("keep"), c.manifest("drop")
		drop.change = func(a *spec.Agent) { a.Protect = true }
		w.mustApply(apply.Applied, []manifest{keep, drop}, options{})
		w.mustApply(apply.Unchanged, []manifest{keep}, options{})
		if c.provider == "voicy-c" {
			if p := w.plan([]manifest{keep}, options{prune: true}); p.Summary.Orphaned != 1 || p.Summary.Delete != 0 {
				t.Fatalf("a vendor without a delete: %+v", p.Summary)
			}
			return
		}
		r := w.apply([]manifest{keep}, options{prune: true})
		if r.Summary.Refused != 1 {
			t.Fatalf("a protected agent: %s", outcomes(r))
		}
		drop.change = nil
		w.mustApply(apply.Unchanged, []manifest{keep, drop}, options{})
		r = w.apply([]manifest{keep}, options{prune: true})
		if r.Summary.Applied != 1 || len(w.find(c, "drop")) != 0 || len(w.find(c, "keep")) != 1 {
			t.Fatalf("prune: %s", outcomes(r))
		}
		w.inSync([]manifest{keep})
	})
}

func TestReleasedIsLeftAsItIs(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		full := c.manifest("desk")
		w.mustApply(apply.Applied, []manifest{full}, options{})
		// Every case's config ends with a field that nothing else needs, except where conditions tie the last ones together.
		lines := strings.Split(strings.TrimSpace(lastWins(full.config)), "\n")
		short := full
		short.config = strings.Join(slices.DeleteFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, "language:") || strings.HasPrefix(l, "max_call_duration:") || strings.HasPrefix(l, "welcome_message:") ||
				strings.HasPrefix(l, "prompt_template:")
		}), "\n") + "\n"
		p := w.plan([]manifest{short}, options{})
		if len(p.Changes[0].Fields) != 1 || p.Changes[0].Fields[0].Origin != "released" || p.Changes[0].Action != plan.None {
			t.Fatalf("fields %v, action %s", p.Changes[0].Fields, p.Changes[0].Action)
		}
		w.server.ResetLog()
		w.mustApply(apply.Unchanged, []manifest{short}, options{})
		if writes := w.writes(); len(writes) > 0 {
			t.Errorf("releasing writes: %v", writes)
		}
		w.inSync([]manifest{short})
	})
}

func TestEditedBetweenPlanAndWrite(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		manifests := []manifest{c.manifest("desk")}
		w.mustApply(apply.Applied, manifests, options{})
		manifests[0] = c.manifest("desk", c.edits[0])
		p, book, err := w.tryPlan(manifests, options{})
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint(w.find(c, "desk")[0][c.idAt])
		if err := w.server.Edit(c.store, id, func(a map[string]any) { a[c.nameAt] = "renamed" }); err != nil {
			t.Fatal(err)
		}
		w.server.ResetLog()
		r := w.carryOut(p, book, options{seen: true})
		if len(r.Results) != 1 || !r.Results[0].Stale() || len(w.writes()) > 0 {
			t.Fatalf("%s; writes %v", outcomes(r), w.writes())
		}
		if !strings.Contains(r.Results[0].Error, c.nameAt) {
			t.Errorf("the refusal does not name the field: %s", r.Results[0].Error)
		}
	})
}

// A name that a managed agent has is no reason to adopt that agent a second time.
func TestSameNameAsAManagedAgent(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		first, second := c.manifest("Reception"), c.manifest("Reception")
		first.name, second.name = "first", "second"
		w.mustApply(apply.Applied, []manifest{first}, options{})
		w.apply([]manifest{first, second}, options{adopt: true, seen: true})
		if found := len(w.find(c, "Reception")); found != 2 {
			t.Errorf("%d agents", found)
		}
		w.inSync([]manifest{first, second})
	})
}

func TestUnknownCreateWaitsForAPerson(t *testing.T) {
	w := newWorld(t, sandbox.Quirks{})
	var c vendorCase
	for _, each := range cases() {
		if each.provider == "centerfy" {
			c = each
		}
	}
	manifests := []manifest{c.manifest("desk")}
	w.server.Fault(sandbox.Fault{Vendor: c.store, Method: "POST", Kind: sandbox.FaultReset, After: true})
	w.mustApply(apply.Unknown, manifests, options{})
	w.server.ClearFaults()
	w.server.ResetLog()
	r := w.mustApply(apply.Refused, manifests, options{seen: true})
	if f := r.Results[0].Findings; len(f) != 1 || f[0].Code != providers.CodePending || len(w.writes()) > 0 {
		t.Fatalf("findings %v, writes %v", f, w.writes())
	}
	bindByHand(w, c, "desk")
	w.mustApply(apply.Unchanged, manifests, options{})
	w.inSync(manifests)
}
