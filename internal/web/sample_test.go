package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/web"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// sampled is when the sample was taken, and what time it is in the tests.
var sampled = time.Date(2026, 11, 21, 23, 40, 0, 0, time.UTC)

// quiet logs nothing.
var quiet = slog.New(slog.DiscardHandler)

func ago(d time.Duration) time.Time { return sampled.Add(-d) }

// world is a handler with what it was asked for.
type world struct {
	Board   *status.Board
	Handler http.Handler
	mu      sync.Mutex
	asked   [][]string
	fetched int
	closed  bool
	log     strings.Builder
}

// options are the least that a handler needs, with changes.
func options(change ...func(*web.Options)) web.Options {
	o := web.Options{Board: &status.Board{}, Reconcile: func([]string) bool { return true }, Fetch: func() {}, Now: func() time.Time { return sampled }, Log: quiet}
	for _, c := range change {
		c(&o)
	}
	return o
}

// serve returns a world whose board holds st, with changes to the options.
func serve(t *testing.T, st *status.Status, change ...func(*web.Options)) *world {
	t.Helper()
	w := &world{Board: &status.Board{}}
	if st != nil {
		w.Board.Publish(st)
	}
	own := func(o *web.Options) {
		o.Board = w.Board
		o.Log = slog.New(slog.NewTextHandler(&locked{w: w}, nil))
		o.Reconcile = func(addresses []string) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked = append(w.asked, addresses)
			return !w.closed
		}
		o.Fetch = func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.fetched++
		}
	}
	var err error
	if w.Handler, err = web.New(options(append([]func(*web.Options){own}, change...)...)); err != nil {
		t.Fatal(err)
	}
	return w
}

// locked writes a world's log.
type locked struct{ w *world }

func (l *locked) Write(p []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) orders() (asked [][]string, fetched int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked, w.fetched
}

// do sends a request to loopback, with headers in pairs.
func (w *world) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:50000"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		if headers[i] == "From" {
			r.RemoteAddr = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.Handler.ServeHTTP(answer, r)
	return answer
}

const oldPrompt = `You are the front desk of Harbour Dental.
Greet the caller by name where you know it.
Ask for the reason of the call, and offer the next free appointment within two working days.
Never give medical advice; offer to have a dentist call back.
Opening hours: Monday to Friday, 8:00 to 18:00.
Close with "Have a good day".`

var newPrompt = strings.NewReplacer("two working days", "three working days", "8:00 to 18:00", "8:30 to 17:30", `Close with "Have a good day".`,
	"Close with \"Have a good day\".\nAsk whether there is anything else.").Replace(oldPrompt)

