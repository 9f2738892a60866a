package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// When the kept repository begins anew: after so many fetches, or when it grew by so much beyond what it was at first.
const (
	maxFetches = 25
	maxGrowth  = 256 << 20
)

// server is a repository behind a connection. A bare repository is kept between looks, so that only what is new is fetched; it holds heads
// without their history. As nothing in it is ever removed, it is thrown away from time to time.
type server struct {
	dial  dialer
	idle  func() // closes idle connections
	space *workspace

	kept    string // the folder of the repository, "" if there is none
	heads   []plumbing.Hash
	initial int64
}

func (s *server) refs(ctx context.Context) (refs, error) {
	session, err := s.dial(ctx)
	if err != nil {
		return refs{}, err
	}
	defer session.Close()
	return advertised(ctx, session)
}

func (s *server) at(ctx context.Context, t tip) (*git.Repository, error) {
	if len(s.heads) >= maxFetches || s.kept != "" && size(s.kept) > s.initial+maxGrowth {
		s.forget()
	}
	first := s.kept == ""
	if first {
		dir, err := s.space.folder("repository")
		if err != nil {
			return nil, err
		}
		s.kept = dir
	}
	store := storage(s.kept)
	if store.HasEncodedObject(t.object) != nil {
		if err := s.pull(ctx, s.kept, t.object, 1, s.heads, false); err != nil {
			if first {
				s.forget()
			}
			return nil, err
		}
		store = storage(s.kept) // which packs there are is read once
	}
	r, err := git.Open(store, nil)
	if err != nil {
		return nil, err
	}
	commit, err := peelTip(r, t)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.heads, commit.Hash) {
		s.heads = append(s.heads, commit.Hash)
	}
	if first {
		s.initial = size(s.kept)
	}
	return r, nil
}

// descends fetches more and more of head's history into a repository of its own, until the question is settled. Commits come without their
// files where the server can do that.
func (s *server) descends(ctx context.Context, head, base plumbing.Hash) (bool, error) {
	for _, depth := range []int{50, 1000, allDepth} {
		found, whole, err := s.search(ctx, head, base, depth)
		if err != nil || found || whole {
			return found, err
		}
	}
	return false, errors.New("the server keeps only a part of the history: whether the new commit follows cannot be told")
}

func (s *server) search(ctx context.Context, head, base plumbing.Hash, depth int) (found, whole bool, err error) {
	dir, err := s.space.folder("history")
	if err != nil {
		return false, false, err
	}
	defer os.RemoveAll(dir)
	if err := s.pull(ctx, dir, head, depth, nil, true); err != nil {
		return false, false, err
	}
	r, err := git.Open(storage(dir), nil)
	if err != nil {
		return false, false, err
	}
	return ancestor(ctx, r, head, base)
}

func (s *server) pull(ctx context.Context, dir string, want plumbing.Hash, depth int, have []plumbing.Hash, bare bool) error {
	session, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	store := storage(dir)
	if err := store.Init(); err != nil {
		return err
	}
	if err := store.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, "refs/heads/none")); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "objects", "pack"), 0o700); err != nil {
		return err
	}
	if err := pull(ctx, session, dir, want, depth, slices.Clone(have), bare); err != nil {
		return err
	}
	if storage(dir).HasEncodedObject(want) != nil {
		return fmt.Errorf("the server did not send %s, which it has announced", want)
	}
	return nil
}

func (s *server) forget() {
	if s.kept != "" {
		_ = os.RemoveAll(s.kept) // what cannot be removed goes with the workspace
	}
	s.kept, s.heads = "", nil
}

func (s *server) close() {
	s.idle()
	s.forget()
}

// storage is a bare repository's. What is read is not kept in memory for longer than a look needs it.
func storage(dir string) *filesystem.Storage {
	return filesystem.NewStorageWithOptions(osfs.New(dir), cache.NewObjectLRU(16*cache.MiByte), filesystem.Options{LargeObjectThreshold: maxFile})
}

// cure says what to do about an error of a server.
func cure(err error) error {
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return fmt.Errorf("the server wants to know who asks: give a token that may read the repository, or renew it: %w", err)
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return fmt.Errorf("the server does not let us read the repository: give the token or key that right: %w", err)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return fmt.Errorf("there is no such repository, or the server does not show it to us: compare the URL, and what the token or key may read: %w", err)
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return fmt.Errorf("the repository is empty: push the branch: %w", err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server did not answer in time: is it up, and the time limit long enough?: %w", err)
	}
	return err
}
