package source

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"time"
)

// FolderOptions says which folder to follow, and how.
type FolderOptions struct {
	// Dirs are the folders to watch, with all below them, and single files. The first is the revisions' Dir. What manifests name outside
	// of them is not watched.
	Dirs []string
	// Quiet is how long nothing must happen after an event before the folder is looked at, by default 300 ms; MaxQuiet how long events may
	// go on before it is looked at anyway, by default 5 s.
	Quiet, MaxQuiet time.Duration
	// Poll is how often to look where a file system gives no events, by default 10 s; SlowPoll how often where it does, by default 1 min.
	Poll, SlowPoll time.Duration
	// NoEvents looks every Poll only.
	NoEvents bool
	// Now is the clock for the looks' time. Needed.
	Now func() time.Time
	// Log is told when events fail and come back; nil for nobody.
	Log *slog.Logger
}

// Folder follows manifests in folders. Events only say when to look: what counts is what the files hold. Hidden folders (.git, .agentsync)
// and what editors leave lying are left out. Of symbolic links that lead out of the folder, and of files beyond 16 MiB, it is noticed that
// they were written, not what they hold.
type Folder struct {
	options FolderOptions
	pokes   pokes
	last    *scan  // of the last look that could read everything
	given   string // the digest of the last revision
}

// NewFolder returns a source that follows folders. It reads nothing yet.
func NewFolder(o FolderOptions) (*Folder, error) {
	if len(o.Dirs) == 0 {
		return nil, errors.New("no folder to watch: name one")
	}
	if o.Now == nil {
		return nil, errors.New("source: FolderOptions.Now is missing")
	}
	dirs := make([]string, len(o.Dirs))
	for i, dir := range o.Dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		dirs[i] = abs
	}
	o.Dirs = dirs
	o.Quiet = cmp.Or(o.Quiet, 300*time.Millisecond)
	o.MaxQuiet = max(cmp.Or(o.MaxQuiet, 5*time.Second), o.Quiet)
	o.Poll = cmp.Or(o.Poll, 10*time.Second)
	o.SlowPoll = cmp.Or(o.SlowPoll, time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Folder{options: o, pokes: newPokes()}, nil
}

// Poke asks for a look now. It never blocks, and may be called at any time, by anybody.
func (f *Folder) Poke() { f.pokes.poke() }

// InForce does nothing: a folder has no history to judge against.
func (f *Folder) InForce(string) {}

// Location returns the watched folders, for people.
func (f *Folder) Location() string { return strings.Join(f.options.Dirs, ", ") }

// Run looks at once, and then whenever something may have changed, until ctx ends. It returns nil then. see is called from Run's
// goroutine. Run may be called once.
func (f *Folder) Run(ctx context.Context, see func(Look)) error {
	w := newWatches(f.options.Log, f.options.NoEvents)
	defer w.close()
	for {
		see(f.look(w))
		if !f.wait(ctx, w) {
			return nil
		}
	}
}

// wait returns when it is time to look again, or false when ctx ended.
func (f *Folder) wait(ctx context.Context, w *watches) bool {
	every := f.options.SlowPoll
	if w.deaf() {
		every = f.options.Poll
	}
	poll := time.NewTimer(every)
	defer poll.Stop()
	var quiet, most <-chan time.Time // nil until something happened
	for {
		select {
		case <-ctx.Done():
			return false
		case <-f.pokes:
			return true
		case <-poll.C:
			return true
		case <-quiet:
			return true
		case <-most:
			return true
		case <-w.errors():
			return true // events were lost
		case e := <-w.events():
			if !w.concerns(e) {
				continue
			}
			if most == nil {
				most = time.After(f.options.MaxQuiet)
			}
			quiet = time.After(f.options.Quiet)
		}
	}
}

func (f *Folder) look(w *watches) Look {
	l := Look{At: f.options.Now()}
	w.begin()
	now, err := scanAll(f.options.Dirs, f.last, l.At, w)
	w.end()
	if err != nil {
		l.Err = err
		return l
	}
	f.last = now
	if digest := now.digest(); digest != f.given {
		f.given = digest
		l.Revision = &Revision{Dir: f.options.Dirs[0], Release: func() {}}
	}
	return l
}
