package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// outline is what a plan says, in the order in which it is said.
type outline struct {
	title, nothing string
	summary        string
	moved          string   // which live values agentsync did not write; "" if none
	reads          []string // how the agents were read, and how long carrying the plan out takes
	accounts       []account
	orphans        []plan.Orphan
	agents         int // how many agents have something to say
	empty          bool
}

// account is what a plan says of the agents of one provider, in order of address.
type account struct {
	name   string
	blocks []block
}

// block is what a plan says of one agent, or of several of which it says the same.
type block struct {
	// Change is the agent's, or where there are several, the one change that all have, without what names them.
	plan.Change
	of       []*plan.Change
	parts    []part
	findings []providers.Finding // those that the parts do not tell
}

// part is the fields of an agent that have one origin.
type part struct {
	title  string // "" for what the manifest wants
	code   string
	hint   string
	fields []plan.Field
	// left says that nothing is sent for these fields.
	left bool
}

// outlineOf puts p in order. drift says that p is about drift alone.
func outlineOf(p *plan.Plan, drift bool) outline {
	o := outline{title: "Plan", nothing: "Nothing to do: every declared field is as its manifest says.", summary: summary(p), orphans: p.Orphans,
		moved: movedLine(p), reads: readsOf(p.Reads), empty: IsEmpty(p)}
	if drift {
		o.title, o.nothing = "Drift", "Nothing was changed outside agentsync."
		o.summary, o.moved = driftSummary(p), ""
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action == plan.None && len(c.Findings) == 0 && len(c.Fields) == 0 {
			continue
		}
		o.agents++
		if n := len(o.accounts); n == 0 || o.accounts[n-1].name != c.Provider {
			o.accounts = append(o.accounts, account{name: c.Provider})
		}
		last := &o.accounts[len(o.accounts)-1]
		last.blocks = append(last.blocks, block{of: []*plan.Change{c}, Change: *c})
	}
	for i := range o.accounts {
		o.accounts[i].blocks = fold(o.accounts[i].blocks)
	}
	return o
}

// IsEmpty reports whether p has nothing that anybody has to decide on: nothing to do, and nothing in the way.
func IsEmpty(p *plan.Plan) bool { return !p.HasChanges() && p.Summary.Blocked == 0 }

// summary counts in words: what happens first, what stays last.
func summary(p *plan.Plan) string {
	s := p.Summary
	return counted("no agents", []count{{s.Create, "to create"}, {s.Update, "to update"}, {s.Adopt, "to adopt"}, {s.Delete, "to delete"},
		{s.None, "unchanged"}, {s.Blocked, "blocked"}, {s.Orphaned, "without a manifest"}})
}

func driftSummary(p *plan.Plan) string {
	if len(p.Changes) == 0 {
		return "none"
	}
	text := plural(p.Summary.Update, "agent") + " changed outside agentsync"
	if p.Summary.None > 0 {
		text += fmt.Sprintf(", %d not judged", p.Summary.None)
	}
	return text
}

// count is how many there are of something.
type count struct {
	n    int
	what string
}

func counted(none string, counts []count) string {
	var parts []string
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), none)
}

// movedLine counts the agents whose live values agentsync did not write and would overwrite.
func movedLine(p *plan.Plan) string {
	agents := 0
	origins := map[diff.Origin]int{}
	for i := range p.Changes {
		c := &p.Changes[i]
		moved := c.Moved()
		if len(moved) == 0 || leaves(c) {
			continue
		}
		agents++
		for _, f := range moved {
			origins[f.Origin]++
		}
	}
	if agents == 0 {
		return ""
	}
	return fmt.Sprintf("of %s: %s", plural(agents, "agent"), counted("", []count{{origins[diff.Drift], "changed outside agentsync"},
		{origins[diff.Conflict], "in conflict"}, {origins[diff.Unknown], "of unknown origin"}}))
}

// leaves reports whether the values that agentsync did not write are left alone. The policy is one for all fields of an agent.
func leaves(c *plan.Change) bool {
	return slices.ContainsFunc(c.Findings, func(f providers.Finding) bool { return f.Code == providers.CodeDriftIgnored })
}

// about are the origins in the order in which they are told, and in which words.
var about = [...]struct {
	origin      diff.Origin
	code, title string
}{
	{diff.FromManifest, "", ""},
	{diff.Drift, providers.CodeDrift, "changed outside agentsync; the manifest says what was applied last"},
	{diff.Conflict, providers.CodeConflict, "changed outside agentsync, and in the manifest as well"},
	{diff.Unknown, providers.CodeUnknown, "of unknown origin: it differs, and nothing says who wrote the live value"},
	{diff.Released, providers.CodeReleased, "no longer managed, left as they are"},
}

// partsOf sorts the fields of c by origin. The findings that only repeat the place of such a field are told by the part; the others are
// returned.
func partsOf(c *plan.Change) ([]part, []providers.Finding) {
	var parts []part
	told := map[string]bool{} // code and field
	for _, a := range about {
		part := part{title: a.title, code: a.code}
		if leaves(c) && a.code != "" && a.origin != diff.Released {
			part.code, part.left = providers.CodeDriftIgnored, true
			part.title = "left as it is live (drift: ignore)"
		}
		for _, f := range c.Fields {
			if f.Origin == a.origin {
				part.fields = append(part.fields, f)
				told[part.code+" "+string(f.Path)] = true
			}
		}
		if len(part.fields) > 0 {
			parts = append(parts, part)
		}
	}
	var rest []providers.Finding
	for _, f := range c.Findings {
		field, _, _ := strings.Cut(f.Message, " ")
		if f.Severity != providers.Warning || !told[f.Code+" "+field] {
			rest = append(rest, f)
			continue
		}
		for i := range parts {
			if parts[i].code == f.Code {
				parts[i].hint = f.Hint
			}
		}
	}
	return parts, rest
}

// inOrder lists the agents of a by address, also those that are told as one.
func (a account) inOrder() []*plan.Change {
	var all []*plan.Change
	for _, b := range a.blocks {
		all = append(all, b.of...)
	}
	slices.SortStableFunc(all, func(x, y *plan.Change) int { return strings.Compare(x.Address, y.Address) })
	return all
}
