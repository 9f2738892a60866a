package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// healthy is a leader's status in which n agents of one account are in sync.
func healthy(n int) *status.Status {
	s := &status.Status{Version: "1.0.0", At: noon, Lease: status.Lease{Role: status.Leader},
		Source:   status.Source{Kind: "git", Location: "https://git.example/agents", Ref: "main", Commit: "c1", InForce: "c1", Digest: "d", CheckedAt: noon},
		Accounts: []*status.Account{{Name: "voicy", Type: "voicy", Breaker: status.Closed, LookedAt: noon}}}
	for i := range n {
		s.Agents = append(s.Agents, &status.Agent{Address: fmt.Sprintf("voicy/a%04d", i), Provider: "voicy", State: status.Synced, Since: noon})
	}
	return s
}

// drifted is an agent of which one field moved.
func drifted(address, path string, live, declared any) *status.Agent {
	return &status.Agent{Address: address, Provider: "voicy", State: status.Drifted, Since: noon,
		Fields: []plan.Field{{Path: diff.Pointer(path), Before: live, After: declared, Origin: diff.Drift}}}
}

func TestCauses(t *testing.T) {
	blocked := []providers.Finding{
		{Code: "AS204", Severity: providers.Warning, Message: "not this"},
		{Code: "AS301", Severity: providers.Blocking, Message: "would reset industry_id", Hint: "name it in acceptReset"},
		{Code: "AS207", Severity: providers.Blocking, Message: "cannot change"},
	}
	type brief struct{ Key, Text, Cure string }
	tests := []struct {
		name   string
		change func(s *status.Status)
		want   []brief
	}{
		{"nothing", func(*status.Status) {}, nil},
		{"states that are no cause", func(s *status.Status) {
			for i, state := range []status.State{status.Synced, status.Suspended, status.Orphaned, status.Waiting, status.Pending} {
				s.Agents[i].State, s.Agents[i].Fields = state, drifted("x", "/p", 1, 2).Fields
			}
		}, nil},
		{"drift, field by field", func(s *status.Status) {
			s.Agents[0] = drifted("voicy/a0000", "/general_prompt", "Hi", "Hello")
			s.Agents[0].Fields = append(s.Agents[0].Fields, plan.Field{Path: "/mine", Origin: diff.FromManifest},
				plan.Field{Path: "/speed", Before: 1.5, After: nil, Origin: diff.Conflict})
		}, []brief{
			{"drift voicy/a0000 /general_prompt", "live: Hi\nmanifest: Hello", "--on-drift overwrite"},
			{"drift voicy/a0000 /speed", "live: 1.5\nmanifest: (not set)", ""},
		}},
		{"drift without fields", func(s *status.Status) { s.Agents[0].State, s.Agents[0].Reason = status.Drifted, "moved" },
			[]brief{{"drift voicy/a0000", "moved", ""}}},
		{"drift that an observer sees", func(s *status.Status) {
			s.Observe = true
			s.Agents[0] = drifted("voicy/a0000", "/p", "a", "b")
			s.Agents[0].State = status.Pending
		}, []brief{{"drift voicy/a0000 /p", "live: a\nmanifest: b", ""}}},
		{"refused", func(s *status.Status) { s.Agents[0].State, s.Agents[0].Findings = status.Refused, blocked },
			[]brief{{"refusal voicy/a0000", "AS301: would reset industry_id (and 1 more finding)", "name it in acceptReset"}}},
		{"fight", func(s *status.Status) {
			s.Agents[0] = drifted("voicy/a0000", "/p", "theirs", "ours")
			s.Agents[0].State = status.Fighting
		}, []brief{{"fight voicy/a0000 /p", "live: theirs\nmanifest: ours", "settle who owns it"}}},
		{"failed and unsettled", func(s *status.Status) {
			s.Agents[0].State, s.Agents[0].Error = status.Failed, "voicy: 500\nline two"
			s.Agents[1].State, s.Agents[1].Reason = status.Unsettled, "the answer was lost"
		}, []brief{{"failure voicy/a0000", "voicy: 500 line two", ""}, {"unsettled voicy/a0001", "the answer was lost", "agentsync state show voicy/a0001"}}},
		{"an account that is cut off is one cause", func(s *status.Status) {
			s.Accounts[0].Breaker, s.Accounts[0].Error = status.HalfOpen, "503"
			for i, agent := range s.Agents {
				agent.State = []status.State{status.Unreachable, status.Failed}[i%2]
			}
		}, []brief{{"account voicy", "503", "credentials"}}},
		{"an account whose rounds come to nothing", func(s *status.Status) { s.Accounts[0].Error = "the lock is held" },
			[]brief{{"account voicy", "the lock is held", "tries again"}}},
		{"broken manifests", func(s *status.Status) {
			s.Source.Commit = "c2"
			s.Source.Errors = []status.Problem{{Message: "a.yaml:1: bad", Hint: "mend it"}, {Message: "b"}}
		}, []brief{{"source", "a.yaml:1: bad\nand 1 more error", "mend it"}}},
		{"store", func(s *status.Status) { s.Lease.Error = "timeout" }, []brief{{"store", "timeout", "store is up"}}},
		{"the worst first", func(s *status.Status) {
			s.Agents[0] = drifted("voicy/a0000", "/p", 1, 2)
			s.Agents[1].State = status.Failed
			s.Lease.Error = "x"
		}, []brief{{"failure voicy/a0001", "", ""}, {"store", "x", ""}, {"drift voicy/a0000 /p", "live: 1\nmanifest: 2", ""}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := healthy(5)
			test.change(s)
			var got []brief
			for i, c := range Causes(s) {
				b := brief{c.Key, c.Text, c.Cure}
				if i < len(test.want) && strings.Contains(c.Cure, test.want[i].Cure) {
					b.Cure = test.want[i].Cure // a part of it
				}
				got = append(got, b)
				if c.Title == "" || c.Kind == "" || c.Severity == "" || strings.Contains(c.Title, "\n") {
					t.Errorf("cause %+v", c)
				}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("causes (-want +got):\n%s", d)
			}
		})
	}
}

