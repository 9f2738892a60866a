package state_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestRunID(t *testing.T) {
	east := noon.In(time.FixedZone("east", 5*3600))
	a, b := state.RunID(east), state.RunID(noon.Add(time.Second))
	if !strings.HasPrefix(a, "20261121T120000Z-") || len(a) != len("20261121T120000Z-4f3a9c") {
		t.Errorf("id %q", a)
	}
	if a >= b {
		t.Errorf("%q does not sort before %q", a, b)
	}
	if a == state.RunID(noon) {
		t.Errorf("two runs are %q", a)
	}
}

func snapshot(id string) state.Snapshot {
	return state.Snapshot{ID: id, Type: "voicy", Config: diff.Object{"n": json.Number("1.5"), "none": nil}, At: "2026-11-21T12:00:00Z", Commit: "abc", Action: "update"}
}

func saveSnapshot(t *testing.T, b *state.Book, run, address string, s state.Snapshot) {
	t.Helper()
	if err := b.SaveSnapshot(t.Context(), run, address, s); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshots(t *testing.T) {
	b, dir := newBook(t)
	run := "20261121T120000Z-4f3a9c"
	for _, address := range []string{"voicy/b", "voicy-x/a", "voicy/a"} {
		saveSnapshot(t, b, run, address, snapshot("id of "+address))
	}
	saveSnapshot(t, b, run, "voicy/a", snapshot("what the run itself made of it"))
	write(t, dir, "snapshots/"+run+"/README.md", "no snapshot")
	got, err := b.Snapshots(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	var want []state.Snapshot
	for _, address := range []string{"voicy-x/a", "voicy/a", "voicy/b"} {
		s := snapshot("id of " + address)
		s.Version, s.Address = state.Version, address
		want = append(want, s)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "snapshots", run, "voicy", "a.json")); err != nil || !strings.HasPrefix(string(data), "{\n  \"action\": \"update\",\n") {
		t.Errorf("file %s, %v", data, err)
	}
	if entries := load(t, b); len(entries) != 0 {
		t.Errorf("snapshots are records: %v", entries)
	}
}

func TestSnapshotsThatAreWrong(t *testing.T) {
	b, dir := newBook(t)
	run := "20261121T120000Z-4f3a9c"
	_, err := b.Snapshots(t.Context(), run)
	wantIs(t, err, state.ErrNotExist)
	saveSnapshot(t, b, run, "voicy/a", snapshot("1"))
	write(t, dir, "snapshots/"+run+"/voicy/b.json", `{"version": 9}`)
	write(t, dir, "snapshots/"+run+"/voicy/c.json", `{`)
	write(t, dir, "snapshots/"+run+"/voicy/d.json", `{"version": 1, "address": "voicy/a"}`)
	got, err := b.Snapshots(t.Context(), run)
	if got != nil || err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, error %v; want three lines", got, err)
	}
	for _, bad := range []string{"", "..", "../state", "1", "20261121T120000Z", "20261121T120000Z-", "20261121T120000Z-A", "20261121T120000Z-a/b", "20261321T120000Z-a"} {
		if err := b.SaveSnapshot(t.Context(), bad, "voicy/a", snapshot("1")); err == nil {
			t.Errorf("saved for the run %q", bad)
		}
		if _, err := b.Snapshots(t.Context(), bad); err == nil {
			t.Errorf("read the run %q", bad)
		}
	}
	if err := b.SaveSnapshot(t.Context(), run, "../a", snapshot("1")); err == nil {
		t.Error("saved for the address ../a")
	}
}

func TestRunsAndPrune(t *testing.T) {
	b, dir := newBook(t)
	if runs, err := b.Runs(t.Context()); err != nil || len(runs) > 0 {
		t.Errorf("runs %q, %v", runs, err)
	}
	var newest []string
	for i := range 5 {
		run := fmt.Sprintf("%s-%d", noon.AddDate(0, 0, i).Format("20060102T150405Z"), 9-i)
		saveSnapshot(t, b, run, "voicy/a", snapshot("1"))
		saveSnapshot(t, b, run, "nova/b", snapshot("2"))
		newest = append([]string{run}, newest...)
	}
	write(t, dir, "snapshots/by-hand/keep.json", "{}")
	save(t, b, fullRecord(), "")
	runs, err := b.Runs(t.Context())
	if err != nil || !slices.Equal(runs, newest) {
		t.Errorf("runs %q, %v; want %q", runs, err, newest)
	}
	for _, step := range []struct {
		keep          int
		pruned, stays []string
	}{{7, nil, newest}, {5, nil, newest}, {2, newest[2:], newest[:2]}, {-1, newest[:2], nil}, {0, nil, nil}} {
		pruned, err := b.Prune(t.Context(), step.keep)
		if err != nil || !slices.Equal(pruned, step.pruned) {
			t.Errorf("prune %d = %q, %v; want %q", step.keep, pruned, err, step.pruned)
		}
		if runs, err := b.Runs(t.Context()); err != nil || !slices.Equal(runs, step.stays) {
			t.Errorf("after prune %d: %q, %v; want %q", step.keep, runs, err, step.stays)
		}
	}
	want := []string{"snapshots", "snapshots/by-hand", "snapshots/by-hand/keep.json", "state", "state/voicy", "state/voicy/front-desk.json"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
}
