package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"

	"agentsync.dev/agentsync/internal/forge"
	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// destination is where a comment goes.
type destination struct {
	forge.Options
	open  func(forge.Options) (*forge.Request, error)
	limit int
	auth  string // what the token needs
}

// hint says how to mend an error of the forge.
func (d destination) hint(err error) string {
	switch {
	case errors.Is(err, rest.ErrAuth):
		return d.auth
	case errors.Is(err, rest.ErrNotFound):
		return fmt.Sprintf("is there a request %d in %s? A token that may not see it gets the same answer", d.Number, d.Repository)
	case errors.Is(err, rest.ErrUnknownOutcome):
		return "run it again: a comment that was written all the same is found by its marker and edited"
	}
	return ""
}

// destination finds out where the comment goes, from the flags and the pipeline's environment. All that is missing is in one error.
func (a *app) destination(f *commentFlags) (destination, error) {
	which, err := a.whichForge(f)
	if err != nil {
		return destination{}, err
	}
	if which == "gitlab" {
		return a.gitLab(f)
	}
	return a.gitHub(f)
}

func (a *app) whichForge(f *commentFlags) (string, error) {
	github, gitlab := f.repo != "" || f.pr != 0, f.project != "" || f.mr != 0
	switch {
	case f.forge != "" && f.forge != "github" && f.forge != "gitlab":
		return "", usageError{fmt.Errorf("--forge: %q is not one of github, gitlab", f.forge), "`agentsync comment --help` lists the flags"}
	case github && gitlab, f.forge == "github" && gitlab, f.forge == "gitlab" && github:
		return "", usageError{errors.New("--repo and --pr are GitHub's, --project and --mr are GitLab's"), "give those of one forge"}
	case f.forge != "":
		return f.forge, nil
	case github, !gitlab && a.env("GITHUB_REPOSITORY") != "":
		return "github", nil
	case gitlab, a.env("CI_PROJECT_ID") != "":
		return "gitlab", nil
	}
	return "", usageError{errors.New("this is neither a GitHub nor a GitLab pipeline"), "give --repo OWNER/NAME and --pr N, or --project ID and --mr N"}
}

func (a *app) env(name string) string {
	value, _ := a.getenv(name)
	return value
}

func (a *app) gitHub(f *commentFlags) (destination, error) {
	d := destination{open: forge.GitHub, limit: render.GitHubLimit, auth: "GITHUB_TOKEN needs `permissions: pull-requests: write` in the workflow"}
	d.BaseURL = cmp.Or(a.env("GITHUB_API_URL"), "https://api.github.com")
	d.Repository = cmp.Or(f.repo, a.env("GITHUB_REPOSITORY"))
	d.Number = f.pr
	d.Token = a.env("GITHUB_TOKEN")
	var faults []error
	if d.Number == 0 {
		number, err := a.pullRequest()
		faults = append(faults, err)
		d.Number = number
	}
	return d, errors.Join(append(faults, d.missing("--repo", "GITHUB_TOKEN"))...)
}

func (a *app) gitLab(f *commentFlags) (destination, error) {
	d := destination{open: forge.GitLab, limit: render.GitLabLimit, auth: "GITLAB_TOKEN needs the scope api, and the role to comment in the project"}
	d.BaseURL = cmp.Or(a.env("CI_API_V4_URL"), "https://gitlab.com/api/v4")
	d.Repository = cmp.Or(f.project, a.env("CI_PROJECT_ID"))
	d.Number = f.mr
	d.Token = a.env("GITLAB_TOKEN")
	if d.Token == "" {
		d.Token, d.JobToken, d.User = a.env("CI_JOB_TOKEN"), true, a.env("GITLAB_USER_ID")
		d.auth = "CI_JOB_TOKEN may do little: give GITLAB_TOKEN, an access token of the project with the scope api"
	}
	var faults []error
	if d.Number == 0 {
		number, err := strconv.Atoi(a.env("CI_MERGE_REQUEST_IID"))
		if err != nil {
			faults = append(faults, usageError{errors.New("which merge request? this is not a merge request's pipeline"),
				"give --mr N, or run the job on merge_request_event"})
		}
		d.Number = number
	}
	return d, errors.Join(append(faults, d.missing("--project", "GITLAB_TOKEN"))...)
}

// missing names what neither a flag nor the environment gives.
func (d destination) missing(flag, token string) error {
	var faults []error
	if d.Repository == "" {
		faults = append(faults, usageError{fmt.Errorf("%s is missing", flag), "`agentsync comment --help` says what it is"})
	}
	if d.Token == "" {
		faults = append(faults, hinted{fmt.Errorf("%s is not set: %w", token, rest.ErrAuth), "the token is read from the environment only"})
	}
	return errors.Join(faults...)
}

var pullRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^refs/pull/([0-9]+)/`) })

// pullRequest finds the pull request of a GitHub workflow: in its ref, or in the event that started it
// (docs.github.com/en/actions/reference/events-that-trigger-workflows, checked 2026-11-21).
func (a *app) pullRequest() (int, error) {
	if ref := pullRef().FindStringSubmatch(a.env("GITHUB_REF")); ref != nil {
		return strconv.Atoi(ref[1])
	}
	which := usageError{errors.New("which pull request? this is not a pull request's workflow"), "give --pr N, or run the job on pull_request"}
	path := a.env("GITHUB_EVENT_PATH")
	if path == "" {
		return 0, which
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	var event struct {
		PullRequest struct{ Number int } `json:"pull_request"`
		Issue       struct {
			Number      int
			PullRequest *struct{} `json:"pull_request"`
		}
		WorkflowRun struct {
			PullRequests []struct{ Number int } `json:"pull_requests"`
		} `json:"workflow_run"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %s is not an event: %w", path, err)
	}
	runs := event.WorkflowRun.PullRequests
	switch {
	case event.PullRequest.Number > 0:
		return event.PullRequest.Number, nil
	case event.Issue.PullRequest != nil:
		return event.Issue.Number, nil
	case len(runs) == 1:
		return runs[0].Number, nil
	}
	return 0, which
}
