package main

import (
	"context"
	"errors"
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
	// guard fails once the lock no longer holds: a run that was paused for long must not write when it wakes up.
	guard func() error
}

// lock takes the state's lock, waiting for at most wait.
func (a *app) lock(ctx context.Context, book *state.Book, run string, wait time.Duration) (heldLock, error) {
	waiting, cancel := a.until(ctx)
	defer cancel()
	lock, err := book.Lock(waiting, state.LockRequest{Holder: fmt.Sprintf("%s pid %d", a.hostname, a.pid), Run: run, TTL: lockTTL, Wait: wait,
		Process: processID(a.pid), Dead: processGone,
		Clock: state.Clock{Now: a.now, Sleep: sleep}})
	if err != nil {
		return heldLock{}, hinted{err, "wait for the other run (--lock-timeout 5m), or `agentsync state unlock` if it is dead"}
	}
	renewing, stopRenewing := context.WithCancel(ctx)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer close(stop)
		a.renew(renewing, lock)
	}()
	guard := func() error {
		if !a.now().Before(lock.ExpiresAt()) {
			return state.ErrLockLost
		}
		return nil
	}
	return heldLock{stop: stop, guard: guard, release: func() {
		stopRenewing()
		<-done
		if err := lock.Release(context.WithoutCancel(ctx)); err != nil {
			fmt.Fprintf(a.stderr, "agentsync: warning: the lock could not be released: %v\n", err)
		}
	}}, nil
}

// renew keeps the lock until ctx ends, a signal comes, or the lock is lost: without it nothing new may be started.
func (a *app) renew(ctx context.Context, lock *state.Lock) {
	ticker := time.NewTicker(lockTTL / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.stop:
			return
		case <-ticker.C:
		}
		err := lock.Renew(ctx)
		if errors.Is(err, state.ErrLockLost) || (err != nil && a.now().After(lock.ExpiresAt())) {
			fmt.Fprintf(a.stderr, "agentsync: warning: nothing new is started: %v\n", err)
			return
		}
		if err != nil {
			fmt.Fprintf(a.stderr, "agentsync: warning: the lock could not be renewed, trying again: %v\n", err)
		}
	}
}
