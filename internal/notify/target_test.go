package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const token = "canary-token-of-24-chars"

// hook is a webhook on loopback. Each request takes the next answer; after the last come 200s.
type hook struct {
	*httptest.Server
	mu      sync.Mutex
	answers []func(http.ResponseWriter)
	got     []*http.Request
	bodies  []string
	arrived chan struct{}
}

func newHook(t *testing.T, answers ...func(http.ResponseWriter)) *hook {
	h := &hook{answers: answers, arrived: make(chan struct{}, 1000)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.got, h.bodies = append(h.got, r), append(h.bodies, string(body))
		answer := func(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok") }
		if len(h.answers) > 0 {
			answer, h.answers = h.answers[0], h.answers[1:]
		}
		h.mu.Unlock()
		h.arrived <- struct{}{}
		answer(w)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) sent() (requests []*http.Request, bodies []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(requests, h.got...), append(bodies, h.bodies...)
}

func code(n int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(n)
		_, _ = io.WriteString(w, "no: "+token)
	}
}

// cutOff ends the connection in the midst of an answer.
func cutOff(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "o")
	panic(http.ErrAbortHandler)
}

// bench is one target with what it says.
type bench struct {
	*target
	log      *bytes.Buffer
	notified []bool
}

func newBench(t *testing.T, one Target) *bench {
	t.Helper()
	b := &bench{log: &bytes.Buffer{}}
	o := &Options{Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Notified: func(_ string, ok bool) { b.notified = append(b.notified, ok) },
		Shared: rest.Shared{Mask: &rest.Masker{}, Now: func() time.Time { return noon },
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}}
	o.Shared.Log = o.Log
	var err error
	if b.target, err = newTarget(one, o, func() {}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) send(t *testing.T) (done bool) {
	t.Helper()
	m := compose(healthy(0), noon, "", 1, events(1, Drift))
	b.put(m)
	done = b.deliver(t.Context(), b.first())
	if strings.Contains(b.log.String(), token) {
		t.Errorf("the URL is in the log:\n%s", b.log)
	}
	return done
}

func TestDelivery(t *testing.T) {
	again := func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); code(429)(w) }
	tests := []struct {
		name     string
		answers  []func(http.ResponseWriter)
		requests int
		done, ok bool
	}{
		{"good", nil, 1, true, true},
		{"204", []func(http.ResponseWriter){code(204)}, 1, true, true},
		{"500 once", []func(http.ResponseWriter){code(500)}, 2, true, true},
		{"429 and a cut answer", []func(http.ResponseWriter){again, cutOff}, 3, true, true},
		{"503 for long", []func(http.ResponseWriter){code(503), code(503), code(503), code(503), code(503)}, 5, false, false},
		{"no such hook", []func(http.ResponseWriter){code(404)}, 1, true, false},
		{"forbidden", []func(http.ResponseWriter){code(403)}, 1, true, false},
		{"refused", []func(http.ResponseWriter){code(400)}, 1, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hook := newHook(t, test.answers...)
			b := newBench(t, Target{Format: Slack, URL: hook.URL + "/services/T1/" + token})
			done := b.send(t)
			requests, bodies := hook.sent()
			if done != test.done || len(b.notified) != 1 || b.notified[0] != test.ok || len(requests) != test.requests {
				t.Errorf("done %t, notified %v, %d requests; want %t, %t, %d", done, b.notified, len(requests), test.done, test.ok, test.requests)
			}
			if queued := b.first() != nil; queued == test.done {
				t.Errorf("queued afterwards: %t", queued)
			}
			if r := requests[0]; r.Method != http.MethodPost || r.URL.Path != "/services/T1/"+token || r.Header.Get("Content-Type") != "application/json" ||
				r.Header.Get("X-Agentsync-Signature") != "" || !strings.HasPrefix(bodies[0], `{"text":"agentsync`) {
				t.Errorf("sent %s %s %v\n%s", r.Method, r.URL, r.Header, bodies[0])
			}
		})
	}
}

