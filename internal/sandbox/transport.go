package sandbox

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// hosts are the vendors' own, with the prefix their paths have here.
func hosts() map[string]string {
	return map[string]string{
		"platform-api.convirza.com":   "/convirza",
		"platform-oauth.convirza.com": "/convirza-oauth",
		"v2-nova-api.prod.czmx.in":    "/nova",
		"crmwebhook.com":              "/centerfy",
		"api.voicy.co":                "/voicy",
	}
}

// transport serves requests in this process.
type transport struct{ s *Server }

// RoundTrip lets the server answer r. A broken connection is the error that a socket would give.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	in := r.Clone(ctx)
	in.Host = r.URL.Host
	if prefix, ok := hosts()[r.URL.Hostname()]; ok {
		in.URL.Path = prefix + in.URL.Path
		if in.URL.RawPath != "" {
			in.URL.RawPath = prefix + in.URL.RawPath
		}
	}
	pr, pw := io.Pipe()
	w := &responseWriter{header: http.Header{}, body: pw, ready: make(chan struct{})}
	go t.run(w, in)
	stop := make(chan struct{})
	go func() { // the client's context ends a body that is under way, as a connection would
		select {
		case <-ctx.Done():
			_ = pw.CloseWithError(ctx.Err())
		case <-stop:
		}
	}()
	select {
	case <-w.ready:
	case <-ctx.Done():
		close(stop)
		_ = pr.Close()
		return nil, ctx.Err()
	}
	if w.err != nil {
		close(stop)
		return nil, w.err
	}
	return w.response(r, &pipeBody{PipeReader: pr, stop: stop}), nil
}

// run lets the server answer, and turns what would break a socket into what the client sees of it.
func (t transport) run(w *responseWriter, r *http.Request) {
	defer func() {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		switch p := recover(); p {
		case nil:
			w.WriteHeader(http.StatusOK)
			_ = w.body.Close()
		case http.ErrAbortHandler:
			w.fail(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET})
		case errRefused:
			w.fail(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
		default:
			panic(p)
		}
	}()
	t.s.serve(w, r)
}

// pipeBody is the body of an answer; closing it frees what waits for its end.
type pipeBody struct {
	*io.PipeReader
	stop chan struct{}
	once sync.Once
}

// Read reads the body; its end frees what waits for it.
func (b *pipeBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if err != nil {
		b.once.Do(func() { close(b.stop) })
	}
	return n, err
}

// Close ends the body.
func (b *pipeBody) Close() error {
	b.once.Do(func() { close(b.stop) })
	return b.PipeReader.Close()
}

// responseWriter hands the head over first, then the body as it is written.
type responseWriter struct {
	header http.Header
	sent   http.Header // header as it was when the head went out
	body   *io.PipeWriter
	status int
	err    error
	ready  chan struct{} // closed when the head, or err, is there
	once   sync.Once
}

// Header returns the header to be sent.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader sends the head, once.
func (w *responseWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

// Write sends a piece of the body.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if len(p) == 0 {
		return 0, nil
	}
	return w.body.Write(p)
}

// Flush does nothing: nothing is held back.
func (w *responseWriter) Flush() {}

// fail is a broken connection: before the head the call fails, after it the body.
func (w *responseWriter) fail(err error) {
	w.once.Do(func() {
		w.err = err
		close(w.ready)
	})
	_ = w.body.CloseWithError(io.ErrUnexpectedEOF)
}

func (w *responseWriter) response(r *http.Request, body io.ReadCloser) *http.Response {
	length := int64(-1)
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status:     strings.TrimSpace(strconv.Itoa(w.status) + " " + http.StatusText(w.status)),
		StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: length, Request: r,
	}
}

// asAbort turns a refused connection into a reset, where there is a socket and it is too late to refuse it.
func asAbort(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, errRefused) {
					p = http.ErrAbortHandler
				}
				panic(p)
			}
		}()
		h(w, r)
	}
}
