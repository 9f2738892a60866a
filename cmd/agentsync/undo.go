package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

func (a *app) undoCommand() *cobra.Command {
	f := &applyFlags{}
	c := &cobra.Command{
		Use:   "undo RUN",
		Short: "Put agents back to what they were before a run",
		Long: `undo makes a plan from the snapshots that a run took before it wrote, shows it, asks, and carries it out, as apply does and with the same
gates: an agent that was changed since by somebody else is refused. It puts back the fields that agentsync manages; agents that
the run created stay (take their manifests out and apply --prune), and secrets stay as they are, for a snapshot holds none.

The manifests are not changed: take the change out of Git too, or the next apply brings it back. RUN is the id that apply
prints; without it, undo lists the runs. The current folder is read for Provider and Config documents.`,
		Example: `  agentsync undo
  agentsync undo 20261121T203000Z-4f3a9c`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			if len(args) == 0 {
				return a.listRuns(c.Context(), f)
			}
			return a.undo(c.Context(), f, args[0])
		},
	}
	f.online(c.Flags())
	f.formats(c.Flags(), "text", "json", "markdown")
	f.talking(c.Flags())
	c.Flags().StringVar(&f.onDrift, "on-drift", "", "refuse, overwrite or ignore live values agentsync did not write")
	f.maxDeletes = -1
	c.Flags().BoolVar(&f.auto, "auto-approve", false, "do not ask")
	c.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "how long to wait for another run's lock")
	return c
}

// listRuns says which runs can be undone, the newest first.
func (a *app) listRuns(ctx context.Context, f *applyFlags) error {
	book, err := a.book(&f.flags)
	if err != nil {
		return err
	}
	runs, err := book.Runs(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		snapshots, err := book.Snapshots(ctx, run)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s  %s\n", run, count(len(snapshots), "agent"))
	}
	if len(runs) == 0 {
		fmt.Fprintln(a.stderr, "agentsync: no run has written to an agent yet")
	}
	return nil
}

func (a *app) undo(ctx context.Context, f *applyFlags, run string) error {
	s, err := a.accountsOnly(&f.flags)
	if err != nil {
		return err
	}
	return a.carryOut(ctx, s, f, nil, func(ctx context.Context) (*plan.Plan, error) {
		snapshots, err := s.book.Snapshots(ctx, run)
		if errors.Is(err, state.ErrNotExist) {
			return nil, hinted{err, "`agentsync undo` lists the runs"}
		}
		if err != nil {
			return nil, err
		}
		agents, problems := plan.Undo(snapshots, s.entries, s.accounts)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		warn(a.stderr, problems.Warnings())
		s.agents = agents
		for _, agent := range agents {
			s.selected.Targets = append(s.selected.Targets, agent.Address())
		}
		if err := s.open(s.needed()); err != nil {
			return nil, err
		}
		return s.plan(ctx, []string{"undo " + run})
	})
}

// accountsOnly is a session with the accounts and the defaults of the current folder's manifests, and without their agents. Manifests with
// faults do not keep anybody from undoing.
func (a *app) accountsOnly(f *flags) (*session, error) {
	s, err := a.newSession(f)
	if err != nil {
		return nil, err
	}
	set, err := spec.Load(spec.Input{Dir: a.dir, Getenv: s.getenv})
	if err != nil {
		fmt.Fprintf(a.stderr, "agentsync: warning: the manifests here are not read, so only the vendors' own accounts are known: %s\n", oneLine(err.Error()))
	} else {
		s.set = set
		s.set.Agents = nil
		s.mask.Add(set.Secrets...)
	}
	if err := s.resolve().Err(); err != nil {
		return nil, err
	}
	for _, vendor := range all.Vendors() {
		if s.accounts[vendor.Name] == nil {
			s.accounts[vendor.Name] = &plan.Account{Name: vendor.Name, Vendor: vendor, Generation: vendor.Generations[0]}
		}
	}
	return s, nil
}
