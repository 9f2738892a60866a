// Package forgetest is the part of the APIs of GitHub and GitLab that comments and statuses need, kept in memory and as strict as the pages say: a wrong
// method, header, parameter or body is refused as the forge would.
package forgetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Comment is one comment; Author is the id of a user, Bot says that it is an app, System that the forge wrote it (GitLab).
type Comment struct {
	ID     int
	Body   string
	Author int
	Bot    bool
	System bool
}

// Me is the id of the user that the token belongs to.
const Me = 1

// Server keeps the comments of one pull or merge request, and the statuses of one commit. Its fields may be set until it serves.
type Server struct {
	// Token is what requests must carry. App says that it belongs to an app: at GitHub it may not ask who it is; at GitLab it is a job's.
	Token string
	App   bool
	// Limit is the most characters of a comment, and at GitHub the most statuses of a commit; 0 means the forge's own.
	Limit int

	mu       sync.Mutex
	comments []Comment
	statuses []CommitStatus
	calls    []string
	faults   []Fault
}

// Fault answers the next call whose method is Method with Status instead; Done says that it is carried out all the same.
type Fault struct {
	Method string
	Status int
	Header http.Header
	Done   bool
}

// Add puts a comment there and returns its id.
func (s *Server) Add(c Comment) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(c)
}

func (s *Server) add(c Comment) int {
	c.ID = len(s.comments) + 9007199254740993 // larger than what a float64 holds exactly
	s.comments = append(s.comments, c)
	return c.ID
}

// Comments returns what is there, the oldest first.
func (s *Server) Comments() []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.comments)
}

// Calls returns the calls so far, as "METHOD path?query".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Fail makes a later call fail.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// refusal is an answer other than success.
type refusal struct {
	status int
	body   any
}

func message(status int, text any) *refusal { return &refusal{status, map[string]any{"message": text}} }

// serve carries a call out unless a fault says otherwise.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, handle func() (int, any, *refusal)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, strings.TrimSuffix(r.Method+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery, "?"))
	for i, f := range s.faults {
		if f.Method != r.Method {
			continue
		}
		s.faults = slices.Delete(s.faults, i, i+1)
		if f.Done {
			handle()
		}
		for name, values := range f.Header {
			w.Header()[name] = values
		}
		write(w, f.Status, map[string]string{"message": http.StatusText(f.Status)})
		return
	}
	status, body, refused := handle()
	if refused != nil {
		status, body = refused.status, refused.body
	}
	write(w, status, body)
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err) // made of plain values
	}
}

// page cuts out one page, and counts them all.
func page(list []Comment, query url.Values, perPage int, known ...string) (part []Comment, n, of int, refused *refusal) {
	for name := range query {
		if !slices.Contains(append(known, "page", "per_page"), name) {
			return nil, 0, 0, message(http.StatusBadRequest, "unknown parameter "+name)
		}
	}
	n = 1
	for _, p := range []struct {
		name string
		into *int
	}{{"page", &n}, {"per_page", &perPage}} {
		text := query.Get(p.name)
		if text == "" {
			continue
		}
		value, err := strconv.Atoi(text)
		if err != nil || value < 1 || (p.name == "per_page" && value > 100) {
			return nil, 0, 0, message(http.StatusBadRequest, p.name+" is invalid")
		}
		*p.into = value
	}
	of = max((len(list)+perPage-1)/perPage, 1)
	from := min((n-1)*perPage, len(list))
	return list[from:min(from+perPage, len(list))], n, of, nil
}

// body reads the body of a write.
func body(r *http.Request) (string, *refusal) {
	if r.Header.Get("Content-Type") != "application/json" {
		return "", message(http.StatusUnsupportedMediaType, "the body is not application/json")
	}
	decoder := json.NewDecoder(io.LimitReader(r.Body, 16<<20))
	decoder.DisallowUnknownFields()
	var sent struct {
		Body *string `json:"body"`
	}
	if err := decoder.Decode(&sent); err != nil || sent.Body == nil {
		return "", message(http.StatusBadRequest, "body is missing")
	}
	return *sent.Body, nil
}

func tooLong(text string, limit int) bool { return utf8.RuneCountInString(text) > limit }

func (s *Server) index(id string) int {
	return slices.IndexFunc(s.comments, func(c Comment) bool { return strconv.Itoa(c.ID) == id })
}

func stamp(id int) string {
	return time.Date(2026, 11, 21, 12, 0, id%60, 0, time.UTC).Format(time.RFC3339)
}
