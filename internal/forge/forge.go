// Package forge tells GitHub or GitLab what agentsync found.
//
// It keeps one comment on a pull or merge request: written once, edited from then on. Which of the comments is ours is told by who wrote it and by
// its first line, the marker, which readers do not see. And it sets the status of commits.
package forge

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// Options say where comments or statuses go and who writes them.
type Options struct {
	// BaseURL is the API's: https://api.github.com, https://gitlab.com/api/v4.
	BaseURL string
	// Repository is OWNER/NAME at GitHub, and at GitLab a project's number or its path.
	Repository string
	// Number is the pull request's, or the merge request's within its project (iid). Statuses have no use for it.
	Number int
	// Ref is the branch that a commit's status belongs to, for GitLab: else it takes the first branch that has the commit.
	Ref string
	// Token is never part of an error or a log.
	Token string
	// JobToken says that Token is GitLab's CI_JOB_TOKEN, which cannot ask who it is: User then says it, if that is known.
	JobToken bool
	User     string
	rest.Shared
}

// Action is what became of the comment.
type Action string

// The actions. Unchanged means that it said the same already; None, that there is none and none was to be made.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
	None      Action = "none"
)

// Result says what became of the comment and where it is.
type Result struct {
	Action Action
	Place  string
}

// comment is one comment of a request.
type comment struct {
	id, body, place string
	author          author
}

// author is who wrote a comment, or who we are. We may not know our id: an app at GitHub knows no more than that it is a bot, and then any
// bot's comment with our marker is taken for ours.
type author struct {
	id  string
	bot bool
}

func (a author) wrote(c comment) bool {
	switch {
	case a.id != "":
		return a.id == c.author.id
	case a.bot:
		return c.author.bot
	}
	return true
}

// api is what the two forges do differently.
type api interface {
	// whoami asks who the token belongs to.
	whoami(ctx context.Context) (author, error)
	// list reads one page of comments, and returns the query for the next one, nil after the last.
	list(ctx context.Context, query url.Values) ([]comment, url.Values, error)
	create(ctx context.Context, body string) (comment, error)
	edit(ctx context.Context, id, body string) (comment, error)
}

// Request is the comments of one pull or merge request.
type Request struct{ api api }

// maxPages bounds how many pages of comments are read, a hundred on each.
const maxPages = 200

// Put makes body, of which marker is the first line, the comment of that marker: it edits the newest one that is ours, or writes one. With
// editOnly it writes none.
func (r *Request) Put(ctx context.Context, marker, body string, editOnly bool) (Result, error) {
	old, found, err := r.find(ctx, marker)
	if err != nil {
		return Result{}, fmt.Errorf("looking for the comment: %w", err)
	}
	action, write := Updated, func() (comment, error) { return r.api.edit(ctx, old.id, body) }
	switch {
	case found && plain(old.body) == plain(body):
		return Result{Unchanged, old.place}, nil
	case !found && editOnly:
		return Result{Action: None}, nil
	case !found:
		action, write = Created, func() (comment, error) { return r.api.create(ctx, body) }
	}
	written, err := write()
	if err != nil {
		return Result{}, fmt.Errorf("writing the comment: %w", err)
	}
	return Result{action, written.place}, nil
}

// find returns our newest comment with this marker. Others may have written one with it: that one is left alone, or they could change
// afterwards what reviewers read.
func (r *Request) find(ctx context.Context, marker string) (newest comment, found bool, err error) {
	me, err := r.api.whoami(ctx)
	if err != nil {
		return comment{}, false, err
	}
	query := url.Values{"per_page": {"100"}}
	for range maxPages {
		list, next, err := r.api.list(ctx, query)
		if err != nil {
			return comment{}, false, err
		}
		for _, c := range list {
			if first, _, _ := strings.Cut(plain(c.body), "\n"); first == marker && me.wrote(c) {
				newest, found = c, true
			}
		}
		if next == nil {
			return newest, found, nil
		}
		query = next
	}
	return comment{}, false, fmt.Errorf("more than %d comments", maxPages*100)
}

// plain is a body as it was sent: a forge may change line ends, and blanks at the end.
func plain(body string) string { return strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n")) }

// checkNumber checks what comments need.
func (o Options) checkNumber() error {
	if o.Number <= 0 {
		return fmt.Errorf("%d is not the number of a request", o.Number)
	}
	return nil
}

// checkToken checks what everything needs.
func (o Options) checkToken() error {
	if o.Token == "" {
		return errors.New("no token")
	}
	return nil
}
