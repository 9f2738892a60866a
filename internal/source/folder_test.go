package source

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// log collects what is logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) says(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

func folder(t *testing.T, change func(*FolderOptions), dirs ...string) (*Folder, *follower) {
	t.Helper()
	noLeak(t)
	o := FolderOptions{Dirs: dirs, Quiet: 20 * time.Millisecond, Now: time.Now, SlowPoll: time.Hour}
	if change != nil {
		change(&o)
	}
	f, err := NewFolder(o)
	must(t, err)
	return f, follow(t, f)
}

// Everything that people and programs do to files is noticed, by events alone.
func TestFolderEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	_, f := folder(t, nil, dir)
	if r := f.revision(); r.Dir != dir || r.Commit != "" || r.Release == nil {
		t.Errorf("the first revision is %+v", r)
	}
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"write", func() { put(t, at("a.yaml"), "two\n") }},
		{"same size", func() { put(t, at("a.yaml"), "six\n") }},
		{"atomic save", func() { put(t, at("a.yaml.tmp~"), "new\n"); must(t, os.Rename(at("a.yaml.tmp~"), at("a.yaml"))) }},
		{"new folder", func() { put(t, at("sub/deep/b.yaml"), "b\n") }},
		{"in the new folder", func() { put(t, at("sub/deep/b.yaml"), "c\n") }},
		{"folder moved away", func() { must(t, os.Rename(at("sub/deep"), filepath.Join(filepath.Dir(dir), "away"))) }},
		{"folder again", func() { put(t, at("sub/deep/b.yaml"), "d\n") }},
		{"in that folder", func() { put(t, at("sub/deep/b.yaml"), "e\n") }},
		{"removed", func() { must(t, os.RemoveAll(at("sub"))) }},
		{"made again", func() { put(t, at("sub/deep/b.yaml"), "f\n") }},
		{"in the folder made again", func() { put(t, at("sub/deep/b.yaml"), "g\n") }},
		{"file renamed", func() { must(t, os.Rename(at("sub/deep/b.yaml"), at("sub/deep/z.yaml"))) }},
		{"link", func() { must(t, os.Symlink("sub/deep", at("link"))) }},
	} {
		step.do()
		l := f.next("revision after: "+step.what, func(l Look) bool { return l.Revision != nil })
		if l.Err != nil {
			t.Errorf("%s: %v", step.what, l.Err)
		}
	}
}

// Only what files hold counts, not that something happened.
func TestFolderContent(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	source, f := folder(t, nil, dir)
	f.revision()
	later := time.Now().Add(time.Hour)
	must(t, os.Chtimes(filepath.Join(dir, "a.yaml"), later, later))
	f.quietly()
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	f.quietly()
	// What is hidden, or an editor's, is not even a reason to look.
	for _, name := range []string{".git/index", ".agentsync/state/voicy/a.json", ".a.yaml.swp", "a.yaml~"} {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), "x")
	}
	source.Poke()
	f.quietly()
	if n := f.revisions(); n != 1 {
		t.Errorf("there were %d revisions", n)
	}
	put(t, filepath.Join(dir, "a.yaml"), "two\n")
	f.revision()
}

// A folder that is gone or empty is a fault, not a state without manifests.
func TestFolderGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	_, f := folder(t, nil, dir)
	f.revision()
	must(t, os.RemoveAll(dir))
	if l := f.fails(dir, "stays in force"); l.Revision != nil {
		t.Error("a folder that is gone is a revision")
	}
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	f.quietly() // the same again is nothing new
	put(t, filepath.Join(dir, "a.yaml"), "two\n")
	f.revision() // and it is heard again
	must(t, os.Remove(filepath.Join(dir, "a.yaml")))
	f.fails("holds no files")
	must(t, os.RemoveAll(dir))
	f.fails("gone")
	if n := f.revisions(); n != 2 {
		t.Errorf("there were %d revisions", n)
	}
}

