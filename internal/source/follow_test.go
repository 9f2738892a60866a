package source

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is for what surely comes.
const patience = 30 * time.Second

// follower runs a source and keeps its looks.
type follower struct {
	t    *testing.T
	stop func() // ends Run and waits for it

	mu    sync.Mutex
	looks []Look
	read  int
}

type runner interface {
	Run(ctx context.Context, see func(Look)) error
}

func follow(t *testing.T, r runner) *follower {
	t.Helper()
	f := &follower{t: t}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- r.Run(ctx, func(l Look) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.looks = append(f.looks, l)
		})
	}()
	f.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(f.stop)
	return f
}

// next returns the next look that is what is wanted; looks before it are skipped.
func (f *follower) next(what string, wanted func(Look) bool) Look {
	f.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		f.mu.Lock()
		for f.read < len(f.looks) {
			l := f.looks[f.read]
			f.read++
			if wanted(l) {
				f.mu.Unlock()
				return l
			}
		}
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.looks {
		f.t.Logf("seen %q, revision %v, error %v", l.Seen, l.Revision, l.Err)
	}
	f.t.Fatalf("there was no %s", what)
	return Look{}
}

func (f *follower) revision() *Revision {
	f.t.Helper()
	return f.next("revision", func(l Look) bool { return l.Revision != nil }).Revision
}

// fails waits for a look with an error that says all of this.
func (f *follower) fails(says ...string) Look {
	f.t.Helper()
	l := f.next("error", func(l Look) bool { return l.Err != nil })
	for _, s := range says {
		if !strings.Contains(l.Err.Error(), s) {
			f.t.Errorf("%v\ndoes not say %q", l.Err, s)
		}
	}
	return l
}

// quietly waits for a look that found nothing new and no fault.
func (f *follower) quietly() Look {
	f.t.Helper()
	return f.next("look without news", func(l Look) bool { return l.Err == nil && l.Revision == nil })
}

// revisions returns how many looks had one.
func (f *follower) revisions() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.looks {
		if l.Revision != nil {
			n++
		}
	}
	return n
}

func (f *follower) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.looks)
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// noLeak fails the test if goroutines of this package, or of what it uses, are left at its end.
func noLeak(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var left string
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			left = ""
			buf := make([]byte, 1<<20)
			for _, one := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
				for _, ours := range []string{"internal/source.", "fsnotify.", "go-git/", "crypto/ssh", "net/http.(*persistConn)"} {
					if strings.Contains(one, ours) && !strings.Contains(one, "internal/source.noLeak") && !strings.Contains(one, "testing.tRunner(") && !strings.Contains(one, "gittest") {
						left += one + "\n\n"
						break
					}
				}
			}
			if left == "" {
				return
			}
		}
		t.Errorf("goroutines are left:\n%s", left)
	})
}