func TestASignedDocument(t *testing.T) {
	hook := newHook(t, code(502))
	b := newBench(t, Target{Format: JSON, URL: hook.URL + "/in?key=" + token, Secret: "canary-secret"})
	m := compose(healthy(0), noon, "", 1, events(1, Drift))
	m.Summary = "<&>\u2028 é 🙂" // what writers of JSON spell in different ways
	b.put(m)
	if !b.deliver(t.Context(), b.first()) {
		t.Fatalf("not delivered:\n%s", b.log)
	}
	requests, bodies := hook.sent()
	for i, r := range requests {
		mac := hmac.New(sha256.New, []byte("canary-secret"))
		fmt.Fprintf(mac, "%d.%s", noon.Unix(), bodies[i])
		if got, want := r.Header.Get("X-Agentsync-Signature"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
			t.Errorf("attempt %d: signature %s, want %s", i+1, got, want)
		}
		if r.Header.Get("X-Agentsync-Timestamp") != fmt.Sprint(noon.Unix()) || r.URL.Query().Get("key") != token {
			t.Errorf("attempt %d: %s %v", i+1, r.URL, r.Header)
		}
	}
	var got Message
	if err := json.Unmarshal([]byte(bodies[0]), &got); err != nil || got.ID != m.ID || got.Summary != m.Summary || bodies[0] != bodies[1] {
		t.Errorf("sent %v: %s", err, bodies[0])
	}
	if strings.Contains(b.log.String(), "canary") {
		t.Errorf("a secret is in the log:\n%s", b.log)
	}
}

func TestADeadWebhookIsLoggedOnce(t *testing.T) {
	answers := make([]func(http.ResponseWriter), 15) // three deliveries of five attempts
	for i := range answers {
		answers[i] = code(503)
	}
	b := newBench(t, Target{Name: "ops", Format: Slack, URL: newHook(t, answers...).URL + "/services/T1/" + token})
	for range 4 {
		b.send(t)
	}
	if got := strings.Count(b.log.String(), "do not get through"); got != 1 {
		t.Errorf("logged %d times:\n%s", got, b.log)
	}
	if !strings.Contains(b.log.String(), `"notifications get through again" target=ops lost=0`) {
		t.Errorf("not logged that it works again:\n%s", b.log)
	}
}

// Others log too: an error of theirs may hold the URL.
func TestTheURLIsMaskedEverywhere(t *testing.T) {
	one := Target{Format: JSON, URL: "https://hooks.example/alert", Secret: "canary-secret"}
	b := newBench(t, one)
	if got := b.options.Mask.Mask("POST " + one.URL + " canary-secret: alert"); got != "POST (sensitive) (sensitive): alert" {
		t.Errorf("masked as %q", got)
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	b := newBench(t, Target{Format: Slack, URL: "https://hooks.example/services/x"})
	for i := range 3 * maxQueue {
		b.put(&Message{ID: fmt.Sprint(i)})
	}
	if len(b.queue) != maxQueue || b.first().ID != fmt.Sprint(2*maxQueue) || b.lost != 2*maxQueue {
		t.Errorf("%d queued from %s on, %d lost", len(b.queue), b.first().ID, b.lost)
	}
}

func TestTargetsAreChecked(t *testing.T) {
	for want, one := range map[string]Target{
		"must be https":            {Format: Slack, URL: "http://hooks.example/" + token},
		"is not one like":          {Format: Slack, URL: "hooks.example/" + token},
		"the URL needs a path":     {Format: JSON, URL: "https://hooks.example"},
		"does not end in /":        {Format: JSON, URL: "https://hooks.example/" + token + "/"},
		"a user or a fragment":     {Format: JSON, URL: "https://" + token + "@hooks.example/x"},
		"neither slack nor json":   {Format: "pager", URL: "https://hooks.example/" + token},
		"only the format json":     {Format: Slack, URL: "https://hooks.example/" + token, Secret: "canary"},
		"notifications to ops: th": {Name: "ops", Format: JSON, URL: "%" + token},
	} {
		_, err := New(Options{Targets: []Target{one}, Shared: rest.Shared{Now: time.Now}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	good := Target{Format: Slack, URL: "https://hooks.example/" + token}
	for want, o := range map[string]Options{
		"have the name \"slack\"": {Targets: []Target{good, good}, Shared: rest.Shared{Now: time.Now}},
		"negative":                {Settle: -1, Shared: rest.Shared{Now: time.Now}},
		"no clock":                {},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A webhook that never answers holds up neither the end nor the others.
func TestAWebhookThatHangs(t *testing.T) {
	release := make(chan struct{})
	dead := newHook(t, func(http.ResponseWriter) { <-release }, func(http.ResponseWriter) { <-release })
	defer close(release)
	live := newHook(t)
	n, err := New(Options{Settle: time.Nanosecond, Grace: 50 * time.Millisecond, Shared: rest.Shared{Now: time.Now}, Targets: []Target{
		{Name: "dead", Format: Slack, URL: dead.URL + "/services/" + token}, {Name: "live", Format: Slack, URL: live.URL + "/services/" + token}}})
	if err != nil {
		t.Fatal(err)
	}
	var board status.Board
	board.Publish(driftStatus("x"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx, &board) }()
	for _, arrived := range []chan struct{}{dead.arrived, live.arrived} {
		wait(t, arrived)
	}
	cancel()
	wait(t, ended)
}

func wait(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("does not come to an end")
	}
}
