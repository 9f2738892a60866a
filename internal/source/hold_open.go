//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// hold makes a file that is held until it is closed or the process ends: here, an open file cannot be removed.
func hold(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }

// sweep removes a workspace that nobody holds.
func sweep(dir string) error {
	if err := os.Remove(filepath.Join(dir, lockFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // somebody holds it
	}
	return os.RemoveAll(dir)
}
