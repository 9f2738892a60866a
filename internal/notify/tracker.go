package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

const (
	// pause is the least time between telling of a cause and telling that it changed.
	pause = 15 * time.Minute
	// history is how long a cause has to stay as it is until it is forgotten how often it began: one that began often is held open longer, at most
	// maxHold.
	history = 6 * time.Hour
	maxHold = time.Hour
	// maxGap bounds the time between two messages, which doubles while they follow each other.
	maxGap = 5 * time.Minute
)

// tracker remembers what people were told, and decides what to tell them next. It sends nothing and knows no clock. It belongs to one goroutine.
//
// For each cause, with "holds" counted from when it came, went or changed:
//
//	told before   is there now   what is told, and when
//	no            yes            began, once it holds for the settle time
//	yes           yes            changed, once that holds for the settle time, at most every quarter of an hour; else a reminder
//	yes           no             ended, once that holds for the settle time, which doubles each time the cause began again
//	no            no             nothing
type tracker struct {
	settle, remind time.Duration
	entries        map[string]*entry
	last           time.Time     // when the last message was made
	gap            time.Duration // the least time to the next
}

// entry is one cause. What is saved is what another watcher needs to go on.
type entry struct {
	Cause  Cause     `json:"cause"`
	Open   bool      `json:"open"` // people were told of it, and not yet of its end
	ToldAt time.Time `json:"toldAt"`
	Mark   string    `json:"mark"`  // as people know it
	Times  int       `json:"times"` // that it began

	gone           bool
	turned, marked time.Time // since when it is there or gone; since when it is as it is
}

func newTracker(settle, remind time.Duration) *tracker {
	return &tracker{settle: settle, remind: remind, entries: map[string]*entry{}, gap: settle}
}

// look takes in the causes that there are in s now.
func (t *tracker) look(now time.Time, s *status.Status, causes []Cause) {
	there := map[string]bool{}
	for _, c := range causes {
		there[c.Key] = true
		t.meet(now, c)
	}
	facts := factsOf(s)
	for key, e := range t.entries {
		if now.Sub(e.turned) > history {
			e.Times = 0
		}
		switch known := facts.known(e.Cause); {
		case there[key], !known && e.Open, e.gone:
		case known, e.Times > 0:
			e.gone, e.turned = true, now
		default:
			delete(t.entries, key) // it became something else before anybody heard of it
		}
		if e.gone && !e.Open && e.Times == 0 {
			delete(t.entries, key)
		}
	}
}

// meet takes in one cause that is there.
func (t *tracker) meet(now time.Time, c Cause) {
	e := t.entries[c.Key]
	if e == nil {
		e = &entry{gone: true}
		t.entries[c.Key] = e
	}
	if c.Since.IsZero() {
		c.Since = now
	}
	if e.gone {
		e.turned = now
	}
	if e.gone || e.Cause.mark != c.mark {
		e.marked = now
	}
	if (e.Open || !e.gone) && e.Cause.Since.Before(c.Since) {
		c.Since = e.Cause.Since
	}
	e.Cause, e.gone = c, false
}

// due says what is to be told of e, and from when on; "" for nothing.
func (t *tracker) due(e *entry) (What, time.Time) {
	switch {
	case !e.gone && !e.Open:
		return Began, e.turned.Add(t.settle)
	case !e.gone && e.Cause.mark != e.Mark:
		return Changed, later(e.marked.Add(t.settle), e.ToldAt.Add(pause))
	case !e.gone:
		return Reminder, e.ToldAt.Add(t.remind)
	case e.Open:
		return Ended, e.turned.Add(t.hold(e))
	}
	return "", time.Time{}
}

// hold is how long the end of e has to last: each time that it began again doubles it.
func (t *tracker) hold(e *entry) time.Duration {
	return max(t.settle, min(maxHold, t.settle<<min(max(e.Times-1, 0), 16)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// next returns when there is something to tell, zero for never.
func (t *tracker) next() time.Time {
	var first time.Time
	for _, e := range t.entries {
		if what, at := t.due(e); what != "" && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return first
	}
	return later(first, t.last.Add(t.gap))
}

// tell returns all that is to be told at now and takes it as told; nothing before the time that next says. With the first reminder that is due come
// all that will be soon.
func (t *tracker) tell(now time.Time) []Event {
	if at := t.next(); at.IsZero() || at.After(now) {
		return nil
	}
	var events []Event
	reminding := false
	for _, e := range t.entries {
		what, at := t.due(e)
		reminding = reminding || what == Reminder && !at.After(now)
	}
	for _, e := range t.entries {
		what, at := t.due(e)
		if what == "" || at.After(now) && !(what == Reminder && reminding && now.Sub(e.ToldAt) > t.remind/2) {
			continue
		}
		events = append(events, e.tell(what, now))
	}
	if now.Sub(t.last) < 2*t.gap {
		t.gap = max(t.settle, min(2*t.gap, maxGap))
	} else {
		t.gap = t.settle
	}
	t.last = now
	slices.SortFunc(events, byWeight)
	return events
}

// tell takes e as told.
func (e *entry) tell(what What, now time.Time) Event {
	event := Event{What: what, Cause: e.Cause, Seconds: int64(now.Sub(e.Cause.Since).Seconds())}
	switch what {
	case Began:
		e.Open, e.Times = true, e.Times+1
	case Ended:
		e.Open = false
		event.Cure, event.Text, event.EndedAt = "", "", e.turned
		event.Seconds = int64(e.turned.Sub(e.Cause.Since).Seconds())
	}
	e.ToldAt, e.Mark = now, e.Cause.mark
	return event
}

// open counts the causes that people know of and that have not ended.
func (t *tracker) open() int {
	n := 0
	for _, e := range t.entries {
		if e.Open {
			n++
		}
	}
	return n
}

// saved is what save writes.
type saved struct {
	Version int      `json:"version"`
	Causes  []*entry `json:"causes"`
}

const savedVersion = 1

// save returns what people were told, in order of key.
func (t *tracker) save() []byte {
	document := saved{Version: savedVersion, Causes: []*entry{}}
	for _, e := range t.entries {
		if !e.Open && e.Times == 0 {
			continue
		}
		bare := *e
		bare.Cause.Text, bare.Cause.Cure = "", "" // seen again before they are told again
		document.Causes = append(document.Causes, &bare)
	}
	slices.SortFunc(document.Causes, func(a, b *entry) int { return strings.Compare(a.Cause.Key, b.Cause.Key) })
	text, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("saving causes: %v", err)) // made of texts and times
	}
	return text
}

// load goes on from what save wrote, by this watcher or another; no bytes are nothing.
func (t *tracker) load(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	var document saved
	if err := json.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("what was told before cannot be read: %w", err)
	}
	if document.Version != savedVersion {
		return fmt.Errorf("what was told before has the format %d, and not %d", document.Version, savedVersion)
	}
	for _, e := range document.Causes {
		e.Cause.mark = e.Mark
		e.gone, e.turned = !e.Open, e.ToldAt
		t.entries[e.Cause.Key] = e
	}
	return nil
}
