package apply_test

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
)

var exhaustive = flag.Bool("exhaustive", false, "try every combination of faults and quirks")

// faults are the things that go wrong on the way to a vendor, by name.
func faults() map[string]sandbox.Fault {
	return map[string]sandbox.Fault{
		"429":                   {Kind: sandbox.FaultStatus, Status: 429},
		"429 with Retry-After":  {Kind: sandbox.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"7"}}},
		"429 for an hour":       {Kind: sandbox.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"3600"}}},
		"500":                   {Kind: sandbox.FaultStatus, Status: 500},
		"500 after":             {Kind: sandbox.FaultStatus, Status: 500, After: true},
		"502 with a page":       {Kind: sandbox.FaultStatus, Status: 502},
		"503":                   {Kind: sandbox.FaultStatus, Status: 503},
		"400":                   {Kind: sandbox.FaultStatus, Status: 400},
		"403":                   {Kind: sandbox.FaultStatus, Status: 403},
		"404 of a proxy":        {Kind: sandbox.FaultStatus, Status: 404, Body: "<html>nothing here</html>"},
		"refused":               {Kind: sandbox.FaultRefuse},
		"reset":                 {Kind: sandbox.FaultReset},
		"reset after":           {Kind: sandbox.FaultReset, After: true},
		"truncated":             {Kind: sandbox.FaultTruncate, After: true},
		"garbage":               {Kind: sandbox.FaultGarbage, After: true},
		"slow":                  {Kind: sandbox.FaultSlow, For: 200 * time.Millisecond},
		"slow after":            {Kind: sandbox.FaultSlow, For: 200 * time.Millisecond, After: true},
		"expired token":         {Kind: sandbox.FaultExpire},
		"redirect":              {Kind: sandbox.FaultRedirect},
		"repeated row":          {Kind: sandbox.FaultRepeat},
		"skipped row":           {Kind: sandbox.FaultSkip},
		"endless list":          {Kind: sandbox.FaultEndless},
		"unauthorized for good": {Kind: sandbox.FaultStatus, Status: 401, Times: 9},
	}
}

// TestFaultAtEveryRequest strikes every request of a run with every fault, once and for as long as the run tries again. Each agent ends in one of the
// six outcomes, no create is sent twice when the first may have landed, and without the fault the next runs converge.
func TestFaultAtEveryRequest(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		c = c.quick()
		for name, fault := range faults() {
			for _, times := range lasting(name) {
				t.Run(fmt.Sprintf("%s, %d times", name, times), func(t *testing.T) {
					for nth := 1; struck(t, c, fault, nth, times); nth++ {
					}
				})
			}
		}
	})
}

// lasting says how often a fault strikes: once; and for good, where that is another story or everything is tried.
func lasting(fault string) []int {
	switch fault {
	case "500", "429", "reset after", "slow after":
		return []int{1, 20}
	}
	if *exhaustive {
		return []int{1, 2, 20}
	}
	return []int{1}
}

// struck runs once with the fault at the nth request and reports whether there was such a request.
func struck(t *testing.T, c vendorCase, fault sandbox.Fault, nth, times int) bool {
	t.Helper()
	w := newWorld(t, sandbox.Quirks{})
	update, drop := c.manifest("update"), c.manifest("drop")
	w.mustApply(apply.Applied, []manifest{update, drop}, options{})
	wanted := []manifest{c.manifest("create"), c.manifest("update", c.edits[0])}
	others := len(w.server.Agents(c.store))

	fault.Vendor, fault.Nth, fault.Times = c.store, nth, times
	w.server.ResetLog()
	w.server.Fault(fault)
	if fault.Kind == sandbox.FaultSlow {
		// On a slow machine other requests time out as well, which makes no difference to what is demanded.
		w.timeout = 50 * time.Millisecond
		w.open()
	}
	r := w.apply(wanted, options{seen: true, prune: true})
	there := len(w.server.Log()) >= nth
	w.server.ClearFaults()
	for _, result := range r.Results {
		switch result.Outcome {
		case apply.Applied, apply.Unchanged, apply.Failed, apply.Unknown, apply.Refused, apply.NotAttempted:
		default:
			t.Fatalf("request %d: %s has outcome %q", nth, result.Address, result.Outcome)
		}
		if done := result.Outcome == apply.Applied || result.Outcome == apply.Unchanged; done != (result.Error == "") && result.Outcome != apply.NotAttempted {
			t.Fatalf("request %d: %s: %s without a word, or the other way round: %q", nth, result.Address, result.Outcome, result.Error)
		}
	}
	if found := len(w.find(c, "create")); found > 1 {
		t.Fatalf("request %d: %d agents were created", nth, found)
	}
	if got := len(w.server.Agents(c.store)); got > others+1 {
		t.Fatalf("request %d: %d agents, there were %d", nth, got, others)
	}
	w.timeout = 0
	w.open()
	if c.provider == "centerfy" {
		bindByHand(w, c, "create")
	}
	converge(t, w, c, wanted, fmt.Sprintf("request %d: %s", nth, outcomes(r)))
	return there
}

// converge runs without faults until nothing is left to do, and demands that this is soon and right.
func converge(t *testing.T, w *world, c vendorCase, wanted []manifest, after string) {
	t.Helper()
	for range 3 {
		r := w.apply(wanted, options{seen: true, prune: true})
		if r.Summary.Applied == 0 && r.Summary.Failed+r.Summary.Unknown+r.Summary.Refused == 0 {
			break
		}
	}
	for _, m := range wanted {
		if found := w.find(c, m.name); len(found) != 1 {
			t.Fatalf("%s: %d agents named %s", after, len(found), m.name)
		}
	}
	if p := w.plan(wanted, options{}); p.HasChanges() || p.Summary.Blocked > 0 {
		t.Fatalf("%s: not converged: %s", after, describe(p))
	}
	if c.provider != "voicy-c" && len(w.find(c, "drop")) != 0 {
		t.Fatalf("%s: the orphan is still there", after)
	}
}

// TestNoRedirectCarriesAKey: the place that a redirect points to is never asked.
func TestNoRedirectCarriesAKey(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		w := newWorld(t, sandbox.Quirks{})
		w.server.Fault(sandbox.Fault{Vendor: c.store, Kind: sandbox.FaultRedirect})
		r := w.apply([]manifest{c.manifest("desk")}, options{seen: true})
		if r.Summary.Failed+r.Summary.Refused+r.Summary.Unknown != 1 {
			t.Errorf("outcomes: %s", outcomes(r))
		}
		for _, call := range w.server.Log() {
			if call.Vendor == "" {
				t.Errorf("a request went to %s%s", call.Host, call.Path)
			}
		}
		if strings.Contains(w.logs.String(), sandbox.VoicyKey) {
			t.Error("the key is in the log")
		}
	})
}
