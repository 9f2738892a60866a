package rest

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxRepeats is how often a failed request is tried again.
	maxRepeats = 4
	// maxBackoff bounds the waits between tries that the vendor says nothing about.
	maxBackoff = 30 * time.Second
)

// result is what came of one attempt.
type result struct {
	status int // 0 if no answer came
	header http.Header
	body   []byte
	rows   rows
	err    error // why there is no answer, or not the whole of it
	kind   error // the sentinel of err
	final  bool  // trying again cannot help against err
	sent   bool  // some of the request may have reached the vendor

	// Of a refusal: what it says, whether in the vendor's own words.
	message, requestID string
	own                bool
}

// notSent is an attempt that ended before anything was sent.
func notSent(err, kind error) result { return result{err: err, kind: kind, final: true} }

// interpret finds the vendor's words in a refusal.
func (r *result) interpret(o *Options) {
	if r.status >= http.StatusBadRequest && o.Message != nil {
		r.message, r.requestID, r.own = o.Message(r.status, r.body)
	}
	if r.requestID == "" {
		r.requestID = r.header.Get("X-Request-Id")
	}
}

// verdict is what a result means.
type verdict struct {
	kind  error // the sentinel; nil for a good answer, an interruption and a fault on this side
	again bool  // trying again may help
	maybe bool  // the request may have been carried out
}

// judge decides what r means:
//
//	answer                        kind         again       may have been carried out
//	none                          of the fault unless final if something was sent
//	2xx                           none
//	2xx, cut short                unavailable  yes         yes
//	2xx, too large                odd          no          yes
//	3xx that was not followed     odd          no          but for 307 and 308, which say it was not
//	401, 403                      auth         no          no
//	404                           not found if in the vendor's own words, else odd
//	408                           unavailable  reads       yes: a proxy may have lost patience
//	429                           unavailable  yes         no
//	other 4xx                     rejected     no          no
//	500, 502, 503, 504            unavailable  yes         yes
//	other 5xx                     unavailable  no          yes
//	anything else                 odd          no          yes
func (r result) judge(read bool) verdict {
	switch s := r.status; {
	case s == 0:
		return verdict{r.kind, !r.final, r.sent}
	case s >= 200 && s < 300 && r.err == nil:
		return verdict{}
	case s >= 200 && s < 300:
		return verdict{r.kind, !r.final, true}
	case s >= 300 && s < 400:
		return verdict{ErrOddAnswer, false, s != http.StatusTemporaryRedirect && s != http.StatusPermanentRedirect}
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return verdict{kind: ErrAuth}
	case s == http.StatusNotFound && r.own:
		return verdict{kind: ErrNotFound}
	case s == http.StatusNotFound:
		return verdict{kind: ErrOddAnswer}
	case s == http.StatusRequestTimeout:
		return verdict{ErrUnavailable, read, true}
	case s == http.StatusTooManyRequests:
		return verdict{ErrUnavailable, true, false}
	case s >= 400 && s < 500:
		return verdict{kind: ErrRejected}
	case s == 500 || s == 502 || s == 503 || s == 504:
		return verdict{ErrUnavailable, true, true}
	case s >= 500 && s < 600:
		return verdict{ErrUnavailable, false, true}
	}
	return verdict{ErrOddAnswer, false, true}
}

// wait is how long to wait after r: what the vendor asks for, else a backoff.
func (r result) wait(now time.Time, repeats int, throttled time.Duration) time.Duration {
	if wait, ok := retryAfter(r.header.Get("Retry-After"), now); ok {
		return wait
	}
	wait := backoff(repeats)
	if r.status == http.StatusTooManyRequests {
		wait += throttled
	}
	return wait
}

// retryAfter reads a Retry-After header: seconds, or a date. One that lies in the past says nothing.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second, seconds > 0
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait := date.Sub(now)
	return wait, wait > 0
}

// backoff doubles from 1 s; half of it is left to chance, so that clients that failed together do not come back together.
func backoff(repeats int) time.Duration {
	full := min(time.Second<<repeats, maxBackoff)
	return full/2 + rand.N(full/2+1)
}
