// Package apply carries a plan out: in a decided order, paced by each account, one agent at a time per write, with a fresh read
// before each write and a read-back after it. Every agent ends in one of six outcomes, whatever happens.
package apply

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// FormatVersion is the version of the report document.
const FormatVersion = "1.0"

// Outcome is how an agent ended.
type Outcome string

// The outcomes. Unknown means that a request was sent and nobody can say whether it was carried out.
const (
	Applied      Outcome = "applied"
	Unchanged    Outcome = "unchanged"
	Failed       Outcome = "failed"
	Unknown      Outcome = "unknown"
	Refused      Outcome = "refused"
	NotAttempted Outcome = "not-attempted"
)

// Report is the document that `apply -o json` prints.
type Report struct {
	FormatVersion string     `json:"formatVersion"`
	Run           string     `json:"run"`
	Plan          *plan.Plan `json:"plan"`
	Results       []Result   `json:"results"` // in order of address
	Summary       Summary    `json:"summary"`
}

// Result is how one agent ended. Requests counts the writes that were sent.
type Result struct {
	Address  string              `json:"address"`
	Outcome  Outcome             `json:"outcome"`
	ID       string              `json:"id"`
	Requests int                 `json:"requests"`
	Error    string              `json:"error"`
	Findings []providers.Finding `json:"findings"`
	// Err is the cause of Error, for whoever decides on it.
	Err error `json:"-"`
	// Wrote says that something was, or may have been, changed at the vendor.
	Wrote bool `json:"-"`
}

// Stale reports whether the agent was refused because it moved since it was planned.
func (r Result) Stale() bool {
	return r.Outcome == Refused && slices.ContainsFunc(r.Findings, func(f providers.Finding) bool { return f.Code == providers.CodeStale })
}

// Summary counts the results by outcome.
type Summary struct {
	Applied      int `json:"applied"`
	Unchanged    int `json:"unchanged"`
	Failed       int `json:"failed"`
	Unknown      int `json:"unknown"`
	Refused      int `json:"refused"`
	NotAttempted int `json:"notAttempted"`
}

// Options say how to apply.
type Options struct {
	// Run names this run; it sorts by time.
	Run string
	// Commit is recorded with what is applied; "" outside a Git checkout.
	Commit string
	Book   *state.Book
	// Seen says that a person saw the plan as it is: at the prompt, or as a reviewed file.
	Seen bool
	// Reviewed is the saved plan, nil where there is none: only changes that agree with it are carried out.
	Reviewed *plan.Plan
	// Parallelism bounds how many agents of one account are worked on at once; 0 means 4.
	Parallelism int
	// Stop ends the run early: what is in flight is finished, nothing new is started.
	Stop <-chan struct{}
	// Guard is asked right before each attempt at a write; an error keeps it from being sent (the state's lock was lost). It may be nil.
	Guard func() error
	// Now and Sleep are the clock.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Mask removes known secrets from errors.
	Mask func(string) string
	// Progress is called when an agent begins and when it ends, from any goroutine. It may be nil.
	Progress func(Progress)
}

// Progress is one step of a run.
type Progress struct {
	Address, Provider string
	Done              bool
	Outcome           Outcome
}

// Run carries p out and reports on every agent. It never fails as a whole: what went wrong is in the results. ctx ends
// requests in flight; Options.Stop is the gentle way.
func Run(ctx context.Context, p *plan.Plan, o Options) *Report {
	if o.Parallelism <= 0 {
		o.Parallelism = 4
	}
	r := &Report{FormatVersion: FormatVersion, Run: o.Run, Plan: p, Results: make([]Result, len(p.Changes))}
	byAccount := map[string][]int{}
	for i := range p.Changes {
		byAccount[p.Changes[i].Provider] = append(byAccount[p.Changes[i].Provider], i)
	}
	var group sync.WaitGroup
	for _, indexes := range byAccount {
		group.Go(func() { o.account(ctx, p, indexes, r.Results) })
	}
	group.Wait()
	r.summarize()
	return r
}

// account works through the changes of one account, o.Parallelism at a time.
func (o Options) account(ctx context.Context, p *plan.Plan, indexes []int, results []Result) {
	slots := make(chan struct{}, o.Parallelism)
	var group sync.WaitGroup
	defer group.Wait()
	for _, i := range indexes {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			results[i] = o.one(ctx, &p.Changes[i])
		})
	}
}

// one works on one agent.
func (o Options) one(ctx context.Context, c *plan.Change) Result {
	j := &job{Options: o, change: c, result: Result{Address: c.Address, ID: c.ID, Findings: []providers.Finding{}}}
	select {
	case <-o.Stop:
		j.end(NotAttempted, nil)
	default:
		if ctx.Err() != nil {
			j.end(NotAttempted, nil)
			break
		}
		j.progress(false)
		j.run(rest.WithLog(ctx, slog.String("agent", c.Address)))
	}
	j.progress(true)
	return j.result
}

func (j *job) progress(done bool) {
	if j.Progress != nil {
		j.Progress(Progress{Address: j.change.Address, Provider: j.change.Provider, Done: done, Outcome: j.result.Outcome})
	}
}

func (r *Report) summarize() {
	for _, result := range r.Results {
		switch result.Outcome {
		case Applied:
			r.Summary.Applied++
		case Unchanged:
			r.Summary.Unchanged++
		case Failed:
			r.Summary.Failed++
		case Unknown:
			r.Summary.Unknown++
		case Refused:
			r.Summary.Refused++
		case NotAttempted:
			r.Summary.NotAttempted++
		}
	}
}
