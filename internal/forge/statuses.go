package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// State is what a status says of a commit, in GitHub's words.
type State string

// The states. At GitLab, Failure and Error are both failed.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
	Error   State = "error"
)

// DefaultContext is the name of a status that says none.
const DefaultContext = "agentsync/watch"

// Status is one status of a commit.
type Status struct {
	State State
	// Context tells it from the statuses of others; "" means [DefaultContext].
	Context string
	// Description is shown beside the state. What is longer than 140 characters is cut.
	Description string
	// TargetURL is where details are, http or https; "" for nowhere.
	TargetURL string
}

// ErrFull is that a forge takes no more statuses for a commit: GitHub takes 1,000 of one context.
var ErrFull = errors.New("the commit has as many statuses as the forge takes")

// Statuses sets the statuses of one repository's commits. Safe for use from several goroutines; one status is set at a time.
type Statuses struct {
	// send reports whether the forge took it; it did not where it says the same already.
	send func(ctx context.Context, sha string, status Status) (taken bool, err error)

	mu sync.Mutex
	// last is what was set, by commit and context; full are those of which the forge takes no more.
	last map[[2]string]Status
	full map[[2]string]bool
}

// remembered is how many statuses are remembered, so that months of commits take no room.
const remembered = 256

// GitHubStatuses opens the statuses of a repository's commits at GitHub (docs.github.com/en/rest/commits/statuses, version 2022-11-28, checked
// 2026-11-21). The token needs `statuses: write`.
func GitHubStatuses(o Options) (*Statuses, error) {
	client, repository, err := gitHubClient(o)
	if err != nil {
		return nil, err
	}
	return newStatuses(func(ctx context.Context, sha string, s Status) (bool, error) {
		body := map[string]string{"state": string(s.State), "context": s.Context, "description": s.Description}
		if s.TargetURL != "" {
			body["target_url"] = s.TargetURL
		}
		_, err := client.Do(ctx, rest.Request{Method: http.MethodPost, Path: repository + "/statuses/" + sha, JSON: body})
		if refused, ok := errors.AsType[*rest.Error](err); ok && strings.Contains(refused.Message, "reached the maximum number of statuses") {
			return false, fmt.Errorf("%w: %w", ErrFull, err)
		}
		return true, err
	}), nil
}

// gitLabMost is the longest target_url that GitLab takes, in characters.
const gitLabMost = 255

// GitLabStatuses opens the statuses of a project's commits at GitLab (docs.gitlab.com/api/commits, "Set commit pipeline status", checked
// 2026-11-21). The token needs the scope api and the role Developer; a job's token cannot set them.
func GitLabStatuses(o Options) (*Statuses, error) {
	client, project, err := gitLabClient(o)
	if o.JobToken {
		err = errors.Join(err, errors.New("a job's token cannot set statuses: use a project access token with the scope api"))
	}
	if err != nil {
		return nil, err
	}
	return newStatuses(func(ctx context.Context, sha string, s Status) (bool, error) {
		state := gitLabState(s.State)
		body := map[string]string{"state": state, "name": s.Context, "description": s.Description}
		if s.TargetURL != "" && utf8.RuneCountInString(s.TargetURL) <= gitLabMost {
			body["target_url"] = s.TargetURL
		}
		if o.Ref != "" {
			body["ref"] = o.Ref
		}
		_, err := client.Do(ctx, rest.Request{Method: http.MethodPost, Path: project + "/statuses/" + sha, JSON: body})
		if saysSo(err, state) {
			return false, nil
		}
		return true, err
	}), nil
}

func gitLabState(s State) string {
	switch s {
	case Failure, Error:
		return "failed"
	}
	return string(s)
}

// saysSo reports whether err is GitLab's refusal to move a status to the state that it is in: "Cannot transition status via :enqueue from
// :pending" (gitlab.com/gitlab-org/gitlab-foss/-/issues/25807).
func saysSo(err error, state string) bool {
	refused, ok := errors.AsType[*rest.Error](err)
	return ok && refused.Status == http.StatusBadRequest && strings.Contains(refused.Message, "Cannot transition status") &&
		strings.Contains(refused.Message, "from :"+state)
}

func newStatuses(send func(context.Context, string, Status) (bool, error)) *Statuses {
	return &Statuses{send: send, last: map[[2]string]Status{}, full: map[[2]string]bool{}}
}

// Put makes s the status of the commit sha, the whole of its hash. It sends nothing if it said the same before: Unchanged then. An error that
// matches [ErrFull] stays for that commit, and is told without asking again.
func (t *Statuses) Put(ctx context.Context, sha string, s Status) (Action, error) {
	if !isHash(sha) {
		return None, fmt.Errorf("%q is not the hash of a commit", sha)
	}
	if s.Context == "" {
		s.Context = DefaultContext
	}
	s.Description = shorten(s.Description, 140)
	t.mu.Lock()
	defer t.mu.Unlock()
	key := [2]string{sha, s.Context}
	last, known := t.last[key]
	switch {
	case known && last == s:
		return Unchanged, nil
	case t.full[key]:
		return None, fmt.Errorf("status of commit %.12s: %w", sha, ErrFull)
	}
	taken, err := t.send(ctx, sha, s)
	if len(t.last)+len(t.full) >= remembered {
		clear(t.last)
		clear(t.full)
	}
	switch {
	case errors.Is(err, ErrFull):
		t.full[key] = true
		fallthrough
	case err != nil:
		return None, fmt.Errorf("status of commit %.12s: %w", sha, err)
	}
	t.last[key] = s
	switch {
	case !taken:
		return Unchanged, nil
	case known:
		return Updated, nil
	}
	return Created, nil
}

// isHash reports whether sha is a commit's hash, SHA-1 or SHA-256.
func isHash(sha string) bool {
	return (len(sha) == 40 || len(sha) == 64) && strings.Trim(sha, "0123456789abcdef") == ""
}

// shorten cuts text to most characters.
func shorten(text string, most int) string {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}
