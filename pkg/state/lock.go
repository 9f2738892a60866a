package state

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"
)

// ClockMargin is by how much the clocks of two machines may differ. A lock counts as expired, for others, only this long after the time
// written in it, while its holder stops relying on it at that time. So a holder whose clock is up to ClockMargin behind
// is still not overtaken while it writes.
const ClockMargin = 30 * time.Second

// ErrLockLost: the lock was taken over after it expired, or removed by [Book.Unlock]. Its former holder must write nothing more.
var ErrLockLost = errors.New("the state's lock was lost: another run took it over, or somebody unlocked the state")

const (
	lockKey      = "lock.json"
	shortestPoll = 250 * time.Millisecond
	longestPoll  = 5 * time.Second
)

// Clock is the time a lock goes by.
type Clock struct {
	Now func() time.Time
	// Sleep waits, and returns early with ctx's error.
	Sleep func(ctx context.Context, d time.Duration) error
}

// LockRequest says who wants the lock. Holder, Run, TTL and Clock are required.
type LockRequest struct {
	// Holder names the machine or the pipeline for people; Run is the run's id.
	Holder, Run string
	// Process identifies the holder's process to Dead of later requests; "" where a process cannot be told for sure.
	Process string
	// Dead reports whether a process is surely gone: its lock is then taken over without waiting for its end. It may be nil.
	Dead func(process string) bool
	// Epoch is the lease's, of a watcher that holds it, else 0. The lock of a holder of an earlier epoch is taken over: it lost the lease, and
	// writes nothing more.
	Epoch int64
	// TTL is how long the lock holds without a Renew; renew it about three times in that span. At least a second.
	TTL time.Duration
	// Wait is how long to wait for a lock that another run holds; 0 means not at all.
	Wait  time.Duration
	Clock Clock
}

