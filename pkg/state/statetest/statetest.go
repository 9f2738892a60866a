// Package statetest is the suite that every [state.Store] passes. A store's test calls [Run], in a test function of its own:
//
//	func TestStore(t *testing.T) {
//		statetest.Run(t, statetest.Harness{New: ..., Open: ...})
//	}
//
// Some cases start the test binary again, to have several processes at one store; a child comes in by the same test function, which
// must do nothing before Run that a child should not do. To add a case, add a function to the list in Run.
package statetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/state"
)

// Harness says how to make the stores under test.
type Harness struct {
	// New makes an empty store that lives as long as t, and returns where it is. The place does not exist yet where a store
	// is made by its first write.
	New func(t *testing.T) (place string)
	// Open opens the store at place, in any process.
	Open func(place string) (state.Store, error)
	// OneProcess says that a place is of one process only, as memory is: the cases with several processes are left out.
	OneProcess bool
}

// Run checks every promise of [state.Store].
func Run(t *testing.T, h Harness) {
	if job := flag.Args(); len(job) == 3 && job[0] == childMark {
		runChild(t, h, job[1], job[2])
		return
	}
	cases := []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"empty", testEmpty},
		{"create", testCreate},
		{"replace", testReplace},
		{"delete", testDelete},
		{"list", testList},
		{"listed versions", testListedVersions},
		{"contents", testContents},
		{"unsafe keys", testUnsafeKeys},
		{"canceled", testCanceled},
		{"one create wins", testOneCreateWins},
		{"goroutines lose nothing", testGoroutines},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, h) })
	}
	if h.OneProcess {
		return
	}
	test := t.Name()
	t.Run("processes lose nothing", func(t *testing.T) { testProcesses(t, h, test) })
	t.Run("killed writers", func(t *testing.T) { testKilledWriters(t, h, test) })
}

func open(t *testing.T, h Harness, place string) state.Store {
	t.Helper()
	store, err := h.Open(place)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func fresh(t *testing.T, h Harness) state.Store {
	t.Helper()
	return open(t, h, h.New(t))
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want one that matches %q", what, err, want)
	}
}

func wantContent(t *testing.T, s state.Store, key, want string) state.Item {
	t.Helper()
	item, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if item.Key != key || string(item.Data) != want || item.Version == "" {
		t.Errorf("get %s = key %q, data %q, version %q; want data %q and a version", key, item.Key, item.Data, item.Version, want)
	}
	return item
}

func create(t *testing.T, s state.Store, key, data string) (version string) {
	t.Helper()
	version, err := s.Create(t.Context(), key, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func testEmpty(t *testing.T, h Harness) {
	s := fresh(t, h)
	_, err := s.Get(t.Context(), "a/b.json")
	wantError(t, "get", err, state.ErrNotExist)
	if err != nil && !strings.Contains(err.Error(), s.String()+"/a/b.json") {
		t.Errorf("error %q does not name the object", err)
	}
	_, err = s.Replace(t.Context(), "a/b.json", nil, "1")
	wantError(t, "replace", err, state.ErrConflict)
	wantError(t, "delete", s.Delete(t.Context(), "a/b.json", "1"), state.ErrNotExist)
	for _, prefix := range []string{"", "a/", "a/b"} {
		if keys, err := s.List(t.Context(), prefix); err != nil || len(keys) > 0 {
			t.Errorf("list %q = %q, %v; want none", prefix, keys, err)
		}
	}
}

func testCreate(t *testing.T, h Harness) {
	s := fresh(t, h)
	version := create(t, s, "state/voicy/a.json", "one")
	if item := wantContent(t, s, "state/voicy/a.json", "one"); item.Version != version {
		t.Errorf("version %q read, %q written", item.Version, version)
	}
	_, err := s.Create(t.Context(), "state/voicy/a.json", []byte("two"))
	wantError(t, "second create", err, state.ErrExists)
	wantContent(t, s, "state/voicy/a.json", "one")
	_, err = s.Get(t.Context(), "state/voicy")
	wantError(t, "get of a folder", err, state.ErrNotExist)
}

func testReplace(t *testing.T, h Harness) {
	s := fresh(t, h)
	first := create(t, s, "a", "one")
	second, err := s.Replace(t.Context(), "a", []byte("two"), first)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Errorf("two contents have the version %q", first)
	}
	if item := wantContent(t, s, "a", "two"); item.Version != second {
		t.Errorf("version %q read, %q written", item.Version, second)
	}
	for _, version := range []string{first, ""} {
		_, err = s.Replace(t.Context(), "a", []byte("three"), version)
		wantError(t, fmt.Sprintf("replace of version %q", version), err, state.ErrConflict)
	}
	wantContent(t, s, "a", "two")
}

func testDelete(t *testing.T, h Harness) {
	s := fresh(t, h)
	first := create(t, s, "x/y/a", "one")
	create(t, s, "x/b", "other")
	second, err := s.Replace(t.Context(), "x/y/a", []byte("two"), first)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "delete of an old version", s.Delete(t.Context(), "x/y/a", first), state.ErrConflict)
	wantContent(t, s, "x/y/a", "two")
	if err := s.Delete(t.Context(), "x/y/a", second); err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), "x/y/a")
	wantError(t, "get of what was deleted", err, state.ErrNotExist)
	wantError(t, "second delete", s.Delete(t.Context(), "x/y/a", second), state.ErrNotExist)
	wantContent(t, s, "x/b", "other")
	create(t, s, "x/y/a", "again")
}

