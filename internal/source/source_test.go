package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

var author = &object.Signature{Name: "A", Email: "a@example.com", When: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}

// world is a repository with commits made by a test.
type world struct {
	t    *testing.T
	dir  string
	repo *git.Repository
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	repo, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, dir, repo}
}

// commit writes files into the checkout ("" removes one) and commits everything.
func (w *world) commit(files map[string]string) plumbing.Hash {
	w.t.Helper()
	tree, err := w.repo.Worktree()
	w.check(err)
	for name, text := range files {
		path := filepath.Join(w.dir, filepath.FromSlash(name))
		if text == "" {
			w.check(os.Remove(path))
			continue
		}
		w.check(os.MkdirAll(filepath.Dir(path), 0o755))
		w.check(os.WriteFile(path, []byte(text), 0o644))
	}
	w.check(tree.AddWithOptions(&git.AddOptions{All: true}))
	hash, err := tree.Commit("m", &git.CommitOptions{Author: author})
	w.check(err)
	return hash
}

// tree commits a tree made by hand, as no checkout would give it.
func (w *world) tree(entries ...object.TreeEntry) plumbing.Hash {
	w.t.Helper()
	tree := w.store(&object.Tree{Entries: entries})
	return w.store(&object.Commit{Author: *author, Committer: *author, Message: "m", TreeHash: tree})
}

func (w *world) store(o interface {
	Encode(plumbing.EncodedObject) error
}) plumbing.Hash {
	w.t.Helper()
	encoded := w.repo.Storer.NewEncodedObject()
	w.check(o.Encode(encoded))
	hash, err := w.repo.Storer.SetEncodedObject(encoded)
	w.check(err)
	return hash
}

func (w *world) blob(text string) plumbing.Hash {
	w.t.Helper()
	encoded := w.repo.Storer.NewEncodedObject()
	encoded.SetType(plumbing.BlobObject)
	out, err := encoded.Writer()
	w.check(err)
	_, err = out.Write([]byte(text))
	w.check(err)
	hash, err := w.repo.Storer.SetEncodedObject(encoded)
	w.check(err)
	return hash
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// extract extracts ref of repo and returns what was written, links with their target.
func extract(t *testing.T, repo, ref string) (map[string]string, error) {
	t.Helper()
	into := filepath.Join(t.TempDir(), "into")
	if err := os.Mkdir(into, 0o700); err != nil {
		t.Fatal(err)
	}
	_, failed := Extract(t.Context(), repo, ref, into)
	got := map[string]string{}
	err := filepath.WalkDir(filepath.Dir(into), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(into, path)
		if entry.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			got[filepath.ToSlash(name)] = "-> " + target
			return err
		}
		data, readErr := os.ReadFile(path)
		got[filepath.ToSlash(name)] = string(data)
		return errors.Join(err, readErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, failed
}

func TestExtract(t *testing.T) {
	w := newWorld(t)
	first := w.commit(map[string]string{"agents/a.yaml": "one\n", "gone.md": "gone\n"})
	second := w.commit(map[string]string{"agents/a.yaml": "two\n", "gone.md": ""})
	_, err := w.repo.CreateTag("v1", first, nil)
	w.check(err)
	_, err = w.repo.CreateTag("v2", second, &git.CreateTagOptions{Tagger: author, Message: "annotated"})
	w.check(err)
	// A branch whose name looks like the beginning of a hash is still a branch.
	w.check(w.repo.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(second.String()[:6]), first)))
	w.check(w.repo.Storer.SetReference(plumbing.NewHashReference(plumbing.NewRemoteReferenceName("origin", "main"), first)))
	// What is in the checkout and not in a commit does not count.
	w.check(os.WriteFile(filepath.Join(w.dir, "agents/a.yaml"), []byte("dirty\n"), 0o644))

	old := map[string]string{"agents/a.yaml": "one\n", "gone.md": "gone\n"}
	now := map[string]string{"agents/a.yaml": "two\n"}
	for _, test := range []struct {
		ref  string
		want map[string]string
	}{
		{"HEAD", now}, {"HEAD~1", old}, {"HEAD^", old}, {"master", now}, {"origin/main", old}, {"refs/remotes/origin/main", old}, {"v1", old},
		{"v2", now}, {"v2~1", old}, {first.String(), old}, {first.String()[:8], old}, {second.String()[:6], old}, {second.String()[:7], now},
	} {
		got, err := extract(t, w.dir, test.ref)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", test.ref, err, diff)
		}
	}
}

