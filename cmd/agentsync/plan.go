package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/internal/report"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

func (a *app) planCommand() *cobra.Command {
	f := &flags{}
	var out string
	var detailed bool
	c := &cobra.Command{
		Use:   "plan [PATH...]",
		Short: "Show what apply would change",
		Long: `plan reads the manifests (files, folders, or - for standard input; the current folder without a PATH), reads the live agents,
and shows what apply would do: which fields change and who moved them, the requests, what a full update carries or resets, and what
stands in the way. It writes nothing: not to a vendor, not to the state.

-o json is the document of schemas/plan.schema.json. -o junit has a suite for each provider and a test case for each agent: an agent
fails where a blocking finding would keep apply from it, as in the exit status; changes, drift among them, are its output.

Exit status: 0 there may be changes; 2 there are changes, with --detailed-exitcode; 5 a finding would keep apply from carrying
the plan out; 3 credentials; 1 any other error.`,
		Example: `  agentsync plan agents/
  agentsync plan --out plan.json agents/ && agentsync apply --plan plan.json agents/
  agentsync plan -k overlays/prod -o markdown
  kustomize build overlays/prod | agentsync plan -`,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			p, s, err := a.makePlan(c.Context(), f, paths)
			if err != nil {
				return err
			}
			if out != "" {
				if err := a.savePlan(out, p); err != nil {
					return err
				}
			}
			if err := s.showPlan(p); err != nil {
				return err
			}
			return planExit(p, detailed)
		},
	}
	f.manifests(c.Flags())
	f.online(c.Flags())
	f.bases(c.Flags())
	f.refreshing(c.Flags())
	f.changes(c.Flags())
	f.planning(c.Flags())
	f.formats(c.Flags(), "text", "json", "markdown", "junit")
	f.summarizing(c.Flags())
	f.talking(c.Flags())
	c.Flags().StringVar(&out, "out", "", "save the plan to this file, for apply --plan")
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit 2 where there are changes")
	return c
}

// check checks the flags whose values are words.
func (f *flags) check(c *cobra.Command) error {
	faults := []error{
		f.checkMarkdown(c),
		f.checkOutput(c),
		oneOf(c, "color", f.color, "auto", "always", "never"),
		oneOf(c, "log-format", f.logFormat, "text", "json"),
	}
	if f.refresh != "" {
		faults = append(faults, oneOf(c, "refresh", f.refresh, string(plan.RefreshAll), string(plan.RefreshChanged)))
	}
	if f.onDrift != "" {
		faults = append(faults, oneOf(c, "on-drift", f.onDrift, string(spec.DriftRefuse), string(spec.DriftOverwrite), string(spec.DriftIgnore)))
	}
	return errors.Join(faults...)
}

// makePlan is what plan and drift share.
func (a *app) makePlan(ctx context.Context, f *flags, paths []string) (*plan.Plan, *session, error) {
	s, err := a.load(f, paths)
	if err != nil {
		return nil, nil, err
	}
	if err := s.compareCommits(ctx, paths); err != nil {
		return nil, nil, err
	}
	s.forget()
	store, err := s.store(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(s.remember(ctx, state.NewBook(store)), s.open(s.needed())); err != nil {
		return nil, nil, err
	}
	ctx, cancel := a.until(ctx)
	defer cancel()
	p, err := s.plan(ctx, paths)
	return p, s, err
}

// until returns a context that ends with the first signal: reading may be cut short, nothing is lost.
func (a *app) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// savePlan writes the plan beside its name first, so that the file is whole or not there.
func (a *app) savePlan(name string, p *plan.Plan) error {
	data, err := p.Marshal()
	if err != nil {
		return err
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(a.dir, name)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".plan-*")
	if err != nil {
		return hinted{fmt.Errorf("--out: %w", err), "give a file in a folder that is there and can be written"}
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// showPlan writes the plan in the chosen format.
func (s *session) showPlan(p *plan.Plan) error {
	var out bytes.Buffer
	var err error
	switch s.flags.output {
	case "json":
		var data []byte
		data, err = p.Marshal()
		out.Write(data)
	case "junit":
		err = report.JUnitPlan(&out, p)
	case "markdown":
		show := render.PlanMarkdown
		if s.flags.onlyDrift {
			show = render.DriftMarkdown
		}
		err = show(&out, p, render.Markdown{Limit: s.flags.markdownLimit})
	default:
		err = s.textPlan()(&out, p, s.style())
	}
	if err != nil {
		return err
	}
	_, err = s.app.stdout.Write(out.Bytes())
	return err
}

// textPlan chooses how a plan is shown as text.
func (s *session) textPlan() func(io.Writer, *plan.Plan, render.Style) error {
	switch f := s.flags; {
	case f.onlyDrift && f.summary:
		return render.DriftSummary
	case f.onlyDrift:
		return render.Drift
	case f.summary:
		return render.Summary
	}
	return render.Plan
}

// style is how text is shown on standard output.
func (s *session) style() render.Style {
	width, isTerminal := terminal(s.app.stdout)
	_, noColor := s.app.getenv("NO_COLOR")
	return render.Style{Width: width, Verbose: s.flags.verbose,
		Color: s.flags.color == "always" || (s.flags.color == "auto" && isTerminal && !noColor)}
}

// planExit is the exit status that a plan stands for.
func planExit(p *plan.Plan, detailed bool) error {
	var codes []int
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Blocked() {
			codes = append(codes, exitRefused)
		}
		if c.Work != nil && errors.Is(c.Work.Err, rest.ErrAuth) {
			codes = append(codes, exitAuth)
		}
	}
	if detailed && p.HasChanges() {
		codes = append(codes, exitChanges)
	}
	return exitOrNil(worst(codes...))
}

func exitOrNil(code int) error {
	if code == exitOK {
		return nil
	}
	return exitWith(code)
}
