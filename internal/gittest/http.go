package gittest

import (
	"crypto/subtle"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Fault is what a [Server] does instead of answering.
type Fault int

// The faults.
const (
	// None answers.
	None Fault = iota
	// Hang accepts requests and never answers.
	Hang
	// HangPack answers which branches there are, and sends the first bytes of what is fetched and then nothing.
	HangPack
	// Fail answers 500.
	Fail
	// Cut ends the connection in the middle of what is fetched.
	Cut
)

// Server serves one repository over smart HTTP, as a forge does: whoever has the token may read and push.
type Server struct {
	// URL is the repository's address, without credentials. User may be anything.
	URL string
	// Token is the password that the server wants.
	Token string

	mu       sync.Mutex
	fault    Fault
	requests int
	packs    int
}

// Serve starts a server for the repository. It listens on loopback, in plain HTTP.
func Serve(t testing.TB, repo *Repo) *Server {
	t.Helper()
	where, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Token: "glpat-secret-token"}
	git := &cgi.Handler{
		Stderr: io.Discard,
		Path:   filepath.Join(strings.TrimSpace(string(where)), "git-http-backend"),
		Env: append(environment(repo.home), "GIT_PROJECT_ROOT="+filepath.Dir(repo.Bare), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=test",
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true"),
	}
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, git, over) }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) }) // before the server waits for its requests
	s.URL = server.URL + "/" + filepath.Base(repo.Bare)
	return s
}

// Set says what the server does from now on. Requests that hang already go on doing so.
func (s *Server) Set(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Counts returns how many requests came, and how many of them were for a pack.
func (s *Server) Counts() (requests, packs int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.packs
}

func (s *Server) count(pack bool) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if pack {
		s.packs++
	}
	return s.fault
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, git http.Handler, over <-chan struct{}) {
	pack := strings.HasSuffix(r.URL.Path, "/git-upload-pack")
	fault := s.count(pack)
	_, password, _ := r.BasicAuth()
	switch {
	case fault == Hang:
		hang(r, over)
	case fault == Fail:
		http.Error(w, "the server is broken", http.StatusInternalServerError)
	case subtle.ConstantTimeCompare([]byte(password), []byte(s.Token)) != 1:
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
	case pack && (fault == Cut || fault == HangPack):
		part := httptest.NewRecorder()
		git.ServeHTTP(part, r)
		w.Header().Set("Content-Type", part.Header().Get("Content-Type"))
		body := part.Body.Bytes()
		_, _ = w.Write(body[:len(body)*2/3])
		_ = http.NewResponseController(w).Flush()
		if fault == HangPack {
			hang(r, over)
		}
		panic(http.ErrAbortHandler)
	default:
		git.ServeHTTP(w, r)
	}
}

// hang waits until the client goes or the test is over.
func hang(r *http.Request, over <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-over:
	}
}
