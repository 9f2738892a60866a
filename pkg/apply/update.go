package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// update brings a live agent to its manifest: read, compare with the plan, snapshot, send, read back, record.
func (j *job) update(ctx context.Context) {
	fresh, ok := j.fresh(ctx)
	if !ok {
		return
	}
	if err := j.snapshot(ctx, fresh); err != nil {
		j.end(Failed, err)
		return
	}
	j.send(ctx, fresh, j.work().Change, j.work().Write.Requests)
}

// fresh reads the agent again right before its write and makes sure that it is what the plan was made for.
func (j *job) fresh(ctx context.Context) (providers.Live, bool) {
	live, err := j.provider().Get(ctx, j.change.ID)
	if err != nil {
		j.end(Failed, fmt.Errorf("reading it again before the write: %w", err))
		return live, false
	}
	if !j.work().SameLive(live.Config) || live.Locked != "" || live.Gone {
		j.stale(movedMessage(j.types(), j.work().Change.Live.Config, live.Config))
		return live, false
	}
	return live, true
}

// movedMessage names the top-level fields that differ between two reads.
func movedMessage(t *diff.Type, before, after diff.Object) string {
	message := "the live agent changed between the plan and the write"
	var names []string
	for _, name := range union(before, after) {
		if field := t.Field(name); field != nil && !field.ReadOnly && !diff.Equal(field, before[name], after[name]) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		message += fmt.Sprintf(": %q", names)
	}
	return message
}

func union(a, b diff.Object) []string {
	names := slices.Concat(diff.Keys(a), diff.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

// send carries out the requests of an update and settles how it ended. before is the read that they were made from.
func (j *job) send(ctx context.Context, before providers.Live, change providers.Change, requests []providers.Request) {
	if len(requests) == 0 && j.judge(before, before, change) == nil {
		// Nothing was written since it was read.
		j.recorded(ctx, before, change, Applied)
		return
	}
	var failure error
	for _, r := range requests {
		if _, failure = j.sendOne(ctx, r); failure != nil {
			break
		}
		j.result.Wrote = true
	}
	if failure != nil && !uncertain(failure) {
		j.failed(failure)
		return
	}
	after, verdict := j.readBack(ctx, before, change, failure == nil)
	switch {
	case verdict == nil:
		j.result.Wrote = true
		j.recorded(ctx, after, change, Applied)
	case failure == nil:
		j.disagreed(ctx, after, change, verdict)
	case errors.Is(verdict, errUnmoved):
		j.end(Failed, failure)
	default:
		j.result.Wrote = true
		j.find(providers.NewBlocking(providers.CodeOutcome, "the vendor did not answer, and the agent is neither as before nor as sent", ""))
		j.end(Unknown, failure)
	}
}

// disagreed ends a job whose write was confirmed, but whose read-back is not what was sent. Fields that are as sent are recorded; the others keep
// their old base, so that whoever moved them is not overwritten unseen.
func (j *job) disagreed(ctx context.Context, after providers.Live, change providers.Change, verdict error) {
	j.find(providers.NewBlocking(providers.CodeReadBack, verdict.Error(), ""))
	var m *mismatch
	if errors.As(verdict, &m) {
		for _, p := range m.declared {
			j.work().Left = append(j.work().Left, diff.Pointer(p))
		}
		change.Desired = diff.Without(change.Desired, j.work().Left)
		if err := j.record(ctx, after, change); err != nil {
			verdict = errors.Join(verdict, fmt.Errorf("the state could not be written: %w", err))
		}
	}
	j.end(Failed, verdict)
}

// uncertain reports whether a failed write may have been carried out.
func uncertain(err error) bool { return errors.Is(err, rest.ErrUnknownOutcome) }

// settle records what needs no request: a first look at an agent that is in sync, a released field, a base that both sides moved past.
func (j *job) settle(ctx context.Context) {
	if j.work().Err != nil || j.work().Change.Live.ID == "" {
		j.end(Unchanged, nil)
		return
	}
	j.recorded(ctx, j.work().Change.Live, j.work().Change, Unchanged)
}

// snapshot keeps what is live before it is written, secrets sealed.
func (j *job) snapshot(ctx context.Context, live providers.Live) error {
	sealed, err := state.SealAt(live.Config, j.work().Secret)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	err = j.Book.SaveSnapshot(ctx, j.Run, j.change.Address, state.Snapshot{Version: state.Version, Address: j.change.Address,
		ID: live.ID, Type: j.work().Account.Type(), Config: sealed, At: j.stamp(), Commit: j.Commit, Action: string(j.change.Action)})
	if err != nil {
		return fmt.Errorf("snapshot: nothing was sent: %w", err)
	}
	return nil
}
