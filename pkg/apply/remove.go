package apply

import (
	"context"
	"errors"
	"fmt"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// remove deletes or archives an orphan, makes sure that it is gone, and forgets it.
func (j *job) remove(ctx context.Context) {
	if len(j.work().Write.Requests) > 0 {
		fresh, ok := j.fresh(ctx)
		if !ok {
			return
		}
		if err := j.snapshot(ctx, fresh); err != nil {
			j.end(Failed, err)
			return
		}
		if !j.deleted(ctx) {
			return
		}
	}
	if err := j.Book.Remove(context.WithoutCancel(ctx), j.change.Address, j.work().Entry.Version); err != nil {
		j.end(Failed, fmt.Errorf("the agent is gone, but the state could not be written: %w", err))
		return
	}
	j.end(Applied, nil)
}

// deleted sends the delete and reports whether the agent is gone for sure; otherwise it ends the job.
func (j *job) deleted(ctx context.Context) bool {
	var failure error
	for _, r := range j.work().Write.Requests {
		if _, failure = j.sendOne(ctx, r); failure != nil {
			break
		}
		j.result.Wrote = true
	}
	if failure != nil && !uncertain(failure) && !errors.Is(failure, rest.ErrNotFound) {
		j.failed(failure)
		return false
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	for _, wait := range append(patience(), 0) {
		live, got := j.provider().Get(ctx, j.change.ID)
		if errors.Is(got, rest.ErrNotFound) || (got == nil && live.Gone) {
			j.result.Wrote = true
			return true
		}
		if err = got; got == nil {
			err = errors.New("the vendor still returns the agent")
		}
		if wait == 0 || j.Sleep(ctx, wait) != nil {
			break
		}
	}
	if failure != nil {
		j.result.Wrote = true
		j.end(Unknown, failure)
		return false
	}
	j.end(Failed, fmt.Errorf("the delete was accepted, but: %w", err))
	return false
}
