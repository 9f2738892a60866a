//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"agentsync.dev/agentsync/internal/sandbox"
)

// killedVendors are the ways in which a create becomes known: whole objects in a list, summaries and two calls, forms.
func killedVendors() map[string]string {
	return map[string]string{
		sandbox.Voicy:    "agent_name: NAME, general_prompt: PROMPT, begin_message: Hello",
		sandbox.Nova:     "name: NAME, type: voice, prompt_template: PROMPT, greeting_config: {greeting: Hello}",
		sandbox.Convirza: "voiceagent_name: NAME, direction: inbound, org_unit_id: 1001, voice_id: 5, greetings: Hello, prompt: PROMPT",
	}
}

// TestKilled kills the process with SIGKILL around every request of an apply that creates, updates and deletes. The next runs find every file whole,
// converge, and make no duplicate. (The applier's own tests die around every state write too.)
func TestKilled(t *testing.T) {
	for vendor, config := range killedVendors() {
		t.Run(vendor, func(t *testing.T) {
			t.Parallel()
			for _, after := range []bool{false, true} {
				for nth := 1; killed(t, vendor, config, nth, after); nth++ {
				}
			}
		})
	}
}

// killed reports whether the run was still alive at its nth request.
func killed(t *testing.T, vendor, config string, nth int, after bool) bool {
	t.Helper()
	dir, server, env := world(t, declare(vendor, config, "First.", "update", "drop"))
	run := func(args ...string) (string, int) {
		cmd := command(t, dir, env, args...)
		out, _ := cmd.CombinedOutput() // the exit status is looked at
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run("apply", "--auto-approve", "agents.yaml"); code != 0 {
		t.Fatalf("the first apply: exit status %d\n%s", code, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "agents.yaml"), []byte(declare(vendor, config, "Second.", "create", "update")), 0o644); err != nil {
		t.Fatal(err)
	}
	victim := command(t, dir, env, "apply", "--auto-approve", "--prune", ".")
	started := make(chan struct{})
	var struck atomic.Bool
	server.Fault(sandbox.Fault{Vendor: vendor, Kind: sandbox.FaultHook, Nth: nth, After: after, Hook: func() {
		<-started
		struck.Store(true)
		_ = victim.Process.Kill() // it may have ended already
	}})
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	_ = victim.Wait() // killed
	server.ClearFaults()
	for i := 0; ; i++ {
		out, code := run("apply", "--auto-approve", "--prune", ".")
		if code == 0 && strings.Contains(out, "Nothing to do") {
			break
		}
		if code != 0 || i > 4 {
			t.Fatalf("killed at request %d (after: %v): exit status %d\n%s", nth, after, code, out)
		}
	}
	text := fmt.Sprint(server.Agents(vendor))
	for name, want := range map[string]int{"live-create": 1, "live-update": 1, "live-drop": 0} {
		if got := strings.Count(text, name); got != want {
			t.Fatalf("killed at request %d (after: %v): %d agents named %s, want %d", nth, after, got, name, want)
		}
	}
	return struck.Load()
}

func declare(vendor, config, prompt string, names ...string) string {
	var manifests strings.Builder
	fmt.Fprintf(&manifests, "apiVersion: agentsync.dev/v1\nkind: Provider\nmetadata: {name: %s}\n"+
		"spec: {type: %s, limits: {requestsPerMinute: 100000, maxInFlight: 8}}\n", vendor, vendor)
	for _, name := range names {
		fmt.Fprintf(&manifests, "---\napiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: %s}\nspec: {provider: %s, config: {%s}}\n", name, vendor,
			strings.NewReplacer("NAME", "live-"+name, "PROMPT", prompt).Replace(config))
	}
	return manifests.String()
}
