package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
)

// job is the work on one agent.
type job struct {
	Options
	change *plan.Change
	result Result
}

func (j *job) work() *plan.Work             { return j.change.Work }
func (j *job) provider() providers.Provider { return j.work().Account.Provider }
func (j *job) types() *diff.Type            { return j.work().Account.Generation.Schema().Type() }

// end sets the outcome; err may be nil.
func (j *job) end(outcome Outcome, err error) {
	j.result.Outcome = outcome
	if err == nil {
		return
	}
	j.result.Err, j.result.Error = err, err.Error()
	if j.Mask != nil {
		j.result.Error = j.Mask(j.result.Error)
	}
}

// sendOne sends one write, unless the run may no longer write.
func (j *job) sendOne(ctx context.Context, r providers.Request) (id string, err error) {
	guard := func() error {
		if j.Guard == nil {
			return nil
		}
		if err := j.Guard(); err != nil {
			return fmt.Errorf("%w: %w", errGuard, err)
		}
		return nil
	}
	if err := guard(); err != nil {
		return "", err
	}
	j.result.Requests++
	// Asked again by each attempt: it may wait long for its turn.
	return j.provider().Send(rest.WithGuard(ctx, guard), r)
}

// errGuard: nothing was sent, because this run may no longer write.
var errGuard = errors.New("not sent")

// failed ends a job whose write was surely not carried out.
func (j *job) failed(err error) {
	if errors.Is(err, errGuard) {
		j.end(NotAttempted, err)
		return
	}
	j.end(Failed, err)
}

func (j *job) find(f providers.Finding) { j.result.Findings = append(j.result.Findings, f) }

func (j *job) refuse(f providers.Finding) {
	j.find(f)
	j.end(Refused, errors.New(f.Message))
}

func (j *job) run(ctx context.Context) {
	if j.gated() {
		return
	}
	switch j.change.Action {
	case plan.None:
		j.settle(ctx)
	case plan.Create:
		j.create(ctx)
	case plan.Update, plan.Adopt:
		j.update(ctx)
	case plan.Delete:
		j.remove(ctx)
	}
}

// gated ends a job that must not be carried out: blocked, stale against the reviewed plan, or about to overwrite what nobody
// has seen.
func (j *job) gated() bool {
	c := j.change
	if c.Blocked() {
		j.blocked()
		return true
	}
	if c.Action == plan.None {
		return false
	}
	if j.Reviewed != nil && !j.agrees() {
		return true
	}
	if moved := c.Moved(); len(moved) > 0 && !j.Seen && j.work().Policy == spec.DriftRefuse {
		j.refuseMoved(moved)
		return true
	}
	return false
}

// blocked ends a job with the plan's own blocking findings.
func (j *job) blocked() {
	var messages []string
	for _, f := range j.change.Findings {
		if f.Severity == providers.Blocking {
			j.find(f)
			messages = append(messages, f.Message)
		}
	}
	if err := j.work().Err; err != nil && !errors.Is(err, rest.ErrNotFound) {
		j.end(Failed, err)
		return
	}
	j.end(Refused, errors.New(strings.Join(messages, "; ")))
}

// agrees compares the change with the reviewed plan's.
func (j *job) agrees() bool {
	for i := range j.Reviewed.Changes {
		r := &j.Reviewed.Changes[i]
		if r.Address != j.change.Address {
			continue
		}
		switch {
		case r.Action != j.change.Action:
			j.stale(fmt.Sprintf("the reviewed plan says %s, now it would be %s", r.Action, j.change.Action))
		case r.Precondition.Live != j.change.Precondition.Live:
			j.stale("the live agent changed since the plan was reviewed")
		case r.Precondition.Desired != j.change.Precondition.Desired:
			j.stale("the manifest changed since the plan was reviewed")
		default:
			return true
		}
		return false
	}
	j.stale("the reviewed plan does not have this agent")
	return false
}

func (j *job) stale(message string) {
	j.refuse(providers.NewBlocking(providers.CodeStale, message, "make a new plan and have it reviewed"))
}

var movedCodes = map[diff.Origin]string{
	diff.Drift: providers.CodeDrift, diff.Conflict: providers.CodeConflict, diff.Unknown: providers.CodeUnknown,
}

// refuseMoved refuses an agent whose live values agentsync did not write, and shows all three sides of each.
func (j *job) refuseMoved(moved []plan.Field) {
	var paths []string
	for _, f := range moved {
		paths = append(paths, string(f.Path))
		message := fmt.Sprintf("%s: live %s, last applied %s, manifest %s", f.Path, brief(f.Before), briefBase(f), brief(f.After))
		if f.Sensitive {
			message = fmt.Sprintf("%s: live, last applied and manifest differ %s", f.Path, plan.Hidden)
		}
		j.find(providers.NewBlocking(movedCodes[f.Origin], message, ""))
	}
	j.end(Refused, fmt.Errorf("live values that agentsync did not write would be overwritten: %s", strings.Join(paths, ", ")))
}

func briefBase(f plan.Field) string {
	switch {
	case f.Origin == diff.Unknown:
		return "not known"
	default:
		return brief(f.Base)
	}
}

// maxBrief bounds a value inside a message, in characters.
const maxBrief = 80

// brief shows a value in one short line.
func brief(v any) string {
	if v == nil {
		return "nothing"
	}
	text := []rune(string(diff.Canonical(v)))
	if len(text) > maxBrief {
		return string(text[:maxBrief]) + "…"
	}
	return string(text)
}
