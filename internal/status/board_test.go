package status_test

import (
	"context"
	"testing"

	"agentsync.dev/agentsync/internal/status"
)

func TestBoardTellsOfEachNewStatus(t *testing.T) {
	var b status.Board
	first, changed := b.Latest()
	if first == nil || first.Version != "" {
		t.Fatalf("an empty board shows %+v", first)
	}
	select {
	case <-changed:
		t.Fatal("nothing was published")
	default:
	}
	b.Publish(&status.Status{Version: "1"})
	<-changed
	if latest, _ := b.Latest(); latest.Version != "1" {
		t.Errorf("latest is %q", latest.Version)
	}
}

func TestFollowSeesTheLatestAndEnds(t *testing.T) {
	var b status.Board
	b.Publish(&status.Status{Version: "1"})
	ctx, cancel := context.WithCancel(t.Context())
	var seen []string
	b.Follow(ctx, func(s *status.Status) {
		seen = append(seen, s.Version)
		switch s.Version {
		case "1":
			b.Publish(&status.Status{Version: "2"}) // replaced before anybody could see it
			b.Publish(&status.Status{Version: "3"})
		case "3":
			cancel()
		}
	})
	if len(seen) != 2 || seen[1] != "3" {
		t.Errorf("saw %v", seen)
	}
}