// LockInfo is who holds the lock, or held it.
type LockInfo struct {
	Holder     string    `json:"holder"`
	Run        string    `json:"run"`
	Process    string    `json:"process,omitempty"`
	Epoch      int64     `json:"epoch,omitempty"`
	AcquiredAt time.Time `json:"acquiredAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// storedLock is lock.json. The nonce tells two locks of one run apart, and one's own write whose answer was lost from another's.
type storedLock struct {
	LockInfo
	Nonce string `json:"nonce"`
}

// LockedError says who holds the lock. It matches ErrLocked.
type LockedError struct {
	Holder, Run string
	ExpiresAt   time.Time
}

// Error names the holder and the ways out.
func (e *LockedError) Error() string {
	return fmt.Sprintf("the state is locked by %s (run %s) until %s: wait for it with --lock-timeout, or run `agentsync state unlock` if that run is dead",
		e.Holder, e.Run, e.ExpiresAt.UTC().Format(time.RFC3339))
}

// Is reports whether target is ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// Lock is a held lock. Its methods may be called at the same time from several goroutines.
type Lock struct {
	book  *Book
	ttl   time.Duration
	clock Clock
	dead  func(process string) bool

	turn    sync.Mutex // one write at a time
	version string

	mu     sync.Mutex // never held while the store is asked
	stored storedLock
	since  time.Time // when the latest renewal began
}

// Lock takes the lock, so that no other run writes: at once, or within r.Wait. A lock that has expired (see [ClockMargin]), or whose process is
// surely dead, is taken over.
// The error matches ErrLocked, and is a *LockedError, where another run holds it.
func (b *Book) Lock(ctx context.Context, r LockRequest) (*Lock, error) {
	if r.Holder == "" || r.Run == "" || r.TTL < time.Second {
		return nil, errors.New("lock the state: a holder, a run and a time to live of at least a second are needed")
	}
	l := &Lock{book: b, ttl: r.TTL, clock: r.Clock, stored: storedLock{Nonce: rand.Text()}}
	l.stored.Holder, l.stored.Run, l.stored.Process, l.stored.Epoch = r.Holder, r.Run, r.Process, r.Epoch
	l.dead = r.Dead
	deadline := r.Clock.Now().Add(r.Wait)
	for poll := shortestPoll; ; poll = min(2*poll, longestPoll) {
		err := l.acquire(ctx)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, ErrLocked) {
			return nil, err
		}
		left := deadline.Sub(r.Clock.Now())
		if left <= 0 {
			return nil, err
		}
		if err := r.Clock.Sleep(ctx, min(left, poll/2+mathrand.N(poll/2))); err != nil {
			return nil, err
		}
	}
}

// acquire tries to take the lock until there is an answer: another may release it, or take an expired one, at the same moment.
func (l *Lock) acquire(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		item, stored, err := l.book.readLock(ctx)
		free := errors.Is(err, ErrNotExist)
		if err != nil && !free {
			return err
		}
		if !free && !l.mayTake(stored) {
			return &LockedError{Holder: stored.Holder, Run: stored.Run, ExpiresAt: stored.ExpiresAt}
		}
		began := l.clock.Now()
		mine := l.stored
		mine.AcquiredAt = began.UTC().Truncate(time.Second)
		mine.ExpiresAt = mine.AcquiredAt.Add(l.ttl)
		data, err := encode(mine)
		if err != nil {
			return err
		}
		var version string
		if free {
			version, err = l.book.store.Create(ctx, lockKey, data)
		} else {
			version, err = l.book.store.Replace(ctx, lockKey, data, item.Version)
		}
		if err == nil {
			l.holds(mine, began)
			l.version = version
			return nil
		}
		if !errors.Is(err, ErrExists) && !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// mayTake reports whether a stored lock has expired, is of a process that is dead or lost the lease, or is l's own from a write whose
// answer was lost.
func (l *Lock) mayTake(stored storedLock) bool {
	if stored.Epoch > 0 && stored.Epoch < l.stored.Epoch {
		return true
	}
	if l.dead != nil && stored.Process != "" && l.dead(stored.Process) {
		return true
	}
	return stored.Nonce == l.stored.Nonce || l.clock.Now().After(stored.ExpiresAt.Add(ClockMargin))
}

// ExpiresAt is until when the lock holds without another Renew. After it, write nothing.
func (l *Lock) ExpiresAt() time.Time { return l.now().ExpiresAt }

// Guard fails once the lock no longer holds, by the clock or by the time that went by, whichever is sooner: a clock that is set back must not make
// it last longer. It never waits for the store.
func (l *Lock) Guard() error {
	l.mu.Lock()
	expires, since := l.stored.ExpiresAt, l.since
	l.mu.Unlock()
	if now := l.clock.Now(); !now.Before(expires) || now.Sub(since) >= l.ttl {
		return ErrLockLost
	}
	return nil
}

func (l *Lock) now() storedLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stored
}

// holds notes what is stored from now on; began is when that write began.
func (l *Lock) holds(stored storedLock, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored, l.since = stored, began
}

// Renew lets the lock hold for another TTL from now. After an error that matches [ErrLockLost] write nothing more; after any other, try
// again before ExpiresAt.
func (l *Lock) Renew(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	began := l.clock.Now()
	renewed := l.now()
	renewed.ExpiresAt = began.UTC().Truncate(time.Second).Add(l.ttl)
	data, err := encode(renewed)
	if err != nil {
		return err
	}
	err = l.own(ctx, func(version string) (string, error) {
		return l.book.store.Replace(ctx, lockKey, data, version)
	})
	if err == nil {
		l.holds(renewed, began)
	}
	return err
}

// Release gives the lock back, if it is still held; else the error matches [ErrLockLost] and nothing is changed. Give it a
// context that outlives an interrupt.
func (l *Lock) Release(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	return l.own(ctx, func(version string) (string, error) {
		return version, l.book.store.Delete(ctx, lockKey, version)
	})
}

// own carries out a conditional write on l's own lock.json. After a conflict it looks once whether the lock is still l's, in the version of
// an earlier write whose answer was lost.
func (l *Lock) own(ctx context.Context, write func(version string) (string, error)) error {
	version, err := write(l.version)
	if errors.Is(err, ErrConflict) {
		item, stored, readErr := l.book.readLock(ctx)
		switch {
		case readErr != nil:
			err = readErr
		case stored.Nonce == l.now().Nonce:
			version, err = write(item.Version)
		}
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotExist) {
		return ErrLockLost
	}
	if err == nil {
		l.version = version
	}
	return err
}

// Unlock removes the lock, whoever holds it, and returns who did: for a person who knows that the run is dead. A lock that cannot be read is
// removed too. The error matches ErrNotExist where there is none.
func (b *Book) Unlock(ctx context.Context) (LockInfo, error) {
	for {
		item, err := b.store.Get(ctx, lockKey)
		if err != nil {
			return LockInfo{}, err
		}
		var stored storedLock
		_ = json.Unmarshal(item.Data, &stored) // what cannot be read has no holder to name
		err = b.store.Delete(ctx, lockKey, item.Version)
		if !errors.Is(err, ErrConflict) { // the holder may just have renewed it
			return stored.LockInfo, err
		}
	}
}

// readLock reads lock.json as it is now.
func (b *Book) readLock(ctx context.Context) (Item, storedLock, error) {
	var stored storedLock
	item, err := b.store.Get(ctx, lockKey)
	if err != nil {
		return Item{}, stored, err
	}
	if err := json.Unmarshal(item.Data, &stored); err != nil || stored.ExpiresAt.IsZero() {
		return Item{}, stored, fmt.Errorf("%s is not a lock: run `agentsync state unlock` if no other run is at work", b.place(lockKey))
	}
	return item, stored, nil
}
