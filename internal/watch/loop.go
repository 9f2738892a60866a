package watch

import (
	"context"
	"maps"
	"slices"
	"time"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/plan"
)

// heartbeat is how often the loop publishes that it is alive, and looks whether it still leads.
const heartbeat = time.Second

// loop is everything that is known. One goroutine owns it.
type loop struct {
	*Watcher
	now       func() time.Time
	startedAt time.Time
	from      *manifestsSource
	accounts  map[string]*account
	agents    map[string]*agent
	fights    fights
	moves     moves
	runs      []*status.Run
	lock      *turnstile
	done      chan outcome
	busy      int // rounds under way
	leads     bool
	leadsAt   time.Time // when leads last changed
	frozen    time.Time // until when; zero if not
	prunedAt  time.Time
	stopping  chan struct{}
}

// account is what is known of one account.
type account struct {
	name, vendor string
	// all asks for a full look, wanted for a look at some agents; because says why.
	all      bool
	wanted   map[string]bool
	because  status.Trigger
	busy     bool
	nextLook time.Time
	lookedAt time.Time
	lookTook time.Duration
	goodAt   time.Time // when a full look last found everything read
	breaker  breaker
	// held says why its last round as a whole came to nothing, "" if it did not.
	held string
}

// want asks for a look at one agent.
func (a *account) want(address string, because status.Trigger) {
	if !a.all && len(a.wanted) == 0 {
		a.because = because
	}
	if a.wanted == nil {
		a.wanted = map[string]bool{}
	}
	a.wanted[address] = true
}

// wantAll asks for a full look.
func (a *account) wantAll(because status.Trigger) {
	if !a.all {
		a.all, a.because = true, because
	}
}

// agent is what is known of one agent.
type agent struct {
	shown    *status.Agent
	failures int
	nextTry  time.Time
}

func newLoop(w *Watcher) *loop {
	l := &loop{Watcher: w, now: w.Clock.Now, startedAt: w.Clock.Now(), accounts: map[string]*account{}, agents: map[string]*agent{}, fights: fights{}, moves: moves{},
		done: make(chan outcome), leads: w.Lease == nil, stopping: make(chan struct{})}
	l.leadsAt = l.startedAt
	l.lock = &turnstile{book: w.Book, request: w.Lock, trouble: func(err error) { w.Log.Warn("the state's lock could not be renewed", "error", err) }}
	l.from = newManifestsSource(w)
	return l
}

// run goes on until the watcher is to stop.
func (l *loop) run(ctx context.Context, sourceFailed <-chan error) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	// Rounds outlive ctx by the time they are given to end.
	rounds, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for {
		l.role()
		l.dispatch(rounds)
		l.publish()
		select {
		case look := <-l.looks:
			l.look(rounds, look)
		case o := <-l.done:
			l.finished(o)
		case r := <-l.requests:
			l.requested(r)
		case <-l.Reload:
			l.Log.Info("asked to reload")
			l.Source.Poke()
			l.from.again = true
			l.requested(request{})
		case <-l.leases:
		case <-beat.C:
		case err := <-sourceFailed:
			return l.stop(cut, err)
		case <-l.Stop:
			return l.stop(cut, nil)
		case <-ctx.Done():
			return l.stop(cut, nil)
		}
	}
}

// stop waits for the rounds under way, for as long as the grace allows; then it cuts them short.
func (l *loop) stop(cut context.CancelFunc, err error) error {
	close(l.stopping)
	l.Log.Info("stopping", "in_flight", l.busy)
	l.publish()
	grace := time.NewTimer(l.Grace)
	defer grace.Stop()
	for l.busy > 0 {
		select {
		case o := <-l.done:
			l.finished(o)
			l.publish()
		case <-grace.C:
			l.Log.Warn("the grace period is over: what is in flight is cut short", "in_flight", l.busy)
			cut()
			err = ErrCutShort
		}
	}
	l.from.drop()
	return err
}

