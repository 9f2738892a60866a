package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/jsontree"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// session is one run's manifests, accounts and state: what plan, apply and drift share.
type session struct {
	app      *app
	dir      string // where paths count from
	flags    *flags
	set      *spec.Set
	accounts map[string]*plan.Account
	agents   []*plan.Agent
	selected plan.Select
	mask     *rest.Masker
	texts    jsontree.Texts // of the manifests: most of what is read elsewhere is the same
	talk     *talker
	// shared is what all accounts of this run have in common.
	shared  rest.Shared
	sandbox *simulation // nil against real vendors
	// book is nil until online.
	book    *state.Book
	entries map[string]state.Entry
	// bases are what --base knows, nil without it.
	bases map[string]plan.Base
}

// newSession is a session without manifests.
func (a *app) newSession(f *flags) (*session, error) {
	s := &session{app: a, dir: a.dir, flags: f, mask: &rest.Masker{}, texts: jsontree.Texts{}, talk: a.newTalker(f), accounts: map[string]*plan.Account{}, set: &spec.Set{Root: a.dir}}
	s.shared = rest.Shared{Observe: s.talk.observe, Log: s.talk.logger(s.mask), Mask: s.mask, Now: a.now, UserAgent: userAgent(), Paces: &a.paces,
		Texts: s.texts}
	if f.sandbox {
		simulated, err := a.simulate()
		if err != nil {
			return nil, err
		}
		s.sandbox = simulated
	}
	return s, nil
}

