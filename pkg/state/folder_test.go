package state_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/statetest"
)

func TestFolder(t *testing.T) {
	statetest.Run(t, statetest.Harness{
		New:  func(t *testing.T) string { return filepath.Join(t.TempDir(), "repo", ".agentsync") },
		Open: func(place string) (state.Store, error) { return state.OpenFolder(place), nil },
	})
}

// files returns every file and folder below dir, whatever its name.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != dir {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderIsMadeByTheFirstWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".agentsync")
	store := state.OpenFolder(dir)
	_, _ = store.Get(t.Context(), "a")
	_, _ = store.List(t.Context(), "")
	_, _ = store.Replace(t.Context(), "a", nil, "")
	_ = store.Delete(t.Context(), "a", "")
	_, _ = store.Create(t.Context(), "../a", nil)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the folder is there before the first write: %v", err)
	}
	version, err := store.Create(t.Context(), "state/voicy/a.json", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"state", "state/voicy", "state/voicy/a.json"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q: nothing else lies among what is committed", got, want)
	}
	if err := store.Delete(t.Context(), "state/voicy/a.json", version); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("after the last delete there is still %q", got)
	}
}

func TestFolderReadsWithoutWriting(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "state/voicy/a.json", "x")
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	before := files(t, dir)
	store := state.OpenFolder(dir)
	if _, err := store.Get(t.Context(), "state/voicy/a.json"); err != nil {
		t.Error(err)
	}
	if keys, err := store.List(t.Context(), "state/"); err != nil || len(keys) != 1 {
		t.Errorf("list = %q, %v", keys, err)
	}
	if got := files(t, dir); !slices.Equal(got, before) {
		t.Errorf("reading made %q", got)
	}
}

func TestFolderCleansUpAfterACrash(t *testing.T) {
	dir := t.TempDir()
	for _, left := range []string{".lock~", ".write~", "state/.write~", "state/voicy/.write~"} {
		write(t, dir, left, "half a rec")
	}
	store := state.OpenFolder(dir)
	if keys, err := store.List(t.Context(), ""); err != nil || len(keys) > 0 {
		t.Errorf("list = %q, %v: what a crash left is no object", keys, err)
	}
	if _, err := store.Get(t.Context(), "state/voicy/.write~"); err == nil {
		t.Error("what a crash left can be read")
	}
	version, err := store.Create(t.Context(), "state/voicy/a.json", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".write~", "state", "state/.write~", "state/voicy", "state/voicy/a.json"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("after a write: %q, want %q", got, want)
	}
	write(t, dir, "state/voicy/.write~", "half a rec")
	if err := store.Delete(t.Context(), "state/voicy/a.json", version); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); slices.Contains(got, "state/voicy") {
		t.Errorf("after a delete: %q, want no state/voicy", got)
	}
}

func TestFolderStaysInside(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "a.json", "theirs")
	dir := t.TempDir()
	write(t, dir, "state/voicy/b.json", "ours")
	links := map[string]string{
		"state/nova":          outside,
		"state/voicy/a.json":  filepath.Join(outside, "a.json"),
		"state/voicy/.write~": filepath.Join(outside, "a.json"),
	}
	for link, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	store := state.OpenFolder(dir)
	for _, key := range []string{"state/nova/a.json", "state/voicy/a.json"} {
		if item, err := store.Get(t.Context(), key); err == nil {
			t.Errorf("get %s = %q from outside", key, item.Data)
		}
	}
	if _, err := store.Create(t.Context(), "state/nova/c.json", []byte("x")); err == nil {
		t.Error("a create left the folder")
	}
	if _, err := store.Create(t.Context(), "state/voicy/c.json", []byte("x")); err != nil {
		t.Errorf("create beside a link that poses as a temporary file: %v", err)
	}
	if got := files(t, outside); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("outside there is %q", got)
	}
	if got, _ := os.ReadFile(filepath.Join(outside, "a.json")); string(got) != "theirs" {
		t.Errorf("the file outside reads %q", got)
	}
}

func TestFolderErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "state", "a file where a folder belongs")
	store := state.OpenFolder(dir)
	_, err := store.Create(t.Context(), "state/voicy/a.json", nil)
	if err == nil || !strings.HasPrefix(err.Error(), filepath.ToSlash(dir)+"/state/voicy/a.json: ") {
		t.Errorf("error %v", err)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"state"}) {
		t.Errorf("a failed write left %q", got)
	}
}
