package format

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// layout lays one document out. It works on the lines of the text; the nodes only say where things begin.
type layout struct {
	lines  []string
	sorted bool
}

// part is one field of a map or one item of a list: lines from start to end.
type part struct {
	key, value *yaml.Node // key is nil for an item
	start      int        // the line with the key or the dash
	content    int        // after the last line of the value
	end        int        // after the comments that stand deeper than the key
	gap        int        // empty lines above the comments above it
	head, foot []string   // comments above it, and those that directly follow it
}

// document lays out the root. regular is false where the document is not a block map with a line for each key.
func (l *layout) document(root *yaml.Node, order *keys, last bool) (out []string, regular bool) {
	from := 0
	if isMarker(l.lines[0], "---") {
		out = append(out, strings.TrimRight(l.lines[0], " \t"))
		from = 1
	}
	if !l.isMap(root, from, false) {
		return nil, false
	}
	parts, tail := l.fields(root, from, len(l.lines))
	header := l.comments(from, parts[0].start)
	if last {
		tail = slices.Delete(tail, len(tail)-blanksAtEnd(tail), len(tail))
	}
	if from == 0 {
		header = header[blanksAtStart(header):]
	}
	parts[0].gap, parts[0].head = 0, nil
	out = append(out, header...)
	return append(out, l.fieldLines(parts, tail, 0, order)...), true
}

// fieldLines lays the fields of a map out, in order. Empty lines stay where they are, the fields move.
func (l *layout) fieldLines(parts []part, tail []string, indent int, order *keys) []string {
	gaps := make([]int, len(parts))
	for i, p := range parts {
		gaps[i] = p.gap
	}
	if l.sorted {
		slices.SortStableFunc(parts, func(a, b part) int { return order.rank(a.key.Value) - order.rank(b.key.Value) })
	}
	var out []string
	for i, p := range parts {
		out = append(out, make([]string, gaps[i])...)
		out = append(out, indented(p.head, indent)...)
		out = append(out, l.field(p, indent, order.under(p.key.Value))...)
		out = append(out, indented(p.foot, indent)...)
	}
	return append(out, indented(tail, indent)...)
}

// field lays one field out, from its key on.
func (l *layout) field(p part, indent int, order *keys) []string {
	column := p.key.Column - 1
	first := spaces(indent) + l.lines[p.start][column:]
	switch v := p.value; {
	case l.isMap(v, p.start+1, false):
		parts, tail := l.fields(v, p.start+1, p.end)
		return append([]string{trimmed(first)}, l.fieldLines(parts, tail, indent+2, order)...)
	case l.isList(v, p.start+1):
		at := indent
		if l.dash(v) > column {
			at += 2
		}
		return append([]string{trimmed(first)}, l.items(v, p, at, order)...)
	}
	return l.leaf(p, first, column, indent)
}

// leaf lays out a value that is not taken apart: its lines keep their places relative to each other.
func (l *layout) leaf(p part, first string, column, indent int) []string {
	if block, ok := l.block(p.value, column, p.end); ok && p.value.Line-1 == p.start {
		return slices.Concat([]string{trimmed(first)}, block.lines(l, indent), indented(l.comments(block.end, p.end), indent))
	}
	if isCollection(p.value) {
		return append([]string{first}, l.shifted(p.start+1, p.end, indent-column)...)
	}
	if p.content == p.start+1 {
		first = trimmed(first)
	}
	return slices.Concat([]string{first}, l.shifted(p.start+1, p.content, indent-column), indented(l.comments(p.content, p.end), indent+2))
}

// items lays out a list whose dashes are on lines of their own.
func (l *layout) items(n *yaml.Node, in part, indent int, order *keys) []string {
	dash := l.dash(n)
	parts, tail := l.parts(nil, n.Content, l.itemStarts(n), in.start+1, in.end, dash)
	var out []string
	for _, p := range parts {
		out = append(out, make([]string, p.gap)...)
		out = append(out, indented(p.head, indent)...)
		out = append(out, l.item(p, dash, indent, order)...)
		out = append(out, indented(p.foot, indent)...)
	}
	if in.key != nil && dash == in.key.Column-1 {
		indent += 2 // else it would belong to what follows the list
	}
	return append(out, indented(tail, indent)...)
}

