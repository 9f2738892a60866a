package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// PlanMarkdown writes a plan as markdown for a comment, in as much detail as fits.
func PlanMarkdown(w io.Writer, p *plan.Plan, m Markdown) error {
	return planMarkdown(w, p, outlineOf(p, false), "plan", m)
}

// DriftMarkdown writes a plan that [plan.OnlyDrift] made as markdown for a comment, in as much detail as fits.
func DriftMarkdown(w io.Writer, p *plan.Plan, m Markdown) error {
	return planMarkdown(w, p, outlineOf(p, true), "drift", m)
}

func planMarkdown(w io.Writer, p *plan.Plan, o outline, kind string, m Markdown) error {
	var tries []func() string
	for _, d := range []detail{{lines: 0}, {lines: 200}, {lines: 50}, {lines: 10}, {lines: 3}, {noTexts: true}} {
		tries = append(tries, func() string { return d.plan(o, kind, m) })
	}
	tries = append(tries,
		func() string { return opening(o, kind, m, "one line for each agent") + agentLines(o) },
		func() string { return opening(o, kind, m, "the agents are counted only") + countTable(p) })
	_, err := io.WriteString(w, m.fit(tries))
	return err
}

// detail is how much is said of each agent.
type detail struct {
	lines   int // the most lines of one text; 0 means all
	noTexts bool
}

// openLines is the longest text that is shown without being opened.
const openLines = 12

// opening is the marker, the summary, and what was left out to fit.
func opening(o outline, kind string, m Markdown, left string) string {
	var b strings.Builder
	b.WriteString(Marker(kind, m.Key) + "\n")
	if o.empty {
		b.WriteString(emptyMark + "\n")
	}
	fmt.Fprintf(&b, "### agentsync %s: %s\n", kind, escape(o.summary))
	if o.moved != "" {
		fmt.Fprintf(&b, "\n**Would overwrite live values that agentsync did not write**, %s.\n", escape(o.moved))
	}
	for _, said := range o.reads {
		fmt.Fprintf(&b, "\n%s\n", escape(said))
	}
	if left != "" {
		fmt.Fprintf(&b, "\nShortened to fit into %d characters: %s. `agentsync plan` shows everything.\n", m.limit(), left)
	}
	return b.String()
}

func (d detail) plan(o outline, kind string, m Markdown) string {
	var b strings.Builder
	left := ""
	switch {
	case d.noTexts:
		left = "long texts are left out"
	case d.lines > 0:
		left = fmt.Sprintf("long texts are cut after %d lines", d.lines)
	}
	b.WriteString(opening(o, kind, m, left))
	for _, a := range o.accounts {
		fmt.Fprintf(&b, "\n#### %s\n", code(a.name))
		for i := range a.blocks {
			if b.Len() > utf8.UTFMax*m.limit() {
				return b.String() // surely too long
			}
			d.block(&b, &a.blocks[i])
		}
	}
	orphansMarkdown(&b, o.orphans)
	if o.empty {
		fmt.Fprintf(&b, "\n%s\n", o.nothing)
	}
	return b.String()
}

func (d detail) block(b *strings.Builder, of *block) {
	fmt.Fprintf(b, "\n%s\n\n", headMarkdown(of))
	for i := range of.parts {
		d.part(b, &of.parts[i])
	}
	if of.Reason != "" {
		fmt.Fprintf(b, "- why: %s\n", escape(of.Reason))
	}
	for _, r := range of.Requests {
		fmt.Fprintf(b, "- sends %s%s\n", code(r.Method+" "+r.Path), codes(": ", r.Fields, 6))
	}
	if len(of.Carried) > 0 {
		fmt.Fprintf(b, "- carries unchanged: %s\n", codes("", of.Carried, len(of.Carried)))
	}
	if len(of.Reset) > 0 {
		fmt.Fprintf(b, "- **resets**: %s\n", codes("", of.Reset, len(of.Reset)))
	}
	for _, f := range of.findings {
		findingMarkdown(b, f)
	}
}

// headMarkdown says which agents b is about, and what happens to them.
func headMarkdown(b *block) string {
	sign := strings.TrimSpace(markOf(b.Action).sign + " ")
	if len(b.of) == 1 {
		c := b.of[0]
		text := fmt.Sprintf("**%s: %s**", code(strings.TrimSpace(sign+" "+c.Address)), escape(what(c)))
		for _, place := range []string{c.ID, c.Manifest} {
			if place != "" {
				text += " · " + code(place)
			}
		}
		return text
	}
	addresses := make([]string, len(b.of))
	for i, c := range b.of {
		addresses[i] = code(c.Address)
	}
	return fmt.Sprintf("**%s%s: %s**: %s", code(sign)+" ", plural(len(b.of), "agent"), escape(what(&b.Change)), strings.Join(addresses, ", "))
}

