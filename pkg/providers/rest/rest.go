package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"agentsync.dev/agentsync/internal/jsontree"
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
	// Rows says that a long list of objects is asked for, and nothing but [DecodeJSON] into a []map[string]any is made of it: it is decoded
	// while it arrives. Body then holds only what that could not decode.
	Rows bool
	// Timeout bounds one attempt of this request where it is longer than the account's: for uploads.
	Timeout time.Duration
}

// Part is one part of a form: text, or a file that is streamed.
type Part struct {
	Name string
	Text string
	// FileName and Open make it a file part.
	FileName string
	Open     Opener
	// Size is the file's, in bytes. Where every file of a form has one, the request carries a Content-Length; else it is sent
	// in chunks, which some servers refuse.
	Size int64
}

// Opener opens a file for reading; it is called again for a repeat. Close may be called while Read is under way.
type Opener func() (io.ReadCloser, error)

// Answer is a vendor's 2xx answer. Body is at most [MaxBody] bytes.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	call   *call // what it answers; nil for one made by hand
	rows   rows
}

// MaxBody is the largest answer read, in bytes; a larger one is an error.
const MaxBody = 64 << 20

// DefaultTimeout bounds one attempt where the account says nothing.
const DefaultTimeout = 30 * time.Second

// Shared is what the accounts of one run share. The zero value works: the network, the real clock, no logging.
type Shared struct {
	// Transport replaces the network, for the sandbox and for tests.
	Transport http.RoundTripper
	// Observe is called after each attempt, from any goroutine.
	Observe func(Event)
	// Log takes lines about requests, on the debug level for reads and on the info level for writes; secrets are masked before they reach it. See
	// [WithLog].
	Log *slog.Logger
	// Mask removes secrets from text; see [Masker].
	Mask *Masker
	// Sleep waits, and returns early with ctx's error; tests replace it.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now tells the time; tests replace it.
	Now func() time.Time
	// UserAgent is sent with every request.
	UserAgent string
	// Paces lets accounts that a vendor counts together go by one pace, also over several runs; nil gives each its own.
	Paces *Paces
	// Texts are shared by what [DecodeJSON] decodes. Nothing may be added to them once requests are sent.
	Texts jsontree.Texts
}

// Event is one attempt at a request: one request sent. A followed redirect is an attempt of its own.
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
	// Remaining is how many requests the vendor says are left until its limit starts anew, -1 where it does not say.
	Remaining int
}

// Rate is what a vendor's headers say of an account's limit: how many requests it has in a minute, 0 if that is not said, and how many are
// left until when.
type Rate struct {
	Limit     int
	Remaining int
	Reset     time.Time
}

// Options are one account's.
type Options struct {
	Account string
	Vendor  string
	// BaseURL is https; http only for loopback addresses. It may carry a path, and nothing after it.
	BaseURL string
	// Authorize sets the credentials on a request, which has no body yet. renew is true on the one repeat after a 401; returning
	// an error that matches [ErrAuth] then gives up. Nil means no credentials.
	Authorize func(ctx context.Context, r *http.Request, renew bool) error
	// Renews says that Authorize can renew: a 401 is then repeated once.
	Renews bool
	// RequestsPerMinute is never exceeded in any minute, and requests begin as early as that allows; 0 means no limit. Even spreads
	// them over the minute, for a vendor that documents no limit.
	RequestsPerMinute int
	Even              bool
	// MaxInFlight is how many requests may be under way at once; 0 means no limit.
	MaxInFlight int
	// CountedBy is what the vendor counts requests by, as a rule the credential: accounts at one host with the same share a pace, see
	// [Paces]. Only a hash of it is kept there. "" shares nothing.
	CountedBy string
	// Timeout bounds one attempt, from sending it to the last byte of its answer; 0 means [DefaultTimeout].
	Timeout time.Duration
	// ThrottleWait is the least wait after a 429 that does not say how long; 0 means the ordinary backoff.
	ThrottleWait time.Duration
	// Pace reads a vendor's rate headers; nil where it documents none. With Adapts, RequestsPerMinute is only where to begin: the limit that
	// the headers name replaces it.
	Pace   func(h http.Header, now time.Time) (rate Rate, ok bool)
	Adapts bool
	// Message finds the vendor's message and request id in an error answer. ok is false where the body is not the vendor's own
	// error shape (a proxy's page, for example). Without it no answer is taken for the vendor's own.
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
