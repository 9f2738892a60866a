// Package notify tells people what is wrong with the agents that a watcher keeps, and when it is over.
//
// What is wrong follows from the status alone ([Causes]). A cause is told when it has lasted a little, again when it changes, once a day while it
// lasts, and when it has ended; one that comes and goes is told ever less often. All that is to be told at a time is one message. What people were
// told is saved, so that a restart or another leader goes on from there: a message may come twice if a watcher dies between sending and saving, and
// is never lost for it. [KeepCommits] shows the same on commits.
//
// A generic webhook gets a POST of a [Message] as JSON. With a secret it carries two headers more: X-Agentsync-Timestamp, seconds since 1970, and
// X-Agentsync-Signature, "sha256=" and in hex the HMAC-SHA256 of the timestamp, a dot and the body. Who receives it should refuse what is older than
// five minutes, and drop an id that came before.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// Options say whom to tell, and how often.
type Options struct {
	Targets []Target
	// Settle is how long a cause has to last before it is told; 0 means a minute. Remind is after how long one that lasts is told again; 0 means a
	// day. Grace is how long Run goes on delivering after its context ended; 0 means ten seconds.
	Settle, Remind, Grace time.Duration
	// Link is the address of the watcher's page, "" if people cannot reach one.
	Link string
	// Load returns what Save was given last, by this watcher or another; nothing if there is none. Run calls them one at a time, while this watcher
	// leads. Save should refuse to write for one that leads no more. Both may be nil: then a restart tells everything again.
	Load func(ctx context.Context) ([]byte, error)
	Save func(ctx context.Context, told []byte) error
	// Notified is called after each delivery with the target's name, from any goroutine; may be nil.
	Notified func(target string, ok bool)
	Log      *slog.Logger
	// Shared is for the deliveries. Now must be set.
	rest.Shared
}

// Notifier tells people. Make it with [New].
type Notifier struct {
	options Options
	targets []*target
	moved   chan struct{} // a target has delivered, or failed to

	// What follows belongs to Run. shared is what a leader tells, nil while this watcher does not lead; own is what each watcher tells of itself, once
	// it has led: that the store is lost, which no leader could.
	shared, own *tracker
	led         bool
	unsaved     bool      // people were told something that is not saved yet
	loads       int       // that failed in a row
	notBefore   time.Time // when loading or saving is tried again
	quiet       bool      // a failure to load or save was logged
}

// The tries to load what was told before, and the time between them; after that a leader begins from nothing.
const (
	maxLoads   = 5
	storeAgain = 30 * time.Second
)

