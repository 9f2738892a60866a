package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// open opens the repository whose checkout is at repo: with a .git folder, or with the file that a worktree or submodule has instead.
func open(repo string) (*git.Repository, error) {
	dir, err := gitDir(repo)
	if err != nil {
		return nil, err
	}
	return openGit(dir)
}

// openAny opens the repository at dir: a checkout, or a bare one.
func openAny(dir string) (*git.Repository, error) {
	r, err := open(dir)
	if !errors.Is(err, ErrNoRepository) {
		return r, err
	}
	for _, part := range []string{"HEAD", "objects", "refs"} {
		if _, missing := os.Stat(filepath.Join(dir, part)); missing != nil {
			return nil, err
		}
	}
	return openGit(dir)
}

// openGit opens the repository whose own files are in dir.
func openGit(dir string) (*git.Repository, error) {
	var files billy.Filesystem = osfs.New(dir)
	if common, err := os.ReadFile(filepath.Join(dir, "commondir")); err == nil {
		files = dotgit.NewRepositoryFilesystem(files, osfs.New(below(dir, string(common))))
	}
	storage := filesystem.NewStorageWithOptions(files, cache.NewObjectLRUDefault(),
		filesystem.Options{AlternatesFS: osfs.New(string(filepath.Separator))})
	return git.Open(readOnly{storage}, nil)
}

// gitDir returns the folder that holds HEAD.
func gitDir(repo string) (string, error) {
	dir := filepath.Join(repo, ".git")
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: %w", repo, ErrNoRepository)
	case err != nil || info.IsDir():
		return dir, err
	}
	data, err := os.ReadFile(dir)
	if err != nil {
		return "", err
	}
	target, ok := strings.CutPrefix(string(data), "gitdir:")
	if !ok {
		return "", fmt.Errorf("%s: %w", repo, ErrNoRepository)
	}
	return below(repo, target), nil
}

// below returns path, which may be relative to dir.
func below(dir, path string) string {
	path = strings.TrimSpace(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// readOnly is a repository's storage, for reading commits and what they hold.
type readOnly struct{ *filesystem.Storage }

// Config returns the configuration without the extensions that do not concern a reader of objects: the library refuses what it does not
// know, and a sparse checkout or a partial clone sets one.
func (s readOnly) Config() (*config.Config, error) {
	c, err := s.Storage.Config()
	if err != nil || !c.Raw.HasSection("extensions") {
		return c, err
	}
	extensions := c.Raw.Section("extensions")
	for _, harmless := range []string{"worktreeConfig", "partialClone", "preciousObjects", "relativeWorktrees"} {
		extensions.RemoveOption(harmless)
	}
	return c, nil
}

// find returns the commit that ref names.
func find(r *git.Repository, ref string) (*object.Commit, error) {
	if !plumbing.IsHash(ref) {
		// As in Git, a name counts before the beginning of a hash.
		for _, rule := range plumbing.RefRevParseRules {
			name, err := r.Reference(plumbing.ReferenceName(fmt.Sprintf(rule, ref)), true)
			if err != nil {
				continue
			}
			if commit, err := peel(r, name.Hash()); err == nil {
				return commit, nil
			}
		}
	}
	hash, err := r.ResolveRevision(plumbing.Revision(ref))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, ErrNoCommit)
	}
	return peel(r, *hash)
}

// peel returns the commit that hash is, or that the tag it is points to.
func peel(r *git.Repository, hash plumbing.Hash) (*object.Commit, error) {
	if tag, err := r.TagObject(hash); err == nil {
		return tag.Commit()
	}
	return r.CommitObject(hash)
}
