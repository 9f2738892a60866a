package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// racy is how old a file's time must be to tell that it was not written again: file systems keep times coarsely, some in steps of 2 s.
const racy = 3 * time.Second

// scan is what was found in the watched folders, by path.
type scan struct {
	files map[string]entry
	total int64
	at    time.Time
}

// entry is one file: how it looks from outside, and the digest of what it holds.
type entry struct {
	info fs.FileInfo
	sum  [sha256.Size]byte
	when time.Time // when it was read
}

// digest says what the files are called and what they hold.
func (s *scan) digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		e := s.files[name]
		fmt.Fprintf(h, "%q %x\n", name, e.sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// scanner walks through one of the watched folders.
type scanner struct {
	*scan
	last *scan
	root string // without symbolic links
	w    *watches
}

// scanAll reads what moved since the last scan. Each folder is watched before it is read, so that nothing falls between.
func scanAll(dirs []string, last *scan, at time.Time, w *watches) (*scan, error) {
	if last == nil {
		last = &scan{}
	}
	now := &scan{files: make(map[string]entry, len(last.files)), at: at}
	var faults []error
	for _, dir := range dirs {
		w.place(dir)
		before := len(now.files)
		err := scanOne(dir, now, last, w)
		if err == nil && len(now.files) == before {
			err = fmt.Errorf("%s holds no files: what was there before stays in force; if the manifests moved, watch the folder where they are", dir)
		}
		faults = append(faults, err)
	}
	return now, errors.Join(faults...)
}

func scanOne(dir string, now, last *scan, w *watches) error {
	root, err := filepath.EvalSymlinks(dir)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(root)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is gone: what was there before stays in force; put it back, or watch another folder: %w", dir, err)
	}
	if err != nil {
		return err
	}
	s := scanner{now, last, root, w}
	if info.IsDir() {
		return s.folder(dir, root, nil)
	}
	return s.file(dir, root, info)
}

// folder reads the folder that people call name and that is at dir. above are the folders on the way to it.
func (s *scanner) folder(name, dir string, above []string) error {
	if slices.Contains(above, dir) {
		return nil // a link to a folder above itself
	}
	if len(above) > maxDepth {
		return fmt.Errorf("%s: more than %d folders inside each other", name, maxDepth)
	}
	above = append(above, dir)
	s.w.folder(dir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && len(above) > 1 {
		return nil // it went while we looked
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ignored(e.Name(), e.Type()) {
			continue
		}
		if err := s.one(filepath.Join(name, e.Name()), filepath.Join(dir, e.Name()), e.Type(), above); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) one(name, path string, kind fs.FileMode, above []string) error {
	if len(s.files) > maxEntries {
		return fmt.Errorf("%s: more than %d files: watch a smaller folder", s.root, maxEntries)
	}
	info, err := os.Stat(path)
	link := kind&fs.ModeSymlink != 0
	if errors.Is(err, fs.ErrNotExist) || err != nil && link && !errors.Is(err, fs.ErrPermission) {
		return nil // it went while we looked, or is a link to nothing
	}
	if err != nil {
		return err
	}
	if link {
		path, err = filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !inside(s.root, path) {
			s.files[name] = outside(info)
			return nil
		}
	}
	if info.IsDir() {
		return s.folder(name, path, above)
	}
	return s.file(name, path, info)
}

func (s *scanner) file(name, path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return nil
	case info.Size() > maxFile:
		s.files[name] = outside(info)
		return nil
	}
	if s.total += info.Size(); s.total > maxTotal {
		return fmt.Errorf("%s holds more than %d MiB: watch a smaller folder", s.root, maxTotal>>20)
	}
	if old, ok := s.last.files[name]; ok && old.current(info) {
		s.files[name] = old
		return nil
	}
	sum, err := hash(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s.files[name] = entry{info, sum, s.at}
	return err
}

// current reports whether a file that looks like now surely holds what was read.
func (e entry) current(now fs.FileInfo) bool {
	return os.SameFile(e.info, now) && e.info.Size() == now.Size() && e.info.Mode() == now.Mode() && e.info.ModTime().Equal(now.ModTime()) &&
		e.when.Sub(now.ModTime()).Abs() > racy
}

// outside is the entry of what is not read.
func outside(info fs.FileInfo) entry {
	return entry{info: info, sum: sha256.Sum256(fmt.Appendf(nil, "%v %d %d", info.Mode(), info.Size(), info.ModTime().UnixNano()))}
}

func hash(path string) (sum [sha256.Size]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	h := sha256.New()
	// A file that grows meanwhile is read again at its next event.
	_, err = io.Copy(h, io.LimitReader(file, maxFile))
	return [sha256.Size]byte(h.Sum(nil)), err
}

func inside(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rel)
}

// ignored reports whether an entry of a folder is not looked at: hidden folders, what config map volumes keep beside their links (..data),
// and what editors leave lying while they write.
func ignored(name string, kind fs.FileMode) bool {
	switch {
	case strings.HasPrefix(name, ".."), strings.HasPrefix(name, ".#"), strings.HasSuffix(name, "~"):
		return true
	case strings.HasPrefix(name, "."):
		return kind.IsDir() || name == ".git" || strings.HasPrefix(filepath.Ext(name), ".sw")
	}
	return false
}