// role notes whether this watcher leads, and begins anew when it comes to lead.
func (l *loop) role() {
	leads := l.Lease == nil || l.Lease.Guard() == nil
	if leads == l.leads {
		return
	}
	l.leads, l.leadsAt = leads, l.now()
	if !leads {
		l.Log.Warn("this watcher no longer leads: nothing new is started")
		return
	}
	l.Log.Info("this watcher leads", "epoch", l.Lease.Info().Epoch)
	l.fights = fights{}
	for _, a := range l.accounts {
		a.wantAll(status.Start)
		a.breaker = breaker{}
	}
	for _, a := range l.agents {
		a.failures, a.nextTry = 0, time.Time{}
	}
}

// requested notes somebody's wish. Who asks for an agent by name has looked at what is wrong with it.
func (l *loop) requested(r request) {
	if len(r.addresses) == 0 {
		for _, a := range l.accounts {
			a.wantAll(status.Request)
			a.breaker.next = time.Time{}
		}
		for _, a := range l.agents {
			a.nextTry = time.Time{}
		}
		return
	}
	for _, address := range r.addresses {
		known := l.agents[address]
		if known == nil {
			continue
		}
		known.nextTry = time.Time{}
		l.fights.settle(address)
		if a := l.accounts[known.shown.Provider]; a != nil {
			a.want(address, status.Request)
		}
	}
}

// look takes in what the source saw.
func (l *loop) look(ctx context.Context, look source.Look) {
	if l.Fetched != nil {
		l.Fetched(look.Err == nil)
	}
	before := l.from.inForce
	if !l.from.take(ctx, look) {
		return
	}
	l.follow(before, l.from.inForce)
}

// follow makes a new revision's manifests the ones that agents are kept to, and asks for a look at what changed.
func (l *loop) follow(before, after *revision) {
	l.moves = moves{}
	first := before == nil
	for _, address := range after.manifests.Behind {
		if declared := after.byAddress[address]; declared != nil {
			l.moves.expect(declared.Provider, address, l.now())
		}
	}
	names := slices.Collect(maps.Keys(after.manifests.Accounts))
	for name := range l.accounts {
		if after.manifests.Accounts[name] == nil {
			delete(l.accounts, name)
		}
	}
	for _, name := range names {
		known := l.accounts[name]
		if known == nil {
			known = &account{name: name}
			l.accounts[name] = known
			known.wantAll(changeOr(first))
		}
		known.vendor = after.manifests.Accounts[name].Type()
		if !first && (before.manifests.Defaults != after.manifests.Defaults || before.manifests.Settings[name] != after.manifests.Settings[name]) {
			known.wantAll(status.Change)
			known.breaker = breaker{}
		}
	}
	for address, digest := range after.digests {
		if !first && before.digests[address] == digest {
			continue
		}
		l.declared(address, after.byAddress[address])
		l.accounts[after.byAddress[address].Provider].want(address, changeOr(first))
	}
	if first {
		return
	}
	for address, was := range before.byAddress {
		if _, still := after.digests[address]; !still {
			delete(l.agents, address)
			l.fights.settle(address)
			if a := l.accounts[was.Provider]; a != nil {
				a.wantAll(status.Change) // it is an orphan now
			}
		}
	}
}

func changeOr(first bool) status.Trigger {
	if first {
		return status.Start
	}
	return status.Change
}

// declared notes that an agent's manifest is new or changed: what went wrong before may be mended.
func (l *loop) declared(address string, declared *plan.Agent) {
	l.fights.settle(address)
	known := l.agents[address]
	if known == nil {
		known = &agent{shown: &status.Agent{Address: address, Provider: declared.Provider, Type: declared.Account.Type(),
			State: status.Waiting, Reason: "not looked at yet", Since: l.now()}}
		l.agents[address] = known
	}
	known.failures, known.nextTry = 0, time.Time{}
	shown := *known.shown
	shown.Manifest = declared.Pos.String()
	known.shown = &shown
}
