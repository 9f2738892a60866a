package notify

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

// What is what is told of a cause.
type What string

// What is told: Ended once, after the cause is gone; Reminder of one that lasts.
const (
	Began    What = "began"
	Changed  What = "changed"
	Reminder What = "reminder"
	Ended    What = "ended"
)

// Event is one thing that is told.
type Event struct {
	What What `json:"event"`
	Cause
	// Seconds is how long the cause has lasted, or lasted until EndedAt.
	Seconds int64     `json:"seconds"`
	EndedAt time.Time `json:"endedAt,omitzero"`
}

// byWeight puts what began first and what ended last, the worst first, then in order of key.
func byWeight(a, b Event) int {
	order := []What{Began, Changed, Reminder, Ended}
	return cmp.Or(cmp.Compare(slices.Index(order, a.What), slices.Index(order, b.What)), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Key, b.Key))
}

// Message is one notification, as a generic webhook gets it.
type Message struct {
	// FormatVersion is "1.0". Within 1 fields are only added.
	FormatVersion string `json:"formatVersion"`
	// ID is the same when a message is sent again.
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Watcher Watcher   `json:"watcher"`
	// Summary is one sentence, Link the page of the watcher, "" if it has none.
	Summary string `json:"summary"`
	Link    string `json:"link,omitempty"`
	// Counts are the events by what they are, all of them. Open counts the causes that are open now.
	Counts map[What]int `json:"counts"`
	Open   int          `json:"open"`
	// Events are the first ten: what began, changed, lasts, ended, the worst first. Omitted counts the others by kind.
	Events  []Event      `json:"events"`
	Omitted map[Kind]int `json:"omitted"`
}

// Watcher says who tells it.
type Watcher struct {
	Version string `json:"version"`
	Source  string `json:"source"` // without credentials
	Ref     string `json:"ref"`
	Commit  string `json:"commit"` // in force
	Observe bool   `json:"observe"`
}

// maxEvents is how many events a message shows.
const maxEvents = 10

// compose makes the message of events. open is how many causes are open now.
func compose(s *status.Status, now time.Time, link string, open int, events []Event) *Message {
	m := &Message{FormatVersion: "1.0", At: now.UTC().Truncate(time.Second), Link: link, Counts: map[What]int{}, Open: open,
		Watcher: Watcher{s.Version, s.Source.Location, s.Source.Ref, s.Source.InForce, s.Observe},
		Events:  events[:min(len(events), maxEvents)], Omitted: map[Kind]int{}}
	for i, e := range events {
		m.Counts[e.What]++
		if i >= maxEvents {
			m.Omitted[e.Kind]++
		}
	}
	m.Summary = summarize(m.Counts, open)
	sum := sha256.Sum256(m.document())
	m.ID = hex.EncodeToString(sum[:12])
	return m
}

func summarize(counts map[What]int, open int) string {
	var parts []string
	for _, one := range []struct {
		what What
		says string
	}{{Began, "began"}, {Changed, "changed"}, {Reminder, "still there"}, {Ended, "ended"}} {
		if n := counts[one.what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, one.says))
		}
	}
	return fmt.Sprintf("problems: %s; %d open", strings.Join(parts, ", "), open)
}

// document is m as JSON, in the bytes that are signed and sent.
func (m *Message) document() []byte { return encode(m) }

// encode writes v as the HTTP client does, so that what is signed is what is sent.
func encode(v any) []byte {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("encoding a message: %v", err)) // made of texts, numbers and times
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// omitted says how many of which kind are not shown.
func omitted(kinds map[Kind]int) string {
	if len(kinds) == 0 {
		return ""
	}
	total, parts := 0, []string{}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		total += kinds[kind]
		parts = append(parts, fmt.Sprintf("%d %s", kinds[kind], kind))
	}
	return fmt.Sprintf("and %d more: %s", total, strings.Join(parts, ", "))
}
