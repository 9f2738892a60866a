package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// lockWait is how long a round waits for another run's lock before its agents wait for the next round.
const lockWait = 10 * time.Second

// job is what a round has to do.
type job struct {
	run     string
	account string
	because status.Trigger
	all     bool            // all that is left of a full look, with the orphans
	part    bool            // wanted are a part of a full look
	wanted  map[string]bool // where not all
	probe   bool
	rev     *revision
	options plan.Options
	// hold says why nothing is to be written, "" if it may be.
	hold string
	// contested are the fields that are not to be put back once more, by address.
	contested map[string]map[diff.Pointer]bool
	epoch     int64
	guard     func() error
	prune     bool // look for old snapshots
}

// outcome is what came of a job.
type outcome struct {
	job
	began, ended time.Time
	plan         *plan.Plan    // nil where err says why
	report       *apply.Report // nil where nothing was to be written, or might be
	err          error
	pruned       bool
}

// Errors of a round as a whole.
var (
	errState = errors.New("the state cannot be read or locked")
	errMoved = errors.New("another run changed the state in the meantime")
)

// round plans one account's agents and carries out what may be carried out.
func (w *Watcher) round(ctx context.Context, j job, lock *turnstile, stop <-chan struct{}) outcome {
	o := outcome{job: j, began: w.Clock.Now()}
	ctx = rest.WithLog(ctx, slog.String("run", j.run))
	if j.rev.files.Commit != "" {
		ctx = rest.WithLog(ctx, slog.String("commit", j.rev.files.Commit))
	}
	o.plan, o.err = w.plan(ctx, j, stop)
	if o.err == nil {
		if w.Planned != nil {
			w.Planned(j.account, w.Clock.Now().Sub(o.began))
		}
		if j.hold == "" && !apply.Settled(o.plan) {
			o.report, o.err = w.apply(ctx, o, lock, stop)
			o.pruned = j.prune && o.report != nil && w.prune(ctx)
		}
	}
	o.ended = w.Clock.Now()
	return o
}

// plan reads the state and the live agents, and decides. It ends at once when the watcher is to stop: nothing is lost with a read.
func (w *Watcher) plan(ctx context.Context, j job, stop <-chan struct{}) (*plan.Plan, error) {
	ctx, done := until(ctx, stop)
	defer done()
	entries, err := w.Book.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	m := j.rev.manifests
	p, err := plan.Build(ctx, plan.Input{Agents: m.Agents, Accounts: m.Accounts, Entries: entries, Requests: func() int { return w.Requests(j.account) }, Options: j.options})
	if err != nil {
		return nil, err
	}
	for i := range p.Changes {
		if c := &p.Changes[i]; j.contested[c.Address] != nil {
			standOff(p, c, j.contested[c.Address])
		}
	}
	return p, nil
}

// until returns a context that also ends when stop is closed. done ends it.
func until(ctx context.Context, stop <-chan struct{}) (until context.Context, done context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// standOff keeps a change from being carried out that would put back a contested field once more.
func standOff(p *plan.Plan, c *plan.Change, contested map[diff.Pointer]bool) {
	for _, f := range c.Moved() {
		if contested[f.Path] {
			p.Block(c.Address, providers.CodeFight, fmt.Sprintf("%s was put back %d times within an hour and changed again: live %s, manifest %s",
				f.Path, fightRounds, short(f.Before), short(f.After)))
		}
	}
}

// maxShort bounds a value inside a message, in characters.
const maxShort = 120

func short(v any) string {
	text := []rune(string(diff.Canonical(v)))
	if len(text) > maxShort {
		return string(text[:maxShort]) + "…"
	}
	return string(text)
}

// apply carries a plan out under the state's lock.
func (w *Watcher) apply(ctx context.Context, o outcome, lock *turnstile, stop <-chan struct{}) (*apply.Report, error) {
	pass, err := lock.enter(ctx, o.run, o.epoch)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	defer lock.leave(ctx, pass)
	held := pass.held
	if err := w.unmoved(ctx, o.plan); err != nil {
		return nil, err
	}
	began := w.Clock.Now()
	halt, done := firstOf(stop, held.Lost())
	defer done()
	report := apply.Run(ctx, o.plan, apply.Options{Run: o.run, Commit: o.plan.Source.Commit, Book: w.Book, Parallelism: w.Parallelism, Stop: halt,
		Guard: func() error { return errors.Join(o.guard(), held.Guard()) }, Now: w.Clock.Now, Sleep: w.Clock.Sleep, Mask: o.options.Mask})
	if w.Applied != nil {
		outcomes := map[string]int{}
		for _, r := range report.Results {
			outcomes[string(r.Outcome)]++
		}
		w.Applied(o.account, w.Clock.Now().Sub(began), outcomes)
	}
	return report, nil
}

// prune deletes the snapshots beyond those to keep.
func (w *Watcher) prune(ctx context.Context) bool {
	if _, err := w.Book.Prune(ctx, w.KeepRuns); err != nil && !errors.Is(err, state.ErrConflict) {
		w.Log.Warn("old snapshots could not be deleted", "error", err)
	}
	return true
}

// unmoved makes sure that the state says of the agents to be written what it said when they were planned: a pipeline may have held the lock
// in between.
func (w *Watcher) unmoved(ctx context.Context, p *plan.Plan) error {
	planned := map[string]string{} // versions of the records, by address
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Action != plan.None && !c.Blocked() {
			planned[c.Address] = c.Work.Entry.Version
		}
	}
	addresses := slices.Sorted(maps.Keys(planned))
	entries, err := w.Book.LoadSome(ctx, addresses)
	if err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	for _, address := range addresses {
		if entries[address].Version != planned[address] {
			return fmt.Errorf("%s: %w", address, errMoved)
		}
	}
	return nil
}

// firstOf returns a channel that is closed once either of two is. done ends the wait for them.
func firstOf(a, b <-chan struct{}) (either <-chan struct{}, done func()) {
	out, quit := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		select {
		case <-a:
			close(out)
		case <-b:
			close(out)
		case <-quit:
		}
	})
	return out, func() { close(quit); group.Wait() }
}

// turnstile holds the state's lock for as long as any round writes: the accounts' rounds share it, and pipelines wait for it.
type turnstile struct {
	book    *state.Book
	request func(run string, wait time.Duration) state.LockRequest
	trouble func(error)
	mu      sync.Mutex
	open    *pass // that others may join, nil for none
}

// pass is the lock as the rounds of one term share it.
type pass struct {
	held   *state.Held
	epoch  int64
	inside int
}

// enter takes the lock, or joins those who have it. It does not join a lock that was lost, nor one of an earlier term, which another watcher may
// have taken over: those who are inside find that out by themselves.
func (t *turnstile) enter(ctx context.Context, run string, epoch int64) (*pass, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil || t.open.epoch != epoch || t.open.held.Guard() != nil {
		request := t.request(run, lockWait)
		request.Epoch = epoch
		held, err := t.book.Hold(ctx, request, t.trouble)
		if err != nil {
			return nil, err
		}
		t.open = &pass{held: held, epoch: epoch}
	}
	t.open.inside++
	return t.open, nil
}

// leave gives the lock back once nobody needs it any more.
func (t *turnstile) leave(ctx context.Context, p *pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.inside--; p.inside > 0 {
		return
	}
	if t.open == p {
		t.open = nil
	}
	if err := p.held.Release(ctx); err != nil {
		t.trouble(err)
	}
}
