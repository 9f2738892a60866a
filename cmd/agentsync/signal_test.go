//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
)

// TestSignal: a signal during an apply lets the write in flight finish, starts nothing new, and reports on every agent.
func TestSignal(t *testing.T) {
	for _, tt := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, exitInterrupted}, {syscall.SIGTERM, exitTerminated}} {
		t.Run(tt.signal.String(), func(t *testing.T) {
			t.Parallel()
			dir, server, env := world(t, threeAgents())
			arrived, release := make(chan struct{}), make(chan struct{})
			server.Fault(sandbox.Fault{Method: "POST", Kind: sandbox.FaultHook, Nth: 1, Hook: func() {
				close(arrived)
				<-release
			}})
			cmd := command(t, dir, env, "apply", "--auto-approve", "--parallelism", "1", "-o", "json", "agents.yaml")
			var stdout bytes.Buffer
			cmd.Stdout = &stdout
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, unless the test failed
			select {
			case <-arrived:
			case <-time.After(time.Minute):
				t.Fatal("no create arrived")
			}
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			heard(t, stderr)
			close(release)
			_ = cmd.Wait() // its exit status is what is looked at
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit status %d, want %d", code, tt.code)
			}
			judge(t, stdout.Bytes(), server)
		})
	}
}

// TestSignalWhilePlanning: reading is cut short, and nothing was changed.
func TestSignalWhilePlanning(t *testing.T) {
	t.Parallel()
	dir, server, env := world(t, threeAgents())
	arrived := make(chan struct{})
	server.Fault(sandbox.Fault{Method: "GET", Kind: sandbox.FaultHook, Nth: 1, Hook: func() { close(arrived) }})
	server.Fault(sandbox.Fault{Method: "GET", Kind: sandbox.FaultSlow})
	cmd := command(t, dir, env, "plan", "agents.yaml")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, unless the test failed
	<-arrived
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit status is what is looked at
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit status %d, want %d", code, exitInterrupted)
	}
	if stdout.Len() > 0 {
		t.Errorf("a plan of half a reading: %s", stdout.String())
	}
}

// TestSecondSignal: whoever insists is heard, also while a write is in flight.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	dir, server, env := world(t, threeAgents())
	arrived := make(chan struct{})
	server.Fault(sandbox.Fault{Method: "POST", Kind: sandbox.FaultHook, Nth: 1, Hook: func() { close(arrived) }})
	server.Fault(sandbox.Fault{Method: "POST", Kind: sandbox.FaultSlow})
	cmd := command(t, dir, env, "apply", "--auto-approve", "agents.yaml")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, unless the test failed
	<-arrived
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	heard(t, stderr)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit status is what is looked at
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit status %d, want %d", code, exitInterrupted)
	}
}

func threeAgents() string {
	var manifests strings.Builder
	for _, name := range []string{"a", "b", "c"} {
		fmt.Fprintf(&manifests, "---\napiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: %s}\n", name)
		fmt.Fprintf(&manifests, "spec: {provider: voicy, config: {agent_name: Agent %s, general_prompt: You answer.}}\n", name)
	}
	return manifests.String()
}

// judge looks at the report and at the vendor: the first agent was created, the others were not begun.
func judge(t *testing.T, document []byte, server *sandbox.Server) {
	t.Helper()
	var report apply.Report
	if err := json.Unmarshal(document, &report); err != nil {
		t.Fatalf("no report: %v\n%s", err, document)
	}
	var outcomes []string
	for _, r := range report.Results {
		outcomes = append(outcomes, r.Address+" "+string(r.Outcome))
	}
	want := "voicy/a applied, voicy/b not-attempted, voicy/c not-attempted"
	if got := strings.Join(outcomes, ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	creates := 0
	for _, c := range server.Log() {
		if c.Method == "POST" {
			creates++
		}
	}
	if creates != 1 {
		t.Errorf("%d creates, want 1", creates)
	}
}

// heard waits until the command says that it took the signal.
func heard(t *testing.T, stderr io.Reader) {
	t.Helper()
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "stopping: what is under way is finished") {
			return
		}
	}
	t.Fatalf("the command ended without a word: %v", lines.Err())
}
