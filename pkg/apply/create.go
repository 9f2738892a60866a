package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// create makes an agent once: the intent is recorded before the POST, the id as soon as it is known.
func (j *job) create(ctx context.Context) {
	if err := j.journal(ctx, ""); err != nil {
		j.end(Failed, fmt.Errorf("the intent to create could not be recorded, nothing was sent: %w", err))
		return
	}
	id, ok := j.post(ctx)
	if !ok {
		return
	}
	j.result.ID, j.result.Wrote = id, true
	if err := j.journal(ctx, id); err != nil {
		j.end(Failed, fmt.Errorf("the agent was created as %s, but its id could not be recorded: bind it with `agentsync state bind %s %s`: %w",
			id, j.change.Address, id, err))
		return
	}
	j.complete(ctx, id)
}

// journal records that a create is in flight, and its id once that is known.
func (j *job) journal(ctx context.Context, id string) error {
	w := j.work()
	record := state.Record{Version: state.Version, Address: j.change.Address, Type: w.Account.Type(), ID: id, Protect: w.Agent.Protect,
		Pending: &state.Pending{Op: "create", Run: j.Run, At: j.stamp(), Name: j.name()}}
	version, err := j.Book.Save(context.WithoutCancel(ctx), record, w.Entry.Version)
	if err != nil {
		return err
	}
	w.Entry = state.Entry{Record: record, Version: version}
	return nil
}

// name is the display name that the new agent gets.
func (j *job) name() string {
	if name, ok := j.work().Change.Desired[j.work().Account.Generation.NameField].(string); ok {
		return name
	}
	return j.work().Agent.Name
}

// post sends the create and finds out what became of it.
func (j *job) post(ctx context.Context) (id string, ok bool) {
	id, err := j.sendOne(ctx, j.work().Write.Requests[0])
	switch {
	case err == nil:
		return id, true
	case uncertain(err):
		return j.recover(ctx, err)
	}
	// Surely not created: forget the intent.
	if forget := j.Book.Remove(context.WithoutCancel(ctx), j.change.Address, j.work().Entry.Version); forget != nil {
		err = fmt.Errorf("%w (and the intent to create could not be taken back: %w)", err, forget)
	}
	j.failed(err)
	return "", false
}

// recover looks for the agent that a create of unknown outcome may have made. No agent had its name before, so exactly one that
// has it now is ours; none may mean that it is still to come.
func (j *job) recover(ctx context.Context, cause error) (id string, ok bool) {
	j.result.Wrote = true
	lister, can := j.provider().(providers.Lister)
	if can && j.work().Account.Generation.Can.List != "none" {
		ctx := context.WithoutCancel(ctx)
		for _, wait := range append(patience(), 0) {
			if ids := j.named(ctx, lister); len(ids) == 1 {
				return ids[0], true
			}
			if wait == 0 || j.Sleep(ctx, wait) != nil {
				break
			}
		}
	}
	j.find(providers.NewBlocking(providers.CodeOutcome, "the create may or may not have been carried out; it is not sent again",
		fmt.Sprintf("plan again; if it stays unknown, `agentsync state bind %s ID` or `agentsync state rm %s`", j.change.Address, j.change.Address)))
	j.end(Unknown, cause)
	return "", false
}

// named lists the ids of live agents with the new agent's name.
func (j *job) named(ctx context.Context, lister providers.Lister) []string {
	rows, err := lister.List(ctx)
	if err != nil {
		return nil
	}
	var ids []string
	for _, row := range rows {
		if row.Name == j.name() && !row.Gone {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// complete reads the new agent and sends what the create could not carry, then records it.
func (j *job) complete(ctx context.Context, id string) {
	live, err := j.appeared(ctx, id)
	if err != nil {
		j.end(Failed, fmt.Errorf("the agent was created as %s, but cannot be read: %w", id, err))
		return
	}
	change := j.work().Change
	change.ID, change.Live = id, live
	t := j.types()
	change.Desired = diff.Complete(t, live.Config, change.Desired)
	created := diff.Object{}
	for _, name := range j.work().Write.Requests[0].Fields {
		if v, ok := change.Desired[name]; ok {
			created[name] = v
		}
	}
	change.Base = created
	change.Fields = diff.Compare(t, created, live.Config, change.Desired, diff.Options{Skip: j.unjudged(change)})
	if len(change.Fields) == 0 || len(j.work().Write.Requests) == 1 {
		j.send(ctx, live, change, nil)
		return
	}
	rest := j.provider().Update(change)
	for _, f := range rest.Findings {
		if f.Severity == providers.Blocking {
			j.find(f)
			err = errors.Join(err, errors.New(f.Message))
		}
	}
	if err != nil {
		j.end(Failed, fmt.Errorf("the agent was created as %s, but cannot be completed: %w", id, err))
		return
	}
	j.send(ctx, live, change, rest.Requests)
}

// appeared reads a new agent, waiting a little for a vendor whose reads lag behind.
func (j *job) appeared(ctx context.Context, id string) (providers.Live, error) {
	ctx = context.WithoutCancel(ctx)
	for _, wait := range append(patience(), time.Duration(0)) {
		live, err := j.provider().Get(ctx, id)
		if err == nil || !errors.Is(err, rest.ErrNotFound) || wait == 0 {
			return live, err
		}
		if err := j.Sleep(ctx, wait); err != nil {
			return live, err
		}
	}
	return providers.Live{}, rest.ErrNotFound
}
