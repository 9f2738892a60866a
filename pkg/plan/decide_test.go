package plan

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/providers/voicy"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// deciding sets up one agent at Voicy; the decision sends nothing.
func deciding(t testing.TB, config diff.Object) (*target, Options) {
	t.Helper()
	vendor := voicy.Vendor()
	generation := vendor.Generations[0]
	provider, err := vendor.Open(providers.Settings{Account: "voicy", Generation: generation, Values: map[string]string{"auth.apiKey": "voicy_sk_test"}})
	if err != nil {
		t.Fatal(err)
	}
	account := &Account{Name: "voicy", Vendor: vendor, Generation: generation, Provider: provider}
	normal := diff.Normalize(generation.Schema().Type(), config).(diff.Object)
	agent := &Agent{Agent: &spec.Agent{Name: "desk", Provider: "voicy", Update: "auto", Pos: spec.Pos{File: "desk.yaml", Line: 1}}, Account: account,
		Config: schema.Config{Object: normal}}
	return &target{address: "voicy/desk", account: account, agent: agent}, Options{Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
}

func (t *target) recorded(applied diff.Object) *target {
	t.entry, t.known = state.Entry{Record: state.Record{ID: "1", Address: t.address, Type: "voicy", Applied: applied}}, true
	return t
}

func liveDesk(message string) providers.Live {
	return providers.Live{ID: "1", Name: "Desk", Whole: true, Config: diff.Object{"agent_id": "1", "agent_name": "Desk", "begin_message": message}}
}

// TestErrorsNeverLeadToACreate: whatever goes wrong with a read, nothing is created, updated or deleted because of it.
func TestErrorsNeverLeadToACreate(t *testing.T) {
	for _, kind := range []error{rest.ErrNotFound, rest.ErrAuth, rest.ErrRejected, rest.ErrUnavailable, rest.ErrOddAnswer, rest.ErrUnknownOutcome, errors.New("other")} {
		for _, bound := range []bool{true, false} {
			target, options := deciding(t, diff.Object{"agent_name": "Desk", "general_prompt": "p"})
			if bound {
				target.recorded(diff.Object{})
			}
			change := decide(target, seen{err: fmt.Errorf("voicy: %w", kind)}, options)
			if change.Action != None || !change.Blocked() || len(change.Requests) > 0 {
				t.Errorf("%v, bound %v: %s, blocked %v, requests %v", kind, bound, change.Action, change.Blocked(), change.Requests)
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	tests := []struct {
		policy   spec.DriftPolicy
		override spec.DriftPolicy
		action   Action
		code     string
	}{
		{"", "", Update, providers.CodeDrift},
		{spec.DriftIgnore, "", None, providers.CodeDriftIgnored},
		{spec.DriftIgnore, spec.DriftOverwrite, Update, providers.CodeDrift},
		{spec.DriftOverwrite, spec.DriftIgnore, None, providers.CodeDriftIgnored},
	}
	for _, test := range tests {
		target, options := deciding(t, diff.Object{"begin_message": "Hello"})
		target.recorded(diff.Object{"begin_message": "Hello"})
		target.agent.Drift, options.Override = test.policy, test.override
		change := decide(target, seen{live: liveDesk("Moved")}, options)
		if change.Action != test.action || len(change.Findings) != 1 || change.Findings[0].Code != test.code {
			t.Errorf("%q over %q: %s, %v", test.override, test.policy, change.Action, change.Findings)
		}
	}
}

func TestSuspended(t *testing.T) {
	target, options := deciding(t, diff.Object{"begin_message": "Hello"})
	target.recorded(diff.Object{"begin_message": "Hi"})
	for until, blocked := range map[time.Time]bool{{}: true, options.Now.Add(time.Hour): true, options.Now.Add(-time.Hour): false} {
		target.agent.Suspend = &spec.Suspend{Reason: "incident 4711", Until: until}
		if change := decide(target, seen{live: liveDesk("Hi")}, options); change.Blocked() != blocked {
			t.Errorf("until %v: %v", until, change.Findings)
		}
	}
	target.agent.Suspend = &spec.Suspend{}
	if change := decide(target, seen{live: liveDesk("Hello")}, options); change.Blocked() {
		t.Errorf("nothing to do, and blocked: %v", change.Findings)
	}
}

// TestDecidingIsPure: the same input gives the same bytes, and the input is not changed.
func TestDecidingIsPure(t *testing.T) {
	target, options := deciding(t, diff.Object{"begin_message": "Hello", "vars_provided": []any{diff.Object{"name": "a"}}})
	target.recorded(diff.Object{"begin_message": "Hi", "agent_name": "Desk"})
	live := liveDesk("Moved")
	live.Config["vars_provided"] = []any{diff.Object{"name": "a", "description": "kept"}}
	before := string(diff.Canonical(live.Config)) + string(diff.Canonical(target.agent.Config.Object)) + string(diff.Canonical(target.entry.Record.Applied))
	first := fmt.Sprintf("%+v", decide(target, seen{live: live}, options).Fields)
	for range 20 {
		if again := fmt.Sprintf("%+v", decide(target, seen{live: live}, options).Fields); again != first {
			t.Fatalf("%s, and then %s", first, again)
		}
	}
	after := string(diff.Canonical(live.Config)) + string(diff.Canonical(target.agent.Config.Object)) + string(diff.Canonical(target.entry.Record.Applied))
	if before != after {
		t.Errorf("the input was changed: %s to %s", before, after)
	}
}

// FuzzDecide: of any base, live and desired text, an update is planned exactly where live is not as desired, it says who moved, and
// it sends nothing that is not declared.
func FuzzDecide(f *testing.F) {
	f.Add("a", "b", "c", true)
	f.Add("", "", "x", false)
	f.Fuzz(func(t *testing.T, base, live, desired string, known bool) {
		target, options := deciding(t, diff.Object{"begin_message": desired})
		target.recorded(nil)
		if known {
			target.recorded(diff.Normalize(target.account.Generation.Schema().Type(), diff.Object{"begin_message": base}).(diff.Object))
		}
		now := liveDesk(live)
		now.Config = diff.Normalize(target.account.Generation.Schema().Type(), now.Config).(diff.Object)
		change := decide(target, seen{live: now}, options)
		same := diff.Equal(nil, now.Config["begin_message"], target.agent.Config.Object["begin_message"])
		if same != (change.Action == None) {
			t.Fatalf("live %q, desired %q: %s", live, desired, change.Action)
		}
		for _, r := range change.Requests {
			if len(r.Fields) != 1 || r.Fields[0] != "begin_message" {
				t.Fatalf("sends %v", r.Fields)
			}
		}
		for _, field := range change.Fields {
			if !known && !diff.IsEmpty(now.Config["begin_message"]) && field.Origin != diff.Unknown {
				t.Fatalf("without a base the origin is %s", field.Origin)
			}
		}
	})
}
