package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"agentsync.dev/agentsync/internal/jsontree"
	"agentsync.dev/agentsync/internal/metrics"
	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/watch"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// watching is one watch: what lasts from its first revision to its last.
type watching struct {
	app      *app
	flags    *watchFlags
	paths    []string
	mask     *rest.Masker
	log      *slog.Logger
	sandbox  *simulation
	shared   rest.Shared
	requests tallies
	board    *status.Board
	metrics  *metrics.Metrics
	book     *state.Book
	lease    *state.Lease // nil for one that only observes
	// opened are the accounts' providers, which keep the account's pace from one revision to the next.
	opened map[string]openedAccount
}

type openedAccount struct {
	settings string
	provider providers.Provider
}

func (a *app) newWatching(ctx context.Context, f *watchFlags, paths []string) (*watching, error) {
	w := &watching{app: a, flags: f, paths: paths, mask: &rest.Masker{}, board: &status.Board{}, opened: map[string]openedAccount{}}
	w.mask.Add(slices.DeleteFunc([]string{f.authToken, f.gitToken, f.sshPassphrase, f.githubSecret, f.gitlabHook, f.webhookSecret}, func(s string) bool { return s == "" })...)
	w.log = w.newLog()
	w.metrics = metrics.New(w.board, version())
	w.shared = rest.Shared{Log: w.log, Mask: w.mask, Now: a.now, UserAgent: userAgent(), Paces: &a.paces, Observe: func(e rest.Event) {
		w.requests.add(e.Account)
		w.metrics.Request(e)
	}}
	if f.sandbox {
		simulated, err := a.simulate()
		if err != nil {
			return nil, err
		}
		w.sandbox = simulated
	}
	return w, ctx.Err()
}

// session is one revision's manifests, accounts and state.
func (w *watching) session(dir string) *session {
	return &session{app: w.app, dir: dir, flags: &w.flags.flags, mask: w.mask, talk: w.app.newTalker(&w.flags.flags), shared: w.shared, texts: jsontree.Texts{},
		sandbox: w.sandbox, accounts: map[string]*plan.Account{}, set: &spec.Set{Root: dir}}
}

// folders are what is to be watched: the top of the repository, since manifests name prompts and files beside them.
func (w *watching) folders() ([]string, error) {
	for _, path := range w.paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.app.dir, path)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, usageError{fmt.Errorf("watch: %w", err), "name folders or files that are there when the watcher starts"}
		}
	}
	s := w.session(w.app.dir)
	problems, err := s.read(w.paths)
	if err != nil {
		return nil, err
	}
	if err := problems.Err(); err != nil {
		w.log.Warn("the manifests are not good yet; nothing is written before they are", "problems", len(problems))
	}
	return []string{s.set.Root}, nil
}

// openBook opens the state. It is the same for as long as the watcher runs: a Config document that names another is refused.
func (w *watching) openBook(ctx context.Context) error {
	s := w.session(w.app.dir)
	if w.flags.git == "" {
		if _, err := s.read(w.paths); err != nil { // what is wrong with the manifests is told when they are followed
			return err
		}
	}
	store, err := s.store(ctx, !w.flags.observe)
	if err != nil {
		return err
	}
	w.book = state.NewBook(store)
	return nil
}

// load reads, checks and opens what a revision declares.
func (w *watching) load(ctx context.Context, rev *source.Revision) (*watch.Manifests, error) {
	dir, paths := w.app.dir, w.paths
	if w.flags.git != "" {
		dir = rev.Dir
		if len(paths) == 0 && w.flags.kustomize == "" {
			paths = []string{"."}
		}
	}
	s := w.session(dir)
	problems, err := s.read(paths)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(problems.Err(), s.unmatched(), w.sameState(s)); err != nil {
		return nil, err
	}
	reading, cancel := context.WithTimeout(ctx, stateWait)
	defer cancel()
	if err := s.remember(reading, w.book); err != nil {
		return nil, err
	}
	settings, err := w.open(s)
	if err != nil {
		return nil, err
	}
	planning := s.options(paths)
	m := &watch.Manifests{Behind: plan.Behind(s.agents, s.entries), Accounts: s.accounts, Planning: planning, Settings: settings,
		Defaults: fmt.Sprint(planning.Drift, planning.Limits, planning.Override)}
	for _, agent := range s.agents {
		if s.selected.Keeps(agent.Agent) {
			m.Agents = append(m.Agents, agent)
		}
	}
	if c := s.set.Config; c != nil {
		m.Freeze = c.Freeze
	}
	return m, nil
}

