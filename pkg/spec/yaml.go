package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

func parseYAML(file string, data []byte, want func(string) bool) ([]*Value, Problems) {
	nodes, problems := yamlNodes(file, data)
	c := &converter{file: file, open: map[*yaml.Node]bool{}}
	var docs []*Value
	for _, n := range nodes {
		if want(yamlAPIVersion(n)) {
			if v := c.value(n, 0); !c.stopped {
				docs = append(docs, v)
			}
		}
	}
	return docs, append(problems, c.problems...)
}

// yamlNodes returns the root of each document that is not empty, up to the first fault.
func yamlNodes(file string, data []byte) ([]*yaml.Node, Problems) {
	if short, ok := condense(data, shortText); ok {
		if nodes, problems := readNodes(file, short.data); len(problems) == 0 {
			for _, n := range nodes {
				short.restore(n)
			}
			return nodes, nil
		}
	}
	return readNodes(file, data)
}

func readNodes(file string, data []byte) ([]*yaml.Node, Problems) {
	var nodes []*yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nodes, Problems{syntaxProblem(file, data, err)}
		}
		if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 && doc.Content[0].ShortTag() != "!!null" {
			nodes = append(nodes, doc.Content[0])
		}
	}
}

func yamlAPIVersion(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if key.Kind == yaml.ScalarNode && key.Value == "apiVersion" {
				return value.Value
			}
		}
	}
	return ""
}

// syntaxProblem finds the place that the reader's error is about: it names a line at most, and none in the first.
func syntaxProblem(file string, data []byte, err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, text = n, message
			}
		}
	}
	p := Problem{Pos: Pos{File: file, Line: line}, Message: "not valid YAML: " + text}
	offset := lineStart(data, line)
	rest := data[offset:]
	switch {
	case strings.Contains(text, "control characters"):
		offset = bytes.IndexFunc(data, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\r\n", r) || r >= 0x7F && r < 0xA0 })
		p.Hint = "write such a character as an escape in double quotes"
	case strings.Contains(text, "unknown anchor"):
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "unknown anchor '"), "'")
		offset = bytes.Index(data, []byte("*"+name))
		p.Hint = "an anchor must stand before its aliases, in the same document"
	case strings.Contains(text, "cannot start any token"):
		offset += max(0, bytes.IndexAny(rest[:lineEnd(rest)], "\t@`%"))
		p.Hint = "indent with spaces, and quote a text that begins with @, ` or %"
	case strings.Contains(text, "mapping values are not allowed"):
		offset += max(0, bytes.LastIndex(rest[:lineEnd(rest)], []byte(": ")))
		p.Hint = "quote a text that contains a colon and a space, and check the indentation"
	default:
		offset += indent(rest)
		p.Hint = "check the indentation and the quotes here and just above"
	}
	p.Pos.Line, p.Pos.Column = lineColumn(data, max(0, offset))
	return p
}

func lineStart(data []byte, line int) int {
	offset := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(data[offset:], '\n')
		if next < 0 {
			break
		}
		offset += next + 1
	}
	return offset
}

func lineEnd(data []byte) int {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i
	}
	return len(data)
}

func indent(line []byte) int {
	return lineEnd(line) - len(bytes.TrimLeft(line[:lineEnd(line)], " "))
}

// converter turns the nodes of one file into values: aliases and merge keys are expanded, keys are checked.
type converter struct {
	file     string
	nodes    int
	open     map[*yaml.Node]bool // the anchors being expanded
	outer    *yaml.Node          // the outermost alias being expanded, the place of what only the expansion made too large
	stopped  bool                // by a cap: what was converted is not to be used
	problems Problems
}

func (c *converter) pos(n *yaml.Node) Pos { return Pos{c.file, n.Line, n.Column} }

func (c *converter) fault(n *yaml.Node, message, hint string) {
	c.problems = append(c.problems, Problem{Pos: c.pos(n), Message: message, Hint: hint})
}

