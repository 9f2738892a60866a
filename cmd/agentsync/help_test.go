package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestHelp holds what a person may expect of each command's help: what it does, how to call it, every flag, an example.
func TestHelp(t *testing.T) {
	for _, c := range everyCommand((&app{}).root()) {
		if c.Hidden {
			continue
		}
		t.Run(c.CommandPath(), func(t *testing.T) {
			var out bytes.Buffer
			a := &app{args: append(strings.Fields(c.CommandPath())[1:], "--help"), stdout: &out, stderr: &out,
				getenv: func(string) (string, bool) { return "", false }}
			if code := a.execute(); code != exitOK {
				t.Fatalf("exit status %d: %s", code, out.String())
			}
			for _, want := range []string{"Usage:\n  " + c.CommandPath(), "\nExamples:\n", "\nFlags:\n"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in:\n%s", want, out.String())
				}
			}
			for _, line := range strings.Split(c.Example, "\n") {
				if !strings.Contains(line, "agentsync") {
					t.Errorf("example %q does not call agentsync", line)
				}
			}
			if c.Short == "" || strings.HasSuffix(c.Short, ".") {
				t.Errorf("short description %q", c.Short)
			}
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if !strings.Contains(out.String(), "--"+f.Name) || f.Usage == "" {
					t.Errorf("--%s is not described", f.Name)
				}
			})
		})
	}
}

// TestCommands holds the names of the documented commands.
func TestCommands(t *testing.T) {
	var names []string
	for _, c := range everyCommand((&app{}).root()) {
		names = append(names, c.CommandPath())
	}
	for _, want := range []string{"fmt", "render", "validate", "plan", "apply", "drift", "state list", "state show", "state bind", "state rm", "state mv",
		"state unlock", "schema", "explain", "providers", "sandbox", "completion", "version"} {
		if !slices.Contains(names, "agentsync "+want) {
			t.Errorf("no command %q", want)
		}
	}
}
