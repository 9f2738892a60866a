// Package source is where manifests come from: a commit of a local repository ([Extract]), a folder that is watched ([Folder]), a Git
// repository that is followed ([Remote]). The git command is never needed.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// What of a commit is written out at most. Larger files hold no manifest, prompt or knowledge base that agentsync would take.
const (
	maxFile    = 16 << 20
	maxTotal   = 512 << 20
	maxEntries = 200_000
	maxDepth   = 100
)

// Errors that a caller tells apart.
var (
	// ErrNoRepository says that a folder is not the top of a Git checkout.
	ErrNoRepository = errors.New("there is no Git repository")
	// ErrNoCommit says that the repository, as far as it was fetched, has no such commit.
	ErrNoCommit = errors.New("no such commit here")
	// ErrIncomplete says that the commit is there, but not all that it holds.
	ErrIncomplete = errors.New("not all of the commit is here")
)

// Extract writes the files of the commit that ref names (a branch, a tag, a hash, HEAD~1) into the empty folder into, and returns the
// commit's full hash. repo is the top of a checkout: the folder with .git. It reads Git's own files: nothing is fetched and the checkout is
// not touched. Nothing is written outside into, whatever the commit holds: symbolic links that lead out of it, submodules and files beyond
// 16 MiB are left out, and nothing is executable. An empty .git marks the top.
func Extract(ctx context.Context, repo, ref, into string) (hash string, err error) {
	// Repositories are made by others, and the library is not proof against all of them.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: it cannot be read: %v", ref, r)
		}
	}()
	r, err := open(repo)
	if err != nil {
		return "", err
	}
	commit, err := find(r, ref)
	if err != nil {
		return "", err
	}
	if err := write(ctx, r, commit, ref, into); err != nil {
		return "", err
	}
	return commit.Hash.String(), nil
}

// write writes the files of commit, which people call ref, into the empty folder into.
func write(ctx context.Context, r *git.Repository, commit *object.Commit, ref, into string) error {
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir(".git", 0o700); err != nil {
		return err
	}
	w := writer{repo: r, root: root, ref: ref}
	err = w.folder(ctx, "", commit.TreeHash, 0)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		// A partial clone fetches what is asked for, which only git can do.
		return fmt.Errorf("%s: %w", ref, ErrIncomplete)
	}
	return errors.Join(err, w.link())
}

// writer writes the files of one commit.
type writer struct {
	repo    *git.Repository
	root    *os.Root
	ref     string
	entries int
	total   int64
	links   [][2]string // name and target
}

// folder writes the tree with this hash as the folder dir. The library's own walk is of no use: it ends without an error at a folder that
// it cannot read.
func (w *writer) folder(ctx context.Context, dir string, hash plumbing.Hash, depth int) error {
	tree, err := w.repo.TreeObject(hash)
	if err != nil {
		return err
	}
	for _, entry := range tree.Entries {
		name := path.Join(dir, entry.Name)
		w.entries++
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case w.entries > maxEntries || depth > maxDepth:
			return fmt.Errorf("%s holds more than %d files and folders, or more than %d folders inside each other", w.ref, maxEntries, maxDepth)
		case !safe(entry.Name), entry.Mode == filemode.Submodule:
		case entry.Mode == filemode.Dir:
			err = w.folder(ctx, name, entry.Hash, depth+1)
		default:
			var blob *object.Blob
			if blob, err = w.repo.BlobObject(entry.Hash); err == nil {
				err = w.file(object.NewFile(name, entry.Mode, blob))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) file(f *object.File) error {
	switch {
	case f.Mode == filemode.Symlink:
		target, err := f.Contents()
		if err == nil && !path.IsAbs(target) && filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(f.Name), target))) {
			w.links = append(w.links, [2]string{f.Name, target})
		}
		return err
	case !f.Mode.IsFile() || f.Size > maxFile:
		return nil
	}
	if w.total += f.Size; w.total > maxTotal {
		return fmt.Errorf("the files of %s are larger than %d MiB together", w.ref, maxTotal>>20)
	}
	return w.copy(f)
}

func (w *writer) copy(f *object.File) (err error) {
	name := filepath.FromSlash(f.Name)
	if err := w.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	r, err := f.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	// Git says how long the object is; more than that is not its content.
	_, err = io.CopyN(out, r, f.Size)
	return errors.Join(err, out.Close())
}

// link makes the symbolic links, after all files, so that none is written through one.
func (w *writer) link() error {
	for _, l := range w.links {
		name := filepath.FromSlash(l[0])
		err := w.root.MkdirAll(filepath.Dir(name), 0o700)
		if err = errors.Join(err, w.root.Symlink(filepath.FromSlash(l[1]), name)); err != nil {
			return err
		}
	}
	return nil
}

// safe reports whether an entry of a tree is one that Git itself would check out.
func safe(name string) bool {
	return !strings.EqualFold(name, ".git") && !strings.ContainsAny(name, `/\`) && filepath.IsLocal(name) && name != "."
}
