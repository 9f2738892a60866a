package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/render"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain TYPE[.FIELD]",
		Short: "Explain a vendor's config fields",
		Long: `explain prints the field reference of a vendor, from the same schema that checks manifests: every field of spec.config with its type,
what it is for, what the vendor allows, and how agentsync treats it.`,
		Example: `  agentsync explain voicy
  agentsync explain nova.greeting_config.greeting
  agentsync explain voicy/functions-v1.voice`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			kind, field, _ := strings.Cut(args[0], ".")
			vendor, generation, err := vendorNamed(kind)
			if err != nil {
				return err
			}
			doc, ok := generation.Schema().Lookup(field)
			if !ok {
				var names []string
				for _, f := range generation.Schema().Fields() {
					names = append(names, f.Path)
				}
				hint := fmt.Sprintf("`agentsync explain %s` lists the fields", kind)
				if near := nearest(field, names); near != "" {
					hint = near + " " + hint
				}
				return usageError{fmt.Errorf("%s has no field %q", kind, field), hint}
			}
			return render.Explain(a.stdout, vendor.TypeName(generation), doc)
		},
	}
}
