package watch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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
		if a.looking == nil && !a.nextLook.IsZero() && !now.Before(a.nextLook) {
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
		a := l.accounts[name]
		due := a.all || a.looking != nil || len(a.wanted) > 0
		if due && !l.rounds[name] && !now.Before(a.notBefore) && (!a.breaker.open() || !now.Before(a.breaker.next)) {
			l.begin(ctx, a, now)
		}
	}
}

// begin starts a round of an account.
func (l *loop) begin(ctx context.Context, a *account, now time.Time) {
	rev, epoch := l.from.inForce, l.epoch
	j := job{run: state.RunID(now), account: a.name, rev: rev, options: rev.manifests.Planning, hold: l.hold(now),
		contested: l.fights.contested(now), epoch: epoch, guard: func() error { return l.mayWrite(epoch) },
		prune: l.KeepRuns > 0 && now.Sub(l.prunedAt) >= pruneEvery}
	o := &j.options
	o.Now, o.Select, o.Source.Commit = now, plan.Select{Providers: []string{a.name}}, rev.files.Commit
	l.choose(a, &j, now)
	o.Elsewhere = l.elsewhere(a, &j, now)
	l.rounds[a.name], l.news = true, true
	rev.users++
	go func() {
		o := l.round(ctx, j, l.lock, l.stopping)
		select {
		case l.done <- o:
		case <-l.ended: // nobody waits for it any more
		}
	}()
}

// choose decides which agents a round looks at: some to see whether the account answers again, those that are wanted, or the next part of
// a full look.
func (l *loop) choose(a *account, j *job, now time.Time) {
	s := &j.options.Select
	if a.breaker.open() {
		j.probe, j.because, j.wanted = true, status.Retry, l.probe(a)
		a.breaker.probing = true
		s.Changed = j.wanted
		return
	}
	if a.all && a.looking == nil { // one under way is ended first: who asks again and again must not keep it from ever getting to the last agent
		a.all, a.looking = false, &fullLook{why: a.allWhy, began: now, done: map[string]bool{}}
	}
	var part map[string]bool
	last := false
	if a.looking != nil {
		part, last = l.part(a)
	}
	switch {
	case len(a.wanted) > 0 && !(a.yields && a.looking != nil) && !(last && len(a.looking.done) == 0):
		a.yields = a.looking != nil
		j.because, j.wanted = a.wantedWhy, a.wanted
		s.Changed, a.wanted = a.wanted, nil
	case last:
		a.yields = false
		j.because, j.all = a.looking.why, true
		s.Except = l.waiting(a.name)
		maps.Copy(s.Except, a.looking.done)
		maps.DeleteFunc(a.wanted, func(address string, _ bool) bool { return !s.Except[address] })
	default:
		a.yields = false
		j.because, j.part, j.wanted = a.looking.why, true, part
		s.Changed = part
	}
}

// leastPart is the least number of agents in a part of a full look.
const leastPart = 20

// part returns the next agents of the full look under way, and whether they are the last. Where a list shows whole agents there are no parts.
func (l *loop) part(a *account) (next map[string]bool, last bool) {
	account := l.from.inForce.manifests.Accounts[a.name]
	if account.Provider == nil || account.Generation.Can.List == "whole" {
		return nil, true
	}
	size := max(leastPart, account.Provider.Limits().PerMinute/2)
	if account.Provider.Limits().PerMinute == 0 {
		return nil, true
	}
	waiting := l.waiting(a.name)
	next = map[string]bool{}
	for _, declared := range l.from.inForce.manifests.Agents {
		address := declared.Address()
		if declared.Provider != a.name || a.looking.done[address] || waiting[address] {
			continue
		}
		if len(next) == size {
			return next, false
		}
		next[address] = true
	}
	return nil, true
}

// elsewhere is what the limits of a round's plan have to reckon with beside it.
func (l *loop) elsewhere(a *account, j *job, now time.Time) (e plan.Elsewhere) {
	e.Changed, e.Deletes = l.moves.elsewhere(now, func(account, address string) bool {
		return account == a.name && (j.all && !j.options.Select.Except[address] || j.wanted[address])
	})
	for _, other := range j.rev.manifests.Agents {
		if other.Provider != a.name {
			e.Agents++
		}
	}
	return e
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

// mayWrite is asked right before each write, by the rounds' goroutines: this watcher has led ever since the round began, and no freeze window
// has begun or come into force. What was planned in an earlier term is old: another watcher may have written in between.
func (w *Watcher) mayWrite(epoch int64) error {
	if f, until := frozen(*w.windows.Load(), w.Clock.Now()); f != nil {
		return fmt.Errorf("frozen until %s: %s", until.UTC().Format(time.RFC3339), f.Reason)
	}
	if w.Lease == nil {
		return nil
	}
	term, err := w.Lease.Term()
	if err == nil && term != epoch {
		err = fmt.Errorf("%w it was planned under: epoch %d, now %d", state.ErrNotLeader, epoch, term)
	}
	return err
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
	l.news = l.news || !l.frozen.Equal(until)
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

// probe chooses the agents that are asked for to see whether an account answers again: first those that were read last, and the next ones after
// each probe that failed, since those that were asked for may be broken themselves.
func (l *loop) probe(a *account) map[string]bool {
	var own []*status.Agent
	for _, known := range l.agents {
		if known.shown.Provider == a.name && known.shown.Manifest != "" {
			own = append(own, known.shown)
		}
	}
	slices.SortFunc(own, func(a, b *status.Agent) int {
		return cmp.Or(b.CheckedAt.Compare(a.CheckedAt), strings.Compare(a.Address, b.Address))
	})
	chosen := map[string]bool{}
	for i := range min(probes, len(own)) {
		chosen[own[((a.breaker.failures-1)*probes+i)%len(own)].Address] = true
	}
	return chosen
}
