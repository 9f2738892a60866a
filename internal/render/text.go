package render

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// visible spells out what would steer a terminal or hide from the eye: control characters, and those that reorder or hide text. Line
// breaks stay. The joiners stay as well, since scripts and emoji need them.
func visible(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return strings.ToValidUTF8(s, "�")
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "�") {
		switch {
		case r == '\t':
			b.WriteString("⇥   ")
		case hidden(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hidden(r rune) bool {
	switch r {
	case '\n', '\u200c', '\u200d': // a line break, zero-width non-joiner, zero-width joiner
		return false
	case '\u2028', '\u2029':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// oneLine is s made visible, on one line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(visible(s), func(r rune) bool { return r == '\n' }), " ")
}

// rightToLeft reports whether s holds letters that are written from right to left. Two of them side by side change places on screens
// that reorder text, so each gets a line of its own.
func rightToLeft(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
	})
}

// columns is how wide s is on a terminal.
func columns(s string) int { return uniseg.StringWidth(s) }

// clip cuts s to a width, between two characters as people see them.
func clip(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	used, end, graphemes := 0, 0, uniseg.NewGraphemes(s)
	for graphemes.Next() {
		if used += graphemes.Width(); used > width-1 {
			break
		}
		_, end = graphemes.Positions()
	}
	return s[:end] + "…"
}

// clipStart is clip from the other end.
func clipStart(s string, width int) string {
	over := columns(s) - width
	if over <= 0 {
		return s
	}
	start, graphemes := 0, uniseg.NewGraphemes(s)
	for over >= 0 && graphemes.Next() {
		over -= graphemes.Width()
		_, start = graphemes.Positions()
	}
	return "…" + s[start:]
}

// span is a piece of a line; changed marks what the other side of a comparison does not have.
type span struct {
	text    string
	changed bool
}

// wrap breaks text into rows of at most width columns, at spaces where there are any.
func wrap(text string, width int) []string {
	var rows []string
	for _, row := range wrapSpans([]span{{text: text}}, width) {
		var b strings.Builder
		for _, s := range row {
			b.WriteString(s.text)
		}
		rows = append(rows, b.String())
	}
	return rows
}

// cell is one character as people see it.
type cell struct {
	span
	width int
}

// wrapSpans is wrap for a line with marks. A space at which a row ends is left out.
func wrapSpans(spans []span, width int) [][]span {
	var cells []cell
	for _, s := range spans {
		for graphemes := uniseg.NewGraphemes(s.text); graphemes.Next(); {
			cells = append(cells, cell{span{graphemes.Str(), s.changed}, graphemes.Width()})
		}
	}
	var rows [][]span
	for {
		end, next := rowEnd(cells, width)
		rows = append(rows, merged(cells[:end]))
		if cells = cells[next:]; len(cells) == 0 {
			return rows
		}
	}
}

// rowEnd finds where a row ends and where the next one begins.
func rowEnd(cells []cell, width int) (end, next int) {
	used, space := 0, -1
	for i, c := range cells {
		if used += c.width; used > width && i > 0 {
			switch {
			case c.text == " ":
				return i, i + 1
			case space > 0:
				return space, space + 1
			}
			return i, i
		}
		if c.text == " " && used > width/2 {
			space = i
		}
	}
	return len(cells), len(cells)
}

// merged puts neighbours of the same kind together.
func merged(cells []cell) []span {
	var row []span
	for _, c := range cells {
		if last := len(row) - 1; last >= 0 && row[last].changed == c.changed {
			row[last].text += c.text
			continue
		}
		row = append(row, c.span)
	}
	return row
}
