package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Client talks to one account. Safe for use from several goroutines.
type Client struct {
	options   Options
	base      *url.URL
	pace      *pace
	transport http.RoundTripper
}

// New checks o and makes a client. It sends nothing. All that is wrong with o is in one error.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL)
	faults := []error{err}
	if o.RequestsPerMinute < 0 || o.MaxInFlight < 0 || o.Timeout < 0 {
		faults = append(faults, errors.New("requests per minute, requests in flight and timeout cannot be negative"))
	}
	if o.Renews && o.Authorize == nil {
		faults = append(faults, errors.New("credentials cannot be renewed without Authorize"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Vendor, err)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.UserAgent == "" {
		o.UserAgent = "agentsync"
	}
	c := &Client{options: o, base: base, pace: o.Paces.of(base, o), transport: o.Transport}
	if c.transport == nil {
		c.transport = newTransport(o.MaxInFlight)
	}
	return c, nil
}

// Object sends r as Do does; its answer has to be a JSON object, with numbers as [json.Number].
func (c *Client) Object(ctx context.Context, r Request) (*Answer, map[string]any, error) {
	answer, err := c.Do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	var fields map[string]any
	if err := DecodeJSON(answer, &fields); err != nil {
		return nil, nil, err
	}
	return answer, fields, nil
}

// Do sends r, paced and with the repeats that are safe, and returns the answer, or an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	call := &call{client: c, request: r, read: r.Method == http.MethodGet || r.Method == http.MethodHead}
	req, err := call.build(ctx)
	if err != nil {
		return nil, call.fail(err)
	}
	return call.run(ctx, req)
}

// Limits are how fast requests go out: the strictest of all accounts that share a pace with c.
func (c *Client) Limits() Limits {
	l, _, _ := c.pace.present()
	return l
}

// newTransport returns the network. Each account has its own, so that one account's trouble closes no other's connections.
func newTransport(maxInFlight int) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// A dial outlives the attempt that asked for it, so it has a bound of its own.
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    max(maxInFlight, http.DefaultMaxIdleConnsPerHost),
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
