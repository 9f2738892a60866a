package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/spec"
)

var fullHash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}$`) })

// past is the manifests as they were at a commit, decoded by today's schemas.
type past struct {
	ref string
	set *spec.Set
	// agents are those that are whole, by address.
	agents map[string]*plan.Agent
	// faults are all that is wrong with the others.
	faults spec.Problems
}

// compareCommits carries --base and --changed-since out: it fills the session's bases, and narrows its selection.
func (s *session) compareCommits(ctx context.Context, paths []string) error {
	f := s.flags
	if f.base == "" && f.changedSince == "" {
		return nil
	}
	if f.changedSince != "" && f.prune {
		return usageError{errors.New("--prune and --changed-since exclude each other: what is left out cannot be told from what is missing"),
			"prune in a run without --changed-since"}
	}
	if f.kustomize == "" && slices.Contains(paths, "-") {
		return usageError{errors.New("--base and --changed-since: standard input has no history"), "name the folders or files that lie in Git, or use -k"}
	}
	ctx, cancel := s.app.until(ctx)
	defer cancel()
	byRef := map[string]*past{}
	at := func(flag, ref string) (*past, error) {
		if p := byRef[ref]; p != nil {
			return p, nil
		}
		p, err := s.at(ctx, ref, paths)
		byRef[ref] = p
		return p, explainGit(flag, ref, err)
	}
	var faults []error
	if f.base != "" {
		p, err := at("--base", f.base)
		if faults = append(faults, err); err == nil {
			s.baseOn(p)
		}
	}
	if f.changedSince != "" {
		p, err := at("--changed-since", f.changedSince)
		if faults = append(faults, err); err == nil {
			s.onlyChanged(p)
		}
	}
	return errors.Join(faults...)
}

// explainGit says what to do where a commit could not be read.
func explainGit(flag, ref string, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch {
	case errors.Is(err, source.ErrNoRepository):
		hint = "run it in a checkout that has its .git folder"
	case errors.Is(err, source.ErrNoCommit):
		hint = "a shallow checkout may lack it: " + fetching(ref)
	case errors.Is(err, source.ErrIncomplete):
		hint = "the clone is partial: clone without --filter, or `git fetch --refetch --no-filter`"
	}
	return hinted{fmt.Errorf("%s: %w", flag, err), hint}
}

// fetching says how a commit comes into a shallow checkout.
func fetching(ref string) string {
	branch, tracked := strings.CutPrefix(ref, "origin/")
	switch {
	case strings.ContainsAny(ref, "~^@"):
		return "`git fetch --unshallow`"
	case tracked:
		return fmt.Sprintf("`git fetch --depth=1 origin +%s:refs/remotes/origin/%s`", branch, branch)
	case fullHash().MatchString(ref):
		return fmt.Sprintf("`git fetch --depth=1 origin %s`", ref)
	}
	return fmt.Sprintf("`git fetch --depth=1 origin %s`, and name it FETCH_HEAD", ref)
}

// at reads the manifests that paths named at the commit ref. Its files lie in a folder of their own while they are read.
func (s *session) at(ctx context.Context, ref string, paths []string) (*past, error) {
	defer s.talk.phase("reading " + ref)()
	tree, err := os.MkdirTemp("", "agentsync-base-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tree)
	if tree, err = filepath.EvalSymlinks(tree); err != nil {
		return nil, err
	}
	if _, err := source.Extract(ctx, s.set.Root, ref, tree); err != nil {
		return nil, err
	}
	in, err := s.inTree(tree, paths)
	if err != nil {
		return nil, err
	}
	p := &past{ref: ref, set: &spec.Set{}, agents: map[string]*plan.Agent{}}
	if in == nil { // none of the paths is older than ref
		return p, nil
	}
	set, err := spec.Load(*in)
	problems, isProblems := err.(spec.Problems)
	if err != nil && !isProblems {
		return nil, err
	}
	p.faults = problems
	if set != nil {
		p.set = set
		s.mask.Add(set.Secrets...)
		p.decode(s.accounts)
	}
	return p, nil
}

// inTree is what to read of an extracted commit, nil where it has none of the paths.
func (s *session) inTree(tree string, paths []string) (*spec.Input, error) {
	dir, err := filepath.EvalSymlinks(s.app.dir)
	if err != nil {
		return nil, err
	}
	in := &spec.Input{Dir: tree, Getenv: s.getenv}
	if rel, err := filepath.Rel(s.set.Root, dir); err == nil && filepath.IsLocal(rel) {
		in.Dir = filepath.Join(tree, rel)
	}
	if s.flags.kustomize != "" {
		paths = []string{s.flags.kustomize}
	} else if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, path := range paths {
		abs := filepath.Join(dir, path)
		if filepath.IsAbs(path) {
			if abs, err = filepath.EvalSymlinks(path); err != nil {
				return nil, err
			}
		}
		rel, err := filepath.Rel(s.set.Root, abs)
		if err != nil || !filepath.IsLocal(rel) {
			return nil, fmt.Errorf("%s lies outside the repository %s", path, s.set.Root)
		}
		if _, err := os.Stat(filepath.Join(tree, rel)); err == nil {
			in.Paths = append(in.Paths, filepath.Join(tree, rel))
		}
	}
	if len(in.Paths) == 0 {
		return nil, nil
	}
	if err := os.MkdirAll(in.Dir, 0o700); err != nil {
		return nil, err
	}
	if s.flags.kustomize != "" {
		in.Kustomize, in.Paths = in.Paths[0], nil
	}
	return in, nil
}

// decode keeps the agents that nothing is wrong with. A fault of a file is one of each agent that the file has a part in: which of them it
// concerns cannot always be told.
func (p *past) decode(accounts map[string]*plan.Account) {
	faulty := map[string]bool{}
	for _, fault := range p.faults {
		faulty[fault.Pos.File] = faulty[fault.Pos.File] || !fault.Warning
	}
	for _, a := range p.set.Agents {
		one := *p.set
		one.Agents = []*spec.Agent{a}
		decoded, problems := plan.Decode(&one, accounts)
		if problems.Err() != nil {
			p.faults = append(p.faults, problems...)
			continue
		}
		if len(decoded) == 1 && !faulty[a.Pos.File] && !touches(a.Config, faulty) {
			p.agents[a.Address()] = decoded[0]
		}
	}
}

// touches reports whether any part of v came from one of files.
func touches(v *spec.Value, files map[string]bool) bool {
	if v == nil {
		return false
	}
	return files[v.Pos.File] || v.Faulty || slices.ContainsFunc(v.Items, func(item *spec.Value) bool { return touches(item, files) }) ||
		slices.ContainsFunc(v.Pairs, func(p spec.Pair) bool { return touches(p.Value, files) })
}

// baseOn takes the manifests of a commit for what was applied last, where the state does not say.
func (s *session) baseOn(p *past) {
	s.bases = map[string]plan.Base{}
	for _, a := range p.set.Agents {
		s.bases[a.Address()] = plan.Base{}
	}
	for address, a := range p.agents {
		if sameAccount(p.document(a.Provider), s.document(a.Provider)) {
			s.bases[address] = a.Base()
		}
	}
	var warnings spec.Problems
	for _, fault := range p.faults {
		fault.Message, fault.Warning = "at "+p.ref+": "+fault.Message, true
		warnings = append(warnings, fault)
	}
	for _, a := range s.set.Agents {
		base, declared := s.bases[a.Address()]
		if declared && base.Config == nil && s.selected.Keeps(a) {
			warnings = append(warnings, spec.Problem{Pos: a.Pos, Warning: true, Message: fmt.Sprintf("%s: no base at %s: the manifest there is faulty now, or its account is another", a.Address(), p.ref),
				Hint: "a difference of this agent has an unknown origin"})
		}
	}
	warn(s.app.stderr, warnings)
}

func (p *past) document(name string) *spec.Provider { return documentOf(p.set, name) }

// onlyChanged leaves out the agents that are as they were at a commit, and says how many.
func (s *session) onlyChanged(p *past) {
	changed := map[string]bool{}
	everything := !sameConfig(p.set.Config, s.set.Config)
	for _, a := range s.agents {
		old := p.agents[a.Address()]
		if everything || old == nil || !sameAgent(old, a) || !sameProvider(p.document(a.Provider), s.document(a.Provider)) {
			changed[a.Address()] = true
		}
	}
	skipped, declared := 0, map[string]bool{}
	for _, a := range s.set.Agents {
		declared[a.Address()] = true
		if s.selected.Keeps(a) && !changed[a.Address()] {
			skipped++
		}
	}
	s.selected.Changed = changed
	fmt.Fprintf(s.app.stderr, "agentsync: %s not looked at: unchanged since %s\n", count(skipped, "agent"), p.ref)
	var removed []string
	for _, a := range p.set.Agents {
		if !declared[a.Address()] && s.selectedAlone(a) {
			removed = append(removed, a.Address())
		}
	}
	for _, address := range slices.Sorted(slices.Values(removed)) {
		fmt.Fprintf(s.app.stderr, "agentsync: %s not looked at: its manifest is gone since %s, and --changed-since finds no orphans\n", address, p.ref)
	}
}

// selectedAlone reports whether the flags choose an agent, whether it changed or not.
func (s *session) selectedAlone(a *spec.Agent) bool {
	chosen := s.selected
	chosen.Changed = nil
	return chosen.Keeps(a)
}
