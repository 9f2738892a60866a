package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// watched is a status with n agents at each of two accounts, in states one after the other.
func watched(n int) *status.Status {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := &status.Status{Version: "1.2.3", At: at, SyncedAt: at.Add(-time.Minute), Queue: 3, Freeze: &status.Freeze{Reason: "sale"},
		Lease:  status.Lease{Role: status.Leader, Epoch: 4},
		Source: status.Source{CheckedAt: at, Errors: []status.Problem{{Message: "broken"}}}}
	for _, name := range []string{"nova-emea", "voicy"} {
		s.Accounts = append(s.Accounts, &status.Account{Name: name, Type: strings.TrimSuffix(name, "-emea"), Breaker: status.Closed, LookedAt: at})
		for i := range n {
			agent := &status.Agent{Address: fmt.Sprintf("%s/agent-%d", name, i), Provider: name, State: status.States()[i%len(status.States())],
				Error: "canary-message"}
			if agent.State == status.Drifted {
				agent.Fields = []plan.Field{{Path: "/canary_path", Origin: diff.Drift}, {Path: "/b", Origin: diff.Conflict}, {Path: "/c", Origin: diff.FromManifest}}
			}
			s.Agents = append(s.Agents, agent)
		}
	}
	s.Accounts[1].Breaker, s.Accounts[1].Error = status.Open, "canary-message"
	return s
}

// fed are metrics of which each has a value.
func fed(board *status.Board, accounts ...string) *Metrics {
	m := New(board, "1.2.3")
	for _, account := range accounts {
		m.Request(rest.Event{Account: account, Method: http.MethodGet, Path: "/canary-path", Status: 200, Took: time.Second, Wait: 2 * time.Second, Remaining: 17})
		m.Request(rest.Event{Account: account, Method: http.MethodPatch, Took: time.Minute, Remaining: -1})
		m.Planned(account, 3*time.Second)
		m.Applied(account, 4*time.Second, map[string]int{"applied": 2, "failed": 1})
	}
	m.Notified("slack", true)
	m.Notified("slack", false)
	m.Fetched(true)
	return m
}

// scrape returns what the handler serves, line by line.
func scrape(t *testing.T, m *Metrics) []string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
	return strings.Split(strings.TrimSuffix(answer.Body.String(), "\n"), "\n")
}

func TestValues(t *testing.T) {
	var board status.Board
	board.Publish(watched(20))
	m := fed(&board, "nova-emea", "voicy")
	got := scrape(t, m)
	for _, want := range []string{
		`agentsync_agents{account="nova-emea",state="synced"} 2`,
		`agentsync_agents{account="voicy",state="failed"} 1`,
		`agentsync_drifted_fields{account="voicy"} 4`,
		`agentsync_breaker_state{account="voicy",state="open"} 1`,
		`agentsync_breaker_state{account="voicy",state="half-open"} 0`,
		`agentsync_breaker_state{account="nova-emea",state="closed"} 1`,
		`agentsync_account_error{account="voicy"} 1`,
		`agentsync_account_error{account="nova-emea"} 0`,
		`agentsync_account_info{account="nova-emea",type="nova"} 1`,
		`agentsync_requests_total{account="voicy",code="200",method="GET"} 1`,
		`agentsync_requests_total{account="voicy",code="none",method="PATCH"} 1`,
		`agentsync_request_duration_seconds_sum{account="voicy"} 61`,
		`agentsync_request_wait_seconds_total{account="voicy"} 2`,
		`agentsync_requests_remaining{account="voicy"} 17`,
		`agentsync_plan_duration_seconds_sum{account="voicy"} 3`,
		`agentsync_apply_duration_seconds_count{account="voicy"} 1`,
		`agentsync_apply_results_total{account="voicy",outcome="applied"} 2`,
		`agentsync_last_good_sync_timestamp_seconds 1.79526234e+09`,
		`agentsync_queue_length 3`,
		`agentsync_leader 1`,
		`agentsync_lease_epoch 4`,
		`agentsync_store_unreachable 0`,
		`agentsync_source_errors 1`,
		`agentsync_frozen 1`,
		`agentsync_observing 0`,
		`agentsync_source_fetches_total{result="success"} 1`,
		`agentsync_source_fetches_total{result="failure"} 0`,
		`agentsync_notifications_total{result="failure",target="slack"} 1`,
	} {
		if !slices.Contains(got, want) {
			name, _, _ := strings.Cut(want, "{")
			t.Errorf("no line %s; there is %q", want, slices.DeleteFunc(slices.Clone(got), func(line string) bool { return !strings.HasPrefix(line, name) }))
		}
	}
	if text := strings.Join(got, "\n"); strings.Contains(text, "canary") || strings.Contains(text, "agent-") {
		t.Error("an agent, a path or a message is in the metrics")
	}
}

