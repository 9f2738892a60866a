package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
)

// account is the Provider document: limits as high as they go, since the vendors' own would be all that a large apply is made of.
func (w *world) account() error {
	text := "apiVersion: agentsync.dev/v1\nkind: Provider\nmetadata: {name: bench}\nspec:\n  type: " + w.vendor + "\n" +
		vendors()[w.vendor].account + "  limits: {requestsPerMinute: 1000000, maxInFlight: " + strconv.Itoa(w.inFlight) + "}\n"
	return os.WriteFile(filepath.Join(w.dir, "account.yaml"), []byte(text), 0o644)
}

// declare writes the manifests of the agents from..to, in a generation of their prompts.
func (w *world) declare(from, to, generation int) error {
	for i := from; i < to; i++ {
		name := filepath.Join(w.dir, agentName(i)+".yaml")
		if err := os.WriteFile(name, []byte(w.manifest(i, generation)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// manifest is one agent's, with the prompt in the style asked for.
func (w *world) manifest(i, generation int) string {
	var b strings.Builder
	v := vendors()[w.vendor]
	fmt.Fprintf(&b, "apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata:\n  name: %s\nspec:\n  provider: bench\n  config:\n", agentName(i))
	config := v.config(agentName(i), prompt(i, generation))
	for _, name := range diff.Keys(config) {
		fmt.Fprintf(&b, "    %s: ", name)
		switch text, isText := config[name].(string); {
		case !isText:
			fmt.Fprintln(&b, config[name])
		case name == v.prompt && w.style == "literal":
			b.WriteString("|\n      " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n      ") + "\n")
		default:
			fmt.Fprintf(&b, "%q\n", text)
		}
	}
	return b.String()
}
