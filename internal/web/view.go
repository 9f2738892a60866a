package web

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/internal/status"
)

// What one overview holds at most, so that it renders quickly however many agents there are.
const (
	perPage   = 100
	runsShown = 20
)

// overview is the page with all agents.
type overview struct {
	Frame   frame
	Asked   bool
	Title   string
	Summary string
	Tone    string
	Watcher watcher
	Counts  []count
	Filter  filter
	Choices []choice // states to filter by
	Names   []string // accounts to filter by
	Groups  []group
	Shown   string // which of how many agents; "" where all are shown
	Prev    string // the page before, "" for none
	Next    string
	Runs    []run
	// Back is where the button comes back to.
	Back string
}

// count is how many agents are in a state.
type count struct {
	about
	N   int
	URL string
	Now bool // the page is filtered by it
}

type choice struct {
	Value, Label string
	Selected     bool
}

// group is the agents of one state.
type group struct {
	about
	State  status.State
	N      int // of the state under the filter, on whatever page
	Rows   []agent
	Simple bool // there is nothing to say of each but when
}

func overviewOf(st *status.Status, f filter, now time.Time) overview {
	o := overview{Watcher: watcherOf(st, now), Filter: f, Back: f.URL()}
	o.count(st, f)
	for _, r := range st.Runs[:min(len(st.Runs), runsShown)] {
		o.Runs = append(o.Runs, runOf(*r, now))
	}
	if !o.Watcher.CanAsk { // what it saw while it led is old
		o.Counts = nil
		return o
	}
	kept := f.keeps(st.Agents)
	pages := max((len(kept)+perPage-1)/perPage, 1)
	f.Page = min(f.Page, pages)
	from := (f.Page - 1) * perPage
	shown := kept[from:min(from+perPage, len(kept))]
	if pages > 1 {
		o.Shown = fmt.Sprintf("%d to %d of %d agents, page %d of %d", from+1, from+len(shown), len(kept), f.Page, pages)
	}
	if f.Page > 1 {
		o.Prev = f.withPage(f.Page - 1).URL()
	}
	if f.Page < pages {
		o.Next = f.withPage(f.Page + 1).URL()
	}
	of := map[status.State]int{}
	for _, a := range kept {
		of[a.State]++
	}
	lines := linesPerPage
	for _, a := range shown {
		if n := len(o.Groups); n == 0 || o.Groups[n-1].State != a.State {
			simple := a.State == status.Synced || a.State == status.Waiting
			o.Groups = append(o.Groups, group{about: aboutState(a.State), State: a.State, N: of[a.State], Simple: simple})
		}
		last := &o.Groups[len(o.Groups)-1]
		last.Rows = append(last.Rows, agentRow(a, now, &lines))
	}
	return o
}

// count sums up all agents, whatever the filter.
func (o *overview) count(st *status.Status, f filter) {
	n, urgent, quiet := map[status.State]int{}, 0, 0
	for _, a := range st.Agents {
		n[a.State]++
		switch {
		case aboutState(a.State).Urgent:
			urgent++
		case a.State != status.Synced:
			quiet++
		}
	}
	o.Choices = []choice{{"", "any state", f.State == ""}, {attention, "needs a person", f.State == attention}}
	states := status.States()
	slices.Reverse(states)
	for _, s := range states {
		a := aboutState(s)
		o.Choices = append(o.Choices, choice{string(s), a.Word, f.State == string(s)})
		if n[s] > 0 {
			o.Counts = append(o.Counts, count{a, n[s], filter{State: string(s)}.URL(), f.State == string(s)})
		}
	}
	for _, a := range st.Accounts {
		o.Names = append(o.Names, render.Visible(a.Name))
	}
	switch all := len(st.Agents); {
	case st.Lease.Role == status.Standby:
		o.Summary, o.Tone, urgent = fmt.Sprintf("Standing by: %s.", render.Visible(leads(st.Lease))), "quiet", 0
	case all == 0:
		o.Summary, o.Tone = "No agents yet.", "quiet"
	case urgent > 0:
		o.Summary, o.Tone = fmt.Sprintf("%d of %d %s a person.", urgent, all, needs(urgent)), "bad"
	case quiet > 0:
		o.Summary, o.Tone = fmt.Sprintf("Nothing needs a person. %d of %d in sync.", n[status.Synced], all), "good"
	default:
		o.Summary, o.Tone = fmt.Sprintf("All %s in sync.", agents(all)), "good"
	}
	o.Title = "agentsync"
	if urgent > 0 {
		o.Title = fmt.Sprintf("(%d) agentsync", urgent)
	}
}

func needs(n int) string {
	if n == 1 {
		return "needs"
	}
	return "need"
}

func agents(n int) string {
	if n == 1 {
		return "1 agent"
	}
	return fmt.Sprintf("%d agents", n)
}

// watcher is everything on a page that is about no agent.
type watcher struct {
	*status.Status
	Started, Looked, Synced      moment
	NextLook                     moment
	Checked, Changed, ErrorSince moment
	Freeze                       *freeze
	LeaseSince                   moment
	Standby, Leads               string
	Accounts                     []account
	Down                         []account // those whose breaker is not closed
	CanAsk                       bool
}

type freeze struct {
	Reason string
	Until  moment
}

type account struct {
	*status.Account
	Words, Tone            string
	Since, NextTry, Looked moment
	Took                   string
	Agents                 string // the overview of its agents
}

// only keeps what is of interest to the agents of one account.
func (w watcher) only(name string) watcher {
	w.Down = slices.DeleteFunc(slices.Clone(w.Down), func(a account) bool { return a.Name != name })
	return w
}

func watcherOf(st *status.Status, now time.Time) watcher {
	at := func(t time.Time) moment { return momentOf(t, now) }
	w := watcher{Status: st, Started: at(st.StartedAt), Looked: at(st.At), Synced: at(st.SyncedAt), NextLook: at(st.NextLook),
		Checked: at(st.Source.CheckedAt), Changed: at(st.Source.ChangedAt), ErrorSince: at(st.Source.ErrorSince), LeaseSince: at(st.Lease.Since),
		CanAsk: st.Lease.Role != status.Standby}
	if !w.CanAsk {
		w.Standby = render.Visible(leads(st.Lease))
	}
	if st.Freeze != nil {
		w.Freeze = &freeze{st.Freeze.Reason, at(st.Freeze.Until)}
	}
	for _, a := range st.Accounts {
		words, tone := breakerWords(a.Breaker)
		one := account{a, words, tone, at(a.Since), at(a.NextTry), at(a.LookedAt), took(a.LookTook), "/?" + url.Values{"provider": {a.Name}}.Encode()}
		w.Accounts = append(w.Accounts, one)
		if tone != "good" {
			w.Down = append(w.Down, one)
		}
	}
	return w
}
