package state_test

import (
	"context"
	"errors"
	"testing"

	"agentsync.dev/agentsync/pkg/state"
)

func TestMemoryWritesOnlyTheVersionNamed(t *testing.T) {
	ctx := context.Background()
	m := &state.Memory{}
	first, err := m.Create(ctx, "state/a/b.json", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Create(ctx, "state/a/b.json", []byte("2")); !errors.Is(err, state.ErrExists) {
		t.Errorf("a second create: %v", err)
	}
	second, err := m.Replace(ctx, "state/a/b.json", []byte("2"), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Replace(ctx, "state/a/b.json", []byte("3"), first); !errors.Is(err, state.ErrConflict) {
		t.Errorf("a replace of an old version: %v", err)
	}
	if err := m.Delete(ctx, "state/a/b.json", first); !errors.Is(err, state.ErrConflict) {
		t.Errorf("a delete of an old version: %v", err)
	}
	if keys, err := m.List(ctx, "state/"); err != nil || len(keys) != 1 {
		t.Errorf("List: %v, %v", keys, err)
	}
	if err := m.Delete(ctx, "state/a/b.json", second); err != nil {
		t.Error(err)
	}
	if _, err := m.Get(ctx, "state/a/b.json"); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("Get of what is deleted: %v", err)
	}
	if _, err := m.Create(ctx, "../x", nil); err == nil {
		t.Error("an unsafe key is taken")
	}
}
