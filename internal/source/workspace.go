package source

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	workPrefix = "work-"
	lockFile   = "lock"
)

// workspace is this process's own folder inside the cache folder. It goes when Run has ended and the last revision was released; what is
// left by a process that died is swept by the next. Nothing in it outlives its process, so nothing in it needs to be trusted.
type workspace struct {
	dir  string
	lock *os.File

	mu    sync.Mutex
	users int
}

// newWorkspace makes the folder and sweeps those of processes that died.
func newWorkspace(cache string, log *slog.Logger) (*workspace, error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, fmt.Errorf("the cache folder cannot be made: %w", err)
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		return nil, fmt.Errorf("the cache folder cannot be read: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), workPrefix) {
			if err := sweep(filepath.Join(cache, e.Name())); err != nil {
				log.Warn("what an earlier process left in the cache folder cannot be removed", "error", err)
			}
		}
	}
	// Another process that starts now may sweep the folder before it is locked: then there is another.
	for range 10 {
		var dir string
		if dir, err = os.MkdirTemp(cache, workPrefix); err != nil {
			break
		}
		var lock *os.File
		if lock, err = hold(filepath.Join(dir, lockFile)); err == nil {
			return &workspace{dir: dir, lock: lock, users: 1}, nil
		}
	}
	return nil, fmt.Errorf("the cache folder cannot be used: %w", err)
}

// folder makes an empty folder whose name begins with prefix.
func (w *workspace) folder(prefix string) (string, error) { return os.MkdirTemp(w.dir, prefix+"-") }

// tree makes an empty folder for the files of a commit, and what lets it go.
func (w *workspace) tree(commit string) (dir string, release func(), err error) {
	dir, err = w.folder(commit)
	if err != nil {
		return "", nil, err
	}
	w.mu.Lock()
	w.users++
	w.mu.Unlock()
	return dir, sync.OnceFunc(func() {
		_ = os.RemoveAll(dir) // what cannot be removed is swept at the next start
		w.leave()
	}), nil
}

// leave is called once by Run and once for each tree.
func (w *workspace) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users--; w.users == 0 {
		w.lock.Close()
		_ = os.RemoveAll(w.dir)
	}
}

// size returns how many bytes the files below dir have together.
func size(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
