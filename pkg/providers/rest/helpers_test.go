package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// tripper is a network made of a function.
type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	return t(r)
}

// reply makes an answer; headers are name, value pairs.
func reply(status int, body string, headers ...string) *http.Response {
	w := httptest.NewRecorder()
	for i := 0; i < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.WriteHeader(status)
	w.Body.WriteString(body)
	return w.Result()
}

// naps is a clock that only moves when someone sleeps, and remembers for how long they did.
type naps struct {
	mu   sync.Mutex
	now  time.Time
	took []time.Duration
}

func newNaps() *naps { return &naps{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func (n *naps) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *naps) Sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
	n.took = append(n.took, d)
	return ctx.Err()
}

// message reads {"error": ..., "request_id": ...}.
func message(_ int, body []byte) (string, string, bool) {
	var v struct {
		Error     string `json:"error"`
		RequestID string `json:"request_id"`
	}
	err := json.Unmarshal(body, &v)
	return v.Error, v.RequestID, err == nil && v.Error != ""
}

// newClient makes a client of voicy, at an address that nothing answers unless set changes that.
func newClient(t *testing.T, set func(*Options)) *Client {
	t.Helper()
	o := Options{Account: "voicy", Vendor: "voicy", BaseURL: "https://api.example.com/v1", Message: message}
	clock := newNaps()
	o.Now, o.Sleep = clock.Now, clock.Sleep
	set(&o)
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve starts a server and makes a client for it.
func serve(t *testing.T, h http.HandlerFunc, set func(*Options)) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return newClient(t, func(o *Options) {
		o.BaseURL = s.URL
		if set != nil {
			set(o)
		}
	})
}

// kinds names the sentinels that err matches.
func kinds(err error) string {
	var names []string
	for _, kind := range []error{ErrNotFound, ErrAuth, ErrRejected, ErrUnavailable, ErrOddAnswer, ErrUnknownOutcome, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, kind) {
			names = append(names, kind.Error())
		}
	}
	return strings.Join(names, ", ")
}

// asError returns err as the *Error it must be.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	if strings.ContainsAny(e.Error(), "\n\r\x00") {
		t.Errorf("not one line: %q", e.Error())
	}
	return e
}

var (
	get    = Request{Method: "GET", Path: "/agents"}
	patch  = Request{Method: "PATCH", Path: "/agents/5", JSON: map[string]any{"name": "x"}}
	create = Request{Method: "POST", Path: "/agents", JSON: map[string]any{"name": "x"}, Once: true}
)
