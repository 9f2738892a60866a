package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/format"
	"agentsync.dev/agentsync/internal/report"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

func (a *app) renderCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "render [PATH...]",
		Short: "Print the manifests with all values filled in",
		Long: `render prints the declared agents as agentsync understands them: after kustomize, with $file, $env and $join replaced by what they stand
for. A comment behind each value says where it comes from; of a value that a kustomize patch sets, that is the place in the base of what
it replaces. Secrets read "(sensitive)". It checks what validate checks and sends nothing.

-o json prints {"formatVersion", "values": [...]}: each value of each config with address, path (a JSON Pointer into spec.config), value,
origin (file, line, column) and from ("file prompts/a.md", "env NAME", "" for a value that stands in the manifest).

Exit status: 0; 1 where the manifests have faults.`,
		Example: `  agentsync render agents/
  agentsync render -k overlays/prod
  agentsync render -o json --target voicy/front-desk agents/`,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := f.checkOutput(c); err != nil {
				return err
			}
			s, err := a.load(f, paths)
			if err != nil {
				return err
			}
			return s.render()
		},
	}
	f.manifests(c.Flags())
	f.writes(c.Flags(), "text", "json")
	return c
}

// valuesDocument is what `render -o json` prints.
type valuesDocument struct {
	FormatVersion string         `json:"formatVersion"`
	Values        []format.Value `json:"values"` // in order of address, then as in the manifest
}

func (s *session) render() error {
	var agents []format.Resolved
	doc := valuesDocument{report.FormatVersion, []format.Value{}}
	for _, agent := range s.agents {
		if s.selected.Keeps(agent.Agent) {
			r := s.resolved(agent)
			agents = append(agents, r)
			doc.Values = append(doc.Values, format.Values(r)...)
		}
	}
	if s.flags.output == "json" {
		return report.JSON(s.app.stdout, doc)
	}
	var out bytes.Buffer
	if err := format.Render(&out, agents); err != nil {
		return err
	}
	_, err := s.app.stdout.Write(out.Bytes())
	return err
}

func (s *session) resolved(agent *plan.Agent) format.Resolved {
	secret := append(diff.Sensitive(agent.Account.Generation.Schema().Type(), agent.Config.Object), agent.Config.Sensitive...)
	return format.Resolved{Agent: agent.Agent, Config: agent.Config.Object, Secret: secret, Mask: s.mask.Mask}
}
