package source

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// watches are the folders whose events are heard. All but events and errors is for one goroutine.
type watches struct {
	log    *slog.Logger
	notify *fsnotify.Watcher // nil where there are no events
	why    error             // why events cannot be relied upon
	said   bool

	folders map[string]bool            // everything in them counts
	names   map[string]map[string]bool // only these names count
}

func newWatches(log *slog.Logger, deaf bool) *watches {
	w := &watches{log: log}
	if deaf {
		return w
	}
	w.notify, w.why = fsnotify.NewWatcher()
	if w.why != nil {
		w.notify = nil
		w.said = true
		log.Warn("no events of files: looking regularly instead", "error", w.why)
	}
	return w
}

func (w *watches) close() {
	if w.notify != nil {
		w.notify.Close()
	}
}

// deaf reports whether events cannot be relied upon.
func (w *watches) deaf() bool { return w.notify == nil || w.why != nil }

func (w *watches) events() <-chan fsnotify.Event {
	if w.notify == nil {
		return nil
	}
	return w.notify.Events
}

func (w *watches) errors() <-chan error {
	if w.notify == nil {
		return nil
	}
	return w.notify.Errors
}

// begin starts a look, which names all folders anew.
func (w *watches) begin() {
	w.folders, w.names = map[string]bool{}, map[string]map[string]bool{}
	if w.notify != nil {
		w.why = nil
	}
}

// folder hears everything in dir, a path without symbolic links.
func (w *watches) folder(dir string) {
	w.folders[dir] = true
	w.add(dir)
}

// place hears when path itself becomes another: when it, or a symbolic link on the way to it, is made, removed or renamed.
func (w *watches) place(path string) {
	for dir, names := range places(path) {
		if w.names[dir] == nil {
			w.names[dir] = names
		}
		maps.Copy(w.names[dir], names)
		w.add(dir)
	}
}

func (w *watches) add(dir string) {
	if w.notify == nil || w.why != nil {
		return
	}
	err := w.notify.Add(dir)
	if err == nil {
		err = distant(dir)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.why = err
	}
}

// end lets go what the look did not name, and says if events began or ceased to be of use.
func (w *watches) end() {
	if w.notify == nil {
		return
	}
	for _, dir := range w.notify.WatchList() {
		if !w.folders[dir] && w.names[dir] == nil {
			_ = w.notify.Remove(dir) // it may be gone with the folder
		}
	}
	switch deaf := w.deaf(); {
	case deaf && !w.said:
		w.log.Warn("not all events of files can be had: looking regularly instead; on Linux, fs.inotify.max_user_watches and max_user_instances are the limits",
			"error", w.why)
	case !deaf && w.said:
		w.log.Info("events of files can be had again")
	}
	w.said = w.deaf()
}

// concerns reports whether an event is a reason to look.
func (w *watches) concerns(e fsnotify.Event) bool {
	dir, name := filepath.Split(e.Name)
	dir = filepath.Clean(dir)
	if w.folders[e.Name] || w.names[dir][name] {
		return true
	}
	// A name that begins with two dots is how config map volumes swap everything at once.
	return w.folders[dir] && (strings.HasPrefix(name, "..") || name != ".agentsync" && !ignored(name, 0))
}

// places returns the folders, and which names in them, that decide what path is: its own, or the first that is missing, and each symbolic
// link on the way. Their paths are without symbolic links.
func places(path string) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	dir := filepath.VolumeName(path) + string(filepath.Separator)
	rest := strings.Split(strings.TrimPrefix(filepath.Clean(path), dir), string(filepath.Separator))
	note := func(name string) {
		if found[dir] == nil {
			found[dir] = map[string]bool{}
		}
		found[dir][name] = true
	}
	for links := 0; len(rest) > 0 && links < 40; {
		name := rest[0]
		rest = rest[1:]
		at := filepath.Join(dir, name)
		target, err := os.Readlink(at)
		if err == nil {
			note(name)
			links++
			if !filepath.IsAbs(target) {
				target = filepath.Join(dir, target)
			}
			dir = filepath.VolumeName(target) + string(filepath.Separator)
			rest = append(strings.Split(strings.TrimPrefix(filepath.Clean(target), dir), string(filepath.Separator)), rest...)
			continue
		}
		_, err = os.Lstat(at)
		if len(rest) == 0 || err != nil {
			note(name)
			return found
		}
		dir = at
	}
	return found
}
