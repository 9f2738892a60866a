package watch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

const (
	// keptRuns is how many runs are shown.
	keptRuns = 50
	// soon is when a round is tried again that came to nothing for a reason of its own.
	soon = 15 * time.Second
	// pruneEvery is how often old snapshots are looked for.
	pruneEvery = time.Hour
)

// finished takes in what came of a round.
func (l *loop) finished(o outcome) {
	o.rev.let()
	delete(l.rounds, o.account)
	a := l.accounts[o.account]
	if a == nil {
		l.record(o)
		return // its last manifest went in the meantime
	}
	was := a.held
	a.breaker.probing = false
	if o.plan != nil {
		a.held = ""
		l.learn(a, o)
	}
	l.record(o)
	if !l.leads {
		l.standBy()
	}
	if o.err != nil {
		l.postponed(a, o, was)
		return
	}
	switch {
	case a.looking == nil: // a new one is wanted, or none was made
	case o.part:
		maps.Copy(a.looking.done, o.wanted)
	case o.all:
		a.lookedAt, a.lookTook = o.ended, o.ended.Sub(a.looking.began)
		a.nextLook = o.ended.Add(jitter(l.Interval, 5))
		if a.looking.bad == 0 {
			a.goodAt = o.ended
		}
		a.looking = nil
	}
	if o.pruned {
		l.prunedAt = o.ended
	}
}

// postponed asks again for what a round did not come to. was is what held up the round before, "" for nothing: the log says it once.
func (l *loop) postponed(a *account, o outcome, was string) {
	if errors.Is(o.err, context.Canceled) {
		return // the watcher stops
	}
	level := slog.LevelWarn
	if o.plan == nil && !errors.Is(o.err, errState) {
		level = slog.LevelError
	}
	a.held = l.masked(o, o.err)
	if was != "" {
		level = slog.LevelDebug
	}
	l.Log.Log(context.Background(), level, "a round came to nothing; it is tried again soon", "account", a.name, "run", o.run, "error", a.held)
	a.notBefore = o.ended.Add(soon)
	if o.part || o.probe {
		return // the look, or the breaker, comes back to them
	}
	for address := range o.wanted {
		a.want(address, o.because)
	}
}

func (l *loop) masked(o outcome, err error) string { return o.options.Mask(err.Error()) }

// learn takes in how each agent that was looked at stands now.
func (l *loop) learn(a *account, o outcome) {
	results := map[string]*apply.Result{}
	if o.report != nil {
		for i := range o.report.Results {
			results[o.report.Results[i].Address] = &o.report.Results[i]
		}
	}
	hold := o.hold
	if hold == "" && o.err != nil {
		hold = l.masked(o, o.err)
	}
	read, away, bad, fresh, why := 0, 0, 0, false, ""
	verdicts := make([]verdict, len(o.plan.Changes))
	for i := range o.plan.Changes {
		c := &o.plan.Changes[i]
		v := judge(c, results[c.Address], hold, o.options.Mask)
		verdicts[i] = v
		if v.state == status.Failed || v.state == status.Unsettled {
			bad++
		}
		if v.away {
			away++
			why = v.err
			known := l.agents[c.Address]
			fresh = fresh || known != nil && known.failures == 0
		} else {
			read++
		}
	}
	l.reach(a, o, read, away, fresh, why)
	for i := range verdicts {
		if verdicts[i].away && a.breaker.open() {
			verdicts[i] = verdicts[i].unreachable()
		}
		l.stands(a, o, &o.plan.Changes[i], verdicts[i])
	}
	l.orphans(a, o)
	l.rest(a, o)
	if o.all {
		bad += len(o.options.Select.Except) - len(a.doneSoFar()) // those that wait after a failure
	}
	if a.looking != nil && (o.all || o.part) {
		a.looking.bad += bad
	}
}

// doneSoFar are the agents that the full look under way has looked at.
func (a *account) doneSoFar() map[string]bool {
	if a.looking == nil {
		return nil
	}
	return a.looking.done
}