// sample is a watcher at work with a bit of everything, and n more agents in sync.
func sample(n int) *status.Status {
	st := &status.Status{
		Version: "1.4.0", StartedAt: ago(30 * time.Hour), At: ago(2 * time.Second),
		Source: status.Source{Kind: "git", Location: "https://git.example.com/voice/agents.git", Ref: "main", Commit: "9f2c7d1e4b5a60718293a4b5c6d7e8f901234567",
			InForce: "4ab81c22d3e4f5061728394a5b6c7d8e9f012345", Subject: "Front desk: shorter opening hours in winter", Digest: "sha256:1",
			CheckedAt: ago(40 * time.Second), ChangedAt: ago(3 * time.Hour), ErrorSince: ago(9 * time.Minute),
			Errors: []status.Problem{{Message: `agents/front-desk.yaml:12:5: voicy: unknown field "general_promt"`,
				Hint: "did you mean \"general_prompt\"? `agentsync explain voicy` lists the fields"}}},
		Lease: status.Lease{Role: status.Leader, Holder: "watch-7d9c", Epoch: 4, Since: ago(30 * time.Hour)},
		Accounts: []*status.Account{
			{Name: "centerfy", Type: "centerfy", Breaker: status.Open, Error: "GET /get-agent/17: 401 Unauthorized: invalid key", Since: ago(20 * time.Minute), NextTry: sampled.Add(3 * time.Minute), LookedAt: ago(22 * time.Minute), LookTook: 2.1},
			{Name: "nova-emea", Type: "nova", Breaker: status.Closed, LookedAt: ago(100 * time.Second), LookTook: 4.25},
			{Name: "voicy", Type: "voicy v1", Breaker: status.Closed, LookedAt: ago(80 * time.Second), LookTook: 12.4, Busy: true},
		},
		Queue: 3, NextLook: sampled.Add(200 * time.Second), SyncedAt: ago(25 * time.Minute),
	}
	add := func(address, kind string, state status.State, reason string, change ...func(*status.Agent)) {
		provider, name, _ := strings.Cut(address, "/")
		a := &status.Agent{Address: address, Provider: provider, Type: kind, ID: "550e8400-" + name, Manifest: "agents/" + name + ".yaml:1", State: state,
			Reason: reason, Since: ago(20 * time.Minute), CheckedAt: ago(80 * time.Second), SyncedAt: ago(3 * time.Hour), AppliedAt: ago(50 * time.Hour)}
		for _, c := range change {
			c(a)
		}
		st.Agents = append(st.Agents, a)
	}
	fields := func(f ...plan.Field) func(*status.Agent) { return func(a *status.Agent) { a.Fields = f } }
	add("centerfy/after-hours", "centerfy", status.Unreachable, "the account's breaker is open")
	add("nova-emea/billing", "nova", status.Fighting, "`speech.language` was put back three times within an hour",
		fields(plan.Field{Path: "/speech/language", Op: diff.Replace, Before: "de-DE", After: "en-GB", Base: "en-GB", Origin: diff.Drift}))
	add("nova-emea/callback", "nova", status.Failed, "reading failed", func(a *status.Agent) {
		a.Error, a.Failures, a.NextTry = "GET /org/7/agents/12: 500 Internal Server Error: upstream connect error", 4, sampled.Add(90*time.Second)
	})
	add("nova-emea/legacy", "nova", status.Orphaned, "no manifest declares it")
	add("nova-emea/winter", "nova", status.Suspended, "suspended: incident 4711")
	add("voicy/concierge", "voicy v1", status.Refused, "an adoption must be allowed", func(a *status.Agent) {
		a.Findings = []providers.Finding{{Code: "AS101", Severity: providers.Blocking, Message: "a live agent has this name and is not managed yet: 77aa-10",
			Hint: "check that it is the same agent, then run `agentsync apply --adopt`"},
			{Code: "AS204", Severity: providers.Warning, Message: "/voice_id is no longer declared and stays as it is"}}
	})
	add("voicy/front-desk", "voicy v1", status.Drifted, "2 fields were changed outside agentsync", func(a *status.Agent) {
		a.Findings = []providers.Finding{{Code: "AS201", Severity: providers.Warning, Message: "/general_prompt was changed outside agentsync",
			Hint: "apply a reviewed plan (--plan FILE), set `drift: overwrite`, or take the live value into the manifest"}}
	}, fields(plan.Field{Path: "/general_prompt", Op: diff.Replace, Before: newPrompt, After: oldPrompt, Base: oldPrompt, Origin: diff.Drift},
		plan.Field{Path: "/language", Op: diff.Replace, Before: "en-US", After: "en", Base: "en", Origin: diff.Drift},
		plan.Field{Path: "/webhook_key", Op: diff.Replace, Before: plan.Hidden, After: plan.Hidden, Origin: diff.Drift, Sensitive: true}))
	for i := range n {
		add(fmt.Sprintf("voicy/line-%04d", i), "voicy v1", status.Synced, "")
	}
	st.Runs = []*status.Run{
		{ID: "r-104", Account: "voicy", Trigger: status.Change, Commit: st.Source.InForce, StartedAt: ago(3 * time.Hour), Took: 8.4, Looked: 3, Reads: 3,
			Results: []status.Result{{Address: "voicy/front-desk", Outcome: "applied", Fields: []string{"/general_prompt"}},
				{Address: "voicy/concierge", Outcome: "failed", Error: "PATCH /update-agent/77aa: 422: language is not supported"}}},
		{ID: "r-103", Account: "nova-emea", Trigger: status.Interval, Commit: st.Source.InForce, StartedAt: ago(4 * time.Hour), Took: 0.31, Looked: 40,
			Error: "the vendor asked to wait for 10 minutes"},
	}
	return st
}
