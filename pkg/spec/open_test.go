package spec_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"agentsync.dev/agentsync/pkg/spec"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "outside.txt"), "outside")
	root := filepath.Join(dir, "repo")
	write(t, filepath.Join(root, "kb/one.pdf"), "content")
	write(t, filepath.Join(root, ".git/config"), "token")
	for name, target := range map[string]string{"in": "one.pdf", "out": "../../outside.txt", "dangling": "none"} {
		if err := os.Symlink(target, filepath.Join(root, "kb", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := &spec.Set{Root: root}
	tests := []struct{ dir, name, want string }{
		{"kb", "one.pdf", ""},
		{".", "kb/one.pdf", ""},
		{"kb", "../kb/./one.pdf", ""},
		{"kb", "in", ""},
		{"kb", "out", "file out leads out of the repository root through a symbolic link"},
		{"kb", "dangling", "file dangling does not exist"},
		{"kb", "../../outside.txt", "file ../../outside.txt leads out of the repository root"},
		{"kb", filepath.Join(root, "kb/one.pdf"), "file " + filepath.Join(root, "kb/one.pdf") + " is an absolute path"},
		{"kb", "two.pdf", "file two.pdf does not exist"},
		{"kb", "one.pdf/x", "file one.pdf/x cannot be read: not a directory"},
		{".", "kb", "file kb is a folder"},
		{".", "pipe", "file pipe is not a regular file"},
		{".", ".git/config", "file .git/config lies inside .git"},
	}
	for _, test := range tests {
		r, size, err := set.Open(test.dir, test.name)
		if test.want != "" {
			var p spec.Problem
			if !errors.As(err, &p) || p.Error() != test.want || p.Hint == "" {
				t.Errorf("Open(%q, %q) = %v (hint %q), want %s", test.dir, test.name, err, p.Hint, test.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("Open(%q, %q): %v", test.dir, test.name, err)
			continue
		}
		data, err := io.ReadAll(r)
		if string(data) != "content" || size != 7 || err != nil || r.Close() != nil {
			t.Errorf("Open(%q, %q) read %q of size %d: %v", test.dir, test.name, data, size, err)
		}
	}
	if _, _, err := (&spec.Set{Root: filepath.Join(dir, "none")}).Open(".", "x"); err == nil {
		t.Error("opened a file below a root that does not exist")
	}
}

// TestRoot checks which folder is the repository root.
func TestRoot(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config := "apiVersion: agentsync.dev/v1\nkind: Config\nmetadata: {name: c}\n"
	for _, name := range []string{"git/sub/a/c.yaml", "git2/deep/c.yaml", "plain/a/c.yaml", "plain/b/c.yaml"} {
		write(t, filepath.Join(dir, name), config)
	}
	write(t, filepath.Join(dir, "git/.git"), "gitdir: elsewhere\n") // a worktree
	write(t, filepath.Join(dir, "git2/.git/HEAD"), "")
	if err := os.Symlink("git/sub", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		dir   string
		paths []string
		root  string // or the error
	}{
		{"git/sub", []string{"a"}, "git"},
		{"git/sub", nil, "git"},
		{"git/sub", []string{"../sub/a/c.yaml"}, "git"},
		{"link", []string{"a"}, "git"},
		{"link", []string{filepath.Join(dir, "link/a")}, "git"},
		{"plain", []string{"a"}, "plain"},
		{"plain", []string{"../git2"}, "git2"},
		{"plain", []string{"../git2/deep/c.yaml"}, "git2"},
		{"plain/a", []string{filepath.Join(dir, "plain/b/c.yaml")}, "plain/b"},
		{"plain/a", []string{"../b"}, "plain/b"},
		{"plain", []string{filepath.Join(dir, "link/a/c.yaml")}, "git"},
		{"git", []string{"sub", "../git2"}, filepath.Join(dir, "git2") + ": lies in another repository than ."},
	}
	for _, test := range tests {
		set, err := spec.Load(spec.Input{Dir: filepath.Join(dir, test.dir), Paths: test.paths})
		switch {
		case err != nil && err.Error() != test.root:
			t.Errorf("Load(%q in %s): %v", test.paths, test.dir, err)
		case err == nil && set.Root != filepath.Join(dir, test.root):
			t.Errorf("Load(%q in %s) has root %s, want %s", test.paths, test.dir, set.Root, test.root)
		}
	}
}

func TestCallFaults(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		in   spec.Input
		want string
	}{
		{spec.Input{Dir: "relative"}, "the working directory must be an absolute path"},
		{spec.Input{Dir: dir, Paths: []string{"a"}, Kustomize: "b"}, "give paths or a kustomization, not both"},
		{spec.Input{Dir: dir, Paths: []string{"-"}}, "there is no standard input to read"},
	}
	for _, test := range tests {
		_, err := spec.Load(test.in)
		var problems spec.Problems
		if err == nil || err.Error() != test.want || errors.As(err, &problems) {
			t.Errorf("Load(%+v) = %v, want the plain error %s", test.in, err, test.want)
		}
	}
	if _, err := spec.Load(spec.Input{Dir: filepath.Join(dir, "none")}); err == nil {
		t.Error("loaded from a working directory that does not exist")
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"pipe.yaml", "b.yaml/x.txt"} {
		write(t, filepath.Join(dir, name+".d"), "")
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "target/x.txt"), "")
	if err := os.Symlink("target", filepath.Join(dir, "linked.yaml")); err != nil {
		t.Fatal(err)
	}
	wantReport(t, loadDir(dir), "linked.yaml: is a folder\n    name a file\n"+
		"pipe.yaml: is not a regular file\n    devices, pipes and sockets are never read\n")
	wantReport(t, report(spec.Load(spec.Input{Dir: dir, Paths: []string{"-"}, Stdin: brokenReader{}})), "<stdin>: cannot be read: broken\n")
	wantReport(t, report(spec.Load(spec.Input{Dir: dir, Kustomize: "gone"})),
		"gone: does not exist\n    check the path; it is relative to the working directory\n")
	wantReport(t, report(spec.Load(spec.Input{Dir: dir, Kustomize: "target/x.txt"})),
		"target/x.txt: is not a folder\n    -k takes the folder of a kustomization.yaml\n")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }
