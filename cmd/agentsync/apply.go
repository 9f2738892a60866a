package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// applyFlags are apply's own.
type applyFlags struct {
	flags
	auto        bool
	planFile    string
	lockTimeout time.Duration
}

func (a *app) applyCommand() *cobra.Command {
	f := &applyFlags{}
	c := &cobra.Command{
		Use:   "apply [PATH...]",
		Short: "Bring the live agents to the manifests",
		Long: `apply plans, shows the plan, asks, and carries it out: one agent at a time, each read again right before its write and read back
after it. Without a terminal it needs --auto-approve, or a reviewed plan with --plan.

Live values that agentsync did not write are never overwritten unless a person saw them: in a reviewed plan, by a yes at the prompt, or
by the policy "drift: overwrite" (--on-drift overwrite). Nothing is deleted without --prune.

Exit status: 0 done, or nothing to do; 4 partly done, or an outcome is unknown; 3 credentials; 5 refused; 6 the plan is stale or the state
is locked; 1 any other error, and nothing was changed.`,
		Example: `  agentsync apply agents/
  agentsync apply --plan plan.json agents/        exactly the reviewed changes
  agentsync apply --auto-approve --on-drift overwrite agents/
  agentsync apply --prune --max-deletes 3 agents/`,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			return a.apply(c.Context(), f, paths)
		},
	}
	f.manifests(c.Flags())
	f.online(c.Flags())
	f.bases(c.Flags())
	f.refreshing(c.Flags())
	f.changes(c.Flags())
	f.planning(c.Flags())
	f.formats(c.Flags(), "text", "json", "markdown")
	f.talking(c.Flags())
	c.Flags().BoolVar(&f.auto, "auto-approve", false, "do not ask")
	c.Flags().StringVar(&f.planFile, "plan", "", "carry out exactly the changes of this saved plan that still hold")
	c.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "how long to wait for another run's lock")
	return c
}

func (a *app) apply(ctx context.Context, f *applyFlags, paths []string) error {
	reviewed, err := a.reviewedPlan(f.planFile)
	if err != nil {
		return err
	}
	if err := a.wholeFolders(f, paths); err != nil {
		return err
	}
	s, err := a.load(&f.flags, paths)
	if err != nil {
		return err
	}
	f.prune = f.prune || (reviewed != nil && reviewed.Summary.Delete > 0)
	if err := s.compareCommits(ctx, paths); err != nil {
		return err
	}
	s.forget()
	return a.carryOut(ctx, s, f, reviewed, func(ctx context.Context) (*plan.Plan, error) {
		if err := s.open(s.needed()); err != nil {
			return nil, err
		}
		return s.replan(ctx, paths, reviewed)
	})
}

// cannotAsk refuses to go on where a person would have to be asked and cannot be. Nothing was written by then.
func (a *app) cannotAsk() error {
	if _, canAsk := terminal(a.stdin); canAsk {
		return nil
	}
	return usageError{errors.New("apply cannot ask: standard input is no terminal"),
		"give --auto-approve, or carry out a reviewed plan with --plan FILE"}
}

// wholeFolders refuses to prune by single files: a file does not show which manifests are missing.
func (a *app) wholeFolders(f *applyFlags, paths []string) error {
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.dir, path)
		}
		if info, err := os.Stat(path); f.prune && err == nil && !info.IsDir() {
			return usageError{fmt.Errorf("--prune: %s is a single file, which cannot show what is missing", path), "name the folder with all manifests"}
		}
	}
	return nil
}