// reach decides on the account's breaker: it opens where nothing could be read, and closes where something could. fresh says that one of those
// that could not be read was well before: where agents that are broken themselves are tried again, that says nothing of the account.
func (l *loop) reach(a *account, o outcome, read, away int, fresh bool, why string) {
	if o.rev.manifests.Settings[a.name] != l.from.inForce.manifests.Settings[a.name] {
		return // it was asked with another key, or at another address
	}
	own := 0
	for _, declared := range l.from.inForce.manifests.Agents {
		if declared.Provider == a.name {
			own++
		}
	}
	switch {
	case own > 0 && away >= min(2, own) && read == 0 && (fresh || away >= own || a.breaker.open()):
		if !a.breaker.open() {
			l.Log.Error("the account cannot be reached; it is asked now and then until it answers", "account", a.name, "error", why)
		}
		a.breaker.failed(o.ended, why)
		a.looking = nil
		a.wantAll(o.because)
	case read > 0 && a.breaker.open():
		l.Log.Info("the account answers again", "account", a.name)
		a.breaker = breaker{}
		a.wantAll(status.Retry)
	}
}

// rest lets the agents of an account whose breaker is open rest until it answers.
func (l *loop) rest(a *account, o outcome) {
	if !a.breaker.open() {
		return
	}
	for _, known := range l.agents {
		if known.shown.Provider == a.name {
			known.nextTry = time.Time{}
			shown := *known.shown
			shown.NextTry = time.Time{}
			known.shown = &shown
			l.show(known, status.Unreachable, awayReason, o.ended)
		}
	}
}

// stands notes how one agent stands after a round.
func (l *loop) stands(a *account, o outcome, c *plan.Change, v verdict) {
	if o.rev.digests[c.Address] != l.from.inForce.digests[c.Address] {
		l.remember(a, o, c, v)
		return // its manifest says something else now, and it is looked at again for that
	}
	known := l.agents[c.Address]
	if known == nil {
		if o.rev != l.from.inForce || c.Action == plan.Delete && v.state == status.Synced {
			l.remember(a, o, c, v)
			return // it went with its manifest, or was pruned
		}
		known = &agent{shown: &status.Agent{Address: c.Address, Provider: a.name, Type: a.vendor, State: status.Waiting, Since: o.ended}}
		l.agents[c.Address] = known
	}
	if c.Action == plan.Delete && v.state == status.Synced {
		delete(l.agents, c.Address)
		l.remember(a, o, c, v)
		return
	}
	next := *known.shown
	next.ID, next.Manifest = cmp.Or(v.id, next.ID), cmp.Or(c.Manifest, next.Manifest)
	next.Fields, next.Findings, next.Error = c.Fields, v.findings, v.err
	if c.Work.Err == nil {
		next.CheckedAt = o.ended
	}
	next.AppliedAt = appliedAt(c, next.AppliedAt)
	if v.state == status.Synced {
		next.SyncedAt = o.ended
		if len(c.Fields) > 0 && c.Action != plan.None {
			next.Fields = []plan.Field{} // they are as the manifest says now
			next.AppliedAt = o.ended
		}
		known.failures, known.nextTry = 0, time.Time{}
	}
	next.Failures, next.NextTry = 0, time.Time{}
	if v.retry {
		known.failures++
		known.nextTry = o.ended.Add(backoff(known.failures))
		next.Failures, next.NextTry = known.failures, known.nextTry
	}
	known.shown = &next
	l.show(known, v.state, v.reason, o.ended)
	l.remember(a, o, c, v)
}

// remember notes what was changed, for the limits and for fights.
func (l *loop) remember(a *account, o outcome, c *plan.Change, v verdict) {
	if v.state == status.Fighting {
		l.fights.stop(c.Address)
	}
	if v.state == status.Synced && c.Action == plan.None && !l.fights.recent(c.Address, o.ended) {
		l.fights.settle(c.Address)
	}
	if v.state == status.Synced && c.Action == plan.None && o.rev == l.from.inForce {
		l.moves.drop(a.name, c.Address) // it was expected to change, and is as it should be already
	}
	if o.report == nil || v.state != status.Synced || c.Action == plan.None {
		return
	}
	if o.rev == l.from.inForce && (c.Action == plan.Update || c.Action == plan.Delete) {
		l.moves.put(a.name, c.Address, c.Action == plan.Delete, o.ended)
	}
	for _, f := range c.Fields {
		if f.Origin == diff.Drift {
			l.fights.put(c.Address, f.Path, o.ended)
		}
	}
}

