package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// newFiles are files that a command is about to write below one folder. Names in it are relative and have slashes; none leads out
// of the folder, not through a symbolic link either.
type newFiles struct{ root *os.Root }

func openFiles(dir string) (newFiles, error) {
	root, err := os.OpenRoot(dir)
	return newFiles{root}, err
}

func (f newFiles) close() { _ = f.root.Close() } // every file in it is closed already

// change says what writing data to name would do.
func (f newFiles) change(name string, data []byte) (fileChange, error) {
	old, err := f.root.ReadFile(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err = f.root.Lstat(filepath.FromSlash(name))
		if errors.Is(err, fs.ErrNotExist) {
			return created, nil
		}
		return replaced, nil // a symbolic link to nothing
	case err != nil:
		return 0, fmt.Errorf("%s: %w", name, bare(err))
	case bytes.Equal(old, data):
		return unchanged, nil
	}
	return replaced, nil
}

// fileChange is what becomes of a file.
type fileChange int

const (
	unchanged fileChange = iota
	created
	replaced
)

// write makes the file whole or not at all.
func (f newFiles) write(name string, data []byte) error {
	name = filepath.FromSlash(name)
	if err := f.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("%s: %w", filepath.ToSlash(filepath.Dir(name)), bare(err))
	}
	beside := filepath.Join(filepath.Dir(name), "."+path.Base(filepath.ToSlash(name))+"~")
	err := f.root.WriteFile(beside, data, 0o644)
	if err == nil {
		err = f.root.Rename(beside, name)
	}
	if err != nil {
		_ = f.root.Remove(beside) // what could not be written is of no use
		return fmt.Errorf("%s: %w", filepath.ToSlash(name), bare(err))
	}
	return nil
}

// bare is what went wrong without the operation and the path, which the caller names.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
