package state

import (
	"context"
	"errors"
	"sync"
)

// renewals is how often a held lock is renewed in its time to live.
const renewals = 4

// Held is a lock that is renewed until Release is called.
type Held struct {
	lock  *Lock
	lost  chan struct{}
	end   context.CancelFunc
	ended chan struct{}
	once  sync.Once
	err   error // of the release
}

// Hold takes the lock as [Book.Lock] does and renews it in the background. trouble is told what goes wrong with that.
func (b *Book) Hold(ctx context.Context, r LockRequest, trouble func(error)) (*Held, error) {
	lock, err := b.Lock(ctx, r)
	if err != nil {
		return nil, err
	}
	renewing, end := context.WithCancel(context.WithoutCancel(ctx))
	h := &Held{lock: lock, lost: make(chan struct{}), ended: make(chan struct{}), end: end}
	go h.renew(renewing, r, trouble)
	return h, nil
}

// Lost is closed when the lock was lost: nothing new may be started.
func (h *Held) Lost() <-chan struct{} { return h.lost }

// Guard fails once the lock no longer holds: a process that was paused for long must not write when it wakes up, nor one whose lock was taken
// over. It never waits for the store.
func (h *Held) Guard() error {
	select {
	case <-h.lost:
		return ErrLockLost
	default:
		return h.lock.Guard()
	}
}

// Release gives the lock back, also where ctx has ended. A second call does nothing.
func (h *Held) Release(ctx context.Context) error {
	h.once.Do(func() {
		h.end()
		<-h.ended
		h.err = h.lock.Release(context.WithoutCancel(ctx))
	})
	return h.err
}

func (h *Held) renew(ctx context.Context, r LockRequest, trouble func(error)) {
	defer close(h.ended)
	for {
		if r.Clock.Sleep(ctx, r.TTL/renewals) != nil {
			return
		}
		err := h.lock.Renew(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			trouble(err)
		}
		if errors.Is(err, ErrLockLost) || err != nil && h.Guard() != nil {
			close(h.lost)
			return
		}
	}
}
