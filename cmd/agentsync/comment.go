package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/forge"
	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// commentFlags are comment's own.
type commentFlags struct {
	flags
	forge, repo, project string
	pr, mr               int
	marker               string
	always               bool
}

func (a *app) commentCommand() *cobra.Command {
	f := &commentFlags{}
	c := &cobra.Command{
		Use:   "comment FILE",
		Short: "Show a plan as a comment on a pull or merge request",
		Long: `comment writes a plan as a comment on a pull request at GitHub or a merge request at GitLab, and from then on edits that comment. FILE is a
plan that "plan --out" saved, or markdown as "-o markdown" writes it (plan, drift, apply); - is standard input. A saved plan is
written in as much detail as the forge's limit lets it.

Where it goes comes from the pipeline's environment: GITHUB_REPOSITORY with GITHUB_REF or the event in GITHUB_EVENT_PATH, and
GITHUB_API_URL; or CI_PROJECT_ID, CI_MERGE_REQUEST_IID and CI_API_V4_URL. The token comes from the environment only: GITHUB_TOKEN (with
the permission "pull-requests: write"), GITLAB_TOKEN (with the scope "api") or CI_JOB_TOKEN.

A plan with nothing to do is not worth a comment: without --always none is written. One that is there is edited to say so.`,
		Example: `  agentsync plan --out plan.json agents/ && agentsync comment plan.json
  agentsync comment --marker prod prod.json
  agentsync apply --plan plan.json -o markdown agents/ | agentsync comment --marker apply --pr 12 -`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf(c, "log-format", f.logFormat, "text", "json"); err != nil {
				return err
			}
			return a.comment(c.Context(), f, args[0])
		},
	}
	set := c.Flags()
	set.StringVar(&f.forge, "forge", "", "github or gitlab (default: the one whose pipeline this is)")
	set.StringVar(&f.repo, "repo", "", "the repository at GitHub, OWNER/NAME (default: $GITHUB_REPOSITORY)")
	set.IntVar(&f.pr, "pr", 0, "number of the pull request (default: that of the pipeline's event)")
	set.StringVar(&f.project, "project", "", "the project at GitLab, its id or path (default: $CI_PROJECT_ID)")
	set.IntVar(&f.mr, "mr", 0, "number (iid) of the merge request (default: $CI_MERGE_REQUEST_IID)")
	set.StringVar(&f.marker, "marker", "", "name of the comment, where one request has several, for example prod")
	set.BoolVar(&f.always, "always", false, "write a comment also where there is nothing to do")
	f.talking(set)
	return c
}

func (a *app) comment(ctx context.Context, f *commentFlags, name string) error {
	where, err := a.destination(f)
	if badKey := render.CheckKey(f.marker); badKey != nil {
		err = errors.Join(err, usageError{fmt.Errorf("--marker: %w", badKey), "for example --marker prod"})
	}
	if err != nil {
		return err
	}
	text, err := a.readInput(name)
	if err != nil {
		return err
	}
	body, marker, empty, err := commentBody(text, name, f.marker, where.limit)
	if err != nil {
		return err
	}
	mask := &rest.Masker{}
	mask.Add(where.Token)
	where.Shared = rest.Shared{Log: a.newTalker(&f.flags).logger(mask), Mask: mask, Now: a.now, UserAgent: userAgent()}
	request, err := where.open(where.Options)
	if err != nil {
		return usageError{err, "`agentsync comment --help` says where each setting comes from"}
	}
	ctx, cancel := a.until(ctx)
	defer cancel()
	result, err := request.Put(ctx, marker, body, empty && !f.always)
	if err != nil {
		return hinted{err, where.hint(err)}
	}
	said := fmt.Sprintf("comment %s: %s", result.Action, result.Place)
	if result.Action == forge.None {
		said = "no comment: there is nothing to do"
	}
	_, err = fmt.Fprintln(a.stdout, said)
	return err
}

// readInput reads FILE, or standard input for "-".
func (a *app) readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.stdin)
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.dir, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{err, "give a plan that `agentsync plan --out FILE` wrote, or - for standard input"}
	}
	return text, nil
}

// commentBody makes the comment of a saved plan, or of markdown, with its marker, and reports whether there is nothing to do.
func commentBody(text []byte, name, key string, limit int) (body, marker string, empty bool, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		p, err := plan.Read(bytes.NewReader(text), name)
		if err != nil {
			return "", "", false, hinted{err, "give a plan that `agentsync plan --out FILE` wrote, as it was written"}
		}
		var out bytes.Buffer
		if err := render.PlanMarkdown(&out, p, render.Markdown{Limit: limit, Key: key}); err != nil {
			return "", "", false, err
		}
		text = out.Bytes()
	}
	body, marker, empty = render.Marked(string(text), key)
	if length := utf8.RuneCountInString(body); length > limit {
		return "", "", false, hinted{fmt.Errorf("%s: %d characters, and a comment holds %d", name, length, limit),
			fmt.Sprintf("write it with --markdown-limit %d, or give the saved plan, which is fitted", limit-len(marker))}
	}
	return body, marker, empty, nil
}
