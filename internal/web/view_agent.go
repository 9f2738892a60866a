package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

// How much of comparisons an overview shows; an agent's own page shows them whole.
const (
	linesPerPage  = 2000
	linesPerField = 40
	keepColumns   = 100
	// resultsShown bounds the results of one run.
	resultsShown = 30
)

// agent is an agent as pages show it.
type agent struct {
	*status.Agent
	about
	URL                                    string
	InState, Checked, InSync, Applied, Try moment
	Differences                            []difference
	// Refused are the findings that keep it from being written, Notes the others.
	Refused, Notes []finding
}

type finding struct {
	Code, Severity, Message, Hint string
}

// difference is one difference of a field.
type difference struct {
	ID    string // of its element, so that the script finds it again
	Name  string
	Title string // who moved it
	Note  string
	Lines []line
	More  string // what is left out, "" for nothing
}

type line struct {
	Sign  string // as people see it
	Word  string // as people hear it
	Class string
	Spans []render.Span
}

func agentRow(a *status.Agent, now time.Time, lines *int) agent {
	row := agentFacts(a, now)
	row.Differences = differences(a.Fields, keepColumns, lines)
	return row
}

func agentFacts(a *status.Agent, now time.Time) agent {
	at := func(t time.Time) moment { return momentOf(t, now) }
	row := agent{Agent: a, about: aboutState(a.State), URL: agentURL(a.Address), InState: at(a.Since), Checked: at(a.CheckedAt),
		InSync: at(a.SyncedAt), Applied: at(a.AppliedAt), Try: at(a.NextTry)}
	for _, f := range a.Findings {
		one := finding{f.Code, string(f.Severity), f.Message, f.Hint}
		if f.Severity == "blocking" {
			row.Refused = append(row.Refused, one)
		} else {
			row.Notes = append(row.Notes, one)
		}
	}
	return row
}

func agentURL(address string) string {
	provider, name, _ := strings.Cut(address, "/")
	return "/agents/" + url.PathEscape(provider) + "/" + url.PathEscape(name)
}

// differences lays out the fields of an agent. lines is how many lines may still be shown, and is lowered by those that are; nil means all.
func differences(fields []plan.Field, keep int, lines *int) []difference {
	var list []difference
	for _, f := range fields {
		title := cmp.Or(render.About(f.Origin), "to be written as the manifest says")
		if f.Origin == diff.Released {
			list = append(list, difference{Name: render.FieldName(f.Path), Title: title})
			continue
		}
		if lines != nil && *lines <= 0 {
			list = append(list, difference{Name: render.FieldName(f.Path), Title: title, More: "shown on the agent's page"})
			continue
		}
		for _, d := range render.Differences(f, keep) {
			one := difference{Name: d.Name, Title: title, Note: d.Note}
			shown := d.Lines
			if lines != nil {
				shown = shown[:min(len(shown), linesPerField, max(*lines, 0))]
				*lines -= len(shown)
			}
			if left := len(d.Lines) - len(shown); left > 0 {
				one.More = fmt.Sprintf("%d more lines on the agent's page", left)
			}
			for _, l := range shown {
				one.Lines = append(one.Lines, lineOf(l))
			}
			list = append(list, one)
		}
	}
	for i := range list {
		list[i].ID = fmt.Sprintf("%d", i)
	}
	return list
}

func lineOf(l render.Line) line {
	switch l.Mark {
	case '-':
		return line{"−", "live:", "old", l.Spans}
	case '+':
		return line{"+", "manifest:", "new", l.Spans}
	case '@':
		return line{"", "", "gap", l.Spans}
	case '~':
		return line{"~", "both:", "gap", l.Spans}
	}
	return line{" ", "", "same", l.Spans}
}

// agentView is an agent's own page.
type agentView struct {
	Frame   frame
	Asked   bool
	Agent   agent
	Watcher watcher
	Runs    []run
	Back    string
}

func agentOf(st *status.Status, a *status.Agent, now time.Time) agentView {
	view := agentView{Agent: agentFacts(a, now), Watcher: watcherOf(st, now).only(a.Provider), Back: agentURL(a.Address)}
	view.Agent.Differences = differences(a.Fields, 0, nil)
	for _, r := range runsOf(st, a.Address) {
		view.Runs = append(view.Runs, runOf(r, now))
	}
	return view
}

// run is a run as pages show it.
type run struct {
	status.Run
	Started  moment
	Took     string
	Why      string
	Outcomes string // counted, the most frequent first
	Bad      bool
	Results  []result // the first of them, those that went wrong before the others
	More     int      // how many others there are
}

type result struct {
	status.Result
	URL   string
	Wrote string
}

// wrongFirst is 0 for a result that went wrong, else 1.
func wrongFirst(r result) int {
	if r.Error != "" {
		return 0
	}
	return 1
}

func runOf(r status.Run, now time.Time) run {
	v := run{Run: r, Started: momentOf(r.StartedAt, now), Took: took(r.Took), Why: triggerWords(r.Trigger), Bad: r.Error != ""}
	n := map[string]int{}
	for _, one := range r.Results {
		n[one.Outcome]++
		v.Bad = v.Bad || one.Error != ""
		v.Results = append(v.Results, result{one, agentURL(one.Address), strings.Join(one.Fields, ", ")})
	}
	slices.SortStableFunc(v.Results, func(a, b result) int { return cmp.Compare(wrongFirst(a), wrongFirst(b)) })
	v.More = max(len(v.Results)-resultsShown, 0)
	v.Results = v.Results[:len(v.Results)-v.More]
	var outcomes []string
	for outcome := range n {
		outcomes = append(outcomes, outcome)
	}
	slices.SortFunc(outcomes, func(a, b string) int { return cmp.Or(n[b]-n[a], cmp.Compare(a, b)) })
	for i, outcome := range outcomes {
		outcomes[i] = fmt.Sprintf("%d %s", n[outcome], render.Visible(outcome))
	}
	v.Outcomes = cmp.Or(strings.Join(outcomes, ", "), "nothing written")
	return v
}
