package format

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// fields cuts the lines of a block map, and returns the comments at its end.
func (l *layout) fields(n *yaml.Node, from, to int) ([]part, []string) {
	var ks, values []*yaml.Node
	var starts []int
	for i := 0; i < len(n.Content); i += 2 {
		ks, values, starts = append(ks, n.Content[i]), append(values, n.Content[i+1]), append(starts, n.Content[i].Line-1)
	}
	return l.parts(ks, values, starts, from, to, n.Content[0].Column-1)
}

// parts cuts lines from..to, which hold a map or list whose keys or dashes stand at column. A comment belongs to what follows it, unless
// it stands deeper than that, or directly below one part and apart from the next.
func (l *layout) parts(ks, values []*yaml.Node, starts []int, from, to, column int) (parts []part, tail []string) {
	between := l.comments(from, max(from, starts[0]))
	for i, value := range values {
		p := part{value: value, start: starts[i]}
		if ks != nil {
			p.key = ks[i]
		}
		p.gap = blanksAtStart(between)
		p.head = between[p.gap:]
		next := to
		if i+1 < len(starts) {
			next = starts[i+1]
		}
		p.content = l.contentEnd(value, p.start, next, column)
		p.end = l.deeper(p.content, next, column)
		between = l.comments(p.end, next)
		if i+1 < len(starts) {
			p.foot, between = cutFoot(between)
		}
		parts = append(parts, p)
	}
	return parts, between
}

// contentEnd returns the line after the last one of a value, which lies before line to.
func (l *layout) contentEnd(n *yaml.Node, start, to, column int) int {
	for isCollection(n) && len(n.Content) > 0 {
		column = n.Content[0].Column - 1
		if n.Kind == yaml.SequenceNode {
			column = n.Column - 1
		}
		n = n.Content[len(n.Content)-1]
	}
	if b, ok := l.block(n, column, to); ok {
		return b.end
	}
	for to > start+1 && (isBlank(l.lines[to-1]) || isComment(l.lines[to-1])) {
		to--
	}
	return to
}

// deeper returns the line after the comments that stand deeper than column.
func (l *layout) deeper(from, to, column int) int {
	end := from
	for i := from; i < to; i++ {
		if isBlank(l.lines[i]) {
			continue
		}
		if indentOf(l.lines[i]) <= column {
			break
		}
		end = i + 1
	}
	return end
}

// cutFoot cuts off the comments that stand directly below a part and apart from the next.
func cutFoot(lines []string) (foot, rest []string) {
	for i, line := range lines {
		if line == "" {
			return lines[:i], lines[i:]
		}
	}
	return nil, lines
}

// comments returns lines without indentation. They are comments and empty lines.
func (l *layout) comments(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, strings.Trim(l.lines[i], " \t"))
	}
	return out
}

func (l *layout) onlyComments(from, to int) bool {
	for i := from; i < to; i++ {
		if !isBlank(l.lines[i]) && !isComment(l.lines[i]) {
			return false
		}
	}
	return true
}

// shifted returns lines with their indentation changed by as much.
func (l *layout) shifted(from, to, by int) []string {
	var out []string
	for i := from; i < to; i++ {
		line := l.lines[i]
		depth := indentOf(line)
		if line != "" {
			line = spaces(max(0, depth+by)) + line[depth:]
		}
		out = append(out, line)
	}
	return out
}

// indented returns comments at an indentation.
func indented(lines []string, indent int) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if line = strings.TrimLeft(line, " "); line != "" {
			line = spaces(indent) + line
		}
		out[i] = line
	}
	return out
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func isBlank(line string) bool { return strings.Trim(line, " \t") == "" }

func isComment(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") }

func spaces(n int) string { return strings.Repeat(" ", n) }

func trimmed(line string) string { return strings.TrimRight(line, " \t") }

func blanksAtStart(lines []string) int {
	n := 0
	for n < len(lines) && lines[n] == "" {
		n++
	}
	return n
}

func blanksAtEnd(lines []string) int {
	n := 0
	for n < len(lines) && lines[len(lines)-1-n] == "" {
		n++
	}
	return n
}
