package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage is the most of a vendor's text that an error repeats, in bytes.
const maxMessage = 500

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
func (e *Error) Error() string {
	var parts []string
	for _, part := range []string{e.Vendor, strings.TrimSpace(e.Method + " " + e.Path), status(e.Status), e.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if e.Message == "" && e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	line := strings.Join(parts, ": ")
	var notes []string
	if e.RequestID != "" {
		notes = append(notes, "request id "+e.RequestID)
	}
	if e.Attempts > 1 {
		notes = append(notes, fmt.Sprintf("%d attempts", e.Attempts))
	}
	if len(notes) > 0 {
		line += " (" + strings.Join(notes, ", ") + ")"
	}
	if e.Is(ErrUnknownOutcome) {
		line += "; it may have been carried out all the same"
	}
	return line
}

func status(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}

// Is reports whether target is one of e's kinds.
func (e *Error) Is(target error) bool {
	for _, k := range e.Kinds {
		if k == target {
			return true
		}
	}
	return false
}

// Unwrap returns the cause. Its text is masked; it is there for errors.Is.
func (e *Error) Unwrap() error { return e.Err }

// fail makes the error of a call that ended with the verdict at hand. err is why, where that is not the vendor's answer.
func (c *call) fail(err error) *Error {
	return c.newError(err, c.verdict.kind, c.maybe)
}

func (c *call) newError(err, kind error, maybe bool) *Error {
	o := &c.client.options
	e := &Error{
		Vendor: o.Vendor, Account: o.Account, Method: c.request.Method, Path: c.path(),
		Status: c.last.status, RequestID: c.clean(c.last.requestID), Attempts: c.attempts,
	}
	if kind != nil {
		e.Kinds = append(e.Kinds, kind)
	}
	if maybe {
		e.Kinds = append(e.Kinds, ErrUnknownOutcome)
	}
	if err != nil {
		cause := c.cause(err)
		e.Err, e.Message = cause, cause.text
		return e
	}
	e.Message = c.clean(c.last.says())
	return e
}

// says is what an answer that failed says, in the vendor's words if they are.
func (r result) says() string {
	switch {
	case r.status >= 300 && r.status < 400:
		if target, err := url.Parse(r.header.Get("Location")); err == nil && target.String() != "" {
			return fmt.Sprintf("redirected to %s: not followed; is the base URL right?", place(target))
		}
		return "an answer that is neither success nor refusal"
	case r.own:
		return r.message
	case r.status == http.StatusNotFound:
		return "not the vendor's own answer; is the base URL right? " + excerpt(r.header, r.body)
	}
	return excerpt(r.header, r.body)
}

// excerpt shows the beginning of a body that is not what it should be.
func excerpt(h http.Header, body []byte) string {
	kind := h.Get("Content-Type")
	if kind == "" {
		kind = "no content type"
	}
	if len(body) == 0 {
		return kind + ", empty body"
	}
	return kind + ": " + string(body)
}

// path is the request's path, for people.
func (c *call) path() string {
	return c.clean("/" + strings.TrimPrefix(c.request.Path, "/"))
}

// clean makes text from outside fit to print: masked, on one line, and not long. It masks first, so that no secret is cut in two,
// and again, in case that one came of flattening.
func (c *call) clean(text string) string {
	mask := c.client.options.Mask
	return capped(mask.Mask(oneLine(mask.Mask(text))))
}

// oneLine makes every run of white space and control characters one space.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
	}), " ")
}

// capped cuts text between two characters.
func capped(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	const more = "..."
	end := maxMessage - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

// cause stands for an error from below: it prints masked text only, and matches what the error matches, but for our own
// sentinels. Those are for the call itself: a login that is not found says nothing of an agent.
type cause struct {
	text string
	is   func(target error) bool
}

func (c *cause) Error() string { return c.text }

// Is reports whether the error from below matches target.
func (c *cause) Is(target error) bool { return c.is(target) }

func (c *call) cause(err error) *cause {
	sentinels := []error{ErrNotFound, ErrAuth, ErrRejected, ErrUnknownOutcome, ErrUnavailable, ErrOddAnswer}
	return &cause{
		text: c.clean(bare(err).Error()),
		is: func(target error) bool {
			return !slices.Contains(sentinels, target) && errors.Is(err, target)
		},
	}
}

// bare takes off the HTTP client's wrapping, which repeats the URL.
func bare(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
}

// OfCollection keeps the 404 of a collection from looking like a missing agent: it then matches [ErrOddAnswer] instead of [ErrNotFound], with
// message in place of the vendor's where it is not "". Other errors are returned as they are.
func OfCollection(err error, message string) error {
	var e *Error
	if !errors.As(err, &e) || e.Status != http.StatusNotFound {
		return err
	}
	odd := *e
	odd.Kinds, odd.Err = []error{ErrOddAnswer}, nil
	if message != "" {
		odd.Message = message
	}
	return &odd
}
