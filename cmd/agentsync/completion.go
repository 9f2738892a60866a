package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a completion script for bash, zsh, fish or powershell",
		Long:  `completion prints a script that lets your shell complete agentsync's commands and flags. Load it in your shell's start file.`,
		Example: `  source <(agentsync completion bash)
  agentsync completion zsh > "${fpath[1]}/_agentsync"
  agentsync completion fish | source`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return usageError{fmt.Errorf("unknown shell %q", args[0]), "the shells are bash, zsh, fish and powershell"}
		},
	}
}
