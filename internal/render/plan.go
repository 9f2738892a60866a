package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

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

// manyAgents is from how many agents on a plan is shown in fewer lines an agent.
const manyAgents = 20

// Plan writes a plan as text: the summary first, then what changes, by provider.
func Plan(w io.Writer, p *plan.Plan, s Style) error { return text(w, outlineOf(p, false), s) }

// Drift writes a plan that [plan.OnlyDrift] made as text.
func Drift(w io.Writer, p *plan.Plan, s Style) error { return text(w, outlineOf(p, true), s) }

func text(w io.Writer, o outline, s Style) error {
	out := &page{Style: s, many: o.agents > manyAgents, hints: map[string]bool{}}
	out.heading(o)
	for _, a := range o.accounts {
		out.line(0, "")
		out.line(0, "%s", s.paint(bold, visible(a.name)))
		for i := range a.blocks {
			out.block(&a.blocks[i])
		}
	}
	out.orphans(o.orphans)
	out.nothing(o)
	return out.flush(w)
}

func (p *page) heading(o outline) {
	for _, row := range wrap(o.title+": "+o.summary, p.width()) {
		p.line(0, "%s", p.paint(bold, row))
	}
	if o.moved != "" {
		p.prose(0, yellow, "Would overwrite live values that agentsync did not write, ", o.moved)
	}
	for _, said := range o.reads {
		p.prose(0, faint, said, "")
	}
}

func (p *page) nothing(o outline) {
	if o.empty {
		p.line(0, "")
		p.line(0, "%s", o.nothing)
	}
}

func (p *page) block(b *block) {
	p.head(b)
	for i := range b.parts {
		p.part(&b.parts[i])
	}
	if b.Reason != "" {
		p.prose(6, "", "why: ", b.Reason)
	}
	p.requests(b)
	p.findings(b.findings)
}

// head says which agents b is about, and what happens to them.
func (p *page) head(b *block) {
	m := markOf(b.Action)
	if len(b.of) == 1 {
		c := b.of[0]
		place := strings.TrimSpace(c.ID + "  " + c.Manifest)
		line := fmt.Sprintf("%s %s  %s", p.paint(m.color, m.sign), p.paint(bold, visible(c.Address)), p.paint(m.color, what(c)))
		if used := columns(c.Address) + columns(what(c)) + 8; p.Width > 0 && used+columns(place) > p.width() {
			p.line(2, "%s", line)
			p.prose(6, faint, place, "")
			return
		}
		p.line(2, "%s  %s", line, p.paint(faint, oneLine(place)))
		return
	}
	p.line(2, "%s %s  %s", p.paint(m.color, m.sign), p.paint(bold, plural(len(b.of), "agent")), p.paint(m.color, what(&b.Change)))
	if p.Verbose {
		for _, c := range b.of {
			p.line(6, "%s  %s", visible(c.Address), p.paint(faint, oneLine(strings.TrimSpace(c.ID+"  "+c.Manifest))))
		}
		return
	}
	addresses := make([]string, len(b.of))
	for i, c := range b.of {
		addresses[i] = c.Address
	}
	for _, row := range p.capped(wrap(oneLine(strings.Join(addresses, ", ")), p.width()-6)) {
		p.line(6, "%s", row)
	}
}

// what names what happens to an agent.
func what(c *plan.Change) string {
	switch {
	case c.Action == plan.None && c.Blocked():
		return "blocked"
	case c.Action == plan.None:
		return "unchanged"
	case c.Blocked():
		return visible(string(c.Action)) + ", blocked"
	}
	return visible(string(c.Action))
}

// part shows the fields of one origin.
func (p *page) part(part *part) {
	if part.title == "" {
		for _, f := range part.fields {
			p.field(f, part)
		}
		return
	}
	title := part.title + ":"
	if part.code == providers.CodeReleased {
		var names []string
		for _, f := range part.fields {
			names = append(names, name(f.Path))
		}
		title += " " + strings.Join(names, ", ")
	}
	p.finding(providers.Warning, part.code+": "+title, "")
	if part.code == providers.CodeReleased {
		return
	}
	for _, f := range part.fields {
		p.field(f, part)
	}
	p.hint(part.hint)
}

func (p *page) requests(b *block) {
	for _, r := range b.Requests {
		call := visible(r.Method + " " + r.Path)
		fields := strings.Join(r.Fields, ", ")
		if !p.Verbose {
			room := p.width() - columns(call) - 14
			if room < short/2 {
				room = p.width() - 10 // on a row of their own
			}
			fields = listed(r.Fields, room)
		}
		p.prose(6, faint, "sends ", strings.TrimSpace(call+"  "+fields))
	}
	if len(b.Carried) > 0 {
		p.prose(6, faint, "carries unchanged ", strings.Join(b.Carried, ", "))
	}
	if len(b.Reset) > 0 {
		p.prose(6, red, "resets ", strings.Join(b.Reset, ", "))
	}
	if p.Verbose && b.Precondition.Desired != "" {
		p.prose(6, faint, "holds for ", fmt.Sprintf("live %s, desired %s", b.Precondition.Live, b.Precondition.Desired))
	}
}

// listed joins as many names as fit, and says how many more there are.
func listed(names []string, width int) string {
	all := strings.Join(names, ", ")
	if columns(all) <= width {
		return all
	}
	for n := len(names) - 1; n > 0; n-- {
		text := fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
		if columns(text) <= width {
			return text
		}
	}
	return plural(len(names), "field")
}

// findings shows a list of findings; a hint that several have follows the last of them.
func (p *page) findings(list []providers.Finding) {
	for i, f := range list {
		hint := f.Hint
		if slices.ContainsFunc(list[i+1:], func(later providers.Finding) bool { return later.Hint == hint }) {
			hint = ""
		}
		p.finding(f.Severity, f.Code+": "+f.Message, hint)
	}
}

func (p *page) finding(severity providers.Severity, text, hint string) {
	color := yellow
	if severity == providers.Blocking {
		color = red
	}
	p.prose(6, color, visible(string(severity))+" ", text)
	p.hint(hint)
}

// hint shows how to mend something; in a plan of many agents, once.
func (p *page) hint(text string) {
	if text == "" || (p.many && p.hints[text]) {
		return
	}
	if p.many {
		p.hints[text] = true
	}
	p.prose(8, faint, "hint: ", text)
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
		p.prose(2, "", "", fmt.Sprintf("? %s  %s: %s%s", o.Address, o.ID, o.Reason, note))
	}
	p.prose(2, faint, "hint: ", providers.About(providers.CodeOrphan).Cure)
}
