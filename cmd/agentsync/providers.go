package main

import (
	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/internal/report"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
)

func (a *app) providersCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "providers [TYPE]",
		Short: "List what each vendor can and cannot do, and its settings",
		Long: `providers lists the vendors: how agents are listed, updated and deleted through their APIs, what cannot be done, and the settings an
account needs, as environment variables and as fields of a Provider document. -o json has the same as data.`,
		Example: `  agentsync providers
  agentsync providers convirza`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.checkOutput(c); err != nil {
				return err
			}
			vendors := all.Vendors()
			if len(args) == 1 {
				v, _, err := vendorNamed(args[0])
				if err != nil {
					return err
				}
				vendors = []providers.Vendor{v}
			}
			if f.output == "json" {
				return report.JSON(a.stdout, describe(vendors))
			}
			return render.Providers(a.stdout, vendors)
		},
	}
	f.writes(c.Flags(), "text", "json")
	return c
}

// The document that `providers -o json` prints.
type (
	providersDocument struct {
		FormatVersion string         `json:"formatVersion"`
		Providers     []vendorRecord `json:"providers"`
	}
	vendorRecord struct {
		Type     string          `json:"type"`
		Title    string          `json:"title"`
		APIs     []apiRecord     `json:"apis"` // the default first
		Settings []settingRecord `json:"settings"`
	}
	apiRecord struct {
		Name    string   `json:"name"` // as spec.api takes it, "" at a vendor with one
		BaseURL string   `json:"baseURL"`
		List    string   `json:"list"`
		Update  string   `json:"update"`
		Delete  string   `json:"delete"`
		Notes   []string `json:"notes"`
	}
	settingRecord struct {
		Env      string `json:"env"`
		Field    string `json:"field"`
		About    string `json:"about"`
		Required bool   `json:"required"`
		Secret   bool   `json:"secret"`
	}
)

func describe(vendors []providers.Vendor) providersDocument {
	doc := providersDocument{FormatVersion: report.FormatVersion}
	for _, v := range vendors {
		one := vendorRecord{Type: v.Name, Title: v.Title, Settings: []settingRecord{}}
		for _, g := range v.Generations {
			one.APIs = append(one.APIs, apiRecord{g.Name, g.BaseURL, g.Can.List, g.Can.Update, g.Can.Delete, append([]string{}, g.Notes...)})
		}
		for _, s := range v.Settings {
			one.Settings = append(one.Settings, settingRecord(s))
		}
		doc.Providers = append(doc.Providers, one)
	}
	return doc
}
