package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// probes is how many agents are asked for to see whether an account answers again: one alone may be the one that is broken.
const probes = 3

// dispatch begins the rounds that are due.
func (l *loop) dispatch(ctx context.Context) {
	if l.from.inForce == nil || !l.leads {
		return
	}
	now := l.now()
	l.thaw(now)
	for _, a := range l.accounts {
		if !a.nextLook.IsZero() && !now.Before(a.nextLook) {
			a.wantAll(status.Interval)
		}
	}
	for address, known := range l.agents {
		if a := l.accounts[known.shown.Provider]; a != nil && !known.nextTry.IsZero() && !now.Before(known.nextTry) {
			known.nextTry = time.Time{}
			a.want(address, status.Retry)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.accounts)) {
		if a := l.accounts[name]; !a.busy && (a.all || len(a.wanted) > 0) && (!a.breaker.open() || !now.Before(a.breaker.next)) {
			l.begin(ctx, a, now)
		}
	}
}

// begin starts a round of an account.
func (l *loop) begin(ctx context.Context, a *account, now time.Time) {
	rev := l.from.inForce
	j := job{run: state.RunID(now), account: a.name, because: a.because, all: a.all, wanted: a.wanted, rev: rev,
		options: rev.manifests.Planning, hold: l.hold(now), contested: l.fights.contested(now), guard: func() error { return l.mayWrite(rev) },
		prune: l.KeepRuns > 0 && now.Sub(l.prunedAt) >= pruneEvery}
	if l.Lease != nil {
		j.epoch = l.Lease.Info().Epoch
	}
	o := &j.options
	o.Now, o.Select, o.Source.Commit = now, plan.Select{Providers: []string{a.name}}, rev.files.Commit
	switch {
	case a.breaker.open():
		j.probe, j.all, j.because, j.wanted = true, false, status.Retry, l.probe(a.name)
		a.breaker.probing = true
		o.Select.Changed = j.wanted
	case j.all:
		o.Select.Except = l.waiting(a.name)
		a.all, a.wanted = false, nil
	default:
		o.Select.Changed = j.wanted
		a.wanted = nil
	}
	o.Elsewhere.Changed, o.Elsewhere.Deletes = l.moves.elsewhere(a.name, now)
	for _, other := range rev.manifests.Agents {
		if other.Provider != a.name {
			o.Elsewhere.Agents++
		}
	}
	a.busy = true
	l.busy++
	rev.users++
	go func() { l.done <- l.round(ctx, j, l.lock, l.stopping) }()
}

// hold says why nothing may be written now, "" if it may.
func (l *loop) hold(now time.Time) string {
	if l.Observe {
		return "this watcher only observes"
	}
	if f, until := frozen(l.from.inForce.manifests.Freeze, now); f != nil {
		return fmt.Sprintf("frozen until %s: %s", until.UTC().Format(time.RFC3339), f.Reason)
	}
	return ""
}

// frozen returns the freeze window that holds now for the longest, nil for none.
func frozen(windows []*spec.Freeze, now time.Time) (held *spec.Freeze, until time.Time) {
	for _, f := range windows {
		if end, holds := f.Until(now); holds && end.After(until) {
			held, until = f, end
		}
	}
	return held, until
}

// mayWrite is asked right before each write, by the rounds' goroutines: this watcher leads, and no freeze window has begun since.
func (w *Watcher) mayWrite(rev *revision) error {
	if f, until := frozen(rev.manifests.Freeze, w.Clock.Now()); f != nil {
		return fmt.Errorf("frozen until %s: %s", until.UTC().Format(time.RFC3339), f.Reason)
	}
	if w.Lease == nil {
		return nil
	}
	return w.Lease.Guard()
}

// thaw asks for a look at everything when a freeze window ended.
func (l *loop) thaw(now time.Time) {
	_, until := frozen(l.from.inForce.manifests.Freeze, now)
	if was := l.frozen; !was.IsZero() && until.IsZero() {
		l.Log.Info("the freeze window ended")
		for _, a := range l.accounts {
			a.wantAll(status.Thaw)
		}
	}
	l.frozen = until
}

// waiting are the agents of an account that failed and whose time to try again has not come.
func (l *loop) waiting(name string) map[string]bool {
	except := map[string]bool{}
	for address, known := range l.agents {
		if known.shown.Provider == name && !known.nextTry.IsZero() {
			except[address] = true
		}
	}
	return except
}

// probe chooses the agents that are asked for to see whether an account answers again: those that were not read for the longest time.
func (l *loop) probe(name string) map[string]bool {
	var own []*status.Agent
	for _, known := range l.agents {
		if known.shown.Provider == name && known.shown.Manifest != "" {
			own = append(own, known.shown)
		}
	}
	slices.SortFunc(own, func(a, b *status.Agent) int {
		if c := a.CheckedAt.Compare(b.CheckedAt); c != 0 {
			return c
		}
		if a.Address < b.Address {
			return -1
		}
		return 1
	})
	chosen := map[string]bool{}
	for _, a := range own[:min(probes, len(own))] {
		chosen[a.Address] = true
	}
	return chosen
}