func testList(t *testing.T, h Harness) {
	s := fresh(t, h)
	all := []string{"lock.json", "snapshots/1/a/b.json", "state/nova-emea/z.json", "state/nova/..x.json", "state/nova/a-b.json", "state/nova/a.json", "state/voicy/a_B.json"}
	for _, key := range slices.Backward(all) {
		create(t, s, key, key)
	}
	for prefix, want := range map[string][]string{
		"": all, "state/": all[2:], "state/nova": all[2:6], "state/nova/": all[3:6], "state/nova/a": all[4:6],
		"state/nova/a.json": all[5:6], "lock": all[:1], "stat/": nil, "z": nil,
	} {
		if keys := list(t, s, prefix); !slices.Equal(keys, want) {
			t.Errorf("list %q = %q; want %q", prefix, keys, want)
		}
	}
}

// list returns the listed keys.
func list(t *testing.T, s state.Store, prefix string) (keys []string) {
	t.Helper()
	listed, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listed {
		keys = append(keys, l.Key)
	}
	return keys
}

// testListedVersions: a version that List gives is the one that Get gives, before and after a write.
func testListedVersions(t *testing.T, h Harness) {
	s := fresh(t, h)
	create(t, s, "a/one", "1")
	version := create(t, s, "a/two", "2")
	for round := range 2 {
		listed, err := s.List(t.Context(), "a/")
		if err != nil || len(listed) != 2 {
			t.Fatalf("list = %v, %v", listed, err)
		}
		for _, l := range listed {
			if item, err := s.Get(t.Context(), l.Key); err != nil || (l.Version != "" && l.Version != item.Version) {
				t.Errorf("round %d: %s is listed in version %q and read in %q, %v", round, l.Key, l.Version, item.Version, err)
			}
		}
		if version, err = s.Replace(t.Context(), "a/two", []byte(fmt.Sprint("new", round)), version); err != nil {
			t.Fatal(err)
		}
	}
}

func testContents(t *testing.T, h Harness) {
	s := fresh(t, h)
	for i, content := range []string{"", "\x00\xff\r\n", strings.Repeat("agentsync ", 200_000)} {
		key := fmt.Sprintf("k%d", i)
		create(t, s, key, content)
		if item, err := s.Get(t.Context(), key); err != nil || string(item.Data) != content {
			t.Errorf("%d bytes came back as %d, %v", len(content), len(item.Data), err)
		}
	}
}

func testUnsafeKeys(t *testing.T, h Harness) {
	s := fresh(t, h)
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", `a\b`, "a\x00", "a b", "a~", "c:a", "ä"} {
		if _, err := s.Get(t.Context(), key); err == nil || errors.Is(err, state.ErrNotExist) {
			t.Errorf("get %q: error %v, want a refusal", key, err)
		}
		if _, err := s.Create(t.Context(), key, nil); err == nil {
			t.Errorf("create %q: no error", key)
		}
		if _, err := s.Replace(t.Context(), key, nil, ""); err == nil || errors.Is(err, state.ErrConflict) {
			t.Errorf("replace %q: error %v, want a refusal", key, err)
		}
		if err := s.Delete(t.Context(), key, ""); err == nil || errors.Is(err, state.ErrNotExist) {
			t.Errorf("delete %q: error %v, want a refusal", key, err)
		}
	}
	for _, prefix := range []string{"../", "/", "a/../"} {
		if _, err := s.List(t.Context(), prefix); err == nil {
			t.Errorf("list %q: no error", prefix)
		}
	}
}

func testCanceled(t *testing.T, h Harness) {
	s := fresh(t, h)
	version := create(t, s, "a", "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "a")
	wantError(t, "get", err, context.Canceled)
	_, err = s.Create(ctx, "b", nil)
	wantError(t, "create", err, context.Canceled)
	_, err = s.Replace(ctx, "a", nil, version)
	wantError(t, "replace", err, context.Canceled)
	wantError(t, "delete", s.Delete(ctx, "a", version), context.Canceled)
	_, err = s.List(ctx, "")
	wantError(t, "list", err, context.Canceled)
	wantContent(t, s, "a", "one")
}