// sameState refuses a Config document that names another state than the one that is open.
func (w *watching) sameState(s *session) error {
	if w.flags.state != "" || w.sandbox != nil || s.set.Config == nil || s.set.Config.State == "" {
		return nil
	}
	config := *s.set.Config
	if w.flags.git != "" {
		config.Dir = w.app.dir // a checkout comes and goes; a folder of its own does not
	}
	store, err := w.app.openState(&w.flags.flags, &spec.Set{Config: &config})
	if err != nil {
		return err
	}
	if store.String() == w.book.String() {
		return nil
	}
	return spec.Problems{{Pos: config.Pos, Message: fmt.Sprintf("the state is to be %s, and this watcher was started with %s", store, w.book),
		Hint: fmt.Sprintf("start the watcher again with --state %s", config.State)}}
}

// open gives each account its provider. One whose settings are the same as before keeps it, and with it its pace.
func (w *watching) open(s *session) (map[string]string, error) {
	settings := map[string]string{}
	var faults []error
	for _, name := range s.needed() {
		account := s.accounts[name]
		if account == nil {
			continue
		}
		settings[name] = settingsOf(account, s.document(name))
		if known := w.opened[name]; known.provider != nil && known.settings == settings[name] {
			account.Provider = known.provider
			continue
		}
		if err := s.openAccount(account); err != nil {
			faults = append(faults, err)
			continue
		}
		w.opened[name] = openedAccount{settings[name], account.Provider}
	}
	return settings, errors.Join(faults...)
}

// tallies counts requests by account.
type tallies struct {
	mu sync.Mutex
	by map[string]int
}

func (t *tallies) add(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]int{}
	}
	t.by[account]++
}

func (t *tallies) of(account string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[account]
}

// settingsOf names all that a Provider document says, with the values that came from outside it. It holds secrets.
func settingsOf(account *plan.Account, doc *spec.Provider) string {
	text := account.Type()
	if doc == nil {
		return text
	}
	text += fmt.Sprintf("%q %q %q %v %v", doc.BaseURL, doc.API, doc.OrgID, doc.Limits, doc.Timeout)
	for _, values := range []map[string]*spec.Value{doc.Auth, doc.Options} {
		var lines []string
		for name, value := range values {
			lines = append(lines, fmt.Sprintf("%s=%q", name, value.Text))
		}
		slices.Sort(lines)
		text += "\n" + strings.Join(lines, "\n")
	}
	return text
}

// cacheFolder is where what is fetched is kept.
func (w *watching) cacheFolder() (string, error) {
	dir := w.flags.cache
	if dir == "" {
		base := w.app.env("XDG_CACHE_HOME")
		if base == "" && w.app.env("HOME") != "" {
			base = filepath.Join(w.app.env("HOME"), ".cache")
		}
		if base == "" {
			base = os.TempDir()
		}
		dir = filepath.Join(base, "agentsync", "git")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(w.app.dir, dir)
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func (w *watching) knownHosts() []string {
	if len(w.flags.knownHosts) > 0 || w.app.env("HOME") == "" {
		return w.flags.knownHosts
	}
	var files []string
	for _, file := range []string{filepath.Join(w.app.env("HOME"), ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"} {
		if _, err := os.Stat(file); err == nil {
			files = append(files, file)
		}
	}
	return files
}

// watcher makes the loop.
func (w *watching) watcher(from watch.Source) (_ *watch.Watcher, err error) {
	f, a := w.flags, w.app
	o := watch.Options{Version: version(), Source: from, Kind: "folder", Load: w.load, Book: w.book, Lock: a.lockRequest, Observe: f.observe,
		Interval: f.interval, Grace: f.grace, KeepRuns: f.keepRuns, Parallelism: f.parallelism, Requests: w.requests.of,
		Board: w.board, Log: w.log, Planned: w.metrics.Planned, Applied: w.metrics.Applied, Fetched: w.metrics.Fetched,
		Clock: state.Clock{Now: a.now, Sleep: sleep}, Stop: a.stop, Reload: a.reload}
	if f.git != "" {
		o.Kind, o.Ref = "git", strings.TrimPrefix(strings.TrimPrefix(f.ref(), "refs/heads/"), "refs/tags/")
	}
	if !f.observe {
		w.lease, err = w.book.Lease(state.LeaseRequest{Holder: a.holder(), Process: processID(a.pid), Dead: processGone, TTL: f.lease, Clock: o.Clock})
		if err != nil {
			return nil, err
		}
		o.Lease = w.lease
	}
	return watch.New(o), nil
}

// stateWait bounds how long the state may take while manifests are taken in: the loop waits for it, and has to say that it lives.
const stateWait = 20 * time.Second

// shutdownWait bounds how long open connections and queued notifications may take when the watcher ends.
const shutdownWait = 5 * time.Second
