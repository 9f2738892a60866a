package plan

import (
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// unchanged is an agent with a prompt of 4 KB that is live as it is declared.
func unchanged(t testing.TB) (*target, seen, Options) {
	t.Helper()
	config := diff.Object{"agent_name": "Desk", "language": "en", "general_prompt": strings.Repeat("A line of a prompt.\n", 200), "begin_message": "Hello"}
	target, options := deciding(t, config)
	config = target.agent.Config.Object
	live := diff.Clone(config).(diff.Object)
	live["agent_id"] = "1"
	target.recorded(diff.Clone(config).(diff.Object))
	return target, seen{live: providers.Live{ID: "1", Name: "Desk", Whole: true, Config: live}, listed: true}, options
}

// TestNothingIsHashedForNothing: an agent with nothing to do gets no fingerprints, which nobody would compare with anything.
func TestNothingIsHashedForNothing(t *testing.T) {
	target, seen, options := unchanged(t)
	if change := decide(target, seen, options); change.Action != None || change.Precondition != (Precondition{}) {
		t.Errorf("%s, %+v", change.Action, change.Precondition)
	}
}

func BenchmarkDecideUnchanged(b *testing.B) {
	target, seen, options := unchanged(b)
	b.ReportAllocs()
	for b.Loop() {
		if change := decide(target, seen, options); change.Action != None {
			b.Fatal(change.Action)
		}
	}
}