// load reads and checks the manifests. It sends nothing and needs no key. Every fault of every manifest is in the one error.
func (a *app) load(f *flags, paths []string) (*session, error) {
	s, problems, err := a.read(f, paths)
	if err != nil {
		return nil, err
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	warn(a.stderr, problems.Warnings())
	return s, s.unmatched()
}

// read is load for whoever says himself what is wrong with the manifests. With problems that are errors the session is good for
// nothing but counting.
func (a *app) read(f *flags, paths []string) (*session, spec.Problems, error) {
	s, err := a.newSession(f)
	if err != nil {
		return nil, nil, err
	}
	problems, err := s.read(paths)
	if err != nil {
		return nil, nil, err
	}
	return s, problems, nil
}

func (s *session) read(paths []string) (_ spec.Problems, err error) {
	s.app.spareMemory()
	f := s.flags
	if s.selected, err = f.selects(); err != nil {
		return nil, err
	}
	if len(paths) > 0 && f.kustomize != "" {
		return nil, usageError{errors.New("PATHs and --kustomize exclude each other"), "give one of them"}
	}
	set, err := spec.Load(spec.Input{Paths: paths, Kustomize: f.kustomize, Dir: s.dir, Stdin: s.app.stdin, Getenv: s.getenv, Withheld: withheld()})
	problems, isProblems := err.(spec.Problems)
	if err != nil && !isProblems {
		return nil, err
	}
	if set != nil {
		s.set = set
		s.mask.Add(set.Secrets...)
		problems = append(problems, set.Warnings...)
		problems = append(problems, s.resolve()...)
		agents, faults := plan.Decode(set, s.accounts)
		s.agents = agents
		for _, agent := range agents {
			s.texts.Add(agent.Config.Object)
		}
		problems = append(problems, faults...)
	}
	return problems.Sorted(), nil
}

// withheld are the process's own credentials: whoever may change a manifest could otherwise send them to a vendor as a prompt.
func withheld() []string {
	return []string{"AGENTSYNC_AUTH_TOKEN", "AGENTSYNC_GIT_TOKEN", "AGENTSYNC_SSH_PASSPHRASE", "AGENTSYNC_GITHUB_WEBHOOK_SECRET",
		"AGENTSYNC_GITLAB_WEBHOOK_TOKEN", "AGENTSYNC_NOTIFY_SLACK", "AGENTSYNC_NOTIFY_WEBHOOK", "AGENTSYNC_NOTIFY_SECRET",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN"}
}

// gcPercent is how much garbage the heap may hold beside what is in use, in percent of that. Most of what a run reads is garbage soon: at
// half of Go's default, a plan of many agents holds an eighth less memory and takes no more time (docs/performance.md).
const gcPercent = 50

// spareMemory holds the heap small, unless GOGC says otherwise. Commands that read no manifests do without: setting it costs a collection.
func (a *app) spareMemory() {
	if _, chosen := a.getenv("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
}

// forget lets go of the manifests' values as they were written, which take more memory than the configs that were decoded from them: a plan
// needs only those.
func (s *session) forget() {
	for _, a := range s.set.Agents {
		a.Config = nil
	}
}

// getenv is the environment as manifests and accounts see it.
func (s *session) getenv(name string) (string, bool) {
	if s.sandbox != nil {
		return s.sandbox.getenv(s.app.getenv, name)
	}
	return s.app.getenv(name)
}

// selects turns the flags that choose agents into a selection.
func (f *flags) selects() (plan.Select, error) {
	labels, err := parseSelector(f.selector)
	if err != nil {
		return plan.Select{}, usageError{err, "for example -l env=prod,team!=sales"}
	}
	for _, target := range f.targets {
		if provider, name, ok := strings.Cut(target, "/"); !ok || provider == "" || name == "" {
			return plan.Select{}, usageError{fmt.Errorf("--target: %q is not an address", target), "an address is provider/name, for example voicy/front-desk"}
		}
	}
	return plan.Select{Providers: f.providers, Targets: f.targets, Labels: labels}, nil
}

// unmatched refuses a --target or --provider that names nothing: a typing mistake must not look like "nothing to do".
func (s *session) unmatched() error {
	var addresses, names []string
	for _, a := range s.set.Agents {
		addresses = append(addresses, a.Address())
		names = append(names, a.Provider)
	}
	var faults []error
	for _, target := range s.selected.Targets {
		if !slices.Contains(addresses, target) {
			faults = append(faults, usageError{fmt.Errorf("--target: no manifest declares %s", target), nearest(target, addresses)})
		}
	}
	for _, name := range s.selected.Providers {
		if s.accounts[name] == nil && !slices.Contains(names, name) {
			faults = append(faults, usageError{fmt.Errorf("--provider: unknown provider %q", name), nearest(name, names)})
		}
	}
	return errors.Join(faults...)
}

func nearest(name string, known []string) string {
	if near := spec.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// resolve finds the vendor and API generation of every account that a manifest names or declares.
func (s *session) resolve() spec.Problems {
	var problems spec.Problems
	vendors := all.Vendors()
	add := func(name string, doc *spec.Provider, at spec.Pos) {
		vendor, generation, problem := providers.Resolve(vendors, name, doc)
		if problem != nil {
			if problem.Pos.File == "" {
				problem.Pos = at
			}
			problems = append(problems, *problem)
			return
		}
		s.accounts[name] = &plan.Account{Name: name, Vendor: vendor, Generation: generation}
	}
	for _, doc := range s.set.Providers {
		add(doc.Name, doc, doc.Pos)
	}
	for _, agent := range s.set.Agents {
		if s.accounts[agent.Provider] == nil && s.document(agent.Provider) == nil {
			add(agent.Provider, nil, agent.ProviderPos)
		}
	}
	return problems
}

// document returns the Provider document of an account, nil if it has none.
func (s *session) document(name string) *spec.Provider {
	return documentOf(s.set, name)
}

func documentOf(set *spec.Set, name string) *spec.Provider {
	for _, doc := range set.Providers {
		if doc.Name == name {
			return doc
		}
	}
	return nil
}

// remember reads what the state holds. Accounts that only the state names are added, closed.
func (s *session) remember(ctx context.Context, book *state.Book) error {
	s.book = book
	s.book.Share(s.texts)
	entries, err := s.book.Load(ctx)
	if err != nil {
		return err
	}
	s.entries = entries
	for address := range entries {
		name, _, _ := strings.Cut(address, "/")
		if s.accounts[name] != nil {
			continue
		}
		if vendor, ok := all.Lookup(name); ok {
			s.accounts[name] = &plan.Account{Name: name, Vendor: vendor, Generation: vendor.Generations[0]}
		}
	}
	return nil
}

// needed are the accounts that a plan of the manifests needs: those of selected agents and, to prune, those of the state.
func (s *session) needed() []string {
	var names []string
	for _, a := range s.agents {
		if s.selected.Keeps(a.Agent) {
			names = append(names, a.Provider)
		}
	}
	if s.flags.prune {
		for address := range s.entries {
			name, _, _ := strings.Cut(address, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// open makes the providers of the named accounts; what is wrong with any of them is reported together.
func (s *session) open(names []string) error {
	var faults []error
	for _, name := range names {
		if account := s.accounts[name]; account != nil {
			faults = append(faults, s.openAccount(account))
		}
	}
	return errors.Join(faults...)
}

// openAccount makes the account's provider.
func (s *session) openAccount(account *plan.Account) error {
	doc := s.document(account.Name)
	operator := providers.Operator{Getenv: s.getenv, AllowHosts: s.flags.allowHosts}
	shared := s.shared
	if s.sandbox != nil {
		doc = s.sandbox.document(doc)
		shared.Transport = s.sandbox.server.Transport()
	}
	settings, problems := account.Vendor.SettingsFor(account.Name, account.Generation, doc, operator, shared)
	if err := problems.Err(); err != nil {
		return err
	}
	if s.flags.timeout > 0 {
		settings.Timeout = s.flags.timeout
	}
	provider, err := account.Vendor.Open(settings)
	if err != nil {
		return err
	}
	account.Provider = provider
	return nil
}

// store opens the state for reading and, where write is set, for writing. A plan in the sandbox keeps its state in memory, since a
// plan writes nothing.
func (s *session) store(ctx context.Context, write bool) (state.Store, error) {
	if s.sandbox != nil {
		return s.sandbox.store(ctx, s.agents, write)
	}
	return s.app.openState(s.flags, s.set)
}

// options gathers what the planner is told.
func (s *session) options(paths []string) plan.Options {
	o := plan.Options{Select: s.selected, Bases: s.bases, Adopt: s.flags.adopt, Override: spec.DriftPolicy(s.flags.onDrift), Prune: s.flags.prune,
		Refresh: plan.Refresh(s.flags.refresh),
		Limits:  plan.DefaultLimits(), Now: s.app.now(), Mask: s.mask.Mask, Remember: s.mask.Add,
		Source: plan.Source{Commit: commitOf(s.set.Root), Paths: paths}}
	if s.flags.kustomize != "" {
		o.Source.Paths = []string{s.flags.kustomize}
	}
	if c := s.set.Config; c != nil {
		o.Drift = c.Drift
		for _, limit := range []struct{ said, into *int }{
			{c.MaxDeletes, &o.Limits.MaxDeletes}, {c.MaxChangedPercent, &o.Limits.MaxChangedPercent}, {c.MinAgents, &o.Limits.MinAgents}} {
			if limit.said != nil {
				*limit.into = *limit.said
			}
		}
	}
	if s.flags.maxDeletes >= 0 {
		o.Limits.MaxDeletes = s.flags.maxDeletes
	}
	if s.flags.forceLarge {
		o.Limits.MaxChangedPercent = -1
	}
	return o
}

// plan reads the live agents and decides.
func (s *session) plan(ctx context.Context, paths []string) (*plan.Plan, error) {
	return s.build(ctx, s.options(paths))
}

// replan plans as the reviewed plan was allowed to; without one, as the flags say.
func (s *session) replan(ctx context.Context, paths []string, reviewed *plan.Plan) (*plan.Plan, error) {
	if reviewed == nil {
		return s.plan(ctx, paths)
	}
	return s.build(ctx, s.options(paths).Reviewed(reviewed))
}

func (s *session) build(ctx context.Context, o plan.Options) (*plan.Plan, error) {
	defer s.talk.phase("reading")()
	return plan.Build(ctx, plan.Input{Agents: s.agents, Accounts: s.accounts, Entries: s.entries, Requests: s.talk.requests,
		Reading: s.talk.reading, Options: o})
}

// sleep waits, or returns early with ctx's error.
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
