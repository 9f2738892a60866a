package providers

import (
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// SetupError is a fault in an account's settings, with its cure. Kind is a sentinel of rest, or nil.
type SetupError struct {
	Message string
	Cure    string
	Kind    error
}

// Error says what is wrong.
func (e *SetupError) Error() string { return e.Message }

// Hint says which environment variable or field of the Provider document mends it.
func (e *SetupError) Hint() string { return e.Cure }

// Unwrap returns Kind.
func (e *SetupError) Unwrap() error { return e.Kind }

// Value returns a setting without the white space that copying brings along; "" where nothing is said.
func (s Settings) Value(field string) string { return strings.TrimSpace(s.Values[field]) }

// Options completes a vendor's own options with what the account says, and makes the secrets unsayable. Where the options do not say by
// what the vendor counts requests, it is the secrets.
func (s Settings) Options(o rest.Options, secrets ...string) rest.Options {
	o.Account, o.Shared = s.Account, s.Rest
	if o.CountedBy == "" {
		o.CountedBy = strings.Join(secrets, "\x00")
	}
	if base := s.Value("baseURL"); base != "" {
		o.BaseURL = base
	}
	if s.RequestsPerMinute > 0 {
		o.RequestsPerMinute, o.Adapts = s.RequestsPerMinute, false
	}
	if s.MaxInFlight > 0 {
		o.MaxInFlight = s.MaxInFlight
	}
	if s.Timeout > 0 {
		o.Timeout = s.Timeout
	}
	if o.Mask == nil {
		o.Mask = new(rest.Masker)
	}
	o.Mask.Add(secrets...)
	return o
}