func (c *converter) stop(n *yaml.Node, message, hint string) *Value {
	c.stopped = true
	if c.outer != nil {
		n = c.outer
	}
	c.fault(n, message, hint)
	return &Value{}
}

func (c *converter) value(n *yaml.Node, depth int) *Value {
	if c.nodes++; c.stopped {
		return &Value{}
	}
	switch {
	case c.nodes > maxNodes:
		return c.stop(n, fmt.Sprintf("more than %d values, aliases expanded", maxNodes), "split the file, or use fewer aliases")
	case depth > maxDepth:
		return c.stop(n, fmt.Sprintf("nested more than %d deep", maxDepth), "")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.alias(n, depth)
	case yaml.MappingNode:
		c.tag(n, "!!map")
		return c.mapping(n, depth)
	case yaml.SequenceNode:
		c.tag(n, "!!seq")
		v := &Value{Kind: List, Pos: c.pos(n)}
		for _, item := range n.Content {
			v.Items = append(v.Items, c.value(item, depth+1))
		}
		return v
	}
	return c.scalar(n)
}

func (c *converter) tag(n *yaml.Node, want string) {
	if tag := n.ShortTag(); tag != want {
		c.fault(n, "tag "+tag+" is not supported", "write the value without a tag")
	}
}

func (c *converter) alias(n *yaml.Node, depth int) *Value {
	if c.open[n.Alias] {
		return c.stop(n, "anchor &"+n.Value+" contains itself", "")
	}
	c.open[n.Alias] = true
	defer delete(c.open, n.Alias)
	if c.outer == nil {
		c.outer = n
		defer func() { c.outer = nil }()
	}
	return c.value(n.Alias, depth)
}

func (c *converter) scalar(n *yaml.Node) *Value {
	const quotes = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	v := &Value{Kind: Plain, Text: n.Value, Pos: c.pos(n)}
	switch tag := n.ShortTag(); tag {
	case "!!null":
		v.Kind, v.Text = Null, ""
	case "!!str":
		if n.Style&(quotes|yaml.TaggedStyle) != 0 {
			v.Kind = Text
		}
	case "!!int", "!!float", "!!bool", "!!timestamp", "!!merge":
	default:
		c.tag(n, "!!str")
	}
	return v
}

func (c *converter) mapping(n *yaml.Node, depth int) *Value {
	v := &Value{Kind: Map, Pos: c.pos(n)}
	seen := map[string]Pos{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !c.stopped; i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			c.fault(k, "a key must be text, not a list or a map", "")
			continue
		}
		if first, ok := seen[k.Value]; ok {
			c.fault(n.Content[i], fmt.Sprintf("duplicate key %q: also at %s", k.Value, first), "keep one of them")
			continue
		}
		seen[k.Value] = c.pos(n.Content[i])
		if k.ShortTag() == "!!merge" {
			merged = append(merged, n.Content[i+1])
			continue
		}
		v.Pairs = append(v.Pairs, Pair{Key: k.Value, KeyPos: c.pos(n.Content[i]), Value: c.value(n.Content[i+1], depth+1)})
	}
	for _, m := range merged {
		c.merge(v, seen, m, depth)
	}
	return v
}

// merge adds the pairs of a merge key's value that v does not have.
func (c *converter) merge(v *Value, seen map[string]Pos, n *yaml.Node, depth int) {
	from := c.value(n, depth+1)
	if from.Kind == Map {
		from = &Value{Kind: List, Items: []*Value{from}, Pos: from.Pos}
	}
	if from.Kind != List && !c.stopped {
		c.fault(n, "<< must name a map or a list of maps", `quote it ("<<") if it is meant as a key`)
	}
	for _, item := range from.Items {
		if item.Kind != Map {
			c.fault(n, "<< must name a map or a list of maps", "")
			continue
		}
		for _, p := range item.Pairs {
			if _, ok := seen[p.Key]; !ok {
				seen[p.Key] = p.KeyPos
				v.Pairs = append(v.Pairs, p)
			}
		}
	}
}
