package rest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// maxWait is the longest time a vendor may make a request wait; one that asks for more is given up.
const maxWait = 5 * time.Minute

// pace decides when an account's requests go out. A request first takes a slot, then its turn.
type pace struct {
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	read     func(h http.Header, now time.Time) (int, time.Time, bool)
	requests *window       // nil: no limit
	slots    chan struct{} // nil: no limit

	mu    sync.Mutex
	until time.Time // nothing goes out before
}

func newPace(o Options) *pace {
	p := &pace{now: o.Now, sleep: o.Sleep, read: o.Pace}
	if o.RequestsPerMinute > 0 {
		p.requests = newWindow(o.RequestsPerMinute, o.Even)
	}
	if o.MaxInFlight > 0 {
		p.slots = make(chan struct{}, o.MaxInFlight)
	}
	return p
}

// margin widens each window a little: a request that went out a moment late counts from when it went out.
const margin = 60

// window lets at most most requests begin within any period, and each as early as that allows.
type window struct {
	period time.Duration
	most   int
	mu     sync.Mutex
	sent   []time.Time // when the latest requests begin; once it holds most of them, the oldest is at next
	next   int
}

// newWindow keeps every minute within perMinute requests. Even spreads them: as many in a second as that comes to, instead of all
// at the beginning of the minute.
func newWindow(perMinute int, even bool) *window {
	n, period := perMinute, time.Minute
	if even {
		n = max(1, perMinute/60)
		period = time.Duration(n) * time.Minute / time.Duration(perMinute)
	}
	return &window{period: period + period/margin, most: n}
}

// reserve returns how long a request that comes now has to wait, and what gives the place back if it is given up: it is free
// again unless another was given out behind it.
func (w *window) reserve(now time.Time) (wait time.Duration, giveBack func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next == len(w.sent) {
		w.sent = append(w.sent, time.Time{})
	}
	at, place := now, w.next
	oldest := w.sent[place]
	if !oldest.IsZero() && oldest.Add(w.period).After(now) {
		at = oldest.Add(w.period)
	}
	w.sent[place] = at
	w.next = (place + 1) % w.most
	return at.Sub(now), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.next == (place+1)%w.most && w.sent[place].Equal(at) {
			w.sent[place], w.next = oldest, place
		}
	}
}

// slot waits until fewer than the allowed requests are under way. release gives the slot back.
func (p *pace) slot(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.slots == nil {
		return func() {}, nil
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// turn waits until a request may go out: the account is not held, and the minute has room. A hold that begins while a request
// waits for its token costs it that token, so that what was held back does not go out in a heap.
func (p *pace) turn(ctx context.Context) error {
	var served time.Time // the hold that was waited for
	for {
		if until := p.held(); until.After(served) {
			wait := until.Sub(p.now())
			if wait > maxWait {
				return &waitError{wait}
			}
			if wait > 0 {
				if err := p.sleep(ctx, wait); err != nil {
					return err
				}
			}
			served = until
		}
		if err := p.token(ctx); err != nil {
			return err
		}
		if !p.held().After(served) {
			return nil
		}
	}
}

func (p *pace) token(ctx context.Context) error {
	if p.requests == nil {
		return ctx.Err()
	}
	wait, giveBack := p.requests.reserve(p.now())
	if wait <= 0 {
		return ctx.Err()
	}
	err := p.sleep(ctx, wait)
	if err != nil {
		giveBack()
	}
	return err
}

// hold lets nothing out before until.
func (p *pace) hold(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

func (p *pace) held() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

// learn holds the account where an answer's headers say that nothing is left, and returns how much is, -1 where they do not say.
func (p *pace) learn(h http.Header) (remaining int) {
	if p.read == nil {
		return -1
	}
	remaining, reset, ok := p.read(h, p.now())
	if !ok {
		return -1
	}
	if remaining <= 0 {
		p.hold(reset)
	}
	return max(remaining, 0)
}

// waitError is a wait that is too long.
type waitError struct{ wait time.Duration }

func (e *waitError) Error() string {
	return fmt.Sprintf("the vendor asks to wait %s, longer than the %s that are waited; try again later",
		e.wait.Round(time.Second), maxWait)
}
