package watch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/watch"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// rig is a watcher over simulated vendors, a state in memory and manifests in a folder. It runs in a synctest bubble: time is the bubble's.
type rig struct {
	t      *testing.T
	vendor *sandbox.Server
	store  state.Store
	dir    string
	source *hand
	board  *status.Board
	opened map[string]providers.Provider
	mu     sync.Mutex
	sent   map[string]int
	// perMinute is the accounts' pace.
	perMinute int

	options watch.Options
	watcher *watch.Watcher
	stop    chan struct{}
	reload  chan struct{}
	done    chan error
}

// hand is a source that shows what the test put in its folder, when it is told to.
type hand struct {
	looks   chan source.Look
	pokes   int
	mu      sync.Mutex
	inForce string
}

func (h *hand) Run(ctx context.Context, see func(source.Look)) error {
	for {
		select {
		case l := <-h.looks:
			see(l)
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *hand) Poke() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pokes++
}

func (h *hand) InForce(commit string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inForce = commit
}

func (h *hand) Location() string { return "by hand" }

func newRig(t *testing.T) *rig {
	t.Helper()
	vendor, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rigOver(t, vendor, &state.Memory{})
}

// rigOver is a watcher beside others over the same vendors and state.
func rigOver(t *testing.T, vendor *sandbox.Server, store state.Store) *rig {
	r := &rig{t: t, vendor: vendor, store: store, dir: t.TempDir(), source: &hand{looks: make(chan source.Look)}, board: &status.Board{},
		opened: map[string]providers.Provider{}, sent: map[string]int{}, perMinute: 100_000, stop: make(chan struct{}), reload: make(chan struct{}), done: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.options = watch.Options{Version: "test", Source: r.source, Kind: "folder", Load: r.load, Book: state.NewBook(store), Interval: 5 * time.Minute,
		Grace: 30 * time.Second, Requests: r.requests, Board: r.board, Log: log, Clock: state.Clock{Now: time.Now, Sleep: sleep}, Stop: r.stop, Reload: r.reload,
		Lock: func(run string, wait time.Duration) state.LockRequest {
			return state.LockRequest{Holder: "rig", Run: run, TTL: 2 * time.Minute, Wait: wait, Clock: state.Clock{Now: time.Now, Sleep: sleep}}
		}}
	return r
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start runs the watcher.
func (r *rig) start() {
	r.watcher = watch.New(r.options)
	go func() { r.done <- r.watcher.Run(context.Background()) }()
	synctest.Wait()
}

// end stops the watcher as a signal does.
func (r *rig) end() {
	r.t.Helper()
	close(r.stop)
	if err := <-r.done; err != nil {
		r.t.Errorf("the watcher ended with %v", err)
	}
}

// after lets time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) requests(account string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent[account]
}

// write makes files of the folder: name and text.
func (r *rig) write(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		path := filepath.Join(r.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			r.t.Fatal(err)
		}
	}
}

// show lets the source see the folder as it is, as a commit if one is given.
func (r *rig) show(commit string) {
	r.source.looks <- source.Look{At: time.Now(), Seen: commit, Revision: &source.Revision{Dir: r.dir, Commit: commit, Release: func() {}}}
	synctest.Wait()
}

func (r *rig) load(_ context.Context, rev *source.Revision) (*watch.Manifests, error) {
	env := sandbox.Credentials()
	getenv := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	set, err := spec.Load(spec.Input{Dir: rev.Dir, Getenv: getenv})
	if err != nil {
		return nil, err
	}
	m := &watch.Manifests{Accounts: map[string]*plan.Account{}, Settings: map[string]string{},
		Planning: plan.Options{Limits: plan.DefaultLimits(), Mask: func(s string) string { return s }, Prune: r.options.KeepRuns == -1}}
	vendors := all.Vendors()
	entries, err := r.options.Book.Load(context.Background())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range set.Agents {
		names = append(names, a.Provider)
	}
	for address := range entries {
		name, _, _ := strings.Cut(address, "/")
		names = append(names, name)
	}
	for _, name := range names {
		if m.Accounts[name] != nil {
			continue
		}
		vendor, generation, problem := providers.Resolve(vendors, name, nil)
		if problem != nil {
			return nil, spec.Problems{*problem}
		}
		account := &plan.Account{Name: name, Vendor: vendor, Generation: generation}
		if r.opened[name] == nil {
			settings, problems := vendor.SettingsFor(name, generation, nil, providers.Operator{Getenv: getenv}, r.shared())
			if err := problems.Err(); err != nil {
				return nil, err
			}
			settings.RequestsPerMinute = r.perMinute
			if r.opened[name], err = vendor.Open(settings); err != nil {
				return nil, err
			}
		}
		account.Provider = r.opened[name]
		m.Accounts[name] = account
	}
	agents, faults := plan.Decode(set, m.Accounts)
	if c := set.Config; c != nil {
		m.Planning.Drift, m.Freeze = c.Drift, c.Freeze
		m.Defaults = string(c.Drift)
		if c.MaxChangedPercent != nil {
			m.Planning.Limits.MaxChangedPercent = *c.MaxChangedPercent
		}
	}
	m.Agents = agents
	m.Behind = plan.Behind(agents, entries)
	return m, faults.Err()
}

func (r *rig) shared() rest.Shared {
	return rest.Shared{Transport: r.vendor.Transport(), Observe: func(e rest.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent[e.Account]++
	}}
}

// voicy is a manifest of an agent at Voicy.
func voicy(name, prompt string, more ...string) string {
	return fmt.Sprintf("apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: %s}\nspec:\n  provider: voicy\n%s  config:\n    agent_name: %s\n    language: en\n    general_prompt: %q\n",
		name, strings.Join(more, ""), name, prompt)
}

// nova is a manifest of an agent at Nova. Making it takes two writes.
func nova(name, prompt string) string {
	return fmt.Sprintf("apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: %s}\nspec:\n  provider: nova\n  config:\n    name: %s\n    type: voice\n    prompt_template: %q\n",
		name, name, prompt)
}

// writes are the requests that changed something, as METHOD PATH.
func (r *rig) writes() []string {
	var list []string
	for _, c := range r.vendor.Log() {
		if c.Method != "GET" {
			list = append(list, c.Method+" "+c.Path)
		}
	}
	return list
}

func (r *rig) wantWrites(n int) {
	r.t.Helper()
	if got := r.writes(); len(got) != n {
		r.t.Errorf("%d writes, want %d: %q", len(got), n, got)
	}
	r.vendor.ResetLog()
}

func (r *rig) status() *status.Status {
	s, _ := r.board.Latest()
	return s
}

func (r *rig) agent(address string) *status.Agent {
	r.t.Helper()
	for _, a := range r.status().Agents {
		if a.Address == address {
			return a
		}
	}
	r.t.Fatalf("%s is not on the board", address)
	return nil
}

func (r *rig) wantState(address string, want status.State) *status.Agent {
	r.t.Helper()
	a := r.agent(address)
	if a.State != want {
		r.t.Errorf("%s is %s (%s; %s), want %s", address, a.State, a.Reason, a.Error, want)
	}
	return a
}

// live is an agent at a vendor, by its name field.
func (r *rig) live(vendor, name string) map[string]any {
	r.t.Helper()
	for _, a := range r.vendor.Agents(vendor) {
		if a["agent_name"] == name || a["name"] == name {
			return a
		}
	}
	r.t.Fatalf("no live agent %s at %s", name, vendor)
	return nil
}

// edit changes a live agent as somebody in the dashboard would.
func (r *rig) edit(vendor, name, field string, value any) {
	r.t.Helper()
	live := r.live(vendor, name)
	id := ""
	for _, key := range []string{"agent_id", "id"} {
		if s, ok := live[key].(string); ok && id == "" {
			id = s
		}
	}
	if err := r.vendor.Edit(vendor, id, func(agent map[string]any) { agent[field] = value }); err != nil {
		r.t.Fatal(err, slicesOf(live))
	}
}

func slicesOf(m map[string]any) []string {
	var names []string
	for name := range maps.Keys(m) {
		names = append(names, name)
	}
	return names
}

// calls are the last requests, as METHOD PATH.
func calls(r *rig) []string {
	var list []string
	for _, c := range r.vendor.Log() {
		list = append(list, c.Method+" "+c.Path)
	}
	return list[max(0, len(list)-8):]
}

// hang is a Load that waits for a state that does not answer.
func hang(ctx context.Context, _ *source.Revision) (*watch.Manifests, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