// swap does what a kubelet does to a config map's volume.
func swap(t *testing.T, dir, generation string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		put(t, filepath.Join(dir, generation, name), text)
	}
	must(t, os.Symlink(generation, filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
}

func TestFolderConfigMap(t *testing.T) {
	dir := t.TempDir()
	swap(t, dir, "..2026_1", map[string]string{"a.yaml": "one\n", "b.yaml": "b\n"})
	for _, name := range []string{"a.yaml", "b.yaml"} {
		must(t, os.Symlink("..data/"+name, filepath.Join(dir, name)))
	}
	_, f := folder(t, nil, dir)
	f.revision()
	swap(t, dir, "..2026_2", map[string]string{"a.yaml": "two\n", "b.yaml": "b\n"})
	must(t, os.RemoveAll(filepath.Join(dir, "..2026_1")))
	f.revision()
	swap(t, dir, "..2026_3", map[string]string{"a.yaml": "two\n", "b.yaml": "b\n"})
	f.quietly()
	swap(t, dir, "..2026_4", map[string]string{"a.yaml": "three\n", "b.yaml": "b\n"})
	f.revision()
}

// The watched path, and any part of it, may be a symbolic link that is swapped.
func TestFolderLinks(t *testing.T) {
	top := t.TempDir()
	put(t, filepath.Join(top, "v1/agents/a.yaml"), "one\n")
	put(t, filepath.Join(top, "v2/agents/a.yaml"), "two\n")
	point := func(to string) {
		t.Helper()
		must(t, os.Symlink(to, filepath.Join(top, "next")))
		must(t, os.Rename(filepath.Join(top, "next"), filepath.Join(top, "current")))
	}
	point("v1")
	must(t, os.Symlink("current/agents", filepath.Join(top, "watched")))
	_, f := folder(t, nil, filepath.Join(top, "watched"))
	f.revision()
	point("v2")
	f.revision()
	put(t, filepath.Join(top, "v2/agents/a.yaml"), "three\n")
	f.revision()
	point("v3")
	f.fails("gone")
	put(t, filepath.Join(top, "v3/agents/a.yaml"), "four\n")
	f.revision()
}

// Links to oneself, to nothing and to the outside do no harm; that what is outside was written is noticed.
func TestFolderOddLinks(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "config")
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	put(t, filepath.Join(top, "outside.md"), "one\n")
	for name, target := range map[string]string{"up": ".", "self": "self", "nothing": "missing", "out": "../outside.md", "etc": "/etc"} {
		must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	source, f := folder(t, nil, dir)
	f.revision()
	put(t, filepath.Join(top, "outside.md"), "other\n")
	source.Poke()
	f.revision()
}

// A single file can be watched, also one that is replaced, and several folders are one source.
func TestFolderFileAndSeveral(t *testing.T) {
	top := t.TempDir()
	put(t, filepath.Join(top, "a.yaml"), "one\n")
	put(t, filepath.Join(top, "neighbour.yaml"), "one\n")
	put(t, filepath.Join(top, "more/b.yaml"), "one\n")
	source, f := folder(t, nil, filepath.Join(top, "a.yaml"), filepath.Join(top, "more"))
	if got := source.Location(); !strings.Contains(got, "a.yaml, ") {
		t.Errorf("the location is %s", got)
	}
	f.revision()
	put(t, filepath.Join(top, "neighbour.yaml"), "two\n")
	put(t, filepath.Join(top, "tmp"), "two\n")
	must(t, os.Rename(filepath.Join(top, "tmp"), filepath.Join(top, "a.yaml")))
	f.revision()
	put(t, filepath.Join(top, "more/b.yaml"), "two\n")
	f.revision()
	must(t, os.RemoveAll(filepath.Join(top, "more")))
	f.fails("more is gone")
}

// Without events, a regular look finds the same.
func TestFolderPolls(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	_, f := folder(t, func(o *FolderOptions) { o.NoEvents, o.Poll = true, 10*time.Millisecond }, dir)
	f.revision()
	for i := range 3 {
		put(t, filepath.Join(dir, "a.yaml"), fmt.Sprintf("%d..\n", i)) // of the same size, within the same tick
		f.revision()
	}
	put(t, filepath.Join(dir, "sub/b.yaml"), "one\n")
	f.revision()
}

// Where the system has no more watches, it is said, and looking regularly takes over until there are some again.
func TestFolderDeaf(t *testing.T) {
	var l log
	w := newWatches(slog.New(slog.NewTextHandler(&l, nil)), false)
	defer w.close()
	dir := t.TempDir()
	w.begin()
	w.folder(dir)
	w.end()
	if w.deaf() || l.says("level") {
		t.Fatalf("a folder that can be watched is not: %v", w.why)
	}
	w.begin()
	w.why = errors.New("no space left on device")
	w.folder(dir)
	w.end()
	if !w.deaf() || !l.says("no space left on device") || !l.says("max_user_watches") {
		t.Errorf("it is not said: %s", l.text.String())
	}
	w.begin()
	w.folder(dir)
	w.end()
	if w.deaf() || !l.says("again") {
		t.Errorf("it does not end: %s", l.text.String())
	}
}

// Events that never cease do not put off the look for ever.
func TestFolderNeverQuiet(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	_, f := folder(t, func(o *FolderOptions) { o.Quiet, o.MaxQuiet = time.Hour, time.Hour }, dir)
	f.revision()
	f.stop()
	_, f = folder(t, func(o *FolderOptions) { o.Quiet, o.MaxQuiet = 200*time.Millisecond, 400*time.Millisecond }, dir)
	f.revision()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				_ = os.WriteFile(filepath.Join(dir, "a.yaml"), fmt.Appendf(nil, "%d\n", i), 0o644)
			}
		}
	}()
	f.revision()
	f.revision()
	close(stop)
	<-done
}

