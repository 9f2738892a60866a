package apply

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/state"
)

func (j *job) stamp() string { return j.Now().UTC().Format(time.RFC3339) }

// recorded writes the agent's record and ends the job. What is recorded as applied is what was read, as far as the manifest declares
// it. A record that says the same already is not written.
func (j *job) recorded(ctx context.Context, live providers.Live, change providers.Change, outcome Outcome) {
	j.result.ID = live.ID
	if err := j.record(ctx, live, change); err != nil {
		j.end(Failed, fmt.Errorf("the agent is as it should be, but the state could not be written: %w", err))
		return
	}
	j.end(outcome, nil)
}

func (j *job) record(ctx context.Context, live providers.Live, change providers.Change) error {
	w := j.work()
	old := w.Entry.Record
	next, same := j.next(live, change)
	if same {
		return nil
	}
	next.AppliedAt, next.Commit = j.stamp(), j.Commit
	known := change.Base
	if old.ID == live.ID && old.Applied != nil {
		known = old.Applied // what is kept of it stays sealed
	}
	base := j.base(live, change, known)
	sealed, err := state.SealAt(base, secretsIn(base, w.Secret))
	if err != nil {
		return err
	}
	next.Applied = sealed
	version, err := j.Book.Save(context.WithoutCancel(ctx), next, w.Entry.Version)
	if err != nil {
		return err
	}
	w.Entry = state.Entry{Record: next, Version: version}
	return nil
}

// next is the agent's record as it should be from now on, without what was applied, and whether the old one says the same already.
func (j *job) next(live providers.Live, change providers.Change) (next state.Record, same bool) {
	w := j.work()
	next = state.Record{Version: state.Version, Address: j.change.Address, Type: w.Account.Type(), ID: live.ID, Revision: live.Revision}
	if w.Agent != nil {
		next.Protect = w.Agent.Protect
	}
	for _, f := range change.Files {
		if next.Files == nil {
			next.Files = map[string]string{}
		}
		next.Files[f.Name] = f.SHA256
	}
	return next, sameRecord(w.Entry.Record, next, change.Base, j.base(live, change, change.Base))
}

// Settled reports whether carrying p out would write nothing, neither at a vendor nor to the state: every agent is as its manifest says and
// recorded so, or blocked.
func Settled(p *plan.Plan) bool {
	if p.HasChanges() {
		return false
	}
	for i := range p.Changes {
		j := job{change: &p.Changes[i]}
		if j.change.Blocked() || j.work().Err != nil || j.work().Change.Live.ID == "" {
			continue
		}
		if _, same := j.next(j.work().Change.Live, j.work().Change); !same {
			return false
		}
	}
	return true
}

// base is the base of the next comparison: what was read, as far as the manifest declares it, and what is known of the fields that cannot be
// read or were left alone.
func (j *job) base(live providers.Live, change providers.Change, known diff.Object) diff.Object {
	base := diff.Project(j.types(), live.Config, change.Desired)
	diff.KeepUnreadable(j.types(), base, known, j.change.Action == plan.Create)
	for _, p := range j.work().Left {
		if old, there := p.Get(known); there {
			p.Set(base, old)
		}
	}
	return base
}

// secretsIn returns the pointers of secrets that base holds. One that it lacks, because live has it and the manifest does not declare
// it, must not seal what is around it; one below a list or a scalar seals that.
func secretsIn(base diff.Object, secret []diff.Pointer) []diff.Pointer {
	return slices.DeleteFunc(slices.Clone(secret), func(p diff.Pointer) bool {
		if _, there := p.Get(base); there {
			return false
		}
		for p = p.Parent(); p != ""; p = p.Parent() {
			if v, there := p.Get(base); there {
				_, isObject := v.(diff.Object)
				return isObject
			}
		}
		return true
	})
}

// sameRecord reports whether the old record says what the new one would: then nothing is written.
func sameRecord(old, next state.Record, oldBase, base diff.Object) bool {
	return old.ID == next.ID && old.Type == next.Type && old.Protect == next.Protect && old.Pending == nil &&
		maps.Equal(old.Files, next.Files) && old.Applied != nil && bytes.Equal(diff.Canonical(oldBase), diff.Canonical(base))
}
