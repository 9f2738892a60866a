package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/internal/status"
)

// fleet are manifests of n agents at Nova.
func fleet(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("n%03d.yaml", i)] = nova(fmt.Sprintf("n%03d", i), "one")
	}
	return files
}

// remove takes a file out of the folder.
func (r *rig) remove(name string) {
	r.t.Helper()
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

// TestWatchBrokenAgentsDoNotCloseTheirAccount breaks more agents than a probe asks for: the account is not taken for one that is away, and
// where it was, probes come to those that are well.
func TestWatchBrokenAgentsDoNotCloseTheirAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(fleet(9))
		r.start()
		defer r.end()
		r.show("")
		after(2 * time.Minute)
		breaks := func() {
			for i := range 4 {
				r.vendor.Fault(sandbox.Fault{Vendor: "nova", Path: "/*/*/*/*/" + r.agent(fmt.Sprintf("nova/n%03d", i)).ID, Kind: sandbox.FaultStatus, Status: 500})
				r.vendor.Fault(sandbox.Fault{Vendor: "nova", Path: "/*/*/*/*/*/" + r.agent(fmt.Sprintf("nova/n%03d", i)).ID, Kind: sandbox.FaultStatus, Status: 500})
			}
		}
		breaks()
		opened := 0
		for range 120 {
			after(time.Minute)
			if r.status().Accounts[0].Breaker != status.Closed {
				opened++
			}
		}
		r.wantState("nova/n000", status.Failed)
		r.wantState("nova/n008", status.Synced)
		if opened > 0 {
			t.Errorf("the account was away in %d of 120 minutes, though five of nine agents answer", opened)
		}
		r.vendor.Fault(sandbox.Fault{Vendor: "nova", Kind: sandbox.FaultStatus, Status: 503})
		after(time.Hour)
		if b := r.status().Accounts[0].Breaker; b == status.Closed {
			t.Error("nothing answers, and the account is not away")
		}
		r.vendor.ClearFaults()
		breaks()
		after(time.Hour)
		r.wantState("nova/n008", status.Synced)
	})
}

// TestWatchLeavesAnAccountThatIsAway takes the last manifest of an account out while it cannot be reached, then brings it back.
func TestWatchLeavesAnAccountThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "c.yaml": nova("c", "one")})
		r.start()
		defer r.end()
		r.show("")
		after(time.Minute)
		r.vendor.Fault(sandbox.Fault{Vendor: "nova", Kind: sandbox.FaultStatus, Status: 401})
		after(20 * time.Minute)
		if c := r.wantState("nova/c", status.Unreachable); time.Since(c.Since) < 10*time.Minute || !c.NextTry.IsZero() {
			t.Errorf("probes begin it anew: %+v", c)
		}
		r.remove("c.yaml")
		r.show("")
		loads := len(r.vendor.Log())
		after(time.Hour)
		if n := len(r.vendor.Log()) - loads; n > 200 {
			t.Errorf("%d requests in an hour", n)
		}
		r.wantState("nova/c", status.Orphaned)
		r.vendor.ClearFaults()
		r.write(map[string]string{"c.yaml": nova("c", "two")})
		r.show("")
		after(time.Minute)
		r.wantState("nova/c", status.Synced)
	})
}

// TestWatchEndsItsLooks asks for looks, and changes a manifest, more often than a look takes: it comes to every agent all the same.
func TestWatchEndsItsLooks(t *testing.T) {
	for name, disturb := range map[string]func(r *rig, i int){
		"commits": func(r *rig, i int) {
			r.write(map[string]string{"n000.yaml": nova("n000", fmt.Sprint("prompt ", i))})
			r.show(fmt.Sprintf("%040d", i))
		},
		"wishes": func(r *rig, i int) { r.watcher.Reconcile(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.perMinute, r.options.Interval = 60, 10*time.Hour
				r.write(fleet(80))
				r.start()
				defer r.end()
				r.show("")
				after(30 * time.Minute)
				lookedAt := r.status().Accounts[0].LookedAt
				r.watcher.Reconcile(nil)
				for i := range 600 {
					after(time.Second)
					disturb(r, i)
				}
				if !r.status().Accounts[0].LookedAt.After(lookedAt) {
					t.Error("in ten minutes of disturbance a look of two minutes did not end")
				}
			})
		})
	}
}

