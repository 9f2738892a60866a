package render

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"agentsync.dev/agentsync/pkg/diff"
)

// short is the longest value shown in the line of its field, in characters.
const short = 60

// inline shows a value in one line.
func inline(v any) string {
	if v == nil {
		return "(none)"
	}
	return printable(string(diff.Canonical(v)))
}

// long reports whether a value needs lines of its own.
func long(v any) bool {
	if s, ok := v.(string); ok && strings.Contains(s, "\n") {
		return true
	}
	return len([]rune(inline(v))) > short
}

// lines lays a value out for a comparison line by line: text as it is, lists and objects one element a line.
func lines(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return printable(v) + "\n"
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(inline(item) + "\n")
		}
		return b.String()
	case map[string]any:
		var b strings.Builder
		for _, name := range diff.Keys(v) {
			b.WriteString(name + ": " + inline(v[name]) + "\n")
		}
		return b.String()
	}
	return inline(v) + "\n"
}

// diffLine is one line of a unified diff: ' ' kept, '-' removed, '+' added, '@' where lines are left out.
type diffLine struct {
	mark byte
	text string
}

// unified compares two values line by line and returns the changed lines with a little around them.
func unified(before, after any) []diffLine {
	old, now := lines(before), lines(after)
	u, err := udiff.ToUnifiedDiff("", "", old, udiff.Lines(old, now), 2)
	if err != nil {
		// The edits were made from this very text.
		panic(err)
	}
	var out []diffLine
	for i, hunk := range u.Hunks {
		if i > 0 || hunk.FromLine > 1 {
			out = append(out, diffLine{'@', "…"})
		}
		for _, l := range hunk.Lines {
			mark := byte(' ')
			switch l.Kind {
			case udiff.Delete:
				mark = '-'
			case udiff.Insert:
				mark = '+'
			}
			out = append(out, diffLine{mark, strings.TrimSuffix(l.Content, "\n")})
		}
	}
	return out
}

// wrap breaks text into lines of at most width characters, at spaces where there are any.
func wrap(text string, width int) []string {
	runes := []rune(text)
	var out []string
	for len(runes) > width {
		cut := width
		for i := width; i > width/2; i-- {
			if runes[i] == ' ' {
				cut = i
				break
			}
		}
		out = append(out, string(runes[:cut]))
		runes = runes[cut:]
		if len(runes) > 0 && runes[0] == ' ' {
			runes = runes[1:]
		}
	}
	return append(out, string(runes))
}
