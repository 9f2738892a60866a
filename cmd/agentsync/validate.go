package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) validateCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check manifests offline",
		Long: `validate reads the manifests (files, folders, or - for standard input; the current folder without a PATH) and checks everything that can be
checked without a vendor: form, names, fields and their types, what the vendors document, files and variables. It needs no key and
sends nothing. All faults are reported together, each with its place and its cure.

Exit status: 0 all is well; 1 there are faults.`,
		Example: `  agentsync validate agents/
  agentsync validate -k overlays/prod`,
		RunE: func(c *cobra.Command, paths []string) error {
			s, err := a.load(f, paths)
			if err != nil {
				return err
			}
			selected := 0
			for _, agent := range s.agents {
				if s.selected.Keeps(agent.Agent) {
					selected++
				}
			}
			_, err = fmt.Fprintf(a.stdout, "valid: %s, %s\n", count(selected, "agent"), count(s.set.Files, "file"))
			return err
		},
	}
	f.manifests(c.Flags())
	return c
}

// count says how many there are of something, in words a person would use.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
