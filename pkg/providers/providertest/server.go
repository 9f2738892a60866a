package providertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Server is a vendor of few words, for the tests of a client: it answers "METHOD URI BODY" from its replies, "STATUS BODY" each, with a
// 418 to anything else, and records what it was sent.
type Server struct {
	*httptest.Server
	// Authorized looks at a request's headers; who is not gets a 401.
	Authorized func(http.Header) bool
	// Refusal makes the vendor's error body of a message, which holds no quotes.
	Refusal func(message string) string

	replies map[string]string
	mu      sync.Mutex
	sent    []string
}

// NewServer starts a server that runs until the test ends.
func NewServer(t *testing.T, replies map[string]string, authorized func(http.Header) bool, refusal func(string) string) *Server {
	s := &Server{Authorized: authorized, Refusal: refusal, replies: replies}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Sent returns what the server was sent, in order.
func (s *Server) Sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, line)
	reply, ok := s.replies[line]
	switch {
	case !s.Authorized(r.Header):
		reply = "401 " + s.Refusal("invalid API key")
	case len(body) > 0 && r.Header.Get("Content-Type") != "application/json":
		reply = "415 " + s.Refusal("not JSON")
	case !ok:
		reply = "418 unexpected " + line
	}
	code, text, _ := strings.Cut(reply, " ")
	var status int
	_, _ = fmt.Sscan(code, &status)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
