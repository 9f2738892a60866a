package forgetest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The merge request that GitLab serves.
const (
	GitLabProject = "lumen/agents"
	GitLabNumber  = 5
)

const gitLabLimit = 1000000

// GitLab serves the notes of merge request 5 of lumen/agents, which is project 42, as docs.gitlab.com/api/notes says, checked
// 2026-11-21, and the statuses of [Commit].
func (s *Server) GitLab() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, func() (int, any, *refusal) {
			if refused := s.gitLabToken(r); refused != nil {
				return 0, nil, refused
			}
			path := r.URL.EscapedPath()
			if path == "/api/v4/user" && r.Method == http.MethodGet {
				return http.StatusOK, map[string]any{"id": Me, "username": "lumen-ci"}, nil
			}
			for _, project := range []string{"42", "lumen%2Fagents"} {
				if rest, is := strings.CutPrefix(path, fmt.Sprintf("/api/v4/projects/%s/merge_requests/%d/notes", project, GitLabNumber)); is {
					return s.gitLabNotes(w, r, strings.TrimPrefix(rest, "/"))
				}
				if sha, is := strings.CutPrefix(path, fmt.Sprintf("/api/v4/projects/%s/statuses/", project)); is {
					return s.gitLabStatus(r, sha)
				}
			}
			return 0, nil, message(http.StatusNotFound, "404 Not found")
		})
	})
}

// gitLabToken checks the credentials: a token as OAuth sends it, or the job's token, which may not ask who it is.
func (s *Server) gitLabToken(r *http.Request) *refusal {
	good := r.Header.Get("Authorization") == "Bearer "+s.Token
	if s.App {
		good = r.Header.Get("JOB-TOKEN") == s.Token && r.Header.Get("Authorization") == "" && r.URL.Path != "/api/v4/user"
	}
	if !good {
		return message(http.StatusUnauthorized, "401 Unauthorized")
	}
	return nil
}

func (s *Server) gitLabNotes(w http.ResponseWriter, r *http.Request, id string) (int, any, *refusal) {
	switch {
	case r.Method == http.MethodGet && id == "":
		return s.gitLabList(w, r)
	case r.Method == http.MethodPost && id == "":
		text, refused := s.gitLabBody(r)
		if refused != nil {
			return 0, nil, refused
		}
		s.add(Comment{Body: text, Author: Me})
		return http.StatusCreated, gitLabNote(s.comments[len(s.comments)-1]), nil
	case r.Method == http.MethodPut && id != "":
		i := s.index(id)
		if i < 0 {
			return 0, nil, message(http.StatusNotFound, "404 Not found")
		}
		if s.comments[i].Author != Me {
			return 0, nil, message(http.StatusForbidden, "403 Forbidden")
		}
		text, refused := s.gitLabBody(r)
		if refused != nil {
			return 0, nil, refused
		}
		s.comments[i].Body = text
		return http.StatusOK, gitLabNote(s.comments[i]), nil
	}
	return 0, nil, &refusal{http.StatusMethodNotAllowed, map[string]string{"error": "405 Not Allowed"}}
}

// gitLabList answers with the newest first unless it is asked otherwise, and X- headers for the pages.
func (s *Server) gitLabList(w http.ResponseWriter, r *http.Request) (int, any, *refusal) {
	query := r.URL.Query()
	list := slices.Clone(s.comments)
	switch query.Get("sort") {
	case "", "desc":
		slices.Reverse(list)
	case "asc":
	default:
		return 0, nil, &refusal{http.StatusBadRequest, map[string]string{"error": "sort does not have a valid value"}}
	}
	if by := query.Get("order_by"); by != "" && by != "created_at" && by != "updated_at" {
		return 0, nil, &refusal{http.StatusBadRequest, map[string]string{"error": "order_by does not have a valid value"}}
	}
	part, n, of, refused := page(list, query, 20, "sort", "order_by")
	if refused != nil {
		return 0, nil, refused
	}
	next := ""
	if n < of {
		next = strconv.Itoa(n + 1)
	}
	w.Header().Set("X-Page", strconv.Itoa(n))
	w.Header().Set("X-Next-Page", next)
	w.Header().Set("X-Total-Pages", strconv.Itoa(of))
	w.Header().Set("X-Total", strconv.Itoa(len(list)))
	notes := make([]any, len(part))
	for i, c := range part {
		notes[i] = gitLabNote(c)
	}
	return http.StatusOK, notes, nil
}

func (s *Server) gitLabBody(r *http.Request) (string, *refusal) {
	text, refused := body(r)
	limit := gitLabLimit
	if s.Limit > 0 {
		limit = s.Limit
	}
	switch {
	case refused != nil:
		return "", refused
	case strings.TrimSpace(text) == "":
		return "", message(http.StatusBadRequest, map[string][]string{"note": {"can't be blank"}})
	case tooLong(text, limit):
		return "", message(http.StatusBadRequest, map[string][]string{"note": {fmt.Sprintf("is too long (maximum is %d characters)", limit)}})
	}
	return text, nil
}

func gitLabNote(c Comment) map[string]any {
	return map[string]any{"id": c.ID, "type": nil, "body": c.Body, "system": c.System, "created_at": stamp(c.ID), "noteable_type": "MergeRequest",
		"noteable_iid": GitLabNumber, "internal": false, "author": map[string]any{"id": c.Author, "username": fmt.Sprintf("user-%d", c.Author)}}
}