// New checks o. All that is wrong with it is in one error, which names targets and never shows a URL.
func New(o Options) (*Notifier, error) {
	if o.Settle == 0 {
		o.Settle = time.Minute
	}
	if o.Remind == 0 {
		o.Remind = 24 * time.Hour
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Mask == nil {
		o.Mask = &rest.Masker{}
	}
	var faults []error
	if o.Settle < 0 || o.Remind < 0 || o.Grace < 0 {
		faults = append(faults, errors.New("notifications: times cannot be negative"))
	}
	if o.Shared.Now == nil {
		faults = append(faults, errors.New("notifications: no clock"))
	}
	n := &Notifier{options: o, moved: make(chan struct{}, 1), own: newTracker(o.Settle, o.Remind)}
	names := map[string]bool{}
	for _, one := range o.Targets {
		t, err := newTarget(one, &n.options, n.poke)
		if err == nil && names[t.name] {
			err = fmt.Errorf("two targets of notifications have the name %q", t.name)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		names[t.name] = true
		n.targets = append(n.targets, t)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return n, nil
}

// Run follows board until ctx ends, and then delivers what is queued, for the time of grace at most. It is called once.
func (n *Notifier) Run(ctx context.Context, board *status.Board) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	closing := make(chan struct{})
	var deliveries sync.WaitGroup
	for _, t := range n.targets {
		deliveries.Go(func() { t.run(work, closing) })
	}
	n.follow(ctx, board)
	close(closing)
	stop := time.AfterFunc(n.options.Grace, cancel)
	deliveries.Wait()
	n.notBefore = time.Time{}
	n.save(work)
	stop.Stop()
}

// follow looks at each status, and again when something is to be told, until ctx ends.
func (n *Notifier) follow(ctx context.Context, board *status.Board) {
	for ctx.Err() == nil {
		latest, changed := board.Latest()
		next := n.look(ctx, latest)
		n.save(ctx)
		now := n.options.Now()
		next = earliest(next, n.notBefore, now)
		timer := time.NewTimer(max(next.Sub(now), 0))
		if next.IsZero() {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-n.moved:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// earliest returns the first of two times to wake up at; the second only counts while it lies ahead.
func earliest(a, b, now time.Time) time.Time {
	if b.After(now) && (a.IsZero() || b.Before(a)) {
		return b
	}
	return a
}

// look takes in s, tells what is due, and returns when more will be; zero if nothing is foreseen.
func (n *Notifier) look(ctx context.Context, s *status.Status) time.Time {
	if s.At.IsZero() {
		return time.Time{} // nothing was published yet
	}
	now := n.options.Now()
	if leads(s) {
		n.led = true
		n.load(ctx, now)
	} else {
		n.shared = nil
	}
	var ours, own []Cause
	for _, c := range Causes(s) {
		if c.Kind == Store {
			own = append(own, c)
		} else {
			ours = append(ours, c)
		}
	}
	var next time.Time
	if n.shared != nil {
		next = n.follows(now, s, n.shared, ours)
	}
	if n.led {
		if at := n.follows(now, s, n.own, own); next.IsZero() || !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// leads reports whether it is for this watcher to tell people: it holds the lease, or it only observes and nobody has one.
func leads(s *status.Status) bool {
	return s.Lease.Role == status.Leader || s.Lease.Role == "" && s.Observe
}

// follows lets t look at its causes and sends what is due.
func (n *Notifier) follows(now time.Time, s *status.Status, t *tracker, causes []Cause) time.Time {
	t.look(now, s, causes)
	if events := t.tell(now); len(events) > 0 {
		m := compose(s, now, n.options.Link, t.open(), events)
		for _, target := range n.targets {
			target.put(m)
		}
		n.unsaved = true
	}
	return t.next()
}

// load makes the tracker of a watcher that has begun to lead, from what the leader before it told.
func (n *Notifier) load(ctx context.Context, now time.Time) {
	if n.shared != nil || now.Before(n.notBefore) {
		return
	}
	t := newTracker(n.options.Settle, n.options.Remind)
	if n.options.Load != nil {
		ctx, cancel := context.WithTimeout(ctx, storeAgain)
		defer cancel()
		told, err := n.options.Load(ctx)
		if err != nil && n.loads < maxLoads {
			n.loads++
			n.trouble(now, "what was told before cannot be loaded", err)
			return
		}
		if err := t.load(told); err != nil {
			n.options.Log.Warn("notifications begin anew", "error", n.options.Mask.Mask(err.Error()))
		}
	}
	n.shared, n.loads = t, 0
}

// save keeps what people were told, once it has reached those who can be reached.
func (n *Notifier) save(ctx context.Context) {
	now := n.options.Now()
	if !n.unsaved || n.shared == nil || n.options.Save == nil || now.Before(n.notBefore) {
		return
	}
	for _, t := range n.targets {
		if t.busy() {
			return
		}
	}
	if !slices.ContainsFunc(n.targets, (*target).reached) {
		return // nobody was told
	}
	ctx, cancel := context.WithTimeout(ctx, storeAgain)
	defer cancel()
	if err := n.options.Save(ctx, n.shared.save()); err != nil {
		n.trouble(now, "what was told cannot be saved; after a restart it is told again", err)
		return
	}
	n.unsaved, n.quiet, n.notBefore = false, false, time.Time{}
}

// trouble logs a failure of the store, the first of several, and lets it rest.
func (n *Notifier) trouble(now time.Time, what string, err error) {
	n.notBefore = now.Add(storeAgain)
	if !n.quiet {
		n.options.Log.Warn("notifications: "+what, "error", n.options.Mask.Mask(err.Error()))
	}
	n.quiet = true
}

// poke wakes Run up.
func (n *Notifier) poke() {
	select {
	case n.moved <- struct{}{}:
	default:
	}
}
