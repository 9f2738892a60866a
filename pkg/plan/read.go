package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// target is one address to read: a declared agent, or an orphan (Agent nil).
type target struct {
	address string
	account *Account
	agent   *Agent
	entry   state.Entry
	known   bool // entry is set
}

// id returns the live agent that t is bound to, "" for none. The manifest's word counts before the state's.
func (t *target) id() string {
	if t.agent != nil && t.agent.ID != "" {
		return t.agent.ID
	}
	return t.entry.Record.ID
}

// seen is what was read of one target.
type seen struct {
	live providers.Live
	// candidates are the live, unbound agents with the target's name, where it is not bound.
	candidates []providers.Live
	// listed says that live is a row of a list.
	listed bool
	// unmoved is the change mark for whose sake the agent was not read, "" if it was.
	unmoved string
	// odd says why the account's list is not to be believed, so that no create may rest on it.
	odd string
	err error
}

// observe reads all targets, accounts side by side, and returns what was seen by address, and how each account was read, in order of
// their names. It asks for nothing twice: a list that holds whole agents serves for all of them. taken are the live ids that manifests or
// the state bind, by account name: they are nobody's candidates.
func observe(ctx context.Context, targets []*target, taken map[string]map[string]bool, in Input) (map[string]seen, []*reader) {
	byAccount := map[*Account][]*target{}
	for _, t := range targets {
		byAccount[t.account] = append(byAccount[t.account], t)
	}
	var mu sync.Mutex
	all := make(map[string]seen, len(targets))
	var readers []*reader
	var group sync.WaitGroup
	for account, own := range byAccount {
		r := &reader{account: account, targets: own, taken: taken[account.Name], refresh: in.Refresh, put: func(address string, s seen) {
			mu.Lock()
			defer mu.Unlock()
			all[address] = s
		}}
		r.course = r.chart()
		readers = append(readers, r)
	}
	slices.SortFunc(readers, func(a, b *reader) int { return strings.Compare(a.account.Name, b.account.Name) })
	for _, r := range readers {
		if in.Reading != nil {
			in.Reading(r.forecast())
		}
		group.Go(func() { r.read(ctx) })
	}
	group.Wait()
	return all, readers
}

// reader reads the targets of one account.
type reader struct {
	account *Account
	targets []*target
	taken   map[string]bool
	refresh Refresh
	course  course
	put     func(address string, s seen)

	silence silence
	pages   int          // of the list that were read
	gets    atomic.Int64 // agents that were asked for
	unread  atomic.Int64 // agents that were not, for the sake of their mark
}

func (r *reader) read(ctx context.Context) {
	rows, listErr := r.list(ctx)
	byID := make(map[string]*providers.Live, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	var missing names
	group := r.group()
	for _, t := range r.targets {
		id := t.id()
		if id == "" {
			continue
		}
		row, listed := byID[id]
		if listed && t.shownBy(*row) {
			r.put(t.address, seen{live: *row, listed: true})
			continue
		}
		// A vendor that cannot be reached, or does not let us in, need not be asked again for each agent.
		if errors.Is(listErr, rest.ErrAuth) || errors.Is(listErr, rest.ErrUnavailable) {
			r.put(t.address, seen{err: listErr})
			continue
		}
		group.Go(func() error {
			if listed && r.refresh == RefreshChanged && t.unmoved(*row) {
				r.unread.Add(1)
				r.put(t.address, seen{unmoved: row.Revision})
				return nil
			}
			live, err := r.get(ctx, id)
			if err == nil && rows != nil && !listed && !live.Gone {
				missing.add(id)
			}
			r.put(t.address, seen{live: live, err: err})
			return nil
		})
	}
	_ = group.Wait() // nothing in it fails: what went wrong is in what was seen
	odd := ""
	if ids := missing.sorted(); len(ids) > 0 {
		odd = fmt.Sprintf("the list of %s lacks %d agents that exist (%s): it is not complete", r.account.Name, len(ids), ids[0])
	}
	r.unbound(ctx, rows, listErr, odd)
}

// group bounds how many agents are asked for at once.
func (r *reader) group() *errgroup.Group {
	group := new(errgroup.Group)
	group.SetLimit(r.account.Provider.Limits().Workers())
	return group
}

func (r *reader) get(ctx context.Context, id string) (providers.Live, error) {
	if err := r.silence.err(); err != nil {
		return providers.Live{}, err
	}
	r.gets.Add(1)
	live, err := r.account.Provider.Get(ctx, id)
	r.silence.heard(err)
	return live, err
}

// enough is after how many reads in vain, each with its repeats, an account that never answered is not asked again.
const enough = 3

// silence notes that an account does not answer: hundreds of agents need not be asked for in vain, one after the other.
type silence struct {
	mu       sync.Mutex
	answered bool
	failures int
	last     error
}

// heard takes in what came of a read.
func (s *silence) heard(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !errors.Is(err, rest.ErrUnavailable) && !errors.Is(err, rest.ErrAuth) {
		s.answered = true
		return
	}
	s.failures++
	s.last = err
}

// err is why the account is not to be asked any more, nil where it may be.
func (s *silence) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered || s.failures < enough {
		return nil
	}
	return fmt.Errorf("not asked for, since the account does not answer: %w", s.last)
}

