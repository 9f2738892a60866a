package watch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/watch"
	"agentsync.dev/agentsync/pkg/providers"
)

// TestWatchSaysTheCure starts without keys: the page and the log name the variables.
func TestWatchSaysTheCure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Load = func(context.Context, *source.Revision) (*watch.Manifests, error) {
			return nil, errors.Join(&providers.SetupError{Message: "voicy: no API key", Cure: "set VOICY_API_KEY"},
				&providers.SetupError{Message: "nova: no API key", Cure: "set NOVA_API_KEY"})
		}
		r.start()
		defer r.end()
		r.show("")
		after(time.Minute)
		want := []status.Problem{{Message: "voicy: no API key", Hint: "set VOICY_API_KEY"}, {Message: "nova: no API key", Hint: "set NOVA_API_KEY"}}
		if got := r.status().Source.Errors; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("the page says %+v", got)
		}
	})
}
