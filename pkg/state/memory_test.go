package state_test

import (
	"testing"

	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/statetest"
)

func TestMemory(t *testing.T) {
	places := map[string]*state.Memory{}
	statetest.Run(t, statetest.Harness{
		OneProcess: true,
		New: func(t *testing.T) string {
			places[t.Name()] = &state.Memory{}
			return t.Name()
		},
		Open: func(place string) (state.Store, error) { return places[place], nil },
	})
}
