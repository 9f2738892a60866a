//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSandboxServes: what `agentsync sandbox` prints points another agentsync at it, its faults strike, and a signal ends it well.
func TestSandboxServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "agents.yaml"), []byte(threeAgents()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, nil, "sandbox", "--listen", "127.0.0.1:0", "--empty", "--fault", "PATCH /voicy/v1/update-agent/* 403")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, unless the test failed
	env := exported(t, stdout)
	for _, step := range []struct {
		args []string
		code int
	}{
		{[]string{"plan", "--detailed-exitcode", "agents.yaml"}, exitChanges},
		{[]string{"apply", "--auto-approve", "agents.yaml"}, exitOK},
		{[]string{"plan", "--detailed-exitcode", "agents.yaml"}, exitOK},
	} {
		if _, code := agentsync(t, dir, env, step.args...); code != step.code {
			t.Errorf("%q: exit status %d, want %d", step.args, code, step.code)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// exported reads lines such as export VOICY_API_KEY=x up to the last variable.
func exported(t *testing.T, stdout io.Reader) map[string]string {
	t.Helper()
	env := map[string]string{}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if !ok {
			t.Fatalf("not an export: %q", lines.Text())
		}
		env[name] = value
		if name == "VOICY_BASE_URL" {
			return env
		}
	}
	t.Fatalf("the sandbox said too little: %v, %v", env, lines.Err())
	return nil
}