// list reads as much of the account's list as the course says.
func (r *reader) list(ctx context.Context) (rows []providers.Live, err error) {
	switch r.course.list {
	case noList:
		return nil, nil
	case wholeRows:
		rows, _, err = r.account.Provider.(providers.WholeLister).ListWhole(ctx)
	default:
		rows, err = r.account.Provider.(providers.Lister).List(ctx)
	}
	r.pages = r.account.Generation.Can.Pages(len(rows))
	if err == nil && rows == nil {
		rows = []providers.Live{}
	}
	return rows, err
}

// unbound looks for the agents that nothing binds yet, by name.
func (r *reader) unbound(ctx context.Context, rows []providers.Live, listErr error, odd string) {
	byName := map[string][]providers.Live{}
	for _, row := range rows {
		if !r.taken[row.ID] && !row.Gone {
			byName[row.Name] = append(byName[row.Name], row)
		}
	}
	group := r.group()
	for _, t := range r.targets {
		if t.id() != "" {
			continue
		}
		if listErr != nil {
			r.put(t.address, seen{err: listErr})
			continue
		}
		s := seen{odd: odd, candidates: byName[t.name()]}
		if len(s.candidates) != 1 {
			r.put(t.address, s)
			continue
		}
		group.Go(func() error {
			r.put(t.address, r.candidate(ctx, t, s))
			return nil
		})
	}
	_ = group.Wait() // as above
}

// candidate makes the one candidate whole.
func (r *reader) candidate(ctx context.Context, t *target, s seen) seen {
	if row := s.candidates[0]; t.shownBy(row) {
		s.live, s.listed = row, true
		return s
	}
	s.live, s.err = r.get(ctx, s.candidates[0].ID)
	if errors.Is(s.err, rest.ErrNotFound) {
		// Listed and not there: the list is behind. Nothing may be built on it.
		s.err = fmt.Errorf("%s lists agent %s, but it cannot be read: %w", r.account.Name, s.candidates[0].ID, s.err)
	}
	return s
}

// shownBy reports whether a row of a list serves for t: it is whole, and shows each field that the manifest declares. A field that a list
// leaves out must not look like one that is not set.
func (t *target) shownBy(row providers.Live) bool {
	if !row.Whole || t.agent == nil {
		return row.Whole
	}
	types := t.account.Generation.Schema().Type()
	for name := range t.agent.Config.Object {
		field := types.Field(name)
		if _, shown := row.Config[name]; !shown && field != nil && !field.WriteOnly && !field.CreateOnly && field.Toggle == "" {
			return false
		}
	}
	return true
}

// name is the display name that t's agent would have.
func (t *target) name() string {
	if t.agent == nil {
		return ""
	}
	if s, isText := t.agent.Config.Object[t.account.Generation.NameField].(string); isText {
		return s
	}
	return t.agent.Name
}

// names collects ids from several goroutines.
type names struct {
	mu   sync.Mutex
	list []string
}

func (a *names) add(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, name)
}

func (a *names) sorted() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.list)
	return a.list
}
