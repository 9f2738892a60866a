package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxWait is the longest time a vendor may make a request wait; one that asks for more is given up.
const maxWait = 5 * time.Minute

// pace decides when an account's requests go out. A request first takes a slot, then its turn.
type pace struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
	read  func(h http.Header, now time.Time) (Rate, bool)

	mu       sync.Mutex
	adapts   bool // the limits follow the headers
	limits   Limits
	requests *window       // nil: no limit
	slots    chan struct{} // nil: no limit
	until    time.Time     // nothing goes out before
}

func newPace(o Options) *pace {
	p := &pace{now: o.Now, sleep: o.Sleep, read: o.Pace, adapts: o.Adapts, limits: o.limits()}
	p.requests = newWindow(p.limits)
	if p.limits.InFlight > 0 {
		p.slots = make(chan struct{}, p.limits.InFlight)
	}
	return p
}

func (o Options) limits() Limits {
	return Limits{PerMinute: o.RequestsPerMinute, Even: o.Even, InFlight: o.MaxInFlight}
}

// tighten makes p keep o's limits too.
func (p *pace) tighten(o Options) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adapts = p.adapts && o.Adapts
	p.change(p.limits.stricter(o.limits()))
}

// adapt makes p keep the limit that the vendor names, 0 if it names none.
func (p *pace) adapt(perMinute int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.limits; p.adapts && perMinute > 0 {
		l.PerMinute = perMinute
		p.change(l)
	}
}

// change puts l into force. Requests that are under way or have their turn already are not called back. The caller holds the mutex.
func (p *pace) change(l Limits) {
	if l.InFlight != p.limits.InFlight {
		p.slots = make(chan struct{}, l.InFlight)
	}
	if next := newWindow(l); next != nil && l != p.limits {
		next.take(p.requests)
		p.requests = next
	}
	p.limits = l
}

// present is what is in force now.
func (p *pace) present() (Limits, *window, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limits, p.requests, p.slots
}

// window lets at most most requests begin within any period, and each as early as that allows.
type window struct {
	period time.Duration
	most   int
	mu     sync.Mutex
	sent   []time.Time // when the latest requests begin; once it holds most of them, the oldest is at next
	next   int
}

// newWindow keeps every minute within the limits, nil where there are none.
func newWindow(l Limits) *window {
	most, period := l.window()
	if most == 0 {
		return nil
	}
	return &window{period: period, most: most}
}

// take makes what old let out count in w, which is new.
func (w *window) take(old *window) {
	if old == nil {
		return
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	at := old.next % max(len(old.sent), 1)
	sent := slices.Concat(old.sent[at:], old.sent[:at])
	w.sent = slices.Clone(sent[max(len(sent)-w.most, 0):])
	w.next = len(w.sent) % w.most
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
	_, _, slots := p.present()
	if slots == nil {
		return func() {}, nil
	}
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// turn waits until a request may go out: the account is not held, and the minute has room. A request
// whose token comes up in a hold loses it, so that what was held back does not go out in a heap.
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
		if until := p.held(); !until.After(served) || !until.After(p.now()) {
			return nil
		}
	}
}

func (p *pace) token(ctx context.Context) error {
	_, requests, _ := p.present()
	if requests == nil {
		return ctx.Err()
	}
	wait, giveBack := requests.reserve(p.now())
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

// learn follows an answer's headers: the limit that they name, and a hold where nothing is left. It returns how much is left, -1 where they do
// not say.
func (p *pace) learn(h http.Header) (remaining int) {
	if p.read == nil {
		return -1
	}
	rate, ok := p.read(h, p.now())
	if !ok {
		return -1
	}
	p.adapt(rate.Limit)
	if rate.Remaining <= 0 {
		p.hold(rate.Reset)
	}
	return max(rate.Remaining, 0)
}

// waitError is a wait that is too long.
type waitError struct{ wait time.Duration }

func (e *waitError) Error() string {
	return fmt.Sprintf("the vendor asks to wait %s, longer than the %s that are waited; try again later",
		e.wait.Round(time.Second), maxWait)
}
