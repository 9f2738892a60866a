package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/plan"
)

// Summary writes a plan as text with one line for each agent.
func Summary(w io.Writer, p *plan.Plan, s Style) error { return summarized(w, outlineOf(p, false), s) }

// DriftSummary writes a plan that [plan.OnlyDrift] made as text with one line for each agent.
func DriftSummary(w io.Writer, p *plan.Plan, s Style) error {
	return summarized(w, outlineOf(p, true), s)
}

func summarized(w io.Writer, o outline, s Style) error {
	out := &page{Style: s}
	out.heading(o)
	for _, a := range o.accounts {
		widest := 0
		for _, b := range a.blocks {
			for _, c := range b.of {
				widest = max(widest, min(columns(c.Address), s.width()/2))
			}
		}
		out.line(0, "")
		out.line(0, "%s", s.paint(bold, visible(a.name)))
		for _, c := range a.inOrder() {
			m := markOf(c.Action)
			pad := strings.Repeat(" ", max(widest-columns(c.Address), 0)+2)
			out.line(2, "%s %s%s%s", s.paint(m.color, m.sign), visible(c.Address), pad, clip(oneThing(c), max(s.width()-widest-6, 20)))
		}
	}
	if len(o.orphans) > 0 {
		out.line(0, "")
		for _, orphan := range o.orphans {
			out.line(2, "? %s  without a manifest", visible(orphan.Address))
		}
	}
	out.nothing(o)
	return out.flush(w)
}

// agentLines says one thing of each agent.
func agentLines(o outline) string {
	var b strings.Builder
	for _, a := range o.accounts {
		fmt.Fprintf(&b, "\n#### %s\n\n", code(a.name))
		for _, c := range a.inOrder() {
			fmt.Fprintf(&b, "- %s: %s\n", code(strings.TrimSpace(markOf(c.Action).sign+" "+c.Address)), escape(oneThing(c)))
		}
	}
	for _, orphan := range o.orphans {
		fmt.Fprintf(&b, "- %s: without a manifest\n", code("? "+orphan.Address))
	}
	return b.String()
}

// oneThing is what happens to an agent, to which fields, and the codes of what there is to know.
func oneThing(c *plan.Change) string {
	text := what(c)
	var fields, codes []string
	for _, f := range c.Fields {
		fields = append(fields, name(f.Path))
	}
	for _, f := range c.Findings {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	if codes = slices.Compact(codes); len(codes) > 0 {
		text += " (" + strings.Join(codes, ", ") + ")"
	}
	if c.Action != plan.Create && len(fields) > 0 {
		text += ": " + listed(fields, short)
	}
	return text
}

// countTable counts the agents of each provider.
func countTable(p *plan.Plan) string {
	var b strings.Builder
	b.WriteString("\n| provider | create | update | adopt | delete | unchanged | blocked |\n|---|---|---|---|---|---|---|\n")
	var names []string
	counts := map[string]map[plan.Action]int{}
	const blocked plan.Action = "blocked"
	for i := range p.Changes {
		c := &p.Changes[i]
		if counts[c.Provider] == nil {
			counts[c.Provider] = map[plan.Action]int{}
			names = append(names, c.Provider)
		}
		counts[c.Provider][c.Action]++
		if c.Blocked() {
			counts[c.Provider][blocked]++
		}
	}
	for _, n := range names {
		fmt.Fprintf(&b, "| %s ", escape(n))
		for _, action := range []plan.Action{plan.Create, plan.Update, plan.Adopt, plan.Delete, plan.None, blocked} {
			fmt.Fprintf(&b, "| %d ", counts[n][action])
		}
		b.WriteString("|\n")
	}
	return b.String()
}
