package state_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/state"
)

// failing lets some writes through and then fails them all, as a process that dies does.
type failing struct {
	state.Store
	left int
}

var errDied = errors.New("died")

func (s *failing) step() error {
	if s.left == 0 {
		return errDied
	}
	s.left--
	return nil
}

func (s *failing) Create(ctx context.Context, key string, data []byte) (string, error) {
	if err := s.step(); err != nil {
		return "", err
	}
	return s.Store.Create(ctx, key, data)
}

func (s *failing) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	if err := s.step(); err != nil {
		return "", err
	}
	return s.Store.Replace(ctx, key, data, version)
}

func (s *failing) Delete(ctx context.Context, key, version string) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key, version)
}

func movedRecord() state.Record {
	r := fullRecord()
	r.Version, r.Address = state.Version, "voicy-emea/desk"
	return r
}

// TestMoveSurvivesACrash kills a move after each of its writes.
func TestMoveSurvivesACrash(t *testing.T) {
	const from, to = "voicy/front-desk", "voicy-emea/desk"
	for writes := range 4 {
		store := state.OpenFolder(t.TempDir())
		b := state.NewBook(store)
		save(t, b, fullRecord(), "")
		err := state.NewBook(&failing{store, writes}).Move(t.Context(), from, to)
		if died := errors.Is(err, errDied); died != (writes < 3) {
			t.Fatalf("after %d writes: %v", writes, err)
		}
		entries, err := b.Load(t.Context())
		_, old := entries[from]
		_, moved := entries[to]
		switch writes {
		case 0:
			if err != nil || !old || moved {
				t.Errorf("after no write: %v, %v", entries, err)
			}
		case 1: // both are there: never silently
			if err == nil || !strings.Contains(err.Error(), "agentsync state mv voicy/front-desk voicy-emea/desk") {
				t.Errorf("after one write: %v, %v", entries, err)
			}
		default:
			if err != nil || old || !moved {
				t.Errorf("after %d writes: %v, %v", writes, entries, err)
			}
		}
		if err := b.Move(t.Context(), from, to); writes < 3 && err != nil {
			t.Errorf("the same move after %d writes: %v", writes, err)
		}
		if got := load(t, b); len(got) != 1 || !reflect.DeepEqual(got[to].Record, movedRecord()) {
			t.Errorf("after %d writes and another move: %v", writes, got)
		}
		item, err := store.Get(t.Context(), "state/voicy-emea/desk.json")
		if err != nil || strings.Contains(string(item.Data), "movedFrom") {
			t.Errorf("the mark is left: %s, %v", item.Data, err)
		}
	}
}

func TestInterruptedMoveCanBeUndone(t *testing.T) {
	store := state.OpenFolder(t.TempDir())
	b := state.NewBook(store)
	save(t, b, fullRecord(), "")
	_ = state.NewBook(&failing{store, 1}).Move(t.Context(), "voicy/front-desk", "voicy/new")
	entry, err := b.Get(t.Context(), "voicy/new")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), "voicy/new", entry.Version); err != nil {
		t.Fatal(err)
	}
	if entries := load(t, b); len(entries) != 1 || entries["voicy/front-desk"].Record.ID == "" {
		t.Errorf("left %v", entries)
	}
}

func TestMoveRefuses(t *testing.T) {
	b, _ := newBook(t)
	wantIs(t, b.Move(t.Context(), "voicy/a", "voicy/b"), state.ErrNotExist)
	save(t, b, state.Record{Address: "voicy/a", Type: "voicy", ID: "1"}, "")
	save(t, b, state.Record{Address: "voicy/b", Type: "voicy", ID: "2"}, "")
	wantIs(t, b.Move(t.Context(), "voicy/a", "voicy/b"), state.ErrExists)
	if err := b.Move(t.Context(), "voicy/a", "voicy/a"); err == nil {
		t.Error("moved to itself")
	}
	if entries := load(t, b); entries["voicy/a"].Record.ID != "1" || entries["voicy/b"].Record.ID != "2" {
		t.Errorf("records are %v", entries)
	}
}

// A mark that a crash left is not taken for a move once a new agent has the old address.
func TestOldMarkDoesNotBlockANewAgent(t *testing.T) {
	store := state.OpenFolder(t.TempDir())
	b := state.NewBook(store)
	save(t, b, fullRecord(), "")
	_ = state.NewBook(&failing{store, 2}).Move(t.Context(), "voicy/front-desk", "voicy/new")
	save(t, b, state.Record{Address: "voicy/front-desk", Type: "voicy", ID: "another"}, "")
	if entries := load(t, b); len(entries) != 2 {
		t.Errorf("loaded %v", entries)
	}
	wantIs(t, b.Move(t.Context(), "voicy/front-desk", "voicy/new"), state.ErrExists)
}

// meddling changes the old record in the middle of a move.
type meddling struct {
	state.Store
	change func()
}

func (s *meddling) Create(ctx context.Context, key string, data []byte) (string, error) {
	s.change()
	return s.Store.Create(ctx, key, data)
}

func TestMoveGivesWayToAWriter(t *testing.T) {
	store := state.OpenFolder(t.TempDir())
	b := state.NewBook(store)
	r := fullRecord()
	version := save(t, b, r, "")
	r.ID = "changed"
	mover := state.NewBook(&meddling{store, func() { save(t, b, r, version) }})
	wantIs(t, mover.Move(t.Context(), r.Address, "voicy/new"), state.ErrConflict)
	if entries := load(t, b); len(entries) != 1 || entries[r.Address].Record.ID != "changed" {
		t.Errorf("left %v", entries)
	}
}