// carryOut is what apply and undo share: under the state's lock it plans, shows the plan, asks, applies and reports.
func (a *app) carryOut(ctx context.Context, s *session, f *applyFlags, reviewed *plan.Plan, makePlan func(context.Context) (*plan.Plan, error)) error {
	store, err := s.store(ctx, true)
	if err != nil {
		return err
	}
	run := state.RunID(a.now())
	held, err := a.lock(ctx, state.NewBook(store), run, f.lockTimeout)
	if err != nil {
		return err
	}
	defer held.release()
	if err := s.remember(ctx, state.NewBook(store)); err != nil {
		return err
	}
	reading, cancel := a.until(ctx)
	defer cancel()
	p, err := makePlan(reading)
	if err != nil {
		return err
	}
	if s.flags.output == "text" {
		if err := s.showPlan(p); err != nil {
			return err
		}
	}
	seen := reviewed != nil
	if p.HasChanges() && reviewed == nil && !f.auto {
		if seen, err = s.ask(p); err != nil {
			return err
		}
	}
	report := apply.Run(ctx, p, apply.Options{Run: run, Commit: p.Source.Commit, Book: s.book, Seen: seen, Reviewed: reviewed,
		Parallelism: s.flags.parallelism, Stop: held.stop, Guard: held.guard, Now: a.now, Sleep: sleep, Mask: s.mask.Mask, Progress: s.talk.applying()})
	s.talk.done()
	if err := s.showReport(report); err != nil {
		return err
	}
	return applyExit(report)
}

// reviewedPlan reads the file of --plan; nil without one.
func (a *app) reviewedPlan(name string) (*plan.Plan, error) {
	if name == "" {
		return nil, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.dir, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("--plan: %w", err), "`agentsync plan --out FILE` writes one"}
	}
	defer file.Close()
	p, err := plan.Read(file, name)
	if err != nil {
		return nil, hinted{err, "`agentsync plan --out FILE` writes a plan; carry out the file as it was written"}
	}
	return p, nil
}

// ask shows what is at stake and reads a yes. Everything else is a no. Whoever says yes has seen the plan, whatever the output
// format.
func (s *session) ask(p *plan.Plan) (bool, error) {
	a := s.app
	if err := a.cannotAsk(); err != nil {
		return false, err
	}
	if s.flags.output != "text" {
		if err := render.Plan(a.stderr, p, s.style()); err != nil {
			return false, err
		}
	}
	sum := p.Summary
	fmt.Fprintf(a.stderr, "\nCarry this out: %d to create, %d to update, %d to adopt, %d to delete? Only \"yes\" does. ",
		sum.Create, sum.Update, sum.Adopt, sum.Delete)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		if line == "yes" {
			return true, nil
		}
	case <-a.stop:
		fmt.Fprintln(a.stderr)
	}
	return false, hinted{errors.New("not approved: nothing was changed"), "run it again and answer yes, or give --auto-approve"}
}

// showReport writes the report in the chosen format.
func (s *session) showReport(r *apply.Report) error {
	var out bytes.Buffer
	var err error
	switch s.flags.output {
	case "json":
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	case "markdown":
		err = render.ReportMarkdown(&out, r, render.Markdown{Limit: s.flags.markdownLimit})
	default:
		err = render.Report(&out, r, s.style())
	}
	if err != nil {
		return err
	}
	_, err = s.app.stdout.Write(out.Bytes())
	return err
}

// applyExit is the exit status that a report stands for.
func applyExit(r *apply.Report) error {
	var codes []int
	wrote, missed := false, false
	for _, result := range r.Results {
		wrote = wrote || result.Wrote || result.Outcome == apply.Applied
		switch result.Outcome {
		case apply.Unknown:
			wrote, missed = true, true
		case apply.NotAttempted:
			missed = true
			codes = append(codes, exitError)
		case apply.Refused, apply.Failed:
			missed = true
			codes = append(codes, outcomeCode(result))
		}
	}
	if wrote && missed {
		codes = append(codes, exitPartial)
	}
	return exitOrNil(worst(codes...))
}

// outcomeCode is the code of one agent that was refused or failed.
func outcomeCode(r apply.Result) int {
	switch {
	case errors.Is(r.Err, rest.ErrAuth):
		return exitAuth
	case r.Stale():
		return exitStale
	case r.Outcome == apply.Refused:
		return exitRefused
	}
	return exitError
}
