package plan

import (
	"time"

	"agentsync.dev/agentsync/pkg/providers"
)

// listing says how much of an account's list is read.
type listing int

const (
	noList listing = iota
	// wholeRows is as much as stands for reads of the agents themselves; nothing where the rows are no more than summaries.
	wholeRows
	allRows
)

// course is how an account is going to be read, as far as it can be known before.
type course struct {
	list listing
	// pages and gets are the most requests that it takes, if the account has no more agents than manifests and state know.
	pages, gets int
}

// chart chooses the course with the fewest requests. Agents that nothing binds are looked for in the list. Else the list is read where its
// pages, as many as the agents that manifests and state know fill, are fewer than the requests that they may spare: those for all bound
// agents where rows are whole agents, those for agents with a recorded change mark where only changed ones are to be read. A few
// agents among thousands are thus read by themselves.
func (r *reader) chart() course {
	can := r.account.Generation.Can
	_, lists := r.account.Provider.(providers.Lister)
	_, tells := r.account.Provider.(providers.WholeLister)
	bound, marked := 0, 0
	for _, t := range r.targets {
		if t.id() != "" {
			bound++
		}
		if t.agent != nil && t.known && t.entry.Record.Revision != "" {
			marked++
		}
	}
	known := len(r.taken)
	if r.taken[""] {
		known--
	}
	pages, alone := can.Pages(max(known, bound)), course{gets: bound}
	switch {
	case !lists || can.List == "none":
		return alone
	case can.List == "whole" && (bound < len(r.targets) || pages < bound):
		return course{list: allRows, pages: pages}
	case bound < len(r.targets), r.refresh == RefreshChanged && can.Mark != "" && pages < marked:
		return course{list: allRows, pages: pages, gets: bound}
	case tells && pages < bound:
		return course{list: wholeRows, pages: pages, gets: bound}
	}
	return alone
}

// Forecast is what reading one account is expected to cost, at most.
type Forecast struct {
	Account   string
	Agents    int
	Requests  int
	Time      time.Duration
	PerMinute int // the account's limit, 0 for none
}

func (r *reader) forecast() Forecast {
	limits := r.account.Provider.Limits()
	f := Forecast{Account: r.account.Name, Agents: len(r.targets), Requests: r.course.pages + r.course.gets, PerMinute: limits.PerMinute}
	f.Time = limits.Time(f.Requests, roundTrip)
	return f
}
