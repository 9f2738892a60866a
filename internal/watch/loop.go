package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/plan"
)

const (
	// heartbeat is how often the loop looks what is due, and whether it still leads.
	heartbeat = time.Second
	// alive is how often it publishes that it is alive where nothing else is new: each status costs whoever watches the page a request.
	alive = 10 * time.Second
)

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
	// rounds are those under way, by account: one at a time, also for an account that goes and comes back meanwhile.
	rounds   map[string]bool
	leads    bool
	epoch    int64     // of the lease, while it leads
	leadsAt  time.Time // when leads last changed
	frozen   time.Time // until when; zero if not
	prunedAt time.Time
	stopping chan struct{}
	news     bool      // there is something to publish
	shownAt  time.Time // when a status was last published
}

// account is what is known of one account.
type account struct {
	name, vendor string
	// all asks for a full look, wanted for a look at some agents; allWhy and wantedWhy say why.
	all               bool
	wanted            map[string]bool
	allWhy, wantedWhy status.Trigger
	// looking is the full look under way, nil for none.
	looking *fullLook
	// yields says that the next part of the look goes before what is wanted: what is wanted went before the last one.
	yields bool
	// notBefore is when the next round may begin, after one that came to nothing.
	notBefore time.Time
	nextLook  time.Time
	lookedAt  time.Time
	lookTook  time.Duration
	goodAt    time.Time // when a full look last found everything read
	breaker   breaker
	// held says why its last round as a whole came to nothing, "" if it did not.
	held string
}

// want asks for a look at one agent.
func (a *account) want(address string, because status.Trigger) {
	if len(a.wanted) == 0 {
		a.wantedWhy = because
	}
	if a.wanted == nil {
		a.wanted = map[string]bool{}
	}
	a.wanted[address] = true
}

// wantAll asks for a full look.
func (a *account) wantAll(because status.Trigger) {
	if !a.all {
		a.all, a.allWhy = true, because
	}
}

// fullLook is a look at all agents of an account. Where that takes long it is made in parts, so that what changes meanwhile need not wait.
type fullLook struct {
	why   status.Trigger
	began time.Time
	done  map[string]bool // those that were looked at
	bad   int             // those that failed
}

// agent is what is known of one agent.
type agent struct {
	shown    *status.Agent
	failures int
	nextTry  time.Time
}

func newLoop(w *Watcher) *loop {
	l := &loop{Watcher: w, now: w.Clock.Now, startedAt: w.Clock.Now(), accounts: map[string]*account{}, agents: map[string]*agent{}, fights: fights{}, moves: moves{},
		rounds: map[string]bool{}, done: make(chan outcome), leads: w.Lease == nil, stopping: make(chan struct{})}
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
		if l.news || l.now().Sub(l.shownAt) >= alive {
			l.publish()
		}
		l.news = true
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
			l.news = l.reload(rounds)
		case err := <-sourceFailed:
			return l.stop(cut, err)
		case <-l.Stop:
			return l.stop(cut, nil)
		case <-ctx.Done():
			return l.stop(cut, nil)
		}
	}
}

// cutWait is how long rounds that were cut short may take to record what they did.
const cutWait = 5 * time.Second

// errLeftBehind says that rounds were left behind. The lease is not given back then: they may still write to the state.
var errLeftBehind = fmt.Errorf("%w, without recording it", ErrCutShort)

// stop waits for the rounds under way, for as long as the grace allows; then it cuts them short.
func (l *loop) stop(cut context.CancelFunc, err error) error {
	close(l.stopping)
	l.Log.Info("stopping", "in_flight", len(l.rounds))
	l.publish()
	grace := time.NewTimer(l.Grace)
	defer grace.Stop()
	for len(l.rounds) > 0 {
		select {
		case o := <-l.done:
			l.finished(o)
			l.publish()
		case <-grace.C:
			if errors.Is(err, ErrCutShort) { // what is to be recorded in the state is never cut short; but its store may not answer for minutes
				l.Log.Error("the state's store does not answer: the watcher ends without recording what is in flight", "in_flight", len(l.rounds))
				return errLeftBehind
			}
			l.Log.Warn("the grace period is over: what is in flight is cut short", "in_flight", len(l.rounds))
			cut()
			err = ErrCutShort
			grace.Reset(cutWait)
		}
	}
	l.from.drop()
	return err
}