func TestExtractRefuses(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"a": "a\n"})
	for _, ref := range []string{"main", "origin/main", strings.Repeat("0", 40), strings.Repeat("a", 40), "HEAD~5", "~1", "^", "@{u}", ":/x", "-x", "a b", "\x00"} {
		got, err := extract(t, w.dir, ref)
		if err == nil || len(got) > 0 {
			t.Errorf("%q gives %v", ref, got)
		}
	}
	if _, err := extract(t, w.dir, "main"); !errors.Is(err, ErrNoCommit) {
		t.Errorf("a missing branch is %v", err)
	}
	if _, err := extract(t, t.TempDir(), "HEAD"); !errors.Is(err, ErrNoRepository) {
		t.Errorf("no repository is %v", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Extract(stopped, w.dir, "HEAD", t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped run is %v", err)
	}
}

// A tree from a stranger writes nothing outside, runs nothing, and cannot pass for Git's own files.
func TestExtractIsConfined(t *testing.T) {
	w := newWorld(t)
	file := w.blob("text\n")
	sub := w.store(&object.Tree{Entries: []object.TreeEntry{{Name: "up.md", Mode: filemode.Symlink, Hash: w.blob("../a.md")}, {Name: "up2.md", Mode: filemode.Symlink, Hash: w.blob("../../a.md")}}})
	hash := w.tree(
		object.TreeEntry{Name: "a.md", Mode: filemode.Executable, Hash: file},
		object.TreeEntry{Name: "absolute", Mode: filemode.Symlink, Hash: w.blob("/etc/passwd")},
		object.TreeEntry{Name: "module", Mode: filemode.Submodule, Hash: plumbing.NewHash(strings.Repeat("1", 40))},
		object.TreeEntry{Name: "out", Mode: filemode.Symlink, Hash: w.blob("../out")},
		object.TreeEntry{Name: "sub", Mode: filemode.Dir, Hash: sub},
	)
	got, err := extract(t, w.dir, hash.String())
	want := map[string]string{"a.md": "text\n", "sub/up.md": "-> ../a.md"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	into := t.TempDir()
	if _, err := Extract(t.Context(), w.dir, hash.String(), into); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(into, "a.md")); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("a file has the mode %v (%v)", info.Mode(), err)
	}
}

// Names that Git would not check out: refused or left out, and never written.
func TestExtractNames(t *testing.T) {
	for _, name := range []string{"..", ".", ".git", ".GIT", "a/b", "../a", "/a", `a\b`} {
		w := newWorld(t)
		folder := w.store(&object.Tree{Entries: []object.TreeEntry{{Name: "f", Mode: filemode.Regular, Hash: w.blob("evil\n")}}})
		for _, entry := range []object.TreeEntry{{Name: name, Mode: filemode.Dir, Hash: folder}, {Name: name, Mode: filemode.Regular, Hash: w.blob("evil\n")}} {
			if got, err := extract(t, w.dir, w.tree(entry).String()); len(got) > 0 {
				t.Errorf("%q: %v %v", name, got, err)
			}
		}
	}
	if safe("..") || safe(".GIT") || safe("a/b") || safe(`a\b`) || safe("") || !safe("..a") {
		t.Error("safe is not")
	}
}

