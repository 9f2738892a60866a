package notify

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// Format is what a target understands.
type Format string

// The formats: Slack is that of Slack's incoming webhooks, JSON a [Message].
const (
	Slack Format = "slack"
	JSON  Format = "json"
)

// Target is a webhook.
type Target struct {
	// Name is for logs and metrics; "" means the format. It is no secret.
	Name   string
	Format Format
	// URL is a secret as a whole: https, or http for loopback addresses.
	URL string
	// Secret signs what is sent in the format JSON; "" for no signature.
	Secret string
}

const (
	// maxQueue is how many messages wait for a target; then the oldest is dropped.
	maxQueue = 32
	// attemptTimeout bounds one attempt at a delivery.
	attemptTimeout = 10 * time.Second
	// The time between deliveries to a target that cannot be reached doubles from the least to the most.
	leastPause, mostPause = time.Minute, 15 * time.Minute
)

// target delivers to one webhook, one message after the other.
type target struct {
	name    string
	format  Format
	client  *rest.Client
	path    string
	query   url.Values
	options *Options
	moved   func()
	wake    chan struct{}
	// body is what is being sent; it belongs to run.
	body []byte

	mu      sync.Mutex
	queue   []*Message
	failing bool // the last delivery failed
	lost    int  // messages since then that will not come
}

// newTarget checks one target. Its errors do not show the URL.
func newTarget(one Target, o *Options, moved func()) (*target, error) {
	t := &target{name: cmp.Or(one.Name, string(one.Format)), format: one.Format, options: o, moved: moved, wake: make(chan struct{}, 1)}
	fault := func(format string, args ...any) error {
		return fmt.Errorf("notifications to %s: "+format, append([]any{t.name}, args...)...)
	}
	u, err := url.Parse(one.URL)
	switch {
	case one.Format != Slack && one.Format != JSON:
		return nil, fault("the format %q is neither %s nor %s", one.Format, Slack, JSON)
	case one.Format != JSON && one.Secret != "":
		return nil, fault("only the format %s is signed", JSON)
	case err != nil || u.Host == "":
		return nil, fault("the URL is not one like https://hooks.example.com/path")
	case u.User != nil || u.Fragment != "":
		return nil, fault("the URL cannot carry a user or a fragment")
	case strings.Trim(u.EscapedPath(), "/") == "" || strings.HasSuffix(u.EscapedPath(), "/"):
		return nil, fault("the URL needs a path, which does not end in /")
	}
	t.path, t.query = strings.TrimPrefix(u.EscapedPath(), "/"), u.Query()
	o.Mask.Add(one.URL, one.Secret)
	shared := o.Shared
	shared.Mask = secrets(one, u) // of this target alone: a path may well be an ordinary word
	t.client, err = rest.New(rest.Options{Account: t.name, Vendor: t.name, BaseURL: u.Scheme + "://" + u.Host, Timeout: attemptTimeout, Shared: shared,
		Authorize: func(_ context.Context, r *http.Request, _ bool) error {
			if one.Secret != "" {
				sign(r.Header, one.Secret, o.Now(), t.body)
			}
			return nil
		}})
	if err != nil {
		return nil, fault("%w", err)
	}
	return t, nil
}

// secrets masks what must not be read in an error of a delivery.
func secrets(one Target, u *url.URL) *rest.Masker {
	var m rest.Masker
	m.Add(one.URL, one.Secret, strings.TrimPrefix(u.EscapedPath(), "/"), u.RawQuery)
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 16 {
			m.Add(part) // a token, which an answer may repeat without the rest
		}
	}
	for _, values := range u.Query() {
		m.Add(values...)
	}
	return &m
}

// sign sets the headers by which a receiver knows the sender.
func sign(h http.Header, secret string, now time.Time, body []byte) {
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	h.Set("X-Agentsync-Timestamp", at)
	h.Set("X-Agentsync-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

// put queues m, in the place of the oldest if there is no room.
func (t *target) put(m *Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == maxQueue {
		t.queue = t.queue[1:]
		t.lost++
	}
	t.queue = append(t.queue, m)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// busy reports whether something is on its way that may well arrive.
func (t *target) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue) > 0 && !t.failing
}

// reached reports whether the last delivery arrived, if there was one.
func (t *target) reached() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.failing
}

// run delivers until ctx ends; once closing is closed it ends when the queue is empty, or the target cannot be reached.
func (t *target) run(ctx context.Context, closing <-chan struct{}) {
	pause := leastPause
	for ctx.Err() == nil {
		m := t.first()
		if m == nil {
			select {
			case <-t.wake:
				continue
			case <-closing:
			case <-ctx.Done():
			}
			if m = t.first(); m == nil {
				return
			}
		}
		if t.deliver(ctx, m) {
			pause = leastPause
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-closing:
			timer.Stop()
			return
		case <-ctx.Done():
		}
		timer.Stop()
		pause = min(2*pause, mostPause)
	}
}

func (t *target) first() *Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		return nil
	}
	return t.queue[0]
}

// deliver sends m and takes it off the queue, unless it should be tried again: false then.
func (t *target) deliver(ctx context.Context, m *Message) (done bool) {
	t.body = m.document()
	if t.format == Slack {
		t.body = m.slack()
	}
	_, err := t.client.Do(ctx, rest.Request{Method: http.MethodPost, Path: t.path, Query: t.query, JSON: json.RawMessage(t.body)})
	again := err != nil && (ctx.Err() != nil || errors.Is(err, rest.ErrUnavailable))
	t.note(m, err, again)
	if t.options.Notified != nil {
		t.options.Notified(t.name, err == nil)
	}
	t.moved()
	return !again
}

// note keeps what became of m, and logs when it is not what became of the one before.
func (t *target) note(m *Message, err error, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !again && len(t.queue) > 0 && t.queue[0] == m { // else it was dropped meanwhile
		t.queue = t.queue[1:]
	}
	if err != nil && !again {
		t.lost++
	}
	failed := t.failing
	t.failing = err != nil
	log := t.options.Log.With("target", t.name)
	switch {
	case err != nil && !failed:
		log.Warn("notifications do not get through", "error", err.Error())
	case err == nil && (failed || t.lost > 0):
		log.Info("notifications get through again", "lost", t.lost)
	}
	if err == nil {
		t.lost = 0
	}
}
