package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

var update = flag.Bool("update", false, "write the golden files")

// newBook returns a book in an empty folder, and the folder.
func newBook(t *testing.T) (*state.Book, string) {
	t.Helper()
	dir := t.TempDir()
	return state.NewBook(state.OpenFolder(dir)), dir
}

func fullRecord() state.Record {
	return state.Record{
		Address: "voicy/front-desk", Type: "voicy/functions-v1", ID: "550e8400",
		Applied: diff.Object{
			"name": "Front <desk> & co", "temperature": json.Number("0.3"), "big": json.Number("12345678901234567890"), "empty": diff.Object{}, "list": []any{},
			"key": diff.Object{"$sealed": "argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "none": nil,
			"prompt": "line one\nline two — ä", "crm": diff.Object{"z": true, "a": []any{json.Number("1"), "x"}},
		},
		Files: map[string]string{"faq.pdf": "ab12", "a.txt": "cd34"}, Revision: "7", Protect: true,
		Pending:   &state.Pending{Op: "create", Run: "20261121T203000Z-4f3a9c", At: "2026-11-21T20:30:00Z", Name: "Front desk"},
		AppliedAt: "2026-11-21T20:31:00Z", Commit: "0123abc",
	}
}

func save(t *testing.T, b *state.Book, r state.Record, version string) string {
	t.Helper()
	version, err := b.Save(t.Context(), r, version)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func load(t *testing.T, b *state.Book) map[string]state.Entry {
	t.Helper()
	entries, err := b.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestSaveGolden(t *testing.T) {
	small := state.Record{Address: "nova/sales", Type: "nova", ID: "7"}
	for name, r := range map[string]state.Record{"full": fullRecord(), "small": small} {
		t.Run(name, func(t *testing.T) {
			b, dir := newBook(t)
			save(t, b, r, "")
			got, err := os.ReadFile(filepath.Join(dir, "state", filepath.FromSlash(r.Address)+".json"))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".json")
			if *update {
				write(t, "testdata", name+".json", string(got))
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			r.Version = state.Version
			if entry := load(t, b)[r.Address]; !reflect.DeepEqual(entry.Record, r) {
				t.Errorf("loaded %+v\nsaved  %+v", entry.Record, r)
			}
		})
	}
}

// countingStore counts writes.
type countingStore struct {
	state.Store
	writes atomic.Int32
}

func (s *countingStore) Create(ctx context.Context, key string, data []byte) (string, error) {
	s.writes.Add(1)
	return s.Store.Create(ctx, key, data)
}

func (s *countingStore) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	s.writes.Add(1)
	return s.Store.Replace(ctx, key, data, version)
}

func TestSaveWritesOnlyChanges(t *testing.T) {
	store := &countingStore{Store: state.OpenFolder(t.TempDir())}
	b := state.NewBook(store)
	r := fullRecord()
	first := save(t, b, r, "")
	if again := save(t, b, r, first); again != first || store.writes.Load() != 1 {
		t.Errorf("the same record: version %s after %s, %d writes", again, first, store.writes.Load())
	}
	r.ID = "other"
	second := save(t, b, r, first)
	if second == first || store.writes.Load() != 2 {
		t.Errorf("another record: version %s after %s, %d writes", second, first, store.writes.Load())
	}
	if entry := load(t, b)[r.Address]; entry.Version != second || entry.Record.ID != "other" {
		t.Errorf("loaded %+v", entry)
	}
}

func TestSaveAndRemoveAreConditional(t *testing.T) {
	b, _ := newBook(t)
	r := fullRecord()
	old := save(t, b, r, "")
	_, err := b.Save(t.Context(), r, "")
	wantIs(t, err, state.ErrExists)
	r.ID = "new"
	current := save(t, b, r, old)
	r.ID = "newer"
	_, err = b.Save(t.Context(), r, old)
	wantIs(t, err, state.ErrConflict)
	r.ID = "new"
	_, err = b.Save(t.Context(), r, old) // the content is there already, but not by this writer
	wantIs(t, err, state.ErrConflict)
	wantIs(t, b.Remove(t.Context(), r.Address, old), state.ErrConflict)
	if err := b.Remove(t.Context(), r.Address, current); err != nil {
		t.Fatal(err)
	}
	wantIs(t, b.Remove(t.Context(), r.Address, current), state.ErrNotExist)
	_, err = b.Get(t.Context(), r.Address)
	wantIs(t, err, state.ErrNotExist)
	_, err = b.Save(t.Context(), r, current)
	wantIs(t, err, state.ErrConflict)
	if len(load(t, b)) != 0 {
		t.Error("something is left")
	}
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want one that matches %q", err, want)
	}
}

func TestAddresses(t *testing.T) {
	b, dir := newBook(t)
	long := strings.Repeat("a", 63)
	for _, good := range []string{"voicy/a", "nova-emea/a.b-c", "v.1/0", "voicy/.a", "voicy/-", long + "/" + long} {
		save(t, b, state.Record{Address: good, Type: "voicy", ID: "1"}, "")
		if entry, err := b.Get(t.Context(), good); err != nil || entry.Record.Address != good {
			t.Errorf("%q: got %+v, %v", good, entry, err)
		}
	}
	entries := load(t, b)
	if len(entries) != 6 {
		t.Errorf("loaded %d records", len(entries))
	}
	before := files(t, dir)
	for _, bad := range []string{"", "/", "voicy", "voicy/", "/a", "voicy/a/b", "../a", "voicy/..", "voicy/a..b", "voicy/.", "./a", "Voicy/a", "voicy/a_b", "voicy/ä", `voicy/a\b`, "voicy/a\x00", "voicy/" + long + "a"} {
		if _, err := b.Save(t.Context(), state.Record{Address: bad}, ""); err == nil {
			t.Errorf("saved %q", bad)
		}
		_, err := b.Get(t.Context(), bad)
		if err == nil || errors.Is(err, state.ErrNotExist) {
			t.Errorf("get %q: error %v, want a refusal", bad, err)
		}
		if b.Remove(t.Context(), bad, "") == nil || b.Move(t.Context(), bad, "voicy/new") == nil || b.Move(t.Context(), "voicy/a", bad) == nil {
			t.Errorf("removed or moved %q", bad)
		}
	}
	if after := files(t, dir); !reflect.DeepEqual(before, after) {
		t.Errorf("files %q after %q", after, before)
	}
}

func TestLoadNamesEverythingThatIsWrong(t *testing.T) {
	b, dir := newBook(t)
	save(t, b, state.Record{Address: "voicy/good", Type: "voicy", ID: "1"}, "")
	bad := map[string]struct{ content, want string }{
		"state/voicy/cut.json":      {`{"version": 1, "addr`, "restore it from version control"},
		"state/voicy/merge.json":    {"<<<<<<< HEAD\n{}", "restore it from version control"},
		"state/voicy/empty.json":    {"", "restore it from version control"},
		"state/voicy/newer.json":    {`{"version": 2, "address": "voicy/newer", "shiny": true}`, "written by a newer agentsync"},
		"state/voicy/none.json":     {`{"address": "voicy/none"}`, "no format version"},
		"state/voicy/unknown.json":  {`{"version": 1, "address": "voicy/unknown", "ID2": ""}`, "ID2"},
		"state/voicy/type.json":     {`{"version": 1, "address": "voicy/type", "id": 7}`, "restore it from version control"},
		"state/voicy/trailing.json": {`{"version": 1, "address": "voicy/trailing"} {}`, "restore it from version control"},
		"state/voicy/copy.json":     {`{"version": 1, "address": "voicy/good", "id": "1"}`, "agentsync state mv"},
		"state/voicy/Upper.json":    {`{}`, "is not an address"},
		"state/stray.json":          {`{}`, "is not an address"},
	}
	for key, file := range bad {
		write(t, dir, key, file.content)
	}
	write(t, dir, "state/voicy/README.md", "no record")
	write(t, dir, "state/voicy/a.json~", "no record")
	entries, err := b.Load(t.Context())
	if err == nil || entries != nil {
		t.Fatalf("loaded %v, %v", entries, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(bad) {
		t.Errorf("%d lines for %d faults:\n%v", len(lines), len(bad), err)
	}
	for key, file := range bad {
		found := false
		for _, line := range lines {
			found = found || strings.HasPrefix(line, filepath.ToSlash(dir)+"/"+key) && strings.Contains(line, file.want)
		}
		if !found {
			t.Errorf("no line names %s and says %q:\n%v", key, file.want, err)
		}
	}
	if _, err := b.Get(t.Context(), "voicy/good"); err != nil {
		t.Errorf("the good record cannot be read by itself: %v", err)
	}
}

func TestLoadIsNormal(t *testing.T) {
	b, dir := newBook(t)
	write(t, dir, "state/voicy/a.json", `{"version": 1, "address": "voicy/a", "type": "voicy", "id": "1", "applied": {"n": 1.50, "s": "a\r\nb"}}`)
	want := diff.Object{"n": json.Number("1.5"), "s": "a\nb"}
	if got := load(t, b)["voicy/a"].Record.Applied; !reflect.DeepEqual(got, want) {
		t.Errorf("applied %v, want %v", got, want)
	}
}

func TestLoadMany(t *testing.T) {
	b, _ := newBook(t)
	const n = 60
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			r := state.Record{Address: fmt.Sprintf("voicy/a%d", i), Type: "voicy", ID: fmt.Sprint(i), Applied: diff.Object{}}
			if _, err := b.Save(t.Context(), r, ""); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	entries := load(t, b)
	for i := range n {
		if entry := entries[fmt.Sprintf("voicy/a%d", i)]; entry.Record.ID != fmt.Sprint(i) || entry.Version == "" {
			t.Errorf("record %d is %+v", i, entry)
		}
	}
}

// vanishing deletes a key between a list and its read, once, and puts it under another.
type vanishing struct {
	state.Store
	once sync.Once
}

func (s *vanishing) Get(ctx context.Context, key string) (state.Item, error) {
	var err error
	if key == "state/voicy/old.json" {
		s.once.Do(func() { err = state.NewBook(s.Store).Move(ctx, "voicy/old", "voicy/new") })
	}
	if err != nil {
		return state.Item{}, err
	}
	return s.Store.Get(ctx, key)
}

func TestLoadFollowsAMove(t *testing.T) {
	store := &vanishing{Store: state.OpenFolder(t.TempDir())}
	b := state.NewBook(store)
	save(t, b, state.Record{Address: "voicy/old", Type: "voicy", ID: "1"}, "")
	entries := load(t, b)
	if len(entries) != 1 || entries["voicy/new"].Record.ID != "1" {
		t.Errorf("loaded %v", entries)
	}
}