// role notes whether this watcher leads, and begins anew when it comes to lead.
func (l *loop) role() {
	if l.Lease == nil {
		return
	}
	epoch, err := l.Lease.Term()
	leads := err == nil
	if leads == l.leads && (!leads || epoch == l.epoch) { // it may have been lost and won again since the last time
		return
	}
	l.leads, l.epoch, l.leadsAt, l.news = leads, epoch, l.now(), true
	if !leads {
		l.standBy()
		l.Log.Warn("this watcher no longer leads: nothing new is started")
		return
	}
	l.Log.Info("this watcher leads", "epoch", epoch)
	l.fights = fights{}
	for _, a := range l.accounts {
		a.wantAll(status.Start)
		a.breaker, a.looking, a.notBefore = breaker{}, nil, time.Time{}
	}
	for _, a := range l.agents {
		a.failures, a.nextTry = 0, time.Time{}
	}
}

// standBy forgets how accounts and agents stand.
func (l *loop) standBy() {
	for _, a := range l.accounts { // what was wrong with them is the next leader's to find out
		a.breaker, a.held = breaker{}, ""
	}
	for _, known := range l.agents { // so are their states
		shown := *known.shown
		shown.State, shown.Reason, shown.Since, shown.Error, shown.Failures, shown.NextTry = status.Waiting, "another watcher leads", l.leadsAt, "", 0, time.Time{}
		known.shown = &shown
	}
}

// requested notes somebody's wish. Who asks for an agent by name has looked at what is wrong with it.
func (l *loop) requested(r request) {
	if len(r.addresses) == 0 {
		for _, a := range l.accounts {
			a.wantAll(status.Request)
			a.breaker.next, a.notBefore = time.Time{}, time.Time{}
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
		switch a := l.accounts[known.shown.Provider]; {
		case a == nil:
		case l.from.inForce.byAddress[address] == nil: // only a full look sees orphans
			a.wantAll(status.Request)
		default:
			a.want(address, status.Request)
		}
	}
}

// look takes in what the source saw.
func (l *loop) look(ctx context.Context, look source.Look) {
	if l.Fetched != nil {
		l.Fetched(look.Err == nil)
	}
	l.news = look.Revision != nil || look.Err != nil || len(l.from.problems()) > 0
	before := l.from.inForce
	if !l.from.take(ctx, look) {
		return
	}
	l.follow(before, l.from.inForce)
}

// reload tries the revision again that could not be loaded, and reports whether that was tried.
func (l *loop) reload(ctx context.Context) bool {
	if l.from.pending == nil || l.now().Before(l.from.tryAt) {
		return false
	}
	before := l.from.inForce
	if l.from.retry(ctx, l.now()) {
		l.follow(before, l.from.inForce)
	}
	return true
}

// follow makes a new revision's manifests the ones that agents are kept to, and asks for a look at what changed.
func (l *loop) follow(before, after *revision) {
	first := before == nil
	if first || !before.same(after) {
		l.moves = moves{}
	}
	l.windows.Store(&after.manifests.Freeze)
	for _, address := range after.manifests.Behind {
		if declared := after.byAddress[address]; declared != nil {
			l.moves.expect(declared.Provider, address, l.now())
		}
	}
	l.followAccounts(before, after)
	l.followAgents(before, after)
}

// followAccounts takes in accounts that come, go or change.
func (l *loop) followAccounts(before, after *revision) {
	first := before == nil
	for name := range l.accounts {
		if after.manifests.Accounts[name] == nil {
			delete(l.accounts, name)
		}
	}
	for address, known := range l.agents { // orphans that went with their account
		if l.accounts[known.shown.Provider] == nil && after.byAddress[address] == nil {
			delete(l.agents, address)
		}
	}
	declares := map[string]bool{}
	for _, declared := range after.manifests.Agents {
		declares[declared.Provider] = true
	}
	for name, opened := range after.manifests.Accounts {
		known := l.accounts[name]
		if known == nil {
			known = &account{name: name}
			l.accounts[name] = known
			known.wantAll(changeOr(first))
		}
		known.vendor = opened.Type()
		if !first && (before.manifests.Defaults != after.manifests.Defaults || before.manifests.Settings[name] != after.manifests.Settings[name]) {
			known.wantAll(status.Change)
			known.breaker = breaker{}
			l.forgive(name)
		}
		if !declares[name] {
			known.breaker = breaker{} // there is nothing to probe it with
		}
	}
}

// followAgents takes in agents whose manifests come, go or change.
func (l *loop) followAgents(before, after *revision) {
	first := before == nil
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

// forgive lets an account's agents be looked at whatever went wrong before.
func (l *loop) forgive(account string) {
	for _, known := range l.agents {
		if known.shown.Provider == account {
			known.nextTry = time.Time{}
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
