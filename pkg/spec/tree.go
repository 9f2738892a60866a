package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"
)

// tree is the folder that everything must be read from. Names in it are slash-separated and relative to it. What it refuses
// it explains in a Problem without a place.
type tree struct {
	root  *os.Root
	path  string
	texts map[string]text
	git   sync.Map // folder name → whether it lies in a .git folder
}

// text is a $file text, read once.
type text struct {
	text string
	err  error
}

func openTree(path string) (*tree, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, path: path, texts: map[string]text{}}, nil
}

func (t *tree) close() { _ = t.root.Close() } // only ever read from

// name returns abs as a name in the tree; it is not local if abs lies outside.
func (t *tree) name(abs string) string {
	rel, err := filepath.Rel(t.path, abs)
	if err != nil {
		return ".."
	}
	return filepath.ToSlash(rel)
}

// open opens a regular file of the tree.
func (t *tree) open(name string) (*os.File, int64, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, 0, t.outside("leads out of the repository root")
	}
	info, err := t.root.Lstat(filepath.FromSlash(name))
	linked := err == nil && info.Mode()&fs.ModeSymlink != 0
	if linked {
		info, err = t.root.Stat(filepath.FromSlash(name))
	}
	if err != nil {
		return nil, 0, t.refusal(name, err)
	}
	// Checked before opening, because opening a pipe waits for a writer.
	if !info.Mode().IsRegular() {
		return nil, 0, notRegular(info.IsDir())
	}
	if linked && t.inGit(name) || !linked && (strings.EqualFold(path.Base(name), ".git") || t.folderInGit(path.Dir(name))) {
		return nil, 0, Problem{Message: "lies inside .git", Hint: "git's own files can hold credentials and are never read"}
	}
	f, err := t.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, 0, t.refusal(name, err)
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = notRegular(info.IsDir())
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func notRegular(folder bool) Problem {
	if folder {
		return Problem{Message: "is a folder", Hint: "name a file"}
	}
	return Problem{Message: "is not a regular file", Hint: "devices, pipes and sockets are never read"}
}

func (t *tree) outside(message string) Problem {
	return Problem{Message: message, Hint: "only files below " + filepath.ToSlash(t.path) + " are read: copy the file into the repository"}
}

func (t *tree) refusal(name string, err error) Problem {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Problem{Message: "does not exist", Hint: t.near(name)}
	// os.Root exports no error to compare with; a test holds this text.
	case strings.Contains(err.Error(), "escapes"):
		p := t.outside("leads out of the repository root through a symbolic link")
		p.Hint += "; a link inside it must be relative"
		return p
	}
	return Problem{Message: "cannot be read: " + cause(err), Hint: "check its permissions"}
}

// near suggests a file beside the one that does not exist.
func (t *tree) near(name string) string {
	entries, _ := fs.ReadDir(t.root.FS(), path.Dir(name))
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	if near := Nearest(path.Base(name), names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "it was looked for as " + name + " in the repository root"
}

// inGit reports whether name, its symbolic links followed, lies in a .git folder: a checkout keeps its credentials there.
func (t *tree) inGit(name string) bool {
	real, err := filepath.EvalSymlinks(filepath.Join(t.path, filepath.FromSlash(name)))
	if err != nil {
		return true
	}
	for part := range strings.SplitSeq(t.name(real), "/") {
		if strings.EqualFold(part, ".git") {
			return true
		}
	}
	return false
}

// folderInGit is inGit for a folder, asked once: a repository's manifests lie in few.
func (t *tree) folderInGit(name string) bool {
	if known, ok := t.git.Load(name); ok {
		return known.(bool)
	}
	in := t.inGit(name)
	t.git.Store(name, in)
	return in
}

// read returns the whole of a file of at most limit bytes.
func (t *tree) read(name string, limit int64) ([]byte, error) {
	f, size, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, tooLarge(limit)
	}
	return readAll(f, size, limit)
}

func tooLarge(limit int64) Problem {
	return Problem{Message: fmt.Sprintf("is larger than %d MiB", limit>>20), Hint: "split it"}
}

// readAll reads r, of about size bytes, to its end, which must come within limit bytes.
func readAll(r io.Reader, size, limit int64) ([]byte, error) {
	var all bytes.Buffer
	all.Grow(int(size) + bytes.MinRead) // with room for the read that finds the end
	_, err := all.ReadFrom(io.LimitReader(r, limit+1))
	data := all.Bytes()
	switch {
	case err != nil:
		return nil, Problem{Message: "cannot be read: " + cause(err)}
	case int64(len(data)) > limit:
		return nil, tooLarge(limit)
	}
	return data, nil
}

// text returns the text of a file, without a byte order mark.
func (t *tree) text(name string) (string, error) {
	if got, ok := t.texts[name]; ok {
		return got.text, got.err
	}
	data, err := t.read(name, maxText)
	if err == nil && !utf8.Valid(data) {
		err = Problem{Message: "is not UTF-8 text", Hint: "save it as UTF-8"}
	}
	got := text{text: string(bytes.TrimPrefix(data, []byte(bom))), err: err}
	t.texts[name] = got
	return got.text, got.err
}

// Open opens the file name, given relative to folder dir (a [Value]'s Dir), for reading, and returns its size. Anything but
// a regular file, and paths out of s.Root, also through symbolic links, are refused; such an error is a [Problem] without a place.
func (s *Set) Open(dir, name string) (io.ReadCloser, int64, error) {
	t, err := openTree(s.Root)
	if err != nil {
		return nil, 0, err
	}
	defer t.close()
	full, err := join(dir, name)
	if err != nil {
		return nil, 0, err
	}
	f, size, err := t.open(full)
	if err != nil {
		return nil, 0, prefixed("file "+name+" ", err)
	}
	return f, size, nil
}

// join returns name, which a manifest in folder dir gives, as a name in the tree.
func join(dir, name string) (string, error) {
	if filepath.IsAbs(name) || path.IsAbs(name) {
		return "", Problem{Message: "file " + name + " is an absolute path", Hint: "give the path relative to the manifest's folder"}
	}
	return path.Join(dir, filepath.ToSlash(name)), nil
}

// prefixed puts words before the message of a refusal.
func prefixed(words string, err error) Problem {
	p := asProblem(err)
	p.Message = words + p.Message
	return p
}

func asProblem(err error) Problem {
	var p Problem
	if !errors.As(err, &p) {
		p.Message = err.Error()
	}
	return p
}
