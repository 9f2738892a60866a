package sandbox

import (
	"net/http"
	"net/url"
	"slices"
)

// maxLog is how many calls the log holds; the oldest go first.
const maxLog = 10_000

// Call is one call that reached the server, in the order of arrival.
type Call struct {
	// Vendor is the store's name; a call to Convirza's login service is "convirza" too, "" is a call to no vendor's prefix.
	Vendor string
	Method string
	Host   string
	// Path is the whole path, with the vendor's prefix.
	Path  string
	Query url.Values
	// Header is without credentials.
	Header http.Header
	// Status is the answer's, 0 as long as there is none (a reset, a call under way).
	Status int
	// Fields are the top-level names of the body, sorted. Body is it as it was sent, Parts are those of a form, in order; both are
	// left out of calls to the login service.
	Fields []string
	Body   []byte
	Parts  []Part
}

// Part is one part of a form. A file's content is not kept.
type Part struct {
	Name     string
	Text     string
	FileName string // not "" for a file
	Size     int64
	SHA256   string
}

// Log returns the calls since the start or the last ResetLog, at most the last 10 000.
func (s *Server) Log() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, len(s.log))
	for i, c := range s.log {
		calls[i] = *c
	}
	return calls
}

// ResetLog empties the log.
func (s *Server) ResetLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// record adds a call to the log. The caller holds the lock.
func (s *Server) record(in *request) *Call {
	c := &Call{
		Method: in.method, Host: in.host, Path: in.fullPath, Query: in.query, Header: in.header.Clone(),
		Fields: in.fieldNames(),
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "Cookie"} {
		c.Header.Del(name)
	}
	if in.site != nil {
		c.Vendor = in.site.store
	}
	if in.site == nil || in.site.prefix != prefixOAuth {
		c.Body = in.body
		if in.form != nil {
			c.Parts = slices.Clone(in.form.parts)
		}
	}
	if len(s.log) >= maxLog {
		s.log = slices.Delete(s.log, 0, len(s.log)-maxLog+1)
	}
	s.log = append(s.log, c)
	return c
}
