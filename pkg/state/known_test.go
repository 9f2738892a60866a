package state_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

// asked counts the requests that a store gets.
type asked struct {
	state.Store
	mu    sync.Mutex
	count map[string]int
}

func newAsked(s state.Store) *asked { return &asked{Store: s, count: map[string]int{}} }

func (a *asked) add(verb string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count[verb]++
}

// since returns what was asked since the last call.
func (a *asked) since() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	said := fmt.Sprint(a.count) // in order of the verbs
	a.count = map[string]int{}
	return strings.TrimPrefix(said, "map")
}

func (a *asked) Get(ctx context.Context, key string) (state.Item, error) {
	a.add("get")
	return a.Store.Get(ctx, key)
}

func (a *asked) List(ctx context.Context, prefix string) ([]state.Listed, error) {
	a.add("list")
	return a.Store.List(ctx, prefix)
}

func (a *asked) Create(ctx context.Context, key string, data []byte) (string, error) {
	a.add("create")
	return a.Store.Create(ctx, key, data)
}

func (a *asked) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	a.add("replace")
	return a.Store.Replace(ctx, key, data, version)
}

func agentRecord(n int) state.Record {
	return state.Record{Address: fmt.Sprintf("voicy/a%d", n), Type: "voicy", ID: fmt.Sprint(n), Applied: diff.Object{"n": fmt.Sprint(n)}}
}

// TestBookReadsOnlyWhatMoved counts what a Book asks its store for.
func TestBookReadsOnlyWhatMoved(t *testing.T) {
	memory := &state.Memory{}
	other := state.NewBook(memory)
	versions := map[int]string{}
	for n := range 20 {
		versions[n] = save(t, other, agentRecord(n), "")
	}
	store := newAsked(memory)
	b := state.NewBook(store)
	step := func(what, want string, wantEntries int) map[string]state.Entry {
		t.Helper()
		entries := load(t, b)
		if got := store.since(); got != want || len(entries) != wantEntries {
			t.Errorf("%s: %d entries after %s, want %d after %s", what, len(entries), got, wantEntries, want)
		}
		return entries
	}
	step("the first load", "[get:20 list:1]", 20)
	step("nothing moved", "[list:1]", 20)

	changed := agentRecord(3)
	changed.ID = "changed"
	versions[3] = save(t, other, changed, versions[3])
	if entries := step("one moved", "[get:1 list:1]", 20); entries["voicy/a3"].Record.ID != "changed" {
		t.Error("the old record is kept")
	}
	if err := other.Remove(t.Context(), "voicy/a4", versions[4]); err != nil {
		t.Fatal(err)
	}
	step("one went", "[list:1]", 19)
	save(t, other, agentRecord(4), "")
	step("it came back", "[get:1 list:1]", 20)

	changed.ID = "mine"
	versions[3] = save(t, b, changed, versions[3])
	if got := store.since(); got != "[replace:1]" {
		t.Errorf("a save of a known record costs %s", got)
	}
	if entries := step("one saved by itself", "[list:1]", 20); entries["voicy/a3"].Record.ID != "mine" {
		t.Error("the saved record is not known")
	}
	versions[3] = save(t, other, agentRecord(3), versions[3])
	if entries := step("somebody wrote over it", "[get:1 list:1]", 20); entries["voicy/a3"].Record.ID != "3" {
		t.Error("the saved record hides a newer one")
	}
	changed.ID = "late"
	if _, err := b.Save(t.Context(), changed, "an older version"); err == nil {
		t.Error("an older version is replaced")
	}
	store.since()
	step("after a conflict", "[get:1 list:1]", 20)
}