func findingMarkdown(b *strings.Builder, f providers.Finding) {
	fmt.Fprintf(b, "- **%s %s**: %s\n", escape(string(f.Severity)), escape(f.Code), escape(f.Message))
	if f.Hint != "" {
		fmt.Fprintf(b, "  hint: %s\n", escape(f.Hint))
	}
}

// part shows the fields of one origin: the short ones as a list, then the long ones.
func (d detail) part(b *strings.Builder, part *part) {
	indent := ""
	if part.title != "" {
		fmt.Fprintf(b, "- **warning %s**: %s:\n", escape(part.code), escape(part.title))
		if indent = "  "; part.hint != "" {
			fmt.Fprintf(b, "  hint: %s\n", escape(part.hint))
		}
	}
	long := ""
	for _, f := range part.fields {
		if f.Sensitive {
			fmt.Fprintf(b, "%s- %s: %s\n", indent, code(string(sensitiveSign(f))+" "+name(f.Path)), plan.Hidden)
			continue
		}
		for _, i := range fieldItems(f) {
			if line := itemMarkdown(i, part); line != "" {
				b.WriteString(indent + line)
				continue
			}
			long += "\n" + d.text(i, part)
		}
	}
	if strings.HasSuffix(b.String(), "\n\n") {
		long = strings.TrimPrefix(long, "\n")
	}
	if long != "" {
		b.WriteString(long + "\n")
	}
}

// itemMarkdown writes a difference as one item of a list, if it is short enough; "" if it is not.
func itemMarkdown(i item, part *part) string {
	before, after := inline(i.before), inline(i.after)
	sides := code(before) + " → " + code(after)
	switch {
	case part.code == providers.CodeReleased:
		return fmt.Sprintf("- %s\n", code(i.name))
	case multiline(i.before) || multiline(i.after) || max(columns(before), columns(after)) > short:
		return ""
	case i.before != nil && i.after != nil && rightToLeft(before+after):
		return ""
	case part.left:
		sides = "live " + code(before) + ", manifest " + code(after)
	case i.before == nil:
		sides = code(after)
	case i.after == nil:
		sides = code(before)
	}
	if i.note != "" {
		sides += " (" + escape(i.note) + ")"
	}
	return fmt.Sprintf("- %s: %s\n", code(signed(i, part)), sides)
}

func signed(i item, part *part) string {
	if part.left {
		return i.name
	}
	return string(i.sign()) + " " + i.name
}

// text shows a difference line by line: openly if it is not long, else in a block to be opened.
func (d detail) text(i item, part *part) string {
	var rows []string
	removed, added := 0, 0
	for _, l := range unified(i.before, i.after) {
		rows = append(rows, markdownRow(l))
		switch l.mark {
		case '-':
			removed++
		case '+':
			added++
		}
	}
	more := fmt.Sprintf(": +%d −%d lines", added, removed)
	if i.note != "" {
		more += " (" + i.note + ")"
	}
	if d.noTexts {
		return code(signed(i, part)) + escape(more) + "\n"
	}
	if d.lines > 0 && len(rows) > d.lines {
		rows = append(rows[:d.lines:d.lines], fmt.Sprintf("@@ %d more lines @@", len(rows)-d.lines))
	}
	if len(rows) > openLines {
		return folded(signed(i, part), more, fence(rows))
	}
	return code(signed(i, part)) + escape(more) + "\n\n" + fence(rows)
}

// The widest line of context, and of what is kept of a line around its changes, in columns.
const (
	widestContext = 200
	keptAround    = 80
)

func markdownRow(l diffLine) string {
	switch l.mark {
	case '@':
		return "@@ " + l.text() + " @@"
	case ' ':
		return strings.TrimRight("  "+clip(l.text(), widestContext), " ")
	}
	l.spans = elided(l.spans, keptAround)
	return string(l.mark) + " " + l.plain().text()
}

func orphansMarkdown(b *strings.Builder, orphans []plan.Orphan) {
	if len(orphans) == 0 {
		return
	}
	b.WriteString("\n#### Without a manifest (nothing happens to them)\n\n")
	for _, o := range orphans {
		note := ""
		if o.Protected {
			note = ", protected"
		}
		fmt.Fprintf(b, "- %s (%s): %s%s\n", code(o.Address), code(o.ID), escape(o.Reason), note)
	}
	fmt.Fprintf(b, "\nhint: %s\n", escape(providers.About(providers.CodeOrphan).Cure))
}
