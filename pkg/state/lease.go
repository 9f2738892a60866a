package state

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNotLeader: this process does not hold the lease, or can no longer be sure that it does. It must write nothing.
var ErrNotLeader = errors.New("this process does not hold the lease")

const leaseKey = "lease.json"

// The parts of a lease's time to live, in hundredths, by the clock of whoever judges. Between the holder's last write and the first of the next
// holder lies a quarter of it.
const (
	leaseHeld    = 60 // the holder relies on it for so long from the moment it began to renew it
	leaseExpired = 85 // others take it over when it did not change for so long since they first saw it as it is
	leaseRenew   = 20 // how often the holder renews it
	leasePoll    = 8  // how often others look
	leaseAnswer  = 35 // how long the store may take to answer, all the requests of one step together
)

// LeaseRequest says who wants the lease. Holder, TTL and Clock are required. Clock.Now must carry a monotonic reading, as time.Now does.
type LeaseRequest struct {
	// Holder names the process for people.
	Holder string
	// Process and Dead are as in a [LockRequest].
	Process string
	Dead    func(process string) bool
	// TTL bounds how long nobody writes after a holder is gone. At least a second.
	TTL   time.Duration
	Clock Clock
}

// LeaseInfo is who holds the lease, as it was seen last.
type LeaseInfo struct {
	// Holder is "" where nobody holds it.
	Holder  string `json:"holder"`
	Process string `json:"process,omitempty"`
	// Epoch counts the holders.
	Epoch int64 `json:"epoch"`
}

type storedLease struct {
	LeaseInfo
	Nonce string        `json:"nonce"` // of the holder
	Beat  int64         `json:"beat"`  // counts the renewals
	TTL   time.Duration `json:"ttl"`   // nanoseconds
	// Wish counts what others asked of the holder: see [Lease.Ask]. It is no sign of his life.
	Wish int64 `json:"wish,omitempty"`
}

// Lease elects the one process among several that may write. No two clocks are compared: the holder goes by its own, and others by
// how long they saw the lease unchanged. Step is for one goroutine; the other methods may be called at the same time from any.
type Lease struct {
	book *Book
	req  LeaseRequest
	mine string // nonce

	// Of Step alone.
	seen    storedLease
	seenAt  time.Time // when seen was first seen
	version string

	highest  int64     // epoch that was ever seen
	settled  int64     // the wish that was told of last
	asked    int64     // of asks, those that were passed on
	wishedAt time.Time // seenAt when a wish was written last

	asks atomic.Int64

	mu     sync.Mutex
	held   time.Time // when the latest renewal began; zero if not held
	term   int64     // the epoch in which it is, or was, held
	info   LeaseInfo
	wishes int64
}

// Lease returns a lease that is not held yet.
func (b *Book) Lease(r LeaseRequest) (*Lease, error) {
	if r.Holder == "" || r.TTL < time.Second {
		return nil, errors.New("the lease needs a holder and a time to live of at least a second")
	}
	return &Lease{book: b, req: r, mine: rand.Text()}, nil
}

// Step takes the lease if it is free, renews it if it is held, and looks at it otherwise; it returns after how long to call it again. An
// error says that the store could not be asked; a lease that was held still is, until Guard says otherwise.
func (l *Lease) Step(ctx context.Context) (again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.part(leaseAnswer))
	defer cancel()
	if l.Guard() == nil {
		err = l.renew(ctx)
	} else {
		err = l.campaign(ctx)
	}
	if l.Guard() == nil {
		return l.part(leaseRenew), err
	}
	return l.part(leasePoll), err
}

// Guard returns nil while this process holds the lease and may write, else an error that matches [ErrNotLeader]. A clock that was set, or a
// machine that slept, can only make it say no too early.
func (l *Lease) Guard() error {
	l.mu.Lock()
	held := l.held
	l.mu.Unlock()
	if held.IsZero() || l.elapsed(held) >= l.part(leaseHeld) {
		return ErrNotLeader
	}
	return nil
}

// Term returns the epoch in which this process holds the lease, or the error of Guard. What was begun in one term must not be written in another:
// somebody else may have held the lease in between.
func (l *Lease) Term() (epoch int64, err error) {
	if err := l.Guard(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term, nil
}

// Ask asks the holder for a look at the source: the next Step, if this process does not hold the lease, writes the wish into it. The holder
// finds it at its next renewal and counts it in Wishes. Where nobody holds the lease the wish waits for a holder. What was asked before it was
// written is one wish, and between two renewals one process writes one at most. It may be called from any goroutine.
func (l *Lease) Ask() { l.asks.Add(1) }

// Wishes counts the wishes that this process found while it held the lease.
func (l *Lease) Wishes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wishes
}

// Info returns who held the lease when it was seen last.
func (l *Lease) Info() LeaseInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info
}

