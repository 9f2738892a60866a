package plan

import (
	"slices"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

func TestBehind(t *testing.T) {
	record := func(id string, applied diff.Object) state.Entry {
		return state.Entry{Record: state.Record{ID: id, Applied: applied}}
	}
	same := diff.Object{"agent_name": "Front desk", "begin_message": "Hello!"}
	tests := []struct {
		name  string
		entry map[string]state.Entry
		want  bool
	}{
		{"as applied", map[string]state.Entry{"voicy/desk": record("1", same)}, false},
		{"another value", map[string]state.Entry{"voicy/desk": record("1", diff.Object{"agent_name": "Front desk", "begin_message": "Hi"})}, true},
		{"declared for the first time", map[string]state.Entry{"voicy/desk": record("1", diff.Object{"agent_name": "Front desk"})}, true},
		{"not known", nil, false},
		{"bound by hand", map[string]state.Entry{"voicy/desk": record("1", nil)}, false},
		{"still to be created", map[string]state.Entry{"voicy/desk": record("", diff.Object{"agent_name": "x"})}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target, _ := deciding(t, same)
			got := Behind([]*Agent{target.agent}, test.entry)
			if slices.Contains(got, "voicy/desk") != test.want {
				t.Errorf("behind: %v", got)
			}
		})
	}
}
