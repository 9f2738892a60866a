// Package watch is the reconcile loop: it keeps the live agents equal to the manifests of a source, for months. It decides nothing about agents
// itself: [plan.Build] decides, [apply.Run] carries out, as for the commands. What it adds is when: one goroutine, the loop, holds all that
// is known and decides who is looked at next; each account's runs have a goroutine of their own, so that no vendor holds up another.
package watch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// Source is where the manifests come from; see package source.
type Source interface {
	Run(ctx context.Context, see func(source.Look)) error
	Poke()
	InForce(commit string)
	Location() string
}

// Manifests are a revision's, read and checked, with accounts that are open.
type Manifests struct {
	Agents   []*plan.Agent
	Accounts map[string]*plan.Account // by name; also those that only the state names
	// Planning is what plans are told; Now, Select and Elsewhere are the loop's.
	Planning plan.Options
	Freeze   []*spec.Freeze
	// Behind are the agents, by address, that the state says were last applied otherwise; see [plan.Behind].
	Behind []string
	// Defaults names all that concerns every agent, Settings what concerns those of an account: where one of them changes, all of its agents are
	// looked at.
	Defaults string
	Settings map[string]string
}

// Options say what to watch and how. Source, Load, Book, Lock, Board, Log, Clock, Requests and Stop are required.
type Options struct {
	Version string
	Source  Source
	Kind    string // of the source: folder or git
	Ref     string
	// Load reads and checks the manifests of a revision. It is called by one goroutine at a time. Its error may be [spec.Problems].
	Load func(context.Context, *source.Revision) (*Manifests, error)
	Book *state.Book
	// Lease elects the one that writes; nil where no other can be (a watcher that only observes).
	Lease *state.Lease
	// Lock makes the request for the state's lock, under which everything is written.
	Lock func(run string, wait time.Duration) state.LockRequest
	// Observe: plan, and never write.
	Observe bool
	// Interval is the time between full looks; they are spread by a tenth of it.
	Interval time.Duration
	// Grace is how long a stopping watcher waits for what is in flight.
	Grace time.Duration
	// KeepRuns is how many runs' snapshots are kept for undo; 0 keeps all.
	KeepRuns    int
	Parallelism int
	// Requests counts the requests sent to an account so far.
	Requests func(account string) int
	Board    *status.Board
	Log      *slog.Logger
	// Planned, Applied and Fetched are told of each plan, each apply, and each look at the source. They may be nil.
	Planned func(account string, took time.Duration)
	Applied func(account string, took time.Duration, outcomes map[string]int)
	Fetched func(ok bool)
	Clock   state.Clock
	// Stop ends the watcher: what is in flight is finished, within Grace. Reload asks for a new look at everything.
	Stop   <-chan struct{}
	Reload <-chan struct{}
}

// ErrCutShort says that a stopping watcher did not wait any longer: a write may have an unknown outcome. The next run settles it.
var ErrCutShort = errors.New("stopped in the middle of a write")

// Watcher keeps agents equal to their manifests. Make it with New and run it once.
type Watcher struct {
	Options
	looks    chan source.Look
	leases   chan struct{}
	requests chan request
	// leaseTrouble is why the lease's store cannot be asked, nil if it can.
	leaseTrouble atomic.Pointer[string]
	// windows are the freeze windows of the revision in force.
	windows atomic.Pointer[[]*spec.Freeze]
	ended   chan struct{}
}

// request is somebody's wish for a look; no addresses mean all agents.
type request struct{ addresses []string }

// New returns a watcher.
func New(o Options) *Watcher {
	return &Watcher{Options: o, looks: make(chan source.Look), leases: make(chan struct{}, 1), requests: make(chan request, 16), ended: make(chan struct{})}
}

// Reconcile asks for a look at some agents, by address, or at all of them. It reports whether the wish was taken: it is not by a watcher that
// ends or that has too many already. It may be called from any goroutine.
func (w *Watcher) Reconcile(addresses []string) bool {
	select {
	case <-w.ended:
		return false
	default:
	}
	select {
	case w.requests <- request{addresses}:
		return true
	default:
		return false
	}
}

// Fetch asks the source to look now. Where another watcher leads, it asks that one too, through the lease. It may be called from any goroutine, and
// does not wait.
func (w *Watcher) Fetch() {
	w.Source.Poke()
	if w.Lease != nil && w.Lease.Guard() != nil {
		w.Lease.Ask()
	}
}

// Run watches until Stop is closed, ctx ends, or the source cannot ever work.
func (w *Watcher) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	sourceFailed := make(chan error, 1)
	group.Go(func() {
		if err := w.Source.Run(ctx, func(l source.Look) {
			select {
			case w.looks <- l:
			case <-ctx.Done():
			}
		}); err != nil {
			sourceFailed <- err
		}
	})
	leasing, endLease := context.WithCancel(ctx)
	var lease sync.WaitGroup
	lease.Go(func() { w.campaign(leasing) })
	err := newLoop(w).run(ctx, sourceFailed)
	close(w.ended)
	endLease()
	lease.Wait()
	if w.Lease != nil && !errors.Is(err, errLeftBehind) {
		releasing, done := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
		defer done()
		if err := w.Lease.Release(releasing); err != nil {
			w.Log.Warn("the lease could not be given back; it ends by itself", "error", err)
		}
	}
	return err
}

// releaseWait bounds how long the store may take for the last word.
const releaseWait = 5 * time.Second

// campaign takes and renews the lease until ctx ends, and wakes the loop when what it sees changes.
func (w *Watcher) campaign(ctx context.Context) {
	if w.Lease == nil {
		return
	}
	failing := false
	for {
		led := w.Lease.Guard() == nil
		before, wishes := w.Lease.Info(), w.Lease.Wishes()
		again, err := w.Lease.Step(ctx)
		if ctx.Err() != nil {
			return
		}
		if w.Lease.Wishes() != wishes {
			w.Log.Info("a standby was asked to fetch, and passed it on")
			w.Source.Poke()
		}
		changed := (err != nil) != failing
		if changed {
			if failing = err != nil; failing {
				text := err.Error()
				w.leaseTrouble.Store(&text)
				w.Log.Warn("the lease: the state's store cannot be asked", "error", err)
			} else {
				w.leaseTrouble.Store(nil)
				w.Log.Info("the lease: the state's store answers again")
			}
		}
		if changed || led != (w.Lease.Guard() == nil) || before != w.Lease.Info() {
			select {
			case w.leases <- struct{}{}:
			default:
			}
		}
		if w.Clock.Sleep(ctx, again) != nil {
			return
		}
	}
}