// Every state has a series before the first agent is in it, so that an alert on it knows 0 from nothing.
func TestAllStatesArePresent(t *testing.T) {
	var board status.Board
	board.Publish(watched(0))
	got := scrape(t, New(&board, "dev"))
	for _, state := range status.States() {
		if want := fmt.Sprintf(`agentsync_agents{account="voicy",state="%s"} 0`, state); !slices.Contains(got, want) {
			t.Errorf("no line %s", want)
		}
	}
}

func TestAnEmptyBoard(t *testing.T) {
	got := scrape(t, New(&status.Board{}, "dev\xff"))
	for _, want := range []string{"agentsync_last_good_sync_timestamp_seconds 0", "agentsync_leader 0"} {
		if !slices.Contains(got, want) {
			t.Errorf("no line %s", want)
		}
	}
}

func TestLabelsAreBounded(t *testing.T) {
	m := New(&status.Board{}, "dev")
	for _, code := range []int{-1, 0, 99, 600, 1000} {
		m.Request(rest.Event{Account: "voicy", Method: fmt.Sprintf("ODD%d", code), Status: code})
	}
	if got, want := scrape(t, m), `agentsync_requests_total{account="voicy",code="none",method="other"} 5`; !slices.Contains(got, want) {
		t.Errorf("no line %s", want)
	}
}

// series are the lines without their values, sorted.
func series(lines []string) []string {
	var names []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "#") && strings.HasPrefix(line, prefix) {
			names = append(names, line[:strings.LastIndex(line, " ")])
		}
	}
	slices.Sort(names)
	return names
}

func TestCardinalityDoesNotGrowWithAgents(t *testing.T) {
	var few, many status.Board
	few.Publish(watched(10))
	many.Publish(watched(1000))
	small, large := series(scrape(t, fed(&few, "nova-emea", "voicy"))), series(scrape(t, fed(&many, "nova-emea", "voicy")))
	if !slices.Equal(small, large) {
		t.Errorf("%d series with 10 agents, %d with 1,000", len(small), len(large))
	}
}

func TestAnAccountThatIsGoneDisappears(t *testing.T) {
	var board status.Board
	board.Publish(watched(3))
	m := fed(&board, "nova-emea", "voicy", "github")
	has := func(account string) bool {
		return slices.ContainsFunc(scrape(t, m), func(line string) bool { return strings.Contains(line, `account="`+account+`"`) })
	}
	if !has("nova-emea") || !has("voicy") || !has("github") {
		t.Fatal("an account is missing from the start")
	}
	gone := watched(3)
	gone.Accounts = gone.Accounts[:1]
	board.Publish(gone)
	if has("voicy") {
		t.Error("voicy is gone, and still there")
	}
	m.Request(rest.Event{Account: "voicy", Method: http.MethodGet, Status: 200}) // was under way
	if has("voicy") {
		t.Error("a late answer brought voicy back")
	}
	if !has("nova-emea") || !has("github") {
		t.Error("an account that never left, or never stood on the board, is gone")
	}
	board.Publish(watched(3))
	m.Planned("voicy", time.Second)
	if got, want := scrape(t, m), `agentsync_plan_duration_seconds_count{account="voicy"} 1`; !slices.Contains(got, want) {
		t.Error("an account that came back is not counted")
	}
}

// program finds a program of the Debian package prometheus.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: this test needs the Debian package prometheus (apt-get install prometheus): %v", name, err)
	}
	return path
}

func TestPromtoolFindsNothing(t *testing.T) {
	var board status.Board
	board.Publish(watched(20))
	for name, m := range map[string]*Metrics{"full": fed(&board, "nova-emea", "voicy"), "empty": New(&status.Board{}, "dev")} {
		check := exec.CommandContext(t.Context(), program(t, "promtool"), "check", "metrics")
		check.Stdin = strings.NewReader(strings.Join(scrape(t, m), "\n") + "\n")
		if said, err := check.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s: promtool check metrics: %v\n%s", name, err, said)
		}
	}
}
