package web

import (
	"encoding/json"
	"net/http"
	"strings"
)

// problem is an answer that is none: what is wrong, and what helps.
type problem struct {
	status     int
	what, cure string
}

// fail answers with a problem: as a page where a person asks, as text where a probe does, else as JSON.
func (s *site) fail(w http.ResponseWriter, r *http.Request, p problem) {
	if wantsPage(r) {
		s.page(w, r, p.status, "error", failure{Frame: s.frame(r, http.StatusText(p.status)), What: p.what, Cure: p.cure})
		return
	}
	s.answer(w, p.status, struct {
		Error string `json:"error"`
		Hint  string `json:"hint"`
	}{p.what, p.cure})
}

// answer writes v as JSON.
func (s *site) answer(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("an answer cannot be written as JSON", "error", err)
		http.Error(w, `{"error":"the answer cannot be written as JSON","hint":"the log says why"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(data, '\n'))
}

// wantsPage reports whether a person's browser asks for something to read.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, problem{http.StatusNotFound, "there is nothing at this address", "the page is at /, the API at /api/v1/status"})
}
