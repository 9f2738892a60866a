package watch

import (
	"cmp"
	"errors"
	"strings"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
)

// verdict is how an agent stands after a round.
type verdict struct {
	id       string // of the live agent, "" if there is none
	state    status.State
	reason   string
	findings []providers.Finding
	err      string
	// retry says that it is to be tried again before the next full look.
	retry bool
	// away says that the vendor, and not this agent, is what failed.
	away bool
}

// judge tells how an agent stands from its change and, where the plan was carried out, from the result. hold says why nothing was written.
func judge(c *plan.Change, r *apply.Result, hold string, mask func(string) string) verdict {
	v := verdict{id: c.ID, findings: c.Findings}
	if r != nil {
		v.id = cmp.Or(r.ID, c.ID)
		v.findings = union(c.Findings, r.Findings)
		v.err = r.Error
	}
	switch {
	case c.Work.Err != nil && !errors.Is(c.Work.Err, rest.ErrNotFound):
		return v.failed(c.Work.Err, mask)
	case c.Blocked():
		return v.blocked(c)
	case r == nil && c.Action == plan.None:
		return v.synced(c)
	case r == nil && unseen(c):
		return v.is(status.Drifted, "changed outside agentsync")
	case r == nil:
		return v.is(status.Pending, hold)
	}
	switch r.Outcome {
	case apply.Applied, apply.Unchanged:
		return v.synced(c)
	case apply.Refused:
		if r.Stale() {
			v.retry = true
			return v.is(status.Pending, "it changed while it was planned")
		}
		return v.is(status.Drifted, "changed outside agentsync")
	case apply.Unknown:
		v.retry = true
		return v.is(status.Unsettled, "a write may or may not have been carried out")
	case apply.NotAttempted:
		v.retry = true
		return v.is(status.Pending, "the round ended before its turn")
	}
	return v.failed(r.Err, mask)
}

// unseen reports whether a change would overwrite what nobody has seen, so that apply would refuse it.
func unseen(c *plan.Change) bool {
	return len(c.Moved()) > 0 && c.Work.Policy == spec.DriftRefuse
}

func (v verdict) is(state status.State, reason string) verdict {
	v.state, v.reason = state, reason
	return v
}

func (v verdict) synced(c *plan.Change) verdict {
	v.err = ""
	for _, f := range c.Findings {
		if f.Code == providers.CodeDriftIgnored {
			return v.is(status.Synced, "differs from its manifest where drift is ignored")
		}
	}
	return v.is(status.Synced, "")
}

func (v verdict) failed(err error, mask func(string) string) verdict {
	v.err, v.retry = mask(err.Error()), true
	v.away = errors.Is(err, rest.ErrUnavailable) || errors.Is(err, rest.ErrAuth)
	return v.is(status.Failed, "tried again soon")
}

// awayReason is why an agent is unreachable.
const awayReason = "the account cannot be reached"

func (v verdict) unreachable() verdict { return v.is(status.Unreachable, awayReason) }

// blocked tells why an agent must not be written.
func (v verdict) blocked(c *plan.Change) verdict {
	var reasons []string
	state := status.Refused
	for _, f := range c.Findings {
		if f.Severity != providers.Blocking {
			continue
		}
		reasons = append(reasons, f.Message)
		switch f.Code {
		case providers.CodeSuspended:
			state = status.Suspended
		case providers.CodeFight:
			state = status.Fighting
		case providers.CodePending:
			state, v.retry = status.Unsettled, true
		}
	}
	v.err = ""
	return v.is(state, strings.Join(reasons, "; "))
}

// union is the findings of a plan with those that came up while it was carried out.
func union(planned, found []providers.Finding) []providers.Finding {
	all := append([]providers.Finding{}, planned...)
	for _, f := range found {
		known := false
		for _, p := range planned {
			known = known || p == f
		}
		if !known {
			all = append(all, f)
		}
	}
	return all
}
