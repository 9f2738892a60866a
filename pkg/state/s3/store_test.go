package s3_test

import (
	"sync"
	"testing"

	"agentsync.dev/agentsync/internal/s3test"
	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/s3"
	"agentsync.dev/agentsync/pkg/state/statetest"
)

// TestStore runs the suite against a real server. A child process of the suite opens the parent's.
func TestStore(t *testing.T) {
	server := sync.OnceValue(func() *s3test.Server { return s3test.Start(t) })
	statetest.Run(t, statetest.Harness{
		New: func(t *testing.T) string {
			s := server()
			return s.URL(s.NewBucket(t), "team/agents")
		},
		Open: func(place string) (state.Store, error) { return s3.Open(place, s3.Options{Getenv: s3test.Getenv}) },
	})
}