func TestSourcesInTrouble(t *testing.T) {
	tests := []struct {
		source   status.Source
		kind     Kind
		severity Severity
		title    string
	}{
		{status.Source{Kind: "git", Commit: "c1", InForce: "c1"}, Source, Critical, "the source cannot be read; what is in force stays"},
		{status.Source{Kind: "git", Commit: "0123456789abcdef", InForce: "c1"}, Manifests, Warning,
			"commit 0123456789ab is not taken: its manifests are broken; c1 stays in force"},
		{status.Source{Kind: "git", Commit: "c1"}, Manifests, Critical, "commit c1 is not taken: its manifests are broken, and nothing is in force"},
		{status.Source{Kind: "folder"}, Manifests, Warning, "the manifests are not taken: they are broken; what is in force stays"},
	}
	for _, test := range tests {
		test.source.Errors = []status.Problem{{Message: "x"}}
		if got := ofSource(test.source); got.Kind != test.kind || got.Severity != test.severity || got.Title != test.title || got.Key != "source" {
			t.Errorf("%+v is %+v", test.source, got)
		}
	}
}

func TestWhatIsMaterial(t *testing.T) {
	mark := func(change func(s *status.Status)) string {
		s := healthy(1)
		change(s)
		return Causes(s)[0].mark
	}
	drift := func(live any) func(*status.Status) {
		return func(s *status.Status) { s.Agents[0] = drifted("voicy/a0000", "/p", live, "b") }
	}
	failed := func(text string) func(*status.Status) {
		return func(s *status.Status) { s.Agents[0].State, s.Agents[0].Error = status.Failed, text }
	}
	broken := func(commit string) func(*status.Status) {
		return func(s *status.Status) { s.Source.Commit, s.Source.Errors = commit, []status.Problem{{Message: commit}} }
	}
	if mark(failed("request id 1")) != mark(failed("request id 2")) {
		t.Error("what is the same for people has changed")
	}
	one, same := mark(drift("x")), mark(drift("x"))
	if one != same {
		t.Error("the same drift is another one")
	}
	if mark(drift("x")) == mark(drift("y")) || mark(broken("c2")) == mark(broken("c3")) || mark(broken("c1")) == mark(broken("c2")) {
		t.Error("what is another thing for people has not changed")
	}
}

func TestSides(t *testing.T) {
	tests := []struct {
		name        string
		a, b        any
		left, right string
	}{
		{"short", "Hi", "Hello", "Hi", "Hello"},
		{"one line of many", "one\ntwo\nthree", "one\n2\nthree", "… two …", "… 2 …"},
		{"ends", "one", "one\ntwo", "one", "one …"},
		{"cleared", "one", "", "one", "(empty)"},
		{"other kinds", true, map[string]any{"a": []any{1, "x"}}, "true", `{"a":[1,"x"]}`},
		{"not set", nil, "x", "(not set)", "x"},
		{"unseen characters", "a\u202eb\x07", "c", "a b", "c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			left, right := sides(test.a, test.b)
			if left != test.left || right != test.right {
				t.Errorf("shown as %q and %q, want %q and %q", left, right, test.left, test.right)
			}
		})
	}
}

func TestAPromptIsNotShownAtLength(t *testing.T) {
	long := strings.Repeat("All work and no play. ", 100)
	left, right := sides(long+"THEIRS"+long, long+"OURS"+long)
	for shown, part := range map[string]string{left: "play. THEIRS", right: "play. OURS"} {
		if !strings.Contains(shown, part) || !strings.HasPrefix(shown, "… ") || !strings.HasSuffix(shown, " …") || len([]rune(shown)) > maxValue+4 {
			t.Errorf("shown as %q", shown)
		}
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{5 * time.Second: "5s", 90 * time.Second: "2m", 2*time.Hour + 5*time.Minute: "2h5m", 72 * time.Hour: "3d"} {
		if got := spell(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