// appliedAt is when an agent was last written, as far as the state knows.
func appliedAt(c *plan.Change, known time.Time) time.Time {
	at, err := time.Parse(time.RFC3339, c.Work.Entry.Record.AppliedAt)
	if err != nil || at.Before(known) {
		return known
	}
	return at
}

// show sets an agent's state, and says so where it is a new one.
func (l *loop) show(known *agent, state status.State, reason string, now time.Time) {
	shown := known.shown
	if shown.State == state && shown.Reason == reason {
		return
	}
	next := *shown
	next.State, next.Reason = state, reason
	if shown.State != state {
		next.Since = now
		level := slog.LevelInfo
		switch state {
		case status.Drifted, status.Refused, status.Failed, status.Unsettled, status.Fighting:
			level = slog.LevelWarn
		case status.Unreachable:
			level = slog.LevelDebug // it is said of the account
		}
		if shown.State != status.Waiting || state != status.Synced {
			l.Log.Log(context.Background(), level, "an agent stands otherwise now", "agent", next.Address, "state", string(state), "was", string(shown.State), "reason", reason, "error", next.Error)
		}
	}
	known.shown = &next
}

// orphans notes which agents no manifest declares, after a full look.
func (l *loop) orphans(a *account, o outcome) {
	if !o.all {
		return
	}
	still := map[string]bool{}
	for _, orphan := range o.plan.Orphans {
		still[orphan.Address] = true
		known := l.agents[orphan.Address]
		if known == nil {
			known = &agent{shown: &status.Agent{Address: orphan.Address, Provider: a.name, Type: a.vendor, ID: orphan.ID, State: status.Waiting, Since: o.ended}}
			l.agents[orphan.Address] = known
		}
		l.show(known, status.Orphaned, orphan.Reason, o.ended)
	}
	for i := range o.plan.Changes { // those that are to be deleted
		still[o.plan.Changes[i].Address] = true
	}
	maps.Copy(still, o.options.Select.Except)
	for address, known := range l.agents {
		if known.shown.Provider == a.name && l.from.inForce.byAddress[address] == nil && !still[address] {
			delete(l.agents, address)
		}
	}
}

// record keeps a run that wrote something or went wrong.
func (l *loop) record(o outcome) {
	run := &status.Run{ID: o.run, Account: o.account, Trigger: o.because, Commit: o.rev.files.Commit, StartedAt: o.began, Took: o.ended.Sub(o.began).Seconds(),
		Results: []status.Result{}}
	if o.err != nil && !errors.Is(o.err, context.Canceled) {
		run.Error = l.masked(o, o.err)
	}
	if o.plan != nil {
		run.Looked, run.Reads = len(o.plan.Changes), o.plan.Reads.Requests
	}
	if o.report != nil {
		run.Results = results(o.report)
	}
	attrs := []any{"account", o.account, "run", o.run, "trigger", string(o.because), "commit", run.Commit, "looked", run.Looked, "reads", run.Reads,
		"took", o.ended.Sub(o.began).Round(time.Millisecond).String()}
	if len(run.Results) == 0 && run.Error == "" {
		l.Log.Debug("a round found nothing to do", attrs...)
		return
	}
	if o.report != nil {
		s := o.report.Summary
		l.Log.Info("a round", append(attrs, "applied", s.Applied, "failed", s.Failed, "unknown", s.Unknown, "refused", s.Refused, "not_attempted", s.NotAttempted)...)
	}
	if run.Error != "" && len(run.Results) == 0 { // one that comes to nothing again and again is shown once
		last := slices.IndexFunc(l.runs, func(r *status.Run) bool { return r.Account == run.Account })
		if last >= 0 && l.runs[last].Error != "" && len(l.runs[last].Results) == 0 {
			l.runs = slices.Delete(l.runs, last, last+1)
		}
	}
	l.runs = slices.Insert(l.runs, 0, run)
	l.runs = l.runs[:min(len(l.runs), keptRuns)]
}

// results are the agents of a report that were written or that went wrong.
func results(report *apply.Report) []status.Result {
	list := []status.Result{}
	for i, r := range report.Results {
		if r.Outcome == apply.Unchanged {
			continue
		}
		result := status.Result{Address: r.Address, Outcome: string(r.Outcome), Fields: []string{}, Error: r.Error}
		for _, f := range report.Plan.Changes[i].Fields {
			result.Fields = append(result.Fields, string(f.Path))
		}
		list = append(list, result)
	}
	return list
}
