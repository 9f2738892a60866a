package apply

import (
	"bytes"
	"context"
	"fmt"
	"maps"
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
	next := state.Record{Version: state.Version, Address: j.change.Address, Type: w.Account.Type(), ID: live.ID,
		Revision: live.Revision, AppliedAt: j.stamp(), Commit: j.Commit}
	if w.Agent != nil {
		next.Protect = w.Agent.Protect
	}
	for _, f := range change.Files {
		if next.Files == nil {
			next.Files = map[string]string{}
		}
		next.Files[f.Name] = f.SHA256
	}
	base := diff.Project(j.types(), live.Config, change.Desired)
	diff.KeepUnreadable(j.types(), base, change.Base, j.change.Action == plan.Create)
	for _, p := range w.Left {
		if old, known := p.Get(change.Base); known {
			p.Set(base, old)
		}
	}
	if sameRecord(old, next, change.Base, base) {
		return nil
	}
	sealed, err := state.SealAt(base, j.work().Secret)
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

// sameRecord reports whether the old record says what the new one would: then nothing is written.
func sameRecord(old, next state.Record, oldBase, base diff.Object) bool {
	return old.ID == next.ID && old.Type == next.Type && old.Protect == next.Protect && old.Pending == nil &&
		maps.Equal(old.Files, next.Files) && old.Applied != nil && bytes.Equal(diff.Canonical(oldBase), diff.Canonical(base))
}
