package main

import (
	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
)

func (a *app) providersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "providers [TYPE]",
		Short: "List what each vendor can and cannot do, and its settings",
		Long: `providers lists the vendors: how agents are listed, updated and deleted through their APIs, what cannot be done, and the settings an
account needs, as environment variables and as fields of a Provider document.`,
		Example: `  agentsync providers
  agentsync providers convirza`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			vendors := all.Vendors()
			if len(args) == 1 {
				v, _, err := vendorNamed(args[0])
				if err != nil {
					return err
				}
				vendors = []providers.Vendor{v}
			}
			return render.Providers(a.stdout, vendors)
		},
	}
}
