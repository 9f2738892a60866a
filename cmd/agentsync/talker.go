package main

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// The pace of progress: a live line on a terminal, elsewhere a line every few seconds, so that a long run is seen to be alive
// and a short one says nothing.
const (
	liveEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
	// longReading is from how long on reading an account is announced.
	longReading = 10 * time.Second
)

// talker says on standard error how far a run is, and logs requests with -v.
type talker struct {
	out       io.Writer
	live      bool
	quiet     bool
	verbose   bool
	json      bool
	mu        sync.Mutex
	count     int
	what      string
	perVendor map[string]*tally
	shown     int // lines of the live display
	stop      func()
}

// tally counts one provider's requests and finished agents.
type tally struct {
	requests, finished int
	expected           string // what reading it is expected to take, "" where that is soon over
}

func (a *app) newTalker(f *flags) *talker {
	_, isTerminal := terminal(a.stderr)
	return &talker{out: a.stderr, live: isTerminal && !f.verbose, quiet: f.quiet, verbose: f.verbose, json: f.logFormat == "json",
		perVendor: map[string]*tally{}, stop: func() {}}
}

// logger writes debug lines with -v, with secrets masked; nothing without.
func (t *talker) logger(mask *rest.Masker) *slog.Logger {
	if !t.verbose {
		return slog.New(slog.DiscardHandler)
	}
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	out := maskedWriter{t.out, mask}
	if t.json {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// maskedWriter masks secrets in every line that passes through it.
type maskedWriter struct {
	out  io.Writer
	mask *rest.Masker
}

func (w maskedWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.mask.Mask(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// observe counts a request.
func (t *talker) observe(e rest.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	t.of(e.Account).requests++
}

func (t *talker) of(account string) *tally {
	if t.perVendor[account] == nil {
		t.perVendor[account] = &tally{}
	}
	return t.perVendor[account]
}

// requests is how many requests were sent so far.
func (t *talker) requests() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// phase begins to report on what is being done, and returns what ends it.
func (t *talker) phase(what string) func() {
	t.done()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.what = what
	for _, own := range t.perVendor {
		*own = tally{}
	}
	if t.quiet {
		return func() {}
	}
	every := lineEvery
	if t.live {
		every = liveEvery
	}
	ticker, quit, ended := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				t.report()
			case <-quit:
				return
			}
		}
	}()
	t.stop = sync.OnceFunc(func() {
		ticker.Stop()
		close(quit)
		<-ended
		t.clear()
	})
	return t.stop
}

// reading takes what reading an account is expected to cost, and says so at once where it takes long.
func (t *talker) reading(f plan.Forecast) {
	if f.Time < longReading {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of(f.Account)
	own.expected = fmt.Sprintf(" %s, %s", count(f.Agents, "agent"), render.Roughly(f.Time))
	if f.PerMinute > 0 {
		own.expected += fmt.Sprintf(" at %d requests a minute", f.PerMinute)
	}
	if !t.quiet && !t.live {
		fmt.Fprintf(t.out, "agentsync: %s: %s%s\n", f.Account, t.what, own.expected)
	}
}

// applying begins the phase of writing and returns what the applier reports to.
func (t *talker) applying() func(apply.Progress) {
	t.phase("applying")
	return func(p apply.Progress) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if p.Done {
			t.of(p.Provider).finished++
		}
	}
}

// done ends the present phase.
func (t *talker) done() {
	t.mu.Lock()
	stop := t.stop
	t.mu.Unlock()
	stop()
}

// report shows where the run is: one line per provider on a terminal, one line in all elsewhere.
func (t *talker) report() {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(t.perVendor)) {
		own := t.perVendor[name]
		line := fmt.Sprintf("%s: %s%s, %d requests", name, t.what, own.expected, own.requests)
		if own.finished > 0 {
			line += fmt.Sprintf(", %d agents done", own.finished)
		}
		lines = append(lines, line)
	}
	if !t.live {
		if len(lines) > 0 {
			fmt.Fprintf(t.out, "agentsync: %s\n", strings.Join(lines, "; "))
		}
		return
	}
	t.erase()
	for _, line := range lines {
		fmt.Fprintln(t.out, line)
	}
	t.shown = len(lines)
}

func (t *talker) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.erase()
}

// erase removes the live lines; the caller holds the mutex.
func (t *talker) erase() {
	if t.shown > 0 {
		fmt.Fprintf(t.out, "\x1b[%dA\x1b[J", t.shown)
	}
	t.shown = 0
}
