package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// GitLab opens the notes of a merge request at GitLab (docs.gitlab.com/api/notes, checked 2026-11-21).
func GitLab(o Options) (*Request, error) {
	client, project, err := gitLabClient(o)
	if err := errors.Join(o.checkNumber(), err); err != nil {
		return nil, err
	}
	g := &gitLab{client: client, notes: fmt.Sprintf("%s/merge_requests/%d/notes", project, o.Number)}
	if o.JobToken {
		g.me = &author{id: o.User}
	}
	return &Request{g}, nil
}

// gitLabClient returns a client, and the path of the project.
func gitLabClient(o Options) (*rest.Client, string, error) {
	project, shape := rest.Segment(o.Repository)
	if shape != nil {
		shape = fmt.Errorf("project %w", shape)
	}
	client, err := rest.New(rest.Options{Account: "gitlab", Vendor: "gitlab", BaseURL: o.BaseURL, Message: gitLabMessage, Shared: o.Shared,
		Authorize: func(_ context.Context, r *http.Request, _ bool) error {
			if o.JobToken {
				r.Header.Set("JOB-TOKEN", o.Token)
				return nil
			}
			r.Header.Set("Authorization", "Bearer "+o.Token)
			return nil
		}})
	return client, "projects/" + project, errors.Join(o.checkToken(), shape, err)
}

type gitLab struct {
	client *rest.Client
	notes  string
	me     *author // nil where the token can ask
}

type gitLabNote struct {
	ID     json.Number `json:"id"`
	Body   string      `json:"body"`
	System bool        `json:"system"`
	Author gitLabUser  `json:"author"`
}

type gitLabUser struct {
	ID json.Number `json:"id"`
}

func (n gitLabNote) comment() comment {
	return comment{id: n.ID.String(), body: n.Body, place: "note " + n.ID.String(), author: author{id: n.Author.ID.String()}}
}

func (g *gitLab) whoami(ctx context.Context) (author, error) {
	if g.me != nil {
		return *g.me, nil
	}
	var user gitLabUser
	err := get(ctx, g.client, "user", nil, &user)
	return author{id: user.ID.String()}, err
}

// list reads a page, the oldest notes first. X-Next-Page is empty on the last one (docs.gitlab.com/api/rest, pagination headers).
func (g *gitLab) list(ctx context.Context, query url.Values) ([]comment, url.Values, error) {
	query.Set("sort", "asc")
	query.Set("order_by", "created_at")
	answer, err := g.client.Do(ctx, rest.Request{Method: http.MethodGet, Path: g.notes, Query: query})
	if err != nil {
		return nil, nil, err
	}
	var page []gitLabNote
	if err := rest.DecodeJSON(answer, &page); err != nil {
		return nil, nil, err
	}
	var list []comment
	for _, n := range page {
		if !n.System {
			list = append(list, n.comment())
		}
	}
	next := answer.Header.Get("X-Next-Page")
	if next == "" {
		return list, nil, nil
	}
	return list, url.Values{"per_page": query["per_page"], "page": {next}}, nil
}

func (g *gitLab) create(ctx context.Context, body string) (comment, error) {
	return g.write(ctx, rest.Request{Method: http.MethodPost, Path: g.notes, JSON: map[string]string{"body": body}, Once: true})
}

func (g *gitLab) edit(ctx context.Context, id, body string) (comment, error) {
	return g.write(ctx, rest.Request{Method: http.MethodPut, Path: g.notes + "/" + id, JSON: map[string]string{"body": body}})
}

func (g *gitLab) write(ctx context.Context, r rest.Request) (comment, error) {
	var written gitLabNote
	err := do(ctx, g.client, r, &written)
	return written.comment(), err
}

// gitLabMessage reads {"message": ...}, of any kind, and {"error": "..."}.
func gitLabMessage(_ int, body []byte) (message, requestID string, ok bool) {
	var refusal struct {
		Message json.RawMessage `json:"message"`
		Error   string          `json:"error"`
	}
	if json.Unmarshal(body, &refusal) != nil {
		return "", "", false
	}
	var text string
	switch {
	case len(refusal.Message) == 0:
		text = refusal.Error
	case json.Unmarshal(refusal.Message, &text) != nil:
		text = string(refusal.Message)
	}
	return text, "", text != ""
}
