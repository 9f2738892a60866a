package render

import (
	"fmt"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

// The most rows that one text takes, in a plan of few agents and in one of many. Live values that agentsync did not write are always
// shown whole: whoever says yes to a plan has seen what it overwrites.
const (
	fewRows  = 10
	manyRows = 40
)

func (p *page) rows() int {
	if p.many {
		return fewRows
	}
	return manyRows
}

// capped cuts rows down to what one text may take.
func (p *page) capped(rows []string) []string {
	most := p.rows()
	if p.Verbose || len(rows) <= most+2 {
		return rows
	}
	return append(slices.Clip(rows[:most]), p.paint(faint, fmt.Sprintf("… %d more lines (-v shows all)", len(rows)-most)))
}

// field shows each difference of one field.
func (p *page) field(f plan.Field, part *part) {
	if f.Sensitive {
		p.line(8, "%s: %s", p.fieldHead(sensitiveSign(f), name(f.Path), part.left), plan.Hidden)
		return
	}
	for _, i := range fieldItems(f) {
		p.item(8, i, part)
	}
}

// sensitiveSign is the sign of a field of which neither side is shown.
func sensitiveSign(f plan.Field) byte {
	if f.Op == diff.Add {
		return '+'
	}
	return '~'
}

// fieldItems are the differences of a field; for a conflict also those between what was applied last and what is live.
func fieldItems(f plan.Field) []item {
	list := items(name(f.Path), f.Before, f.After)
	if f.Origin == diff.Released || f.Origin == diff.FromManifest || f.Origin == diff.Unknown {
		return list
	}
	if base := inline(f.Base); columns(base) <= short {
		list[0].note = strings.TrimPrefix(list[0].note+"; "+string(f.Origin)+"; last applied: "+base, "; ")
		return list
	}
	if f.Origin == diff.Drift {
		return list
	}
	for _, i := range items(name(f.Path), f.Base, f.Before) {
		i.note = changedOutside
		list = append(list, i)
	}
	return list
}

// changedOutside is the note on a difference between what was applied last and what is live.
const changedOutside = "changed outside: from what was applied last to what is live"

// fieldHead is a field's sign and name.
func (p *page) fieldHead(sign byte, name string, left bool) string {
	if left {
		return p.paint(faint, "·") + " " + name
	}
	return p.paint(colorOf(sign), string(sign)) + " " + name
}

func colorOf(sign byte) string {
	switch sign {
	case '+':
		return green
	case '-':
		return red
	case '~':
		return yellow
	}
	return faint
}

// item shows one difference: in one line if it fits, else line by line.
func (p *page) item(indent int, i item, part *part) {
	head := p.fieldHead(i.sign(), i.name, part.left)
	note := ""
	if i.note != "" {
		note = "(" + oneLine(i.note) + ")"
	}
	if line, ok := p.oneLiner(i, part.left, p.width()-indent-columns(i.name)-columns(i.note)-8); ok {
		p.line(indent, "%s", strings.TrimRight(head+": "+line+"  "+p.paint(faint, note), " "))
		return
	}
	if indent+columns(i.name)+columns(note)+5 <= p.width() {
		p.line(indent, "%s", strings.TrimRight(head+":  "+p.paint(faint, note), " "))
	} else {
		p.line(indent, "%s:", head)
		p.prose(indent+2, faint, note, "")
	}
	var rows []string
	for _, l := range unified(i.before, i.after) {
		rows = append(rows, p.diffRows(l, p.width()-indent-4)...)
	}
	if part.title == "" {
		rows = p.capped(rows)
	}
	for _, row := range rows {
		p.line(indent+2, "%s", row)
	}
}

// oneLiner shows both sides in one line of at most width columns, if that can be read.
func (p *page) oneLiner(i item, left bool, width int) (string, bool) {
	before, after := inline(i.before), inline(i.after)
	switch {
	case multiline(i.before) || multiline(i.after):
		return "", false
	case left && columns(before)+columns(after) <= width-16:
		return fmt.Sprintf("live %s, manifest %s", before, after), !rightToLeft(before + after)
	case i.before == nil:
		return p.paint(green, after), columns(after) <= width
	case i.after == nil:
		return p.paint(red, before), columns(before) <= width
	case max(columns(before), columns(after)) > short || rightToLeft(before+after):
		return "", false
	}
	return p.paint(red, before) + " → " + p.paint(green, after), columns(before)+columns(after) <= width
}

// diffRows shows one line of a comparison in rows of at most width columns. What did not change takes one row.
func (p *page) diffRows(l diffLine, width int) []string {
	if l.mark == '@' {
		return []string{p.paint(faint, l.text())}
	}
	if l.mark == ' ' {
		text := l.text()
		if !p.Verbose {
			text = clip(text, width)
		}
		l.spans = []span{{text: text}}
	}
	if !p.Verbose {
		l.spans = elided(l.spans, width/2)
	}
	if !p.Color {
		l = l.plain()
	}
	var rows []string
	sign := string(l.mark)
	for _, row := range wrapSpans(l.spans, width) {
		rows = append(rows, p.row(sign, row, colorOf(l.mark)))
		sign = " "
	}
	return rows
}

// row paints one row of a comparison, without the blanks at its end but for those that changed.
func (p *page) row(sign string, row []span, color string) string {
	if last := len(row) - 1; last >= 0 && !row[last].changed {
		row[last].text = strings.TrimRight(row[last].text, " ")
		if last == 0 && row[0].text == "" {
			row = nil
		}
	}
	if len(row) == 0 {
		return p.paint(color, strings.TrimSpace(sign))
	}
	out := p.paint(color, sign+" ")
	for _, s := range row {
		if s.changed {
			out += p.paint(color+";"+marked, s.text)
			continue
		}
		out += p.paint(color, s.text)
	}
	return out
}