// Release gives the lease back, if it is held, so that another can take it at once. Write nothing after it; Step must not be running.
func (l *Lease) Release(ctx context.Context) error {
	if l.Guard() != nil {
		return nil
	}
	free := storedLease{LeaseInfo: LeaseInfo{Epoch: l.seen.Epoch}, Beat: l.seen.Beat + 1, TTL: l.req.TTL, Wish: l.seen.Wish}
	l.drop()
	err := l.write(ctx, free, l.version)
	if errors.Is(err, ErrConflict) { // somebody may have written a wish
		if err = l.look(ctx); err == nil && l.seen.Nonce == l.mine {
			free.Wish = l.seen.Wish
			err = l.write(ctx, free, l.version)
		}
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}

// part is a share of the time to live.
func (l *Lease) part(hundredths time.Duration) time.Duration { return l.req.TTL * hundredths / 100 }

// elapsed is how long ago t was, by the slower judgement: a machine that slept may have stopped its monotonic clock.
func (l *Lease) elapsed(t time.Time) time.Duration {
	now := l.req.Clock.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

func (l *Lease) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = time.Time{}
}

// renew writes the next beat over the last. Where it finds the lease in another's hands, it is lost.
func (l *Lease) renew(ctx context.Context) error {
	began := l.req.Clock.Now()
	next := l.seen
	next.Beat++
	err := l.write(ctx, next, l.version)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotExist) {
		// Either another has it, or an earlier renewal was carried out and its answer was lost.
		if err = l.look(ctx); err == nil && l.seen.Nonce == l.mine {
			next = l.seen
			next.Beat++
			err = l.write(ctx, next, l.version)
		} else if err == nil {
			l.drop()
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("renew the lease: %w", err)
	}
	l.hold(began)
	l.grant()
	return nil
}

// grant tells of a wish that is new in the lease that was just renewed.
func (l *Lease) grant() {
	if l.seen.Wish == l.settled {
		return
	}
	l.settled = l.seen.Wish
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wishes++
}

// pass writes a wish into the lease that another holds. Whoever is faster (the holder, or a third) is found at the next Step.
func (l *Lease) pass(ctx context.Context) error {
	asks := l.asks.Load()
	if asks == l.asked || l.seen.Holder == "" || l.wishedAt.Equal(l.seenAt) {
		return nil
	}
	next := l.seen
	next.Wish++
	err := l.write(ctx, next, l.version)
	switch {
	case err == nil:
		l.asked, l.wishedAt = asks, l.seenAt
	case errors.Is(err, ErrConflict), errors.Is(err, ErrNotExist):
		return nil
	default:
		err = fmt.Errorf("ask the leader through the lease: %w", err)
	}
	return err
}

// campaign looks at the lease and takes it if it may.
func (l *Lease) campaign(ctx context.Context) error {
	l.drop()
	if err := l.look(ctx); err != nil {
		return fmt.Errorf("look at the lease: %w", err)
	}
	if !l.mayTake() {
		return l.pass(ctx)
	}
	began := l.req.Clock.Now()
	next := storedLease{LeaseInfo: LeaseInfo{Holder: l.req.Holder, Process: l.req.Process, Epoch: l.highest + 1}, Nonce: l.mine,
		TTL: l.req.TTL, Wish: l.seen.Wish}
	err := l.write(ctx, next, l.version)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrExists) || errors.Is(err, ErrNotExist) {
		return nil // another was faster
	}
	if err != nil {
		return fmt.Errorf("take the lease: %w", err)
	}
	l.settled, l.asked = next.Wish, l.asks.Load() // a new leader looks at everything anyway
	l.hold(began)
	return nil
}

// mayTake reports whether the lease that was seen is free, its process surely dead, its time over, or this process's own from a write
// whose answer was lost.
func (l *Lease) mayTake() bool {
	s := l.seen
	switch {
	case s.Holder == "" && (s.Epoch > 0 || l.highest == 0), s.Nonce == l.mine:
		return true
	case s.Process != "" && l.req.Dead != nil && l.req.Dead(s.Process):
		return true
	}
	// A lease that was there and is gone was removed by somebody, and its holder does not know yet: the same time goes by. Of two times to live
	// the longer holds: processes may have been started with different ones.
	return l.req.Clock.Now().Sub(l.seenAt) >= max(s.TTL, l.req.TTL)*leaseExpired/100
}

// look reads the lease as it is now; one that was never taken is free.
func (l *Lease) look(ctx context.Context) error {
	item, err := l.book.store.Get(ctx, leaseKey)
	var stored storedLease
	switch {
	case errors.Is(err, ErrNotExist):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(item.Data, &stored); err != nil || stored.Epoch < 1 {
			return fmt.Errorf("%s is not a lease: move it away if no other process is at work", l.book.place(leaseKey))
		}
	}
	l.saw(stored, item.Version)
	return nil
}

// saw notes the lease as it is in the store.
func (l *Lease) saw(s storedLease, version string) {
	alike := s
	alike.Wish = l.seen.Wish
	if alike != l.seen || l.seenAt.IsZero() {
		l.seenAt = l.req.Clock.Now()
	}
	l.seen, l.version = s, version
	l.highest = max(l.highest, s.Epoch)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.info = s.LeaseInfo
}

func (l *Lease) hold(began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.term = began, l.seen.Epoch
}

// write stores s over a version, "" for none.
func (l *Lease) write(ctx context.Context, s storedLease, version string) error {
	data, err := encode(s)
	if err != nil {
		return err
	}
	if version == "" {
		version, err = l.book.store.Create(ctx, leaseKey, data)
	} else {
		version, err = l.book.store.Replace(ctx, leaseKey, data, version)
	}
	if err == nil {
		l.saw(s, version)
	}
	return err
}
