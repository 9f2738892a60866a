package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/report"
	"agentsync.dev/agentsync/pkg/spec"
)

func (a *app) validateCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check manifests offline",
		Long: `validate reads the manifests (files, folders, or - for standard input; the current folder without a PATH) and checks everything that can be
checked without a vendor: form, names, fields and their types, what the vendors document, files and variables. It needs no key and
sends nothing. All faults are reported together, each with its place and its cure.

With -o json, junit or sarif the faults go to standard output: as the document of schemas/finding.schema.json, as a JUnit report with a
test case for each file, or as a SARIF 2.1.0 log, which shows them as annotations in a pull request. The exit status is the same.

Exit status: 0 all is well; 1 there are faults.`,
		Example: `  agentsync validate agents/
  agentsync validate -k overlays/prod
  agentsync validate -o sarif agents/ > agentsync.sarif`,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := f.checkOutput(c); err != nil {
				return err
			}
			return a.validate(f, paths)
		},
	}
	f.manifests(c.Flags())
	f.writes(c.Flags(), "text", "json", "junit", "sarif")
	return c
}

func (a *app) validate(f *flags, paths []string) error {
	s, problems, err := a.read(f, paths)
	if err != nil {
		return err
	}
	if problems.Err() == nil {
		err = s.unmatched()
	}
	if err != nil {
		return err
	}
	v := report.Validated(s.chosen(), s.set.Files, manifestFiles(s.set), problems)
	switch f.output {
	case "json":
		err = report.JSON(a.stdout, v)
	case "junit":
		err = report.JUnitValidation(a.stdout, v)
	case "sarif":
		err = report.SARIF(a.stdout, version(), v)
	default:
		if err := problems.Err(); err != nil {
			return err
		}
		warn(a.stderr, problems.Warnings())
		_, err = fmt.Fprintf(a.stdout, "valid: %s, %s\n", count(v.Agents, "agent"), count(v.Files, "file"))
	}
	if err == nil && !v.Valid {
		err = exitWith(exitError)
	}
	return err
}

// chosen counts the agents that the flags select.
func (s *session) chosen() int {
	n := 0
	for _, agent := range s.agents {
		if s.selected.Keeps(agent.Agent) {
			n++
		}
	}
	return n
}

// manifestFiles are the files that hold the documents of set, in order.
func manifestFiles(set *spec.Set) []string {
	var files []string
	for _, agent := range set.Agents {
		files = append(files, agent.Pos.File)
	}
	for _, provider := range set.Providers {
		files = append(files, provider.Pos.File)
	}
	if set.Config != nil {
		files = append(files, set.Config.Pos.File)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// count says how many there are of something, in words a person would use.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
