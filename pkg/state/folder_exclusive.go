//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package state

import (
	"errors"
	"io/fs"
	"os"
)

// tryLock takes the folder's write lock, here a file that only one can create, or returns errHeld. A process that dies while it
// writes leaves the file; others then wait and say which file to delete.
func tryLock(root *os.Root) (unlock func() error, err error) {
	file, err := root.OpenFile(lockName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, errors.Join(err, removeLock(root))
	}
	return func() error { return removeLock(root) }, nil
}

// syncFolder does nothing: these systems offer no way to sync a folder, or sync names by themselves.
func syncFolder(*os.Root, string) error { return nil }
