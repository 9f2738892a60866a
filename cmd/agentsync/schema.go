package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/schemas"
)

func (a *app) schemaCommand() *cobra.Command {
	var vendor string
	c := &cobra.Command{
		Use:   "schema [agent|provider|config|plan|result|finding]",
		Short: "Print the JSON Schema of a document",
		Long: `schema prints a JSON Schema (2020-12): of manifests (agent, provider, config; without an argument all three), for completion and checks in
an editor; or of what agentsync writes as JSON: plan and drift (plan), apply and undo (result), validate (finding). With --provider it prints the schema of that vendor's spec.config alone.

For yaml-language-server, save it and name it in the first line of a manifest:
  # yaml-language-server: $schema=agentsync.schema.json`,
		Example: `  agentsync schema > agentsync.schema.json
  agentsync schema agent --provider voicy
  agentsync schema plan
  agentsync schema finding    of agentsync validate -o json`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: []string{"agent", "provider", "config", "plan", "result", "finding"},
		RunE: func(_ *cobra.Command, args []string) error {
			kind := ""
			if len(args) > 0 {
				kind = args[0]
			}
			data, err := schemaOf(kind, vendor)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(data)
			return err
		},
	}
	c.Flags().StringVar(&vendor, "provider", "", "the vendor's type, with its API generation where it has several (voicy/functions-v1)")
	return c
}

func schemaOf(kind, vendor string) ([]byte, error) {
	if vendor != "" {
		if kind != "" && kind != "agent" {
			return nil, usageError{errors.New("--provider goes with agent"), "`agentsync schema agent --provider TYPE`"}
		}
		v, g, err := vendorNamed(vendor)
		if err != nil {
			return nil, err
		}
		name := v.TypeName(g)
		return g.Schema().Published(v.Title+" "+g.Name+" agent config", "https://agentsync.dev/schemas/"+name+".json"), nil
	}
	switch kind {
	case "plan":
		return schemas.Plan(), nil
	case "result":
		return schemas.Result(), nil
	case "finding":
		return schemas.Finding(), nil
	case "", "agent", "provider", "config":
		configs := map[string][]byte{}
		for _, v := range all.Vendors() {
			for _, g := range v.Generations {
				configs[v.TypeName(g)] = g.Schema().JSON()
			}
		}
		return manifestSchema(kind, configs), nil
	}
	return nil, usageError{fmt.Errorf("unknown document %q", kind), "the documents are agent, provider, config, plan, result and finding"}
}

// manifestSchema returns the schema of one kind of document, or of all.
func manifestSchema(kind string, configs map[string][]byte) []byte {
	switch kind {
	case "agent":
		return schema.AgentManifest(configs)
	case "provider":
		var types []string
		for _, v := range all.Vendors() {
			types = append(types, v.Name)
		}
		return schema.ProviderManifest(types)
	case "config":
		return schema.ConfigManifest()
	}
	return schema.Manifest(configs)
}

// vendorNamed finds a vendor and its API generation by a name such as "voicy" or "voicy/functions-v1".
func vendorNamed(name string) (providers.Vendor, providers.Generation, error) {
	var names []string
	for _, v := range all.Vendors() {
		for _, g := range v.Generations {
			if v.TypeName(g) == name || v.Name+"/"+g.Name == name {
				return v, g, nil
			}
			names = append(names, v.TypeName(g))
		}
	}
	hint := nearest(name, names)
	if hint == "" {
		hint = fmt.Sprintf("the types are %q", names)
	}
	return providers.Vendor{}, providers.Generation{}, usageError{fmt.Errorf("unknown provider type %q", name), hint}
}
