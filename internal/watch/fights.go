package watch

import (
	"maps"
	"slices"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
)

// A field that was put back so often in so long a time, and changed again, is not put back any more: somebody else means it.
const (
	fightRounds = 3
	fightTime   = time.Hour
)

// fights remembers which fields were put back, and when.
type fights map[string]*fight // by address

type fight struct {
	putBack map[diff.Pointer][]time.Time
	stopped bool // a person has to settle it
}

// put notes that a field's drift was overwritten.
func (f fights) put(address string, field diff.Pointer, now time.Time) {
	own := f[address]
	if own == nil {
		own = &fight{putBack: map[diff.Pointer][]time.Time{}}
		f[address] = own
	}
	own.putBack[field] = append(slices.DeleteFunc(own.putBack[field], func(t time.Time) bool { return now.Sub(t) > fightTime }), now)
}

// contested returns the fields of each address that are not to be put back once more.
func (f fights) contested(now time.Time) map[string]map[diff.Pointer]bool {
	all := map[string]map[diff.Pointer]bool{}
	for address, own := range f {
		for field, times := range own.putBack {
			recent := 0
			for _, t := range times {
				if now.Sub(t) <= fightTime {
					recent++
				}
			}
			if !own.stopped && recent == 0 {
				delete(own.putBack, field)
			}
			if own.stopped && len(times) >= fightRounds || recent >= fightRounds {
				if all[address] == nil {
					all[address] = map[diff.Pointer]bool{}
				}
				all[address][field] = true
			}
		}
		if len(own.putBack) == 0 {
			delete(f, address)
		}
	}
	return all
}

// stop notes that an agent is left alone until settle is called.
func (f fights) stop(address string) {
	if own := f[address]; own != nil {
		own.stopped = true
	}
}

// recent reports whether something was put back at an agent within the last hour, and it is not stopped.
func (f fights) recent(address string, now time.Time) bool {
	own := f[address]
	if own == nil || own.stopped {
		return false
	}
	for _, times := range own.putBack {
		if now.Sub(times[len(times)-1]) <= fightTime {
			return true
		}
	}
	return false
}

// settle forgets what was put back: a person changed the manifest, asked for the agent, or the other side gave up.
func (f fights) settle(address string) { delete(f, address) }

// moves remembers which agents were changed or deleted for the revision in force, or are going to be as far as the state tells, by account and
// address: the limits hold for all accounts together. What was done more than an hour ago no longer counts: a limit is there for a revision that changes much at once. What is going to be done counts until it is done, or an
// old refusal would be carried out piece by piece.
type moves map[string]map[string]move

type move struct {
	at       time.Time
	deleted  bool
	expected bool
}

// expect notes an agent whose manifest says something else than what was applied.
func (m moves) expect(account, address string, now time.Time) {
	m.put(account, address, false, now)
	m[account][address] = move{at: now, expected: true}
}

func (m moves) put(account, address string, deleted bool, now time.Time) {
	if m[account] == nil {
		m[account] = map[string]move{}
	}
	m[account][address] = move{at: now, deleted: deleted}
}

// drop forgets what was expected and did not come. A move that happened stays: the look after it finds nothing to do.
func (m moves) drop(account, address string) {
	if v, there := m[account][address]; there && v.expected {
		delete(m[account], address)
	}
}

// elsewhere counts what a plan has to reckon with beside the agents that it looks at itself: the changes of others, and all deletes.
func (m moves) elsewhere(now time.Time, looksAt func(account, address string) bool) (changed, deleted int) {
	for name, own := range m {
		maps.DeleteFunc(own, func(_ string, v move) bool { return !v.expected && now.Sub(v.at) > fightTime })
		for address, v := range own {
			if !looksAt(name, address) || v.deleted {
				changed++
			}
			if v.deleted {
				deleted++
			}
		}
	}
	return changed, deleted
}
