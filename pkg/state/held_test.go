package state_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/pkg/state"
)

// realSleep sleeps by the bubble's clock.
func realSleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hold takes a lock of two minutes in a bubble, on a store that can go wrong.
func hold(t *testing.T, store state.Store) *state.Held {
	t.Helper()
	r := state.LockRequest{Holder: "a", Run: "run-a", TTL: 2 * time.Minute, Clock: state.Clock{Now: time.Now, Sleep: realSleep}}
	h, err := state.NewBook(store).Hold(t.Context(), r, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// slow is a store whose writes hang for a while, and then fail.
type slow struct {
	state.Store
	hang time.Duration
}

func (s *slow) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	if s.hang > 0 {
		_ = realSleep(ctx, s.hang)
		return "", errors.New("no answer")
	}
	return s.Store.Replace(ctx, key, data, version)
}

// A guard that waited for a renewal that hangs would say yes by a clock that it read before.
func TestGuardDoesNotWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slow{Store: &state.Memory{}, hang: 10 * time.Minute}
		h := hold(t, store)
		time.Sleep(119 * time.Second)
		began := time.Now()
		if err := h.Guard(); err != nil || time.Since(began) > 0 {
			t.Errorf("before the end: %v after %s", err, time.Since(began))
		}
		time.Sleep(time.Second)
		if err := h.Guard(); !errors.Is(err, state.ErrLockLost) || time.Since(began) > time.Second {
			t.Errorf("after the end: %v after %s", err, time.Since(began))
		}
		_ = h.Release(t.Context())
	})
}

// What lost its lock says so from then on, also before its time is over.
func TestGuardAfterTheLockIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &state.Memory{}
		h := hold(t, store)
		if _, err := state.NewBook(store).Unlock(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-h.Lost()
		wantIs(t, h.Guard(), state.ErrLockLost)
		wantIs(t, h.Release(t.Context()), state.ErrLockLost)
	})
}
