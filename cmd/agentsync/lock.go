package main

import (
	"context"
	"fmt"
	"time"

	"agentsync.dev/agentsync/pkg/state"
)

// lockTTL is how long a run's lock holds without being renewed.
const lockTTL = 2 * time.Minute

// heldLock is the state's lock, held and renewed until release is called. stop is closed when the run has to end early: by a
// signal, or because the lock was lost.
type heldLock struct {
	release func()
	stop    <-chan struct{}
	// guard fails once the lock no longer holds.
	guard func() error
}

// lock takes the state's lock, waiting for at most wait.
func (a *app) lock(ctx context.Context, book *state.Book, run string, wait time.Duration) (heldLock, error) {
	waiting, cancel := a.until(ctx)
	defer cancel()
	held, err := book.Hold(waiting, a.lockRequest(run, wait), func(err error) {
		fmt.Fprintf(a.stderr, "agentsync: warning: the lock could not be renewed: %v\n", err)
	})
	if err != nil {
		return heldLock{}, hinted{err, "wait for the other run (--lock-timeout 5m), or `agentsync state unlock` if it is dead"}
	}
	stop, released := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stop)
		select {
		case <-a.stop:
		case <-held.Lost():
			fmt.Fprintln(a.stderr, "agentsync: warning: the lock was lost: nothing new is started")
		case <-released:
		}
	}()
	return heldLock{stop: stop, guard: held.Guard, release: func() {
		close(released)
		if err := held.Release(ctx); err != nil {
			fmt.Fprintf(a.stderr, "agentsync: warning: the lock could not be released: %v\n", err)
		}
	}}, nil
}

// lockRequest says who this process is.
func (a *app) lockRequest(run string, wait time.Duration) state.LockRequest {
	return state.LockRequest{Holder: a.holder(), Run: run, TTL: lockTTL, Wait: wait,
		Process: processID(a.pid), Dead: processGone, Clock: state.Clock{Now: a.now, Sleep: sleep}}
}

func (a *app) holder() string { return fmt.Sprintf("%s pid %d", a.hostname, a.pid) }