// The same name as a link and as a folder cannot lead a file out.
func TestExtractLinkAndFolder(t *testing.T) {
	w := newWorld(t)
	hash := w.tree(
		object.TreeEntry{Name: "d", Mode: filemode.Symlink, Hash: w.blob("e")},
		object.TreeEntry{Name: "d", Mode: filemode.Dir, Hash: w.store(&object.Tree{Entries: []object.TreeEntry{{Name: "f", Mode: filemode.Regular, Hash: w.blob("x")}}})},
	)
	got, err := extract(t, w.dir, hash.String())
	if diff := cmp.Diff(map[string]string{"d/f": "x"}, got); diff != "" || err == nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestExtractCaps(t *testing.T) {
	w := newWorld(t)
	hash := w.tree(object.TreeEntry{Name: "big", Mode: filemode.Regular, Hash: w.blob(strings.Repeat("x", maxFile+1))},
		object.TreeEntry{Name: "whole", Mode: filemode.Regular, Hash: w.blob("x")})
	got, err := extract(t, w.dir, hash.String())
	if diff := cmp.Diff(map[string]string{"whole": "x"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	over := writer{ref: "HEAD", entries: maxEntries, repo: w.repo}
	commit, err := w.repo.CommitObject(hash)
	w.check(err)
	if err := over.folder(t.Context(), "", commit.TreeHash, 0); err == nil || over.total > 0 {
		t.Errorf("there may be any number of files: %v", err)
	}
	if err := (&writer{ref: "HEAD", repo: w.repo}).folder(t.Context(), "", commit.TreeHash, maxDepth+1); err == nil {
		t.Error("folders may be inside each other without end")
	}
	over = writer{ref: "HEAD", total: maxTotal}
	if err := over.file(object.NewFile("a", filemode.Regular, &object.Blob{Size: 1})); err == nil {
		t.Error("the files may be of any size")
	}
}

// An object that was not fetched is said to be missing, not taken for a file that was not there.
func TestExtractIncomplete(t *testing.T) {
	w := newWorld(t)
	hash := w.tree(object.TreeEntry{Name: "a", Mode: filemode.Regular, Hash: plumbing.NewHash(strings.Repeat("1", 40))})
	if _, err := extract(t, w.dir, hash.String()); !errors.Is(err, ErrIncomplete) {
		t.Errorf("a missing file is %v", err)
	}
	hash = w.tree(object.TreeEntry{Name: "a", Mode: filemode.Dir, Hash: plumbing.NewHash(strings.Repeat("1", 40))})
	if _, err := extract(t, w.dir, hash.String()); !errors.Is(err, ErrIncomplete) {
		t.Errorf("a missing folder is %v", err)
	}
}

// The library refuses extensions that it does not know; those that only concern a checkout must not matter.
func TestExtractExtensions(t *testing.T) {
	for config, works := range map[string]bool{
		"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tworktreeConfig = true\n\tpartialclone = origin\n": true,
		"[core]\n\trepositoryformatversion = 0\n[extensions]\n\tworktreeconfig = true\n":                          true,
		"[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n":                          false,
		"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n":                          false,
	} {
		w := newWorld(t)
		w.commit(map[string]string{"a": "a\n"})
		w.check(os.WriteFile(filepath.Join(w.dir, ".git", "config"), []byte(config), 0o644))
		if _, err := extract(t, w.dir, "HEAD"); (err == nil) != works {
			t.Errorf("%q: %v", config, err)
		}
	}
}

// A shallow clone holds the commits that were fetched, and says so of the others.
func TestExtractShallow(t *testing.T) {
	w := newWorld(t)
	first := w.commit(map[string]string{"a": "one\n"})
	w.commit(map[string]string{"a": "two\n"})
	clone := t.TempDir()
	_, err := git.PlainClone(clone, false, &git.CloneOptions{URL: w.dir, Depth: 1})
	w.check(err)
	if got, err := extract(t, clone, "HEAD"); err != nil || got["a"] != "two\n" {
		t.Errorf("%v %v", got, err)
	}
	for _, ref := range []string{"HEAD~1", first.String()} {
		if _, err := extract(t, clone, ref); !errors.Is(err, ErrNoCommit) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// What the git command makes is read too: worktrees, packed references, packs, borrowed objects, FETCH_HEAD.
func TestExtractOfGit(t *testing.T) {
	program, err := exec.LookPath("git")
	if err != nil {
		t.Log("git is not installed: what it makes is not tried")
		return
	}
	dir := t.TempDir()
	main, side, shared, shallow := filepath.Join(dir, "main"), filepath.Join(dir, "side"), filepath.Join(dir, "shared"), filepath.Join(dir, "shallow")
	run := func(in string, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, args...)
		c.Dir = in
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	run(dir, "init", "-q", "-b", "trunk", "main")
	for _, text := range []string{"one\n", "two\n"} {
		if err := os.WriteFile(filepath.Join(main, "a"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		run(main, "add", "-A")
		run(main, "commit", "-q", "-m", "m")
	}
	run(main, "gc", "-q")
	run(main, "worktree", "add", "-q", side)
	run(dir, "clone", "-q", "--shared", "main", "shared")
	run(dir, "clone", "-q", "--depth=1", "file://"+main, "shallow")
	run(main, "branch", "old", "HEAD~1")
	run(shallow, "fetch", "-q", "--depth=1", "origin", "old")
	for _, test := range []struct{ repo, ref, want string }{
		{main, "trunk", "two\n"}, {main, "HEAD~1", "one\n"}, {side, "HEAD", "two\n"}, {side, "trunk~1", "one\n"}, {side, "side", "two\n"},
		{shared, "origin/trunk", "two\n"}, {shared, "HEAD~1", "one\n"}, {shallow, "origin/trunk", "two\n"}, {shallow, "FETCH_HEAD", "one\n"},
	} {
		got, err := extract(t, test.repo, test.ref)
		if err != nil || got["a"] != test.want {
			t.Errorf("%s %s: %v %v", filepath.Base(test.repo), test.ref, got, err)
		}
	}
}
