package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// RoundTrip is one attempt. It reads the whole answer, so that an answer cut short is a failed attempt like any other.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	c.last = c.attempt(req)
	if c.last.err != nil {
		return nil, c.last.err
	}
	return &http.Response{
		Status:     http.StatusText(c.last.status),
		StatusCode: c.last.status,
		Header:     c.last.header,
		Body:       io.NopCloser(bytes.NewReader(c.last.body)),
		Request:    req,
	}, nil
}

// attempt takes a slot, gets credentials, waits its turn and sends. The credentials are on a copy of req: a redirect that is
// followed starts from req, which never had them.
func (c *call) attempt(req *http.Request) result {
	ctx, o := req.Context(), &c.client.options
	began := o.Now()
	release, err := c.client.pace.slot(ctx)
	if err != nil {
		return notSent(err, nil)
	}
	defer release()
	waited := o.Now().Sub(began)

	out := req.Clone(ctx)
	if o.Authorize != nil {
		renew := c.renew
		c.renew = false
		if err := o.Authorize(ctx, out, renew); err != nil {
			return notSent(err, credentialsKind(ctx, err))
		}
	}

	began = o.Now()
	if err := c.client.pace.turn(ctx); err != nil {
		if ctx.Err() != nil {
			return notSent(err, nil)
		}
		return notSent(err, ErrUnavailable)
	}
	waited += o.Now().Sub(began)
	if err := c.payload.attach(out, c.request.Once); err != nil {
		return notSent(err, nil)
	}
	if err := c.guarded(ctx); err != nil {
		return notSent(err, nil)
	}
	return c.send(out, waited)
}

// credentialsKind is what a failed Authorize means: the login's own trouble, or that there are no usable credentials. It is
// never that the request itself was sent, or that what it asks for is gone.
func credentialsKind(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	for _, kind := range []error{ErrAuth, ErrUnavailable, ErrOddAnswer} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return ErrAuth
}

func (c *call) send(req *http.Request, waited time.Duration) result {
	o := &c.client.options
	timeout := max(o.Timeout, c.request.Timeout)
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	var conn connection
	c.attempts++
	started := o.Now()
	resp, err := c.client.transport.RoundTrip(req.WithContext(conn.watch(ctx)))
	r := result{err: err, sent: true}
	remaining := -1
	if err == nil {
		r = c.receive(resp)
		remaining = c.client.pace.learn(r.header)
	}
	switch {
	case r.err == nil:
	case req.Context().Err() != nil:
		r.err, r.final = req.Context().Err(), true
	case ctx.Err() != nil:
		r.err, r.kind = slowError{timeout}, ErrUnavailable
	default:
		r.kind, r.final = transportKind(r.err)
	}
	if r.status == 0 && conn.nothingSent(err) {
		r.sent = false
	}
	r.interpret(o)
	c.observe(ctx, r, Event{Wait: waited, Took: o.Now().Sub(started), Remaining: remaining})
	return r
}

// receive reads an answer. A success is only of use whole; of all other answers the status decides, and a part of the body is better than none.
func (c *call) receive(resp *http.Response) result {
	defer resp.Body.Close()
	r := result{status: resp.StatusCode, header: resp.Header, sent: true}
	body := &io.LimitedReader{R: resp.Body, N: MaxBody + 1}
	if c.request.Rows && r.status < http.StatusMultipleChoices {
		r.rows.list, r.body, r.rows.cut, r.err = c.client.options.Texts.Rows(body)
	} else {
		r.body, r.err = readBody(body, resp.ContentLength)
	}
	if body.N == 0 {
		r.body, r.err = r.body[:min(len(r.body), MaxBody)], errTooLarge
	} else if r.err != nil {
		r.err = fmt.Errorf("the answer was cut short: %w", r.err)
	}
	if r.status >= http.StatusMultipleChoices {
		r.err = nil
	}
	return r
}

// readBody reads all of r into as little memory as it needs, where announced, its length, is true; -1 is not known.
func readBody(r io.Reader, announced int64) ([]byte, error) {
	if announced < 0 {
		return io.ReadAll(r)
	}
	var body bytes.Buffer
	body.Grow(int(min(announced, MaxBody)) + bytes.MinRead) // with room for the read that finds the end
	_, err := body.ReadFrom(r)
	return body.Bytes(), err
}

// observe tells the observer and the log of an attempt. e says how long it took and waited, and what is left.
func (c *call) observe(ctx context.Context, r result, e Event) {
	o := &c.client.options
	e.Account, e.Method, e.Path, e.Status, e.Attempt = o.Account, c.request.Method, c.path(), r.status, c.attempts
	e.RequestID = c.clean(r.requestID)
	if r.err != nil {
		e.Err = c.cause(r.err)
	}
	if o.Observe != nil {
		o.Observe(e)
	}
	if o.Log == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("account", e.Account), slog.String("method", e.Method), slog.String("path", e.Path),
		slog.Int("status", e.Status), slog.Int("attempt", e.Attempt),
		slog.Duration("took", e.Took), slog.Duration("wait", e.Wait),
	}
	if e.RequestID != "" {
		attrs = append(attrs, slog.String("request_id", e.RequestID))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	level := slog.LevelDebug
	if !c.read {
		level = slog.LevelInfo
	}
	o.Log.LogAttrs(ctx, level, "request", append(attrs, noted(ctx)...)...)
}
