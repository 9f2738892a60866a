package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// call is one request and what becomes of it. It belongs to one goroutine: the HTTP client and the retry library work in the
// caller's.
type call struct {
	client  *Client
	request Request
	read    bool
	payload *payload

	attempts int           // requests sent
	repeats  int           // of those that failed
	renewed  bool          // credentials were renewed once
	renew    bool          // the next attempt renews them
	wait     time.Duration // before the next attempt
	repeat   bool          // another attempt was to come
	maybe    bool          // an attempt may have been carried out
	last     result        // of the latest attempt
	verdict  verdict       // on last
}

// build checks the request and makes all of it but the body and the credentials, which each attempt gets anew.
func (c *call) build(ctx context.Context) (*retryablehttp.Request, error) {
	var faults []error
	switch c.request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		faults = append(faults, fmt.Errorf("method %q is not supported", c.request.Method))
	}
	u, err := join(c.client.base, c.request.Path, c.request.Query)
	faults = append(faults, err)
	c.payload, err = newPayload(c.request)
	if err := errors.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, c.request.Method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.client.options.UserAgent)
	if c.payload != nil {
		req.Header.Set("Content-Type", c.payload.contentType)
	}
	return retryablehttp.FromRequest(req)
}

// run sends req until there is an answer, or a verdict that it should not be sent again.
//
// The library's own wait is a timer that nothing can replace, so it waits no time, and pause does the waiting. What its Do returns is
// not used: check has seen all of it.
func (c *call) run(ctx context.Context, req *retryablehttp.Request) (*Answer, error) {
	client := &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: c, CheckRedirect: c.redirect},
		RetryMax:     maxRepeats + 1, // one more for renewed credentials
		CheckRetry:   c.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return 0 },
		PrepareRetry: c.pause,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	_, err := client.Do(req)
	switch {
	case c.repeat:
		c.verdict.kind = nil
		return nil, c.fail(fmt.Errorf("interrupted while waiting to try again: %w", err))
	case c.verdict.kind != nil || c.last.err != nil:
		return nil, c.fail(c.last.err)
	}
	return &Answer{Status: c.last.status, Header: c.last.header, Body: c.last.body, rows: c.last.rows, call: c}, nil
}

// check is the library's CheckRetry: it judges the latest attempt and says whether there is another.
func (c *call) check(_ context.Context, _ *http.Response, err error) (bool, error) {
	if err != nil && c.last.err == nil {
		c.last.err = bare(err) // the HTTP client's own: it did not follow a redirect
	}
	c.verdict = c.last.judge(c.read)
	c.maybe = c.maybe || c.verdict.maybe && !c.read
	c.repeat = c.again()
	return c.repeat, nil
}

// again decides on another attempt and how long to wait for it.
func (c *call) again() bool {
	now := c.client.options.Now()
	if c.last.status == http.StatusUnauthorized && c.client.options.Renews && !c.renewed {
		c.renewed, c.renew, c.wait = true, true, 0
		return true
	}
	if !c.verdict.again {
		return false
	}
	wait := c.last.wait(now, c.repeats, c.client.options.ThrottleWait)
	slowDown := c.last.status == http.StatusTooManyRequests
	if slowDown {
		c.client.pace.hold(now.Add(wait)) // for the whole account
	}
	switch {
	case c.request.Once && c.verdict.maybe, c.repeats == maxRepeats:
		return false
	case wait > maxWait:
		c.last.err = &waitError{wait}
		return false
	case slowDown:
		wait = 0 // its turn comes when the account's does
	}
	c.repeats++
	c.wait = wait
	return true
}

// pause is the library's PrepareRetry.
func (c *call) pause(req *http.Request) error {
	if c.wait == 0 {
		return req.Context().Err()
	}
	return c.client.options.Sleep(req.Context(), c.wait)
}
