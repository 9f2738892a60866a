package watch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/watch"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/state"
)

const overwrite = "  drift: overwrite\n"

func TestWatchCreatesChangesAndThenRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Interval = time.Hour
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "b.yaml": voicy("b", "one"), "c.yaml": nova("c", "one")})
		r.start()
		defer r.end()
		r.show("1111")
		after(10 * time.Second)
		for _, address := range []string{"voicy/a", "voicy/b", "nova/c"} {
			r.wantState(address, status.Synced)
		}
		r.wantWrites(3)
		after(160 * time.Minute) // two looks, and the third is not due
		r.wantWrites(0)
		if s := r.status(); s.Source.InForce != "1111" || r.source.inForce != "1111" || s.SyncedAt.IsZero() || s.Queue != 0 {
			t.Errorf("status %+v", s)
		}
		before := r.requests("voicy")
		r.write(map[string]string{"a.yaml": voicy("a", "two")})
		r.show("2222")
		after(10 * time.Second)
		if cost := r.requests("voicy") - before; cost != 4 {
			t.Errorf("one changed manifest cost %d requests: want a read, a read before the write, the write and the read-back: %v", cost, calls(r))
		}
		if prompt := r.live("voicy", "a")["general_prompt"]; prompt != "two" {
			t.Errorf("live is %v", prompt)
		}
		if runs := r.status().Runs; len(runs) == 0 || runs[0].Trigger != status.Change || runs[0].Commit != "2222" || runs[0].Results[0].Outcome != "applied" {
			t.Errorf("the last run is %+v", runs[0])
		}
		// A commit that changes nothing of an agent costs nothing.
		before = r.requests("voicy")
		r.write(map[string]string{"readme.txt": "words"})
		r.show("3333")
		after(10 * time.Second)
		if cost := r.requests("voicy") - before; cost != 0 || r.status().Source.InForce != "3333" {
			t.Errorf("cost %d, in force %s", cost, r.status().Source.InForce)
		}
	})
}

func TestWatchAndDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"refuse.yaml": voicy("refuse", "one"), "back.yaml": voicy("back", "one", overwrite), "leave.yaml": voicy("leave", "one", "  drift: ignore\n")})
		r.start()
		defer r.end()
		r.show("")
		after(10 * time.Second)
		r.vendor.ResetLog()
		for _, name := range []string{"refuse", "back", "leave"} {
			r.edit("voicy", name, "general_prompt", "mine")
		}
		after(6 * time.Minute)
		a := r.wantState("voicy/refuse", status.Drifted)
		if len(a.Fields) != 1 || a.Fields[0].Before != "mine" || a.Fields[0].After != "one" || len(a.Findings) == 0 || a.Findings[0].Code != providers.CodeDrift {
			t.Errorf("the drift is shown as %+v", a)
		}
		r.wantState("voicy/back", status.Synced)
		r.wantState("voicy/leave", status.Synced)
		r.wantWrites(1)
		if r.live("voicy", "back")["general_prompt"] != "one" || r.live("voicy", "refuse")["general_prompt"] != "mine" || r.live("voicy", "leave")["general_prompt"] != "mine" {
			t.Error("the policies were not followed")
		}
		// Taking the value into the manifest settles it.
		r.write(map[string]string{"refuse.yaml": voicy("refuse", "mine")})
		r.show("")
		after(10 * time.Second)
		r.wantState("voicy/refuse", status.Synced)
		r.wantWrites(0)
	})
}

func TestWatchKeepsTheLastGoodRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one", overwrite)})
		r.start()
		defer r.end()
		r.show("1111")
		after(10 * time.Second)
		r.write(map[string]string{"a.yaml": strings.Replace(voicy("a", "two"), "general_prompt", "general_promt", 1)})
		r.show("2222")
		s := r.status().Source
		if s.InForce != "1111" || s.Commit != "2222" || len(s.Errors) != 1 || !strings.Contains(s.Errors[0].Message, `a.yaml:9:5: voicy: unknown field "general_promt"`) || s.Errors[0].Hint == "" {
			t.Errorf("the source is %+v", s)
		}
		r.vendor.ResetLog()
		r.edit("voicy", "a", "general_prompt", "mine")
		after(6 * time.Minute)
		r.wantWrites(1) // the last good one is still kept to
		if r.live("voicy", "a")["general_prompt"] != "one" {
			t.Error("not put back")
		}
		r.source.looks <- source.Look{At: time.Now(), Seen: "4444", Err: errors.New("the branch was rewritten")}
		synctest.Wait()
		if s := r.status().Source; s.InForce != "1111" || len(s.Errors) != 2 || s.Errors[0].Message != "the branch was rewritten" {
			t.Errorf("the source is %+v", s)
		}
		r.write(map[string]string{"a.yaml": voicy("a", "two")})
		r.show("3333")
		after(10 * time.Second)
		if s := r.status().Source; s.InForce != "3333" || len(s.Errors) != 0 {
			t.Errorf("the source is %+v", s)
		}
		r.wantWrites(1)
	})
}

func TestWatchObservesAndNeverWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Observe = true
		r.write(map[string]string{"a.yaml": voicy("a", "one", overwrite)})
		r.start()
		defer r.end()
		r.show("")
		after(11 * time.Minute)
		r.wantState("voicy/a", status.Pending)
		r.wantWrites(0)
		if keys, err := r.store.List(t.Context(), ""); err != nil || len(keys) > 0 {
			t.Errorf("the state holds %v, %v", keys, err)
		}
	})
}

func TestWatchWaitsOutAFreezeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		now := time.Now().UTC() // midnight in the bubble
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "config.yaml": fmt.Sprintf(
			"apiVersion: agentsync.dev/v1\nkind: Config\nmetadata: {name: default}\nspec: {freeze: [{reason: sale, from: %s, to: %s}]}\n",
			now.Add(time.Minute).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))})
		r.start()
		defer r.end()
		r.show("")
		after(30 * time.Second)
		r.wantWrites(1)
		after(time.Minute)
		r.write(map[string]string{"a.yaml": voicy("a", "two")})
		r.show("")
		after(30 * time.Minute)
		if a := r.wantState("voicy/a", status.Pending); !strings.Contains(a.Reason, "sale") {
			t.Errorf("the reason is %q", a.Reason)
		}
		if f := r.status().Freeze; f == nil || f.Reason != "sale" || !f.Until.Equal(now.Add(time.Hour)) {
			t.Errorf("the freeze is %+v", f)
		}
		r.wantWrites(0)
		after(30 * time.Minute)
		r.wantState("voicy/a", status.Synced)
		r.wantWrites(1)
	})
}

func TestWatchStopsFighting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "ours", overwrite)})
		r.start()
		defer r.end()
		r.show("")
		after(10 * time.Second)
		r.vendor.ResetLog()
		for range 8 {
			r.edit("voicy", "a", "general_prompt", "theirs")
			after(6 * time.Minute)
		}
		a := r.wantState("voicy/a", status.Fighting)
		if !strings.Contains(a.Reason, "theirs") || !strings.Contains(a.Reason, "ours") {
			t.Errorf("the reason does not show both values: %q", a.Reason)
		}
		r.wantWrites(3)
		after(5 * time.Hour) // it does not begin again by itself
		r.wantState("voicy/a", status.Fighting)
		r.wantWrites(0)
		r.watcher.Reconcile([]string{"voicy/a"})
		after(10 * time.Second)
		r.wantState("voicy/a", status.Synced)
		r.wantWrites(1)
	})
}

func TestWatchLetsOneBrokenAgentHoldUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "b.yaml": voicy("b", "one")})
		r.start()
		defer r.end()
		r.show("")
		after(10 * time.Second)
		id := r.agent("voicy/a").ID
		r.vendor.Fault(sandbox.Fault{Method: "PATCH", Path: "/voicy/v1/update-agent/" + id, Kind: sandbox.FaultStatus, Status: 500})
		r.write(map[string]string{"a.yaml": voicy("a", "two"), "b.yaml": voicy("b", "two")})
		r.show("")
		after(3 * time.Minute)
		a := r.wantState("voicy/a", status.Failed)
		if a.Failures == 0 || a.Error == "" {
			t.Errorf("the agent is %+v", a)
		}
		r.wantState("voicy/b", status.Synced)
		r.vendor.ResetLog()
		after(2 * time.Hour)
		if tries := len(r.writes()); tries > 100 {
			t.Errorf("%d tries in two hours", tries)
		}
		r.vendor.ClearFaults()
		after(20 * time.Minute)
		if a := r.wantState("voicy/a", status.Synced); a.Failures != 0 || !a.NextTry.IsZero() {
			t.Errorf("after it healed: %+v", a)
		}
	})
}

func TestWatchBreakerAndOtherAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		files := map[string]string{"c.yaml": nova("c", "one")}
		for i := range 20 {
			files[fmt.Sprintf("v%d.yaml", i)] = voicy(fmt.Sprintf("v%d", i), "one")
		}
		r.write(files)
		r.start()
		defer r.end()
		r.show("")
		after(time.Minute)
		r.vendor.Fault(sandbox.Fault{Vendor: "voicy", Kind: sandbox.FaultStatus, Status: 503})
		after(10 * time.Minute)
		r.vendor.ResetLog()
		before := r.requests("voicy")
		after(time.Hour)
		if cost := r.requests("voicy") - before; cost > 100 {
			t.Errorf("%d requests in an hour to a vendor that does not answer", cost)
		}
		r.wantState("voicy/v7", status.Unreachable)
		for _, a := range r.status().Accounts {
			if (a.Breaker == status.Closed) != (a.Name == "nova") || (a.Error == "") != (a.Name == "nova") {
				t.Errorf("account %+v", a)
			}
		}
		r.write(map[string]string{"c.yaml": nova("c", "two"), "v7.yaml": voicy("v7", "two")})
		r.show("")
		after(time.Minute)
		r.wantState("nova/c", status.Synced)
		if r.live("nova", "c")["prompt_template"] != "two" {
			t.Error("the other account was held up")
		}
		r.vendor.ClearFaults()
		after(25 * time.Minute)
		r.wantState("voicy/v7", status.Synced)
		if r.live("voicy", "v7")["general_prompt"] != "two" {
			t.Error("what changed in the meantime was forgotten")
		}
	})
}

func TestWatchOfAHangingVendor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "c.yaml": nova("c", "one")})
		r.start()
		defer r.end()
		r.show("")
		after(time.Minute)
		r.vendor.Fault(sandbox.Fault{Vendor: "nova", Kind: sandbox.FaultSlow})
		after(5 * time.Minute) // a look at nova is under way, and hangs
		r.write(map[string]string{"a.yaml": voicy("a", "two")})
		r.show("")
		after(5 * time.Second)
		r.wantState("voicy/a", status.Synced)
		if r.live("voicy", "a")["general_prompt"] != "two" {
			t.Error("held up by another vendor")
		}
		r.vendor.ClearFaults()
	})
}

func TestWatchHoldsTheLimitsOverAllAccounts(t *testing.T) {
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
		r.show("")
		after(time.Minute)
		r.vendor.ResetLog()
		// Each account has fewer than limits.minAgents; together they have not.
		r.write(files("two"))
		r.show("")
		after(time.Hour)
		if n := len(r.writes()); n > 8 {
			t.Errorf("%d of 16 agents were changed, more than half", n)
		}
		refused := 0
		for _, a := range r.status().Agents {
			if a.State == status.Refused && strings.Contains(a.Reason, "maxChangedPercent") {
				refused++
			}
		}
		if refused < 8 {
			t.Errorf("%d agents are refused", refused)
		}
	})
}

func TestWatchPrunesWithinItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.KeepRuns = -1 // prune, for this rig
		files := map[string]string{}
		for _, name := range []string{"a", "b", "c", "d"} {
			files[name+".yaml"] = voicy(name, "one")
		}
		r.write(files)
		r.start()
		defer r.end()
		r.show("")
		after(time.Minute)
		r.write(map[string]string{"a.yaml": "", "b.yaml": ""})
		r.show("")
		after(10 * time.Minute)
		if n := len(r.vendor.Agents("voicy")); n != 4 {
			t.Errorf("%d agents are left of 4: two deletes are beyond limits.maxDeletes", n)
		}
		r.write(map[string]string{"b.yaml": voicy("b", "one")})
		r.show("")
		after(10 * time.Minute)
		if n := len(r.vendor.Agents("voicy")); n != 3 {
			t.Errorf("%d agents are left", n)
		}
		for _, a := range r.status().Agents {
			if a.Address == "voicy/a" {
				t.Errorf("the pruned agent is still shown: %+v", a)
			}
		}
	})
}

func TestWatchersElectOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newRig(t)
		second := rigOver(t, first.vendor, first.store)
		for i, r := range []*rig{first, second} {
			lease, err := r.options.Book.Lease(state.LeaseRequest{Holder: fmt.Sprint(i), TTL: 15 * time.Second, Clock: r.options.Clock})
			if err != nil {
				t.Fatal(err)
			}
			r.options.Lease = lease
			r.write(map[string]string{"a.yaml": voicy("a", "one", overwrite)})
			r.start()
			after(3 * time.Second)
			r.show("")
		}
		after(time.Minute)
		first.wantWrites(1)
		if a, b := first.status().Lease, second.status().Lease; a.Role != status.Leader || b.Role != status.Standby || b.Holder != "0" {
			t.Errorf("leases %+v and %+v", a, b)
		}
		first.edit("voicy", "a", "general_prompt", "mine")
		first.end()
		after(20 * time.Second)
		if l := second.status().Lease; l.Role != status.Leader || l.Epoch != 2 {
			t.Errorf("the second did not take over: %+v", l)
		}
		second.wantState("voicy/a", status.Synced)
		second.wantWrites(1)
		second.end()
	})
}

func TestWatchFinishesWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one"), "b.yaml": voicy("b", "one")})
		r.vendor.Fault(sandbox.Fault{Method: "POST", Kind: sandbox.FaultSlow, For: 10 * time.Second})
		r.start()
		r.show("")
		after(time.Second)
		r.end()
		if n := len(r.vendor.Agents("voicy")); n == 0 {
			t.Error("the creates in flight were cut off")
		}
		for _, a := range r.status().Agents {
			if a.State != status.Synced {
				t.Errorf("%s is %s", a.Address, a.State)
			}
		}
	})
}

func TestWatchDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Grace = 5 * time.Second
		r.write(map[string]string{"a.yaml": voicy("a", "one")})
		r.vendor.Fault(sandbox.Fault{Method: "POST", Kind: sandbox.FaultSlow})
		r.start()
		r.show("")
		after(time.Second)
		began := time.Now()
		close(r.stop)
		if err := <-r.done; err == nil {
			t.Error("it says that all went well")
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s to stop", took)
		}
	})
}

func TestWatchReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": voicy("a", "one")})
		r.start()
		defer r.end()
		r.show("")
		after(10 * time.Second)
		before := r.requests("voicy")
		r.reload <- struct{}{}
		after(2 * time.Second)
		if r.requests("voicy") == before || r.source.pokes != 1 {
			t.Errorf("%d requests, %d pokes", r.requests("voicy")-before, r.source.pokes)
		}
	})
}

// TestWatchLoadsAgainWhatTheStateKeptBack lets the state be away while a revision is taken in: it is taken in once the state is there again.
func TestWatchLoadsAgainWhatTheStateKeptBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var away atomic.Bool
		away.Store(true)
		load := r.options.Load
		r.options.Load = func(ctx context.Context, rev *source.Revision) (*watch.Manifests, error) {
			if away.Load() {
				return nil, errors.New("the bucket does not answer")
			}
			return load(ctx, rev)
		}
		r.write(map[string]string{"a.yaml": voicy("a", "one")})
		r.start()
		defer r.end()
		r.show("1111")
		after(time.Minute)
		if s := r.status().Source; len(s.Errors) != 1 || s.Errors[0].Message != "the bucket does not answer" || s.InForce != "" {
			t.Errorf("the source is %+v", s)
		}
		away.Store(false)
		after(time.Minute)
		r.wantState("voicy/a", status.Synced)
		if s := r.status().Source; len(s.Errors) != 0 || s.InForce != "1111" {
			t.Errorf("the source is %+v", s)
		}
	})
}

// TestWatchGoesOnTellingWhatIsBroken: that a folder did not change since does not mend its manifests.
func TestWatchGoesOnTellingWhatIsBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write(map[string]string{"a.yaml": "apiVersion: agentsync.dev/v1\nkind: Agent\n"})
		r.start()
		defer r.end()
		r.show("")
		broken := len(r.status().Source.Errors)
		r.source.looks <- source.Look{At: time.Now(), Err: errors.New("the folder is away")}
		synctest.Wait()
		r.source.looks <- source.Look{At: time.Now()}
		synctest.Wait()
		if s := r.status().Source; broken == 0 || len(s.Errors) != broken || s.ErrorSince.IsZero() {
			t.Errorf("the source is %+v", s)
		}
	})
}

// TestWatchDoesNotWaitForALongLook changes a manifest in the middle of a look that takes minutes.
func TestWatchDoesNotWaitForALongLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.perMinute, r.options.Interval = 60, 10*time.Hour
		files := map[string]string{}
		for i := range 120 {
			files[fmt.Sprintf("n%03d.yaml", i)] = nova(fmt.Sprintf("n%03d", i), "one")
		}
		r.write(files)
		r.start()
		defer r.end()
		r.show("")
		after(time.Hour)
		r.wantState("nova/n119", status.Synced)
		lookedAt, requests := r.status().Accounts[0].LookedAt, r.requests("nova")
		r.watcher.Reconcile(nil)
		after(15 * time.Second)
		r.write(map[string]string{"n119.yaml": nova("n119", "two")})
		r.show("")
		after(45 * time.Second)
		if prompt := r.live("nova", "n119")["prompt_template"]; prompt != "two" {
			t.Error("the change waits for the look")
		}
		if !r.status().Accounts[0].LookedAt.Equal(lookedAt) {
			t.Fatal("the look ended before the change came: this proves nothing")
		}
		after(10 * time.Minute)
		if !r.status().Accounts[0].LookedAt.After(lookedAt) {
			t.Error("the look did not go on")
		}
		if cost := r.requests("nova") - requests; cost > 120+4 {
			t.Errorf("%d requests: agents were asked for twice", cost)
		}
	})
}