func (l *layout) item(p part, dash, indent int, order *keys) []string {
	if l.isMap(p.value, p.start, true) {
		parts, tail := l.fields(p.value, p.start, p.end)
		lines := l.fieldLines(parts, tail, indent+2, order)
		at := slices.IndexFunc(lines, func(line string) bool { return !isComment(line) && !isBlank(line) })
		lines[at] = spaces(indent) + "- " + lines[at][indent+2:]
		return append(indented(lines[:at], indent), lines[at:]...)
	}
	first := l.lines[p.start][dash:]
	if !isCollection(p.value) {
		first = strings.TrimRight("- "+strings.TrimLeft(first[1:], " \t"), " ")
		if p.content > p.start+1 {
			first = "- " + strings.TrimLeft(l.lines[p.start][dash+1:], " \t")
		}
	}
	return l.leaf(p, spaces(indent)+first, dash, indent)
}

// isMap reports whether n is a block map with each key on a line of its own, below line from; inline says that the first key stands
// behind a dash on line from.
func (l *layout) isMap(n *yaml.Node, from int, inline bool) bool {
	if n == nil || n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0 {
		return false
	}
	column, before := n.Content[0].Column-1, -1
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		line := k.Line - 1
		if k.Kind != yaml.ScalarNode || k.Column-1 != column || line <= before || line >= len(l.lines) || line < from || len(l.lines[line]) < column {
			return false
		}
		prefix := l.lines[line][:column]
		if inline && i == 0 {
			if line != from {
				return false
			}
			prefix = strings.Replace(prefix, "-", " ", 1)
		}
		if strings.Trim(prefix, " ") != "" {
			return false
		}
		before = line
	}
	return inline || l.onlyComments(from, n.Content[0].Line-1)
}

// isList reports whether n is a block list with each dash on a line of its own, below line from.
func (l *layout) isList(n *yaml.Node, from int) bool {
	if n.Kind != yaml.SequenceNode || n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0 {
		return false
	}
	dash, before := l.dash(n), from-1
	if dash < 0 {
		return false
	}
	for _, start := range l.itemStarts(n) {
		if start <= before || !isItem(l.lines[start], dash) {
			return false
		}
		before = start
	}
	return l.onlyComments(from, n.Line-1)
}

// dash returns the column of a list's dashes, -1 where the first is not the first on its line.
func (l *layout) dash(n *yaml.Node) int {
	if column := n.Column - 1; isItem(l.lines[n.Line-1], column) {
		return column
	}
	return -1
}

func isItem(line string, dash int) bool {
	return indentOf(line) == dash && strings.HasPrefix(line[dash:], "-") && (len(line) == dash+1 || line[dash+1] == ' ')
}

// itemStarts returns the lines with the dashes. What stands behind a dash may begin below it, and the reader puts nothing at all where
// the next thing is.
func (l *layout) itemStarts(n *yaml.Node) []int {
	starts := make([]int, len(n.Content))
	dash := l.dash(n)
	for i, item := range n.Content {
		at := min(item.Line-1, len(l.lines)-1)
		if !isItem(l.lines[at], dash) {
			for at--; at > 0 && (isBlank(l.lines[at]) || isComment(l.lines[at])); at-- {
			}
		}
		starts[i] = max(at, 0)
	}
	return starts
}

func isCollection(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
}

// block is the text of a block scalar: lines from start to end, indented by column.
type block struct {
	start, end, column int
	explicit           int // the indentation that the header names, 0 if it names none
}

var blockHeader = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:[&!]\S*\s+)*[|>]([-+0-9]*)`) })

// block finds the text of a block scalar, in a map or list at column parent.
func (l *layout) block(n *yaml.Node, parent, to int) (block, bool) {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return block{}, false
	}
	runes := []rune(l.lines[n.Line-1])
	header := blockHeader().FindStringSubmatch(string(runes[min(n.Column-1, len(runes)):]))
	if header == nil {
		return block{}, false
	}
	b := block{start: n.Line, end: n.Line, column: -1}
	if b.explicit, _ = strconv.Atoi(strings.Trim(header[1], "+-")); b.explicit > 0 {
		b.column = parent + b.explicit
	}
	for i := n.Line; i < to; i++ {
		line := l.lines[i]
		switch depth := indentOf(line); {
		case strings.Trim(line, " ") == "" && (b.column < 0 || depth <= b.column):
			continue
		case b.column < 0 && depth > parent:
			b.column = depth
		case b.column < 0 || depth < b.column:
			to = i
			continue
		}
		b.end = i + 1
	}
	if strings.Contains(header[1], "+") {
		b.end = to
	}
	return b, true
}

// lines returns the text for a scalar whose field or item stands at indent.
func (b block) lines(l *layout, indent int) []string {
	at := indent + 2
	if b.explicit > 0 {
		at = indent + b.explicit
	}
	var out []string
	for _, line := range l.lines[b.start:b.end] {
		if b.column < 0 || len(line) <= b.column && strings.Trim(line, " ") == "" {
			out = append(out, "")
			continue
		}
		out = append(out, spaces(at)+line[b.column:])
	}
	return out
}
