package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is a [Store] in a folder, made to be committed to Git: an object is a file, its version the hex SHA-256 of its content. Reading
// takes no lock and writes nothing. Writing is exclusive among all processes of the machine. No key leads out of the folder, not through
// symbolic links either.
type Folder struct {
	dir string
}

var _ Store = (*Folder)(nil)

// The folder's own files end in ~, which no key does, so that List never shows them.
const (
	lockName = ".lock~"
	// tempName is one name for all: only the holder of the lock writes, so whatever lies there was left by a crash.
	tempName = ".write~"
)

// OpenFolder returns the store in dir. Nothing is made on disk before the first Create; a folder that does not exist holds
// no objects.
func OpenFolder(dir string) *Folder { return &Folder{dir: filepath.Clean(dir)} }

// String returns the folder's path, with slashes.
func (f *Folder) String() string { return filepath.ToSlash(f.dir) }

// Get implements [Store].
func (f *Folder) Get(ctx context.Context, key string) (Item, error) {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return Item{}, err
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return Item{}, f.fault(key, err)
	}
	defer root.Close()
	data, err := read(root, key)
	if err != nil {
		return Item{}, f.fault(key, err)
	}
	return Item{Key: key, Data: data, Version: contentVersion(data)}, nil
}

// Create implements [Store].
func (f *Folder) Create(ctx context.Context, key string, data []byte) (string, error) {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return "", err
	}
	if err := makeRoot(f.dir); err != nil {
		return "", err
	}
	err := f.exclusively(ctx, key, func(root *os.Root) error {
		switch _, err := root.Lstat(key); {
		case err == nil:
			return ErrExists
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		return put(root, key, data)
	})
	if err != nil {
		return "", err
	}
	return contentVersion(data), nil
}

// Replace implements [Store].
func (f *Folder) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	err := f.exclusively(ctx, key, func(root *os.Root) error {
		if err := expect(root, key, version); err != nil {
			return err
		}
		return put(root, key, data)
	})
	if errors.Is(err, ErrNotExist) {
		return "", f.fault(key, ErrConflict)
	}
	if err != nil {
		return "", err
	}
	return contentVersion(data), nil
}

// Delete implements [Store]. Folders that it leaves empty go too.
func (f *Folder) Delete(ctx context.Context, key string, version string) error {
	return f.exclusively(ctx, key, func(root *os.Root) error {
		if err := expect(root, key, version); err != nil {
			return err
		}
		if err := root.Remove(key); err != nil {
			return err
		}
		dir := path.Dir(key)
		if err := errors.Join(removeTemp(root, dir), syncFolder(root, dir)); err != nil {
			return err
		}
		for dir != "." && root.Remove(dir) == nil {
			dir = path.Dir(dir)
		}
		return nil
	})
}

// List implements [Store]. It gives no versions: only a file's content says whether it is the one that was read before.
func (f *Folder) List(ctx context.Context, prefix string) ([]Listed, error) {
	if err := CheckPrefix(prefix); err != nil {
		return nil, err
	}
	start := path.Dir(prefix + "x") // the folder that everything with this prefix lies in
	root, err := os.OpenRoot(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var listed []Listed
	err = fs.WalkDir(root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist): // removed since its folder was read
			return nil
		case err != nil:
			return err
		case name == ".":
		case !safeSegment(entry.Name()):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir() && strings.HasPrefix(name, prefix):
			listed = append(listed, Listed{Key: name})
		}
		return nil
	})
	if err != nil {
		return nil, f.fault(start, err)
	}
	slices.SortFunc(listed, byKey) // a walk has "a-b" after "a/b"
	return listed, nil
}

func byKey(a, b Listed) int { return strings.Compare(a.Key, b.Key) }

// exclusively runs write while no other process or goroutine writes to the folder.
func (f *Folder) exclusively(ctx context.Context, key string, write func(*os.Root) error) error {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return f.fault(key, err)
	}
	defer root.Close()
	unlock, err := waitLock(ctx, root)
	if err != nil {
		return f.fault(lockName, err)
	}
	err = write(root)
	if unlockErr := unlock(); err == nil {
		err = unlockErr
	}
	return f.fault(key, err)
}

// fault names the object in an error, and gives the error of a missing file its name in a Store.
func (f *Folder) fault(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotExist
	}
	switch err {
	case nil:
		return nil
	case ErrNotExist, ErrExists, ErrConflict, errHeld: // they read on from the name
		return fmt.Errorf("%s/%s %w", f, key, err)
	}
	return fmt.Errorf("%s/%s: %w", f, key, err)
}

// read returns the content under key. A folder of that name is not an object.
func read(root *os.Root, key string) ([]byte, error) {
	data, err := root.ReadFile(key)
	if err != nil {
		if info, statErr := root.Stat(key); statErr == nil && info.IsDir() {
			return nil, ErrNotExist
		}
	}
	return data, err
}

// expect reports whether the version under key is the given one.
func expect(root *os.Root, key, version string) error {
	data, err := read(root, key)
	if err != nil {
		return err
	}
	if contentVersion(data) != version {
		return ErrConflict
	}
	return nil
}

// put makes data the content under key: after a crash at any point it is the old content or the new one.
func put(root *os.Root, key string, data []byte) error {
	dir := path.Dir(key)
	if err := makeFolders(root, dir); err != nil {
		return err
	}
	if err := removeTemp(root, dir); err != nil {
		return err
	}
	temp := path.Join(dir, tempName)
	if err := writeSynced(root, temp, data); err != nil {
		return errors.Join(err, removeTemp(root, dir))
	}
	if err := root.Rename(temp, key); err != nil {
		return errors.Join(err, removeTemp(root, dir))
	}
	return syncFolder(root, dir)
}

func writeSynced(root *os.Root, name string, data []byte) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// removeTemp removes what a crash left in dir.
func removeTemp(root *os.Root, dir string) error {
	err := root.Remove(path.Join(dir, tempName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// makeFolders makes dir and the folders above it, and makes sure that new ones outlast a crash.
func makeFolders(root *os.Root, dir string) error {
	if dir == "." {
		return nil
	}
	if err := makeFolders(root, path.Dir(dir)); err != nil {
		return err
	}
	err := root.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFolder(root, path.Dir(dir))
}

// makeRoot makes the store's own folder, in the same way.
func makeRoot(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	above := filepath.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) && above != dir {
		if err := makeRoot(above); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o755)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	root, err := os.OpenRoot(above)
	if err != nil {
		return err
	}
	defer root.Close()
	return syncFolder(root, ".")
}

func contentVersion(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
