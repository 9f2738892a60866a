package rest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxWait is the longest time a vendor may make a request wait; one that asks for more is given up.
const maxWait = 5 * time.Minute

// pace decides when an account's requests go out. A request first takes a slot, then its turn.
type pace struct {
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	read     func(h http.Header, now time.Time) (int, time.Time, bool)
	requests *rate.Limiter // nil: no limit
	slots    chan struct{} // nil: no limit

	mu    sync.Mutex
	until time.Time // nothing goes out before
}

func newPace(o Options) *pace {
	p := &pace{now: o.Now, sleep: o.Sleep, read: o.Pace}
	if o.RequestsPerMinute > 0 {
		burst, interval := bucket(o.RequestsPerMinute)
		p.requests = rate.NewLimiter(rate.Every(interval), burst)
	}
	if o.MaxInFlight > 0 {
		p.slots = make(chan struct{}, o.MaxInFlight)
	}
	return p
}

// bucket returns the burst, and the interval of requests after it, that keep every minute within perMinute requests.
//
// The fullest minute begins with a full bucket: burst requests at once, then one each interval. With perMinute-burst+1 intervals
// to the minute those are burst + perMinute-burst = perMinute, the next falling just outside. A tenth of the limit, at most
// 5, starts at once: enough that a short run does not wait, at the price of at most a tenth of the pace of a long one. The
// microsecond keeps rounding on the safe side.
func bucket(perMinute int) (burst int, interval time.Duration) {
	burst = min(max(perMinute/10, 1), 5)
	return burst, time.Minute/time.Duration(perMinute-burst+1) + time.Microsecond
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

// turn waits until a request may go out: the account is not held, and the bucket has a token. A hold that begins while a request
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
	now := p.now()
	r := p.requests.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return ctx.Err()
	}
	if err := p.sleep(ctx, wait); err != nil {
		r.CancelAt(p.now())
		return err
	}
	return nil
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

// learn holds the account where an answer's headers say that nothing is left.
func (p *pace) learn(h http.Header) {
	if p.read == nil {
		return
	}
	if remaining, reset, ok := p.read(h, p.now()); ok && remaining <= 0 {
		p.hold(reset)
	}
}

// waitError is a wait that is too long.
type waitError struct{ wait time.Duration }

func (e *waitError) Error() string {
	return fmt.Sprintf("the vendor asks to wait %s, longer than the %s that are waited; try again later",
		e.wait.Round(time.Second), maxWait)
}
