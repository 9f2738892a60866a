package notify

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/forge"
	"agentsync.dev/agentsync/internal/forge/forgetest"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *status.Status)
		want   []Verdict
	}{
		{"outside Git", func(s *status.Status) { s.Source.Commit, s.Source.InForce = "", "" }, nil},
		{"in sync", func(*status.Status) {}, []Verdict{{"c1", forge.Success, "4 synced", false}}},
		{"no agents", func(s *status.Status) { s.Agents = nil }, []Verdict{{"c1", forge.Success, "no agents", false}}},
		{"suspended and orphans", func(s *status.Status) { s.Agents[0].State, s.Agents[1].State = status.Suspended, status.Orphaned },
			[]Verdict{{"c1", forge.Success, "1 orphaned, 1 suspended, 2 synced", false}}},
		{"counts, the worst first", func(s *status.Status) {
			s.Agents[0].State, s.Agents[1].State, s.Agents[2].State = status.Drifted, status.Failed, status.Pending
		}, []Verdict{{"c1", forge.Failure, "1 failed, 1 drifted, 1 pending, 1 synced", false}}},
		{"frozen", func(s *status.Status) {
			s.Agents[0].State, s.Freeze = status.Pending, &status.Freeze{Until: noon}
		}, []Verdict{{"c1", forge.Pending, "1 pending, 3 synced; frozen until 2026-11-21 12:00 UTC", false}}},
		{"observing", func(s *status.Status) { s.Agents[0].State, s.Observe = status.Pending, true },
			[]Verdict{{"c1", forge.Pending, "1 pending, 3 synced; this watcher only observes", false}}},
		{"the first look", func(s *status.Status) { s.Agents[0].State, s.Agents[1].State = status.Waiting, status.Drifted },
			[]Verdict{{"c1", forge.Pending, "looking at the agents: 1 drifted, 1 waiting, 2 synced", true}}},
		{"a new commit, not looked at", func(s *status.Status) { s.Source.ChangedAt, s.Accounts[0].Busy = noon.Add(time.Minute), true },
			[]Verdict{{"c1", forge.Pending, "looking at the agents: 4 synced", true}}},
		{"a new commit, looked at where it changed something", func(s *status.Status) { s.Source.ChangedAt = noon.Add(time.Minute) },
			[]Verdict{{"c1", forge.Success, "4 synced", false}}},
		{"a new commit during a look", func(s *status.Status) {
			s.Source.ChangedAt, s.Accounts[0].LookTook, s.Queue = noon.Add(-time.Minute), 120, 1
		}, []Verdict{{"c1", forge.Pending, "looking at the agents: 4 synced", true}}},
		{"a full look under way", func(s *status.Status) { s.Source.ChangedAt, s.Queue = noon.Add(-time.Minute), 3 },
			[]Verdict{{"c1", forge.Success, "4 synced", false}}},
		{"broken manifests", func(s *status.Status) {
			s.Source.Commit, s.Source.Errors = "c2", []status.Problem{{Message: "a.yaml:1: bad"}, {Message: "x"}}
		}, []Verdict{{"c2", forge.Error, "not taken, 2 errors: a.yaml:1: bad", false}, {"c1", forge.Success, "4 synced", false}}},
		{"broken from the start", func(s *status.Status) {
			s.Source.InForce, s.Source.Errors = "", []status.Problem{{Message: "bad"}}
		}, []Verdict{{"c1", forge.Error, "not taken: bad", false}}},
		{"a source that cannot be asked says nothing of the commit", func(s *status.Status) { s.Source.Errors = []status.Problem{{Message: "timeout"}} },
			[]Verdict{{"c1", forge.Success, "4 synced", false}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := healthy(4)
			test.change(s)
			if d := cmp.Diff(test.want, Verdicts(s)); d != "" {
				t.Errorf("verdicts (-want +got):\n%s", d)
			}
		})
	}
}

func TestCommitsAreKept(t *testing.T) {
	server := &forgetest.Server{Token: "canary-token"}
	web := httptest.NewServer(server.GitHub())
	defer web.Close()
	statuses, err := forge.GitHubStatuses(forge.Options{BaseURL: web.URL, Repository: forgetest.GitHubRepository, Token: "canary-token",
		Shared: rest.Shared{Sleep: func(context.Context, time.Duration) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	var board status.Board
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		KeepCommits(ctx, &board, Commits{Statuses: statuses, Link: "https://watch.example/", Log: slog.New(slog.NewTextHandler(&log, nil))})
	}()
	show := func(change func(s *status.Status)) {
		s := healthy(2)
		s.Source.Commit, s.Source.InForce = forgetest.Commit, forgetest.Commit
		change(s)
		board.Publish(s)
	}
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			got = nil
			for _, one := range server.Statuses() {
				got = append(got, one.State+" "+one.Description)
			}
			if cmp.Equal(want, got) {
				return
			}
		}
		t.Fatalf("statuses are %q, want %q", got, want)
	}
	show(func(s *status.Status) { s.Lease.Role = status.Standby })
	show(func(s *status.Status) { s.Agents[0].State = status.Waiting })
	expect("pending looking at the agents: 1 waiting, 1 synced")
	show(func(*status.Status) {})
	expect("pending looking at the agents: 1 waiting, 1 synced", "success 2 synced")
	show(func(s *status.Status) { s.Agents[0].State = status.Waiting }) // not the first look any more
	show(func(s *status.Status) { s.Agents[0].State = status.Failed })
	expect("pending looking at the agents: 1 waiting, 1 synced", "success 2 synced", "failure 1 failed, 1 synced")
	server.Fail(forgetest.Fault{Method: "POST", Status: 403})
	show(func(*status.Status) {})
	for deadline := time.Now().Add(time.Minute); len(server.Calls()) < 4 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	wait(t, ended)
	if got := log.String(); strings.Count(got, "do not get through") > 1 || strings.Contains(got, "canary") {
		t.Errorf("log:\n%s", got)
	}
}