// TestWatchKeepsAccountsToOneRound lets an account go and come back while a round of it is under way.
func TestWatchKeepsAccountsToOneRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "c.yaml": nova("c", "one")})
		r.vendor.Fault(sandbox.Fault{Vendor: "nova", Kind: sandbox.FaultSlow, For: 20 * time.Second})
		r.start()
		defer r.end()
		r.show("")
		after(time.Second)
		r.remove("c.yaml")
		r.show("")
		after(time.Second)
		r.write(map[string]string{"c.yaml": nova("c", "two")})
		before := r.requests("nova")
		r.show("")
		after(5 * time.Second)
		if n := r.requests("nova") - before; n > 1 {
			t.Errorf("%d requests of a second round while the first is under way", n)
		}
		r.vendor.ClearFaults()
		after(2 * time.Minute)
		r.wantState("nova/c", status.Synced)
		if n := len(r.vendor.Agents("nova")); n != 1 || r.live("nova", "c")["prompt_template"] != "two" {
			t.Errorf("%d live agents: %v", n, r.vendor.Agents("nova"))
		}
	})
}

// TestWatchDoesNotWearLimitsOut leaves what is refused as too much refused, however long it waits, and whatever else is asked for.
func TestWatchDoesNotWearLimitsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		files := func(prompt string) map[string]string {
			all := map[string]string{}
			for i := range 8 {
				all[fmt.Sprintf("v%d.yaml", i)] = voicy(fmt.Sprintf("v%d", i), prompt)
				all[fmt.Sprintf("c%d.yaml", i)] = nova(fmt.Sprintf("c%d", i), prompt)
			}
			return all
		}
		r.write(files("one"))
		r.start()
		defer r.end()
		r.show(fmt.Sprintf("%040d", 1))
		after(time.Minute)
		r.vendor.ResetLog()
		r.write(files("two"))
		r.show(fmt.Sprintf("%040d", 2))
		after(5 * time.Hour)
		r.show(fmt.Sprintf("%040d", 3))
		after(time.Hour)
		r.wantWrites(0)
		if a := r.wantState("nova/c1", status.Refused); !strings.Contains(a.Reason, "maxChangedPercent") {
			t.Errorf("the reason is %q", a.Reason)
		}
	})
}

// TestWatchForgetsOrphans removes a state's record while the account cannot be reached.
func TestWatchForgetsOrphans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "b.yaml": voicy("b", "one")})
		r.start()
		defer r.end()
		r.show("")
		after(time.Minute)
		r.remove("b.yaml")
		r.show("")
		after(time.Minute)
		r.wantState("voicy/b", status.Orphaned)
		r.vendor.Fault(sandbox.Fault{Vendor: "voicy", Kind: sandbox.FaultStatus, Status: 503})
		after(time.Hour)
		r.wantState("voicy/b", status.Unreachable)
		entry, err := r.options.Book.Get(t.Context(), "voicy/b")
		if err == nil {
			err = r.options.Book.Remove(t.Context(), "voicy/b", entry.Version)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.vendor.ClearFaults()
		after(time.Hour)
		for _, a := range r.status().Agents {
			if a.Address == "voicy/b" {
				t.Errorf("it is still shown: %+v", a)
			}
		}
	})
}

// TestWatchFreezesRoundsUnderWay pushes a freeze window while a round writes.
func TestWatchFreezesRoundsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Parallelism = 1
		r.write(fleet(30))
		r.vendor.Fault(sandbox.Fault{Vendor: "nova", Method: "POST", Kind: sandbox.FaultSlow, For: 10 * time.Second})
		r.start()
		defer r.end()
		r.show("")
		after(5 * time.Second)
		now := time.Now().UTC()
		r.write(map[string]string{"config.yaml": fmt.Sprintf(
			"apiVersion: agentsync.dev/v1\nkind: Config\nmetadata: {name: default}\nspec: {freeze: [{reason: incident, from: %s, to: %s}]}\n",
			now.Add(-time.Minute).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))})
		r.show("")
		after(time.Minute)
		if n := len(r.vendor.Agents("nova")); n > 1 {
			t.Errorf("%d of 30 agents were made, though the freeze came into force during the first", n)
		}
		after(2 * time.Hour)
		if n := len(r.vendor.Agents("nova")); n != 30 {
			t.Errorf("%d agents after the freeze", n)
		}
	})
}

// TestWatchSaysOnceWhatHoldsItUp keeps the lock for hours: neither the log nor the runs fill up with it.
func TestWatchSaysOnceWhatHoldsItUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one")})
		held, err := r.options.Book.Hold(t.Context(), r.options.Lock("a pipeline", 0), func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		r.start()
		defer r.end()
		r.show("")
		after(2 * time.Hour)
		if n := len(r.status().Runs); n != 1 || r.status().Accounts[0].Error == "" {
			t.Errorf("%d runs are shown; the account: %+v", n, r.status().Accounts[0])
		}
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		r.wantState("voicy/a", status.Synced)
	})
}

// TestWatchStopsWhileItLoads stops a watcher whose state does not answer.
func TestWatchStopsWhileItLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Load = hang
		r.start()
		r.show("")
		began := time.Now()
		r.end()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s to stop", took)
		}
	})
}