// TestLoadSome reads the records that were asked for, and no others.
func TestLoadSome(t *testing.T) {
	store := newAsked(&state.Memory{})
	b := state.NewBook(store)
	for n := range 5 {
		save(t, b, agentRecord(n), "")
	}
	store.since()
	entries, err := b.LoadSome(t.Context(), []string{"voicy/a1", "voicy/a3", "voicy/a1", "voicy/none"})
	if err != nil || len(entries) != 2 || entries["voicy/a3"].Record.ID != "3" || entries["voicy/a1"].Version == "" {
		t.Errorf("entries %v, %v", entries, err)
	}
	if got := store.since(); got != "[get:3]" {
		t.Errorf("it costs %s", got)
	}
	if _, err := b.LoadSome(t.Context(), []string{"no address"}); err == nil {
		t.Error("a wrong address is taken")
	}
	if _, err := store.Create(t.Context(), "state/voicy/broken.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.LoadSome(t.Context(), []string{"voicy/a1", "voicy/broken"}); err == nil || !strings.Contains(err.Error(), "voicy/broken.json") {
		t.Errorf("a broken record: %v", err)
	}
}

// TestLoadSomeSeesHalfAMove: the record that a move left behind is looked for.
func TestLoadSomeSeesHalfAMove(t *testing.T) {
	store := state.OpenFolder(t.TempDir())
	b := state.NewBook(store)
	save(t, b, agentRecord(1), "")
	_ = state.NewBook(&failing{store, 1}).Move(t.Context(), "voicy/a1", "voicy/new")
	if _, err := b.LoadSome(t.Context(), []string{"voicy/new"}); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("half a move: %v", err)
	}
	if err := b.Move(t.Context(), "voicy/a1", "voicy/new"); err != nil {
		t.Fatal(err)
	}
	entries, err := b.LoadSome(t.Context(), []string{"voicy/new", "voicy/a1"})
	if err != nil || len(entries) != 1 || entries["voicy/new"].Record.ID != "1" {
		t.Errorf("after the move: %v, %v", entries, err)
	}
}

// TestLoadedRecordsAreTheCallersOwn: what a caller does to a record is not seen by the next.
func TestLoadedRecordsAreTheCallersOwn(t *testing.T) {
	b := state.NewBook(&state.Memory{})
	r := fullRecord()
	save(t, b, r, "")
	want := load(t, b)
	spoil := func(r state.Record) {
		r.Applied["name"] = "spoiled"
		r.Applied["crm"].(diff.Object)["a"].([]any)[0] = "spoiled"
		r.Files["faq.pdf"] = "spoiled"
		r.Pending.Run = "spoiled"
	}
	spoil(r) // what was saved
	spoil(load(t, b)[r.Address].Record)
	one, err := b.Get(t.Context(), r.Address)
	if err != nil {
		t.Fatal(err)
	}
	spoil(one.Record)
	some, err := b.LoadSome(t.Context(), []string{r.Address})
	if err != nil {
		t.Fatal(err)
	}
	spoil(some[r.Address].Record)
	if got := load(t, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestFolderBookSeesEveryChange: a file changed by another hand is read again, also where its size and its times are as before.
func TestFolderBookSeesEveryChange(t *testing.T) {
	b, dir := newBook(t)
	save(t, b, agentRecord(1), "")
	file := filepath.Join(dir, "state", "voicy", "a1.json")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	load(t, b)
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), `"id": "1"`, `"id": "2"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if id := load(t, b)["voicy/a1"].Record.ID; id != "2" {
		t.Errorf("id %s, want 2", id)
	}
}

// TestBookFromManyGoroutines loads and saves at the same time: a load after all of it sees the last of each.
func TestBookFromManyGoroutines(t *testing.T) {
	b := state.NewBook(&state.Memory{})
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			r, version := agentRecord(n), ""
			for round := range 20 {
				r.Revision = fmt.Sprint(round)
				var err error
				if version, err = b.Save(t.Context(), r, version); err != nil {
					t.Error(err)
					return
				}
				entries, err := b.Load(t.Context())
				if err != nil || entries[r.Address].Record.Revision != r.Revision {
					t.Errorf("%s: revision %q after %q was saved, %v", r.Address, entries[r.Address].Record.Revision, r.Revision, err)
					return
				}
			}
		})
	}
	group.Wait()
}
