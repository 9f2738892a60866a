package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Request is one call, as data. Path is relative to the client's base URL and already escaped.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	// JSON is sent as application/json where it is not nil; Form as multipart/form-data where it is not empty. Never both.
	JSON any
	Form []Part
	// Once marks a request that must not be sent again once it may have reached the vendor: creates, and uploads that may
	// append. It is repeated only on a refused connection or a 429.
	Once bool
}

// Part is one part of a form: text, or a file that is streamed.
type Part struct {
	Name string
	Text string
	// FileName and Open make it a file part.
	FileName string
	Open     Opener
}

// Opener opens a file for reading; it may be called again for a repeat.
type Opener func() (io.ReadCloser, error)

// Answer is a vendor's 2xx answer. Body is at most [MaxBody] bytes.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// MaxBody is the largest answer read, in bytes; a larger one is an error.
const MaxBody = 64 << 20

// Shared is what the accounts of one run share. The zero value works: the network, the real clock, no logging.
type Shared struct {
	// Transport replaces the network, for the sandbox and for tests.
	Transport http.RoundTripper
	// Observe is called after each attempt, from any goroutine.
	Observe func(Event)
	// Log takes debug lines about requests; secrets are masked before they reach it.
	Log *slog.Logger
	// Mask removes secrets from text; see [Masker].
	Mask *Masker
	// Sleep waits, and returns early with ctx's error; tests replace it.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now tells the time; tests replace it.
	Now func() time.Time
	// UserAgent is sent with every request.
	UserAgent string
}

// Event is one attempt at a request.
type Event struct {
	Account string
	Method  string
	Path    string
	Status  int // 0 if no answer came
	Attempt int // from 1
	Took    time.Duration
	// Wait is how long the request waited for the account's pace before it was sent.
	Wait time.Duration
	Err  error
	// RequestID is the vendor's, where it sends one.
	RequestID string
}

// Options are one account's.
type Options struct {
	Account string
	Vendor  string
	BaseURL string
	// Authorize sets the credentials on a request. renew is true on the one repeat after a 401; returning an error that
	// matches [ErrAuth] then gives up. Nil means no credentials.
	Authorize func(ctx context.Context, r *http.Request, renew bool) error
	// Renews says that Authorize can renew: a 401 is then repeated once.
	Renews            bool
	RequestsPerMinute int
	MaxInFlight       int
	Timeout           time.Duration
	// Pace reads a vendor's rate headers; nil where it documents none.
	Pace func(h http.Header, now time.Time) (remaining int, reset time.Time, ok bool)
	// Message finds the vendor's message and request id in an error answer. ok is false where the body is not the vendor's own
	// error shape (a proxy's page, for example).
	Message func(status int, body []byte) (message, requestID string, ok bool)
	Shared
}

// Sentinels for errors.Is on what Do returns.
var (
	// ErrNotFound: a 404 with the vendor's own error body.
	ErrNotFound = errors.New("not found")
	// ErrAuth: 401, 403, or no usable credentials.
	ErrAuth = errors.New("not authorized")
	// ErrRejected: another 4xx. The request was not carried out.
	ErrRejected = errors.New("rejected")
	// ErrUnknownOutcome: a write that may have been carried out, or may not.
	ErrUnknownOutcome = errors.New("unknown outcome")
	// ErrUnavailable: the vendor could not be reached or answered 429 or 5xx until the retries were used up.
	ErrUnavailable = errors.New("unavailable")
	// ErrOddAnswer: an answer that is not what the vendor documents.
	ErrOddAnswer = errors.New("unexpected answer")
)

// Error is a call that failed. It matches the sentinels above; Message is masked and capped.
type Error struct {
	Vendor, Account string
	Method, Path    string
	Status          int // 0 if no answer came
	Message         string
	RequestID       string
	Attempts        int
	Kinds           []error // sentinels it matches
	Err             error   // the cause, if there is one
}

// Error returns one line: vendor, request, status, message, request id.
func (e *Error) Error() string { return "not built" }

// Is reports whether target is one of e's kinds.
func (e *Error) Is(target error) bool {
	for _, k := range e.Kinds {
		if k == target {
			return true
		}
	}
	return false
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Client talks to one account.
type Client struct{}

// New checks o and makes a client. It sends nothing.
func New(o Options) (*Client, error) { return nil, errors.New("not built") }

// Do sends r, paced and with the repeats that are safe, and returns the answer, or an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	return nil, errors.New("not built")
}

// Masker removes known secrets from text. The zero value masks nothing. Safe for use from several goroutines.
type Masker struct{}

// Add makes secrets unsayable. Values under 4 bytes are ignored.
func (m *Masker) Add(secrets ...string) {}

// Mask replaces every secret in s (also as JSON, URL-escaped and base64) by "(sensitive)". A nil Masker returns s.
func (m *Masker) Mask(s string) string { return s }
