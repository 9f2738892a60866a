package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/report"
)

func (a *app) versionCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "version prints agentsync's version, the Go version it was built with, and the platform.",
		Example: "  agentsync version\n  agentsync version -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.checkOutput(c); err != nil {
				return err
			}
			if f.output == "json" {
				return report.JSON(a.stdout, versionDocument{report.FormatVersion, version(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
			}
			_, err := fmt.Fprintf(a.stdout, "agentsync %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	f.writes(c.Flags(), "text", "json")
	return c
}

// versionDocument is what `version -o json` prints.
type versionDocument struct {
	FormatVersion string `json:"formatVersion"`
	Version       string `json:"version"`
	Go            string `json:"go"`
	OS            string `json:"os"`
	Arch          string `json:"arch"`
}

// version is the module's version where it was installed as one, else the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "commit-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

// userAgent is what requests say of who sends them.
func userAgent() string { return "agentsync/" + version() }
