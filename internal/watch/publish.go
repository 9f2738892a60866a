package watch

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"agentsync.dev/agentsync/internal/status"
)

// publish shows everything as it is now.
func (l *loop) publish() {
	now := l.now()
	l.shownAt = now
	s := &status.Status{Version: l.Version, StartedAt: l.startedAt, At: now, Observe: l.Observe, Source: l.from.shown(), Lease: l.lease(),
		Runs: slices.Clone(l.runs)}
	if l.from.inForce != nil {
		if f, until := frozen(l.from.inForce.manifests.Freeze, now); f != nil {
			s.Freeze = &status.Freeze{Reason: f.Reason, Until: until}
		}
	}
	goodAt := now
	for _, name := range slices.Sorted(maps.Keys(l.accounts)) {
		a := l.accounts[name]
		s.Accounts = append(s.Accounts, a.shown(l.rounds[name]))
		s.Queue += l.queued(a)
		if s.NextLook.IsZero() || !a.nextLook.IsZero() && a.nextLook.Before(s.NextLook) {
			s.NextLook = a.nextLook
		}
		if a.goodAt.Before(goodAt) {
			goodAt = a.goodAt
		}
	}
	if len(l.accounts) > 0 {
		s.SyncedAt = goodAt
	}
	s.Agents = make([]*status.Agent, 0, len(l.agents))
	for _, known := range l.agents {
		s.Agents = append(s.Agents, known.shown)
	}
	slices.SortFunc(s.Agents, func(a, b *status.Agent) int { return strings.Compare(a.Address, b.Address) })
	l.Board.Publish(s)
}

// queued counts the agents of an account that wait for their turn.
func (l *loop) queued(a *account) int {
	if !a.all && a.looking == nil {
		return len(a.wanted)
	}
	n := 0
	for address, known := range l.agents {
		if known.shown.Provider == a.name && (a.all || !a.looking.done[address]) {
			n++
		}
	}
	return n
}

func (a *account) shown(busy bool) *status.Account {
	s := &status.Account{Name: a.name, Type: a.vendor, Breaker: a.breaker.state(), Error: cmp.Or(a.breaker.why, a.held), Since: a.breaker.since,
		LookedAt: a.lookedAt, LookTook: a.lookTook.Seconds(), Busy: busy}
	if a.breaker.open() {
		s.NextTry = a.breaker.next
	}
	return s
}

func (s *manifestsSource) shown() status.Source {
	shown := status.Source{Kind: s.Kind, Location: s.Source.Location(), Ref: s.Ref, Commit: s.seen, CheckedAt: s.checkedAt, ChangedAt: s.changedAt,
		Errors: append([]status.Problem{}, s.problems()...), ErrorSince: s.since}
	if s.inForce != nil {
		shown.InForce, shown.Subject, shown.Digest = s.inForce.files.Commit, s.inForce.files.Subject, s.inForce.name
	}
	return shown
}

// lease says who may write.
func (l *loop) lease() status.Lease {
	if l.Lease == nil {
		return status.Lease{Role: status.Leader, Since: l.leadsAt}
	}
	info := l.Lease.Info()
	s := status.Lease{Role: status.Standby, Holder: info.Holder, Epoch: info.Epoch, Since: l.leadsAt}
	if l.leads {
		s.Role = status.Leader
	}
	if trouble := l.leaseTrouble.Load(); trouble != nil {
		s.Error = *trouble
	}
	return s
}
