package main

import (
	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/pkg/plan"
)

func (a *app) driftCommand() *cobra.Command {
	f := &flags{onlyDrift: true}
	var detailed bool
	c := &cobra.Command{
		Use:   "drift [PATH...]",
		Short: "Show what changed outside agentsync",
		Long: `drift compares the live agents with what agentsync last applied and shows only what somebody else changed: drift (the manifest still
says the old value), conflict (both moved) and differences of unknown origin. It writes nothing.

Exit status: 0, or 2 with --detailed-exitcode where there is drift; 5 where an agent could not be judged; 3 credentials; 1 any other error.`,
		Example: `  agentsync drift agents/
  agentsync drift --detailed-exitcode -o markdown agents/    for a nightly job`,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			p, s, err := a.makePlan(c.Context(), f, paths)
			if err != nil {
				return err
			}
			drift := plan.OnlyDrift(p)
			if err := s.showPlan(drift); err != nil {
				return err
			}
			return planExit(drift, detailed)
		},
	}
	f.manifests(c.Flags())
	f.online(c.Flags())
	f.bases(c.Flags())
	f.refreshing(c.Flags())
	f.formats(c.Flags(), "text", "json", "markdown")
	f.summarizing(c.Flags())
	f.talking(c.Flags())
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit 2 where there is drift")
	return c
}
