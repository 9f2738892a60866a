package format

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// sameLines reports whether both texts hold the same lines, in whatever order, but for indentation and empty lines. No comment is
// lost then, whatever a YAML reader makes of it.
func sameLines(before, after string) bool {
	return slices.Equal(trimmedLines(before), trimmedLines(after))
}

func trimmedLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		// A dash moves from one key of its item to another, and so does the space behind it.
		for line == "-" || strings.HasPrefix(line, "- ") {
			line = strings.TrimSpace(line[1:])
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// sameMeaning reports whether a text parses to the same values as root: the same scalars in the same style, with the same tags and
// anchors, under the same keys.
func sameMeaning(root *yaml.Node, text string) bool {
	again := chunk{text: text}.root()
	return again != nil && same(root, again)
}

func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || a.Style != b.Style || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) {
		return false
	}
	left, right := a.Content, b.Content
	if a.Kind == yaml.MappingNode {
		left, right = byKey(left), byKey(right)
	}
	for i := range left {
		if !same(left[i], right[i]) {
			return false
		}
	}
	return true
}

// byKey orders the pairs of a map by their keys; of equal keys the first stays the first.
func byKey(content []*yaml.Node) []*yaml.Node {
	pairs := slices.Collect(slices.Chunk(content, 2))
	slices.SortStableFunc(pairs, func(a, b []*yaml.Node) int { return cmp.Compare(a[0].Value, b[0].Value) })
	return slices.Concat(pairs...)
}
