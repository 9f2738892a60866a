//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package state

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the folder's write lock or returns errHeld. The system drops the lock of a process that dies.
func tryLock(root *os.Root) (unlock func() error, err error) {
	file, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		err = errHeld
	}
	if err == nil && !inPlace(root, file) {
		err = errHeld // the holder before us removed this file, and the next one locks another
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() error { return errors.Join(removeLock(root), file.Close()) }, nil
}

// inPlace reports whether file is still the one under the lock's name.
func inPlace(root *os.Root, file *os.File) bool {
	named, err := root.Stat(lockName)
	if err != nil {
		return false
	}
	opened, err := file.Stat()
	return err == nil && os.SameFile(named, opened)
}

// syncFolder makes the names in dir outlast a crash.
func syncFolder(root *os.Root, dir string) error {
	folder, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
