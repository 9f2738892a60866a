package forgetest

import (
	"fmt"
	"net/http"
	"strings"
)

// The pull request that GitHub serves.
const (
	GitHubRepository = "lumen/agents"
	GitHubNumber     = 7
)

const gitHubLimit = 65536

// GitHub serves the comments of pull request 7 of lumen/agents as docs.github.com/en/rest/issues/comments says, checked 2026-11-21, and the
// statuses of [Commit].
func (s *Server) GitHub() http.Handler {
	mux := http.NewServeMux()
	const issues = "/repos/lumen/agents/issues"
	mux.HandleFunc("GET /user", s.gitHub(func(*http.Request) (int, any, *refusal) {
		if s.App {
			return 0, nil, message(http.StatusForbidden, "Resource not accessible by integration")
		}
		return http.StatusOK, map[string]any{"id": Me, "type": "User", "login": "lumen-ci"}, nil
	}))
	mux.HandleFunc(fmt.Sprintf("POST %s/%d/comments", issues, GitHubNumber), s.gitHub(func(r *http.Request) (int, any, *refusal) {
		text, refused := s.gitHubBody(r)
		if refused != nil {
			return 0, nil, refused
		}
		s.add(Comment{Body: text, Author: s.me(), Bot: s.App})
		return http.StatusCreated, gitHubComment(s.comments[len(s.comments)-1]), nil
	}))
	mux.HandleFunc("PATCH "+issues+"/comments/{id}", s.gitHub(func(r *http.Request) (int, any, *refusal) {
		i := s.index(r.PathValue("id"))
		if i < 0 {
			return 0, nil, message(http.StatusNotFound, "Not Found")
		}
		text, refused := s.gitHubBody(r)
		if refused != nil {
			return 0, nil, refused
		}
		s.comments[i].Body = text
		return http.StatusOK, gitHubComment(s.comments[i]), nil
	}))
	mux.HandleFunc("POST /repos/lumen/agents/statuses/{sha}", s.gitHub(s.gitHubStatus))
	mux.HandleFunc("/", s.gitHub(func(*http.Request) (int, any, *refusal) { return 0, nil, message(http.StatusNotFound, "Not Found") }))
	list := fmt.Sprintf("GET %s/%d/comments", issues, GitHubNumber)
	mux.HandleFunc(list, func(w http.ResponseWriter, r *http.Request) {
		s.gitHub(func(r *http.Request) (int, any, *refusal) { return s.gitHubList(w, r) })(w, r)
	})
	return mux
}

func (s *Server) me() int {
	if s.App {
		return 41898282
	}
	return Me
}

// gitHub checks what every call needs.
func (s *Server) gitHub(handle func(*http.Request) (int, any, *refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, func() (int, any, *refusal) {
			switch {
			case r.Header.Get("User-Agent") == "":
				return 0, nil, message(http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
			case r.Header.Get("Authorization") != "Bearer "+s.Token:
				return 0, nil, message(http.StatusUnauthorized, "Bad credentials")
			case r.Header.Get("Accept") != "application/vnd.github+json" || r.Header.Get("X-GitHub-Api-Version") != "2022-11-28":
				return 0, nil, message(http.StatusBadRequest, "unsupported API version or media type")
			}
			return handle(r)
		})
	}
}

// gitHubList answers with the oldest first, and Link headers whose URLs name the repository by its number.
func (s *Server) gitHubList(w http.ResponseWriter, r *http.Request) (int, any, *refusal) {
	part, n, of, refused := page(s.comments, r.URL.Query(), 30, "since")
	if refused != nil {
		return 0, nil, refused
	}
	var links []string
	link := func(rel string, to int) {
		query := r.URL.Query()
		query.Set("page", fmt.Sprint(to))
		links = append(links, fmt.Sprintf(`<http://%s/repositories/1300192/issues/%d/comments?%s>; rel="%s"`, r.Host, GitHubNumber, query.Encode(), rel))
	}
	if n > 1 {
		link("prev", n-1)
	}
	if n < of {
		link("next", n+1)
		link("last", of)
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
	list := make([]any, len(part))
	for i, c := range part {
		list[i] = gitHubComment(c)
	}
	return http.StatusOK, list, nil
}

func (s *Server) gitHubBody(r *http.Request) (string, *refusal) {
	text, refused := body(r)
	limit := gitHubLimit
	if s.Limit > 0 {
		limit = s.Limit
	}
	switch {
	case refused != nil:
		return "", refused
	case strings.TrimSpace(text) == "":
		return "", &refusal{http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed", "errors": []string{"body cannot be blank"}}}
	case tooLong(text, limit):
		return "", &refusal{http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed",
			"errors": []any{map[string]string{"resource": "IssueComment", "field": "data", "code": "unprocessable",
				"message": fmt.Sprintf("Body is too long (maximum is %d characters)", limit)}}}}
	}
	return strings.ReplaceAll(text, "\n", "\r\n"), nil // as it is stored for a comment written in a browser
}

func gitHubComment(c Comment) map[string]any {
	kind := "User"
	if c.Bot {
		kind = "Bot"
	}
	return map[string]any{"id": c.ID, "body": c.Body, "created_at": stamp(c.ID), "author_association": "CONTRIBUTOR",
		"html_url": fmt.Sprintf("https://github.com/%s/pull/%d#issuecomment-%d", GitHubRepository, GitHubNumber, c.ID),
		"user":     map[string]any{"id": c.Author, "type": kind, "login": fmt.Sprintf("user-%d", c.Author)}}
}
