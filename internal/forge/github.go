package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// GitHub opens the comments of a pull request at GitHub (docs.github.com/en/rest/issues/comments, version 2022-11-28, checked
// 2026-11-21): its comments are those of the issue with its number.
func GitHub(o Options) (*Request, error) {
	client, repository, err := gitHubClient(o)
	if err := errors.Join(o.checkNumber(), err); err != nil {
		return nil, err
	}
	issues := repository + "/issues"
	return &Request{&gitHub{client: client, comments: fmt.Sprintf("%s/%d/comments", issues, o.Number), comment: issues + "/comments/"}}, nil
}

// gitHubClient returns a client, and the path of the repository.
func gitHubClient(o Options) (*rest.Client, string, error) {
	owner, name, _ := strings.Cut(o.Repository, "/")
	owner, ownerErr := rest.Segment(owner)
	name, nameErr := rest.Segment(name)
	var shape error
	if ownerErr != nil || nameErr != nil || strings.Contains(name, "%2F") {
		shape = fmt.Errorf("repository %q is not OWNER/NAME", o.Repository)
	}
	client, err := rest.New(rest.Options{Account: "github", Vendor: "github", BaseURL: o.BaseURL, Message: gitHubMessage, Shared: o.Shared,
		Authorize: func(_ context.Context, r *http.Request, _ bool) error {
			r.Header.Set("Authorization", "Bearer "+o.Token)
			r.Header.Set("Accept", "application/vnd.github+json")
			r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
			return nil
		}})
	return client, fmt.Sprintf("repos/%s/%s", owner, name), errors.Join(o.checkToken(), shape, err)
}

type gitHub struct {
	client *rest.Client
	// comments is the path of all comments of the pull request, comment the beginning of the path of one.
	comments, comment string
}

type gitHubComment struct {
	ID      json.Number `json:"id"`
	Body    string      `json:"body"`
	HTMLURL string      `json:"html_url"`
	User    gitHubUser  `json:"user"`
}

type gitHubUser struct {
	ID   json.Number `json:"id"`
	Type string      `json:"type"`
}

func (c gitHubComment) comment() comment {
	return comment{id: c.ID.String(), body: c.Body, place: c.HTMLURL, author: author{id: c.User.ID.String(), bot: c.User.Type == "Bot"}}
}

// whoami asks for the token's user. The token of a workflow belongs to an app, which may not ask: it is refused with 403.
func (g *gitHub) whoami(ctx context.Context) (author, error) {
	var user gitHubUser
	err := get(ctx, g.client, "user", nil, &user)
	var refused *rest.Error
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return author{bot: true}, nil
	}
	return author{id: user.ID.String(), bot: user.Type == "Bot"}, err
}

func (g *gitHub) list(ctx context.Context, query url.Values) ([]comment, url.Values, error) {
	answer, err := g.client.Do(ctx, rest.Request{Method: http.MethodGet, Path: g.comments, Query: query})
	if err != nil {
		return nil, nil, err
	}
	var page []gitHubComment
	if err := rest.DecodeJSON(answer, &page); err != nil {
		return nil, nil, err
	}
	list := make([]comment, len(page))
	for i, c := range page {
		list[i] = c.comment()
	}
	return list, nextQuery(answer.Header.Values("Link")), nil
}

func (g *gitHub) create(ctx context.Context, body string) (comment, error) {
	return g.write(ctx, rest.Request{Method: http.MethodPost, Path: g.comments, JSON: map[string]string{"body": body}, Once: true})
}

func (g *gitHub) edit(ctx context.Context, id, body string) (comment, error) {
	return g.write(ctx, rest.Request{Method: http.MethodPatch, Path: g.comment + id, JSON: map[string]string{"body": body}})
}

func (g *gitHub) write(ctx context.Context, r rest.Request) (comment, error) {
	var written gitHubComment
	err := do(ctx, g.client, r, &written)
	return written.comment(), err
}

// nextQuery finds the query of the next page in Link headers (RFC 8288), nil if there is none. The rest of the link is not used: where
// to send the token is not for an answer to say.
func nextQuery(headers []string) url.Values {
	for _, link := range strings.Split(strings.Join(headers, ","), ",") {
		target, parameters, _ := strings.Cut(strings.TrimSpace(link), ">")
		for _, parameter := range strings.Split(parameters, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			if name != "rel" || strings.Trim(value, `"`) != "next" {
				continue
			}
			if u, err := url.Parse(strings.TrimPrefix(target, "<")); err == nil {
				return u.Query()
			}
		}
	}
	return nil
}

// gitHubMessage reads {"message": "...", "errors": [...]}.
func gitHubMessage(_ int, body []byte) (message, requestID string, ok bool) {
	var refusal struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &refusal) != nil || refusal.Message == "" {
		return "", "", false
	}
	if len(refusal.Errors) > 0 {
		refusal.Message += " " + string(refusal.Errors)
	}
	return refusal.Message, "", true
}

func get(ctx context.Context, client *rest.Client, path string, query url.Values, into any) error {
	return do(ctx, client, rest.Request{Method: http.MethodGet, Path: path, Query: query}, into)
}

func do(ctx context.Context, client *rest.Client, r rest.Request, into any) error {
	answer, err := client.Do(ctx, r)
	if err != nil {
		return err
	}
	return rest.DecodeJSON(answer, into)
}