// Watches do not add up over the folders that come and go, and a burst of thousands of events loses nothing.
func TestFolderManyFolders(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), "one\n")
	w := newWatches(slog.New(slog.DiscardHandler), false)
	defer w.close()
	source, err := NewFolder(FolderOptions{Dirs: []string{dir}, Now: time.Now})
	must(t, err)
	source.look(w)
	least := len(w.notify.WatchList())
	for round := range 3 {
		for i := range 300 {
			put(t, filepath.Join(dir, fmt.Sprintf("%d-%d", round, i), "b.yaml"), "b\n")
		}
		if l := source.look(w); l.Revision == nil || len(w.notify.WatchList()) != least+300 {
			t.Errorf("%v, %d watches", l.Err, len(w.notify.WatchList()))
		}
		for i := range 300 {
			must(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("%d-%d", round, i))))
		}
		if l := source.look(w); l.Revision == nil || len(w.notify.WatchList()) != least {
			t.Errorf("%v, %d watches", l.Err, len(w.notify.WatchList()))
		}
	}
}

// A look at what did not move opens no file.
func TestFolderPollIsCheap(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	put(t, path, "one\n")
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
	w := newWatches(slog.New(slog.DiscardHandler), true)
	first, err := scanAll([]string{dir}, nil, time.Now(), w2(w))
	must(t, err)
	mark := first.files[path]
	mark.sum[0] ^= 1 // what is not read again keeps the mark
	first.files[path] = mark
	second, err := scanAll([]string{dir}, first, time.Now(), w2(w))
	must(t, err)
	if second.digest() != first.digest() {
		t.Error("a file that did not move was read")
	}
	put(t, path, "two\n")
	third, err := scanAll([]string{dir}, second, time.Now(), w2(w))
	must(t, err)
	fourth, err := scanAll([]string{dir}, nil, time.Now(), w2(w))
	must(t, err)
	if third.digest() != fourth.digest() || third.digest() == second.digest() {
		t.Error("a file that moved was not read")
	}
}

func w2(w *watches) *watches { w.begin(); return w }

func TestFolderOptions(t *testing.T) {
	for _, o := range []FolderOptions{{Now: time.Now}, {Dirs: []string{"."}}} {
		if _, err := NewFolder(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
