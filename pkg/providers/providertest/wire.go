package providertest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// call is one request that went over the wire.
type call struct {
	method, path, contentType string
	body                      []byte
}

func (c call) String() string { return fmt.Sprintf("%s %s", c.method, c.path) }

// writes reports whether c changes something at the vendor.
func (c call) writes() bool { return c.method != http.MethodGet && c.method != http.MethodHead }

// wire is the transport between a provider and its simulator: it remembers what was sent and can answer in the vendor's place.
type wire struct {
	next http.RoundTripper

	mu     sync.Mutex
	calls  []call
	answer func(r *http.Request, forward func() (*http.Response, error)) (*http.Response, error)
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	c := call{method: r.Method, path: r.URL.Path, contentType: r.Header.Get("Content-Type")}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		c.body = body
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	w.mu.Lock()
	w.calls = append(w.calls, c)
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		return answer(r, func() (*http.Response, error) { return w.next.RoundTrip(r) })
	}
	return w.next.RoundTrip(r)
}

// sent returns the calls since the last forget.
func (w *wire) sent() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]call(nil), w.calls...)
}

// written returns the calls since the last forget that change something.
func (w *wire) written() []call {
	var calls []call
	for _, c := range w.sent() {
		if c.writes() {
			calls = append(calls, c)
		}
	}
	return calls
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = nil
}

// replace lets answer speak in the vendor's place; nil lets the vendor speak again.
func (w *wire) replace(answer func(r *http.Request, forward func() (*http.Response, error)) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// reply answers everything with one status and body.
func (w *wire) reply(status int, contentType, body string) {
	w.replace(func(r *http.Request, _ func() (*http.Response, error)) (*http.Response, error) {
		return response(r, status, contentType, body), nil
	})
}

func response(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {contentType}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}
}
