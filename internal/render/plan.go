package render

import (
	"fmt"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// mark is the sign and colour of an action.
type mark struct{ sign, color string }

func markOf(a plan.Action) mark {
	switch a {
	case plan.Create:
		return mark{"+", green}
	case plan.Update:
		return mark{"~", yellow}
	case plan.Delete:
		return mark{"-", red}
	case plan.Adopt:
		return mark{"=", cyan}
	}
	return mark{" ", faint}
}

// Plan writes a plan as text: the summary first, then what changes, by provider.
func Plan(w io.Writer, p *plan.Plan, s Style) error {
	out := &page{Style: s}
	out.line(0, "%s", s.paint(bold, "Plan: "+summary(p)))
	provider := ""
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action == plan.None && len(c.Findings) == 0 && len(c.Fields) == 0 {
			continue
		}
		if c.Provider != provider {
			provider = c.Provider
			out.line(0, "")
			out.line(0, "%s", s.paint(bold, provider))
		}
		out.change(c)
	}
	out.orphans(p.Orphans)
	if !p.HasChanges() && p.Summary.Blocked == 0 {
		out.line(0, "")
		out.line(0, "Nothing to do: every declared field is as its manifest says.")
	}
	return out.flush(w)
}

// summary counts in words: what happens first, what stays last.
func summary(p *plan.Plan) string {
	s := p.Summary
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{s.Create, "to create"}, {s.Update, "to update"}, {s.Adopt, "to adopt"}, {s.Delete, "to delete"}, {s.None, "unchanged"},
		{s.Blocked, "blocked"}, {s.Orphaned, "without a manifest"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return "no agents"
	}
	return strings.Join(parts, ", ")
}

func (p *page) change(c *plan.Change) {
	m := markOf(c.Action)
	what := string(c.Action)
	if c.Action == plan.None {
		what = "unchanged"
	}
	if c.Blocked() {
		what += ", blocked"
	}
	place := c.ID
	if c.Manifest != "" {
		place = strings.TrimSpace(place + "  " + c.Manifest)
	}
	p.line(2, "%s %s  %s  %s", p.paint(m.color, m.sign), p.paint(bold, c.Address), p.paint(m.color, what), p.paint(faint, printable(place)))
	p.fields(c, "", intended)
	p.fields(c, "changed outside agentsync:", movedOutside)
	p.fields(c, "no longer managed, left as they are:", released)
	if c.Reason != "" {
		p.line(6, "why: %s", printable(c.Reason))
	}
	p.requests(c)
	for _, f := range c.Findings {
		p.finding(f)
	}
}

func intended(f plan.Field) bool { return f.Origin == diff.FromManifest }
func released(f plan.Field) bool { return f.Origin == diff.Released }
func movedOutside(f plan.Field) bool {
	return f.Origin == diff.Drift || f.Origin == diff.Conflict || f.Origin == diff.Unknown
}

// fields shows the fields that belong together under a title.
func (p *page) fields(c *plan.Change, title string, belongs func(plan.Field) bool) {
	titled := title == ""
	for _, f := range c.Fields {
		if !belongs(f) {
			continue
		}
		if !titled {
			p.line(6, "%s", p.paint(yellow, title))
			titled = true
		}
		p.field(f)
	}
}

func (p *page) field(f plan.Field) {
	sign, color := "~", yellow
	if f.Op == diff.Add {
		sign, color = "+", green
	}
	note := ""
	switch f.Origin {
	case diff.Drift, diff.Conflict:
		note = fmt.Sprintf("  (%s; last applied: %s)", f.Origin, clip(base(f)))
	case diff.Unknown:
		note = "  (unknown origin)"
	case diff.Released:
		p.line(8, "%s %s", p.paint(faint, "·"), name(f.Path))
		return
	}
	head := fmt.Sprintf("%s %s", p.paint(color, sign), name(f.Path))
	switch {
	case f.Sensitive:
		p.line(8, "%s: %s%s", head, plan.Hidden, note)
	case !long(f.Before) && !long(f.After) && f.Op == diff.Add:
		p.line(8, "%s: %s%s", head, p.paint(green, inline(f.After)), note)
	case !long(f.Before) && !long(f.After):
		p.line(8, "%s: %s → %s%s", head, p.paint(red, inline(f.Before)), p.paint(green, inline(f.After)), note)
	default:
		p.line(8, "%s:%s", head, note)
		p.diff(unified(f.Before, f.After))
	}
}

func base(f plan.Field) string {
	if f.Sensitive {
		return plan.Hidden
	}
	return inline(f.Base)
}

// clip shortens a text that is only an aside.
func clip(s string) string {
	if r := []rune(s); len(r) > short {
		return string(r[:short]) + "…"
	}
	return s
}

// name writes a pointer the way people name fields.
func name(p diff.Pointer) string { return printable(strings.Join(p.Tokens(), ".")) }

func (p *page) diff(lines []diffLine) {
	for _, l := range lines {
		color := faint
		switch l.mark {
		case '-':
			color = red
		case '+':
			color = green
		case '@':
			p.line(10, "%s", p.paint(faint, l.text))
			continue
		}
		for i, part := range wrap(l.text, p.width()-14) {
			sign := string(l.mark)
			if i > 0 {
				sign = " "
			}
			p.line(10, "%s", p.paint(color, strings.TrimRight(sign+" "+part, " ")))
		}
	}
}

func (p *page) requests(c *plan.Change) {
	for _, r := range c.Requests {
		sends := ""
		if len(r.Fields) > 0 {
			sends = "  " + strings.Join(r.Fields, ", ")
		}
		p.line(6, "%s %s %s%s", p.paint(faint, "sends"), r.Method, r.Path, p.paint(faint, sends))
	}
	if len(c.Carried) > 0 {
		p.line(6, "%s %s", p.paint(faint, "carries unchanged"), strings.Join(c.Carried, ", "))
	}
	if len(c.Reset) > 0 {
		p.line(6, "%s %s", p.paint(red, "resets"), strings.Join(c.Reset, ", "))
	}
	if p.Verbose && c.Precondition.Desired != "" {
		p.line(6, "%s live %s, desired %s", p.paint(faint, "holds for"), c.Precondition.Live, c.Precondition.Desired)
	}
}

func (p *page) finding(f providers.Finding) {
	color := yellow
	if f.Severity == providers.Blocking {
		color = red
	}
	p.line(6, "%s %s: %s", p.paint(color, string(f.Severity)), f.Code, printable(f.Message))
	if f.Hint != "" {
		p.line(8, "%s %s", p.paint(faint, "hint:"), printable(f.Hint))
	}
}

func (p *page) orphans(orphans []plan.Orphan) {
	if len(orphans) == 0 {
		return
	}
	p.line(0, "")
	p.line(0, "%s", p.paint(bold, "Without a manifest (nothing happens to them)"))
	for _, o := range orphans {
		note := ""
		if o.Protected {
			note = ", protected"
		}
		p.line(2, "? %s  %s: %s%s", o.Address, p.paint(faint, o.ID), o.Reason, note)
	}
	p.line(2, "%s %s", p.paint(faint, "hint:"), providers.About(providers.CodeOrphan).Cure)
}
