// Package format lays manifests out in one way: keys in a decided order, two spaces for each level. It moves lines and changes their
// indentation and nothing else, so that comments, quotes, block scalars, anchors and the blank lines between fields stay as they are
// written. What it makes of a document is read again and compared with what was there: nothing is handed out that says something else.
package format

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
)

// Fields returns the config fields of an account in the order of its vendor's schema, nil for an account that is not known.
type Fields func(provider string) []schema.FieldDoc

const bom = "\uFEFF"

// Source formats the agentsync documents of a YAML file; all others come back byte for byte, and so does a document written as one
// flow map, as in JSON. A file that cannot be formatted without a loss is a [spec.Problem]. Formatting twice is formatting once.
func Source(name string, data []byte, fields Fields) ([]byte, error) {
	fault := func(line int, message, hint string) ([]byte, error) {
		return nil, spec.Problem{Pos: spec.Pos{File: name, Line: line}, Message: message, Hint: hint}
	}
	if !utf8.Valid(data) {
		return fault(0, "not UTF-8 text", "save the file as UTF-8")
	}
	text, hasBOM := strings.CutPrefix(string(data), bom)
	switch found, err := anyOurs(text); {
	case err != nil:
		return fault(0, "not valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "`agentsync validate` shows the place")
	case !found:
		return data, nil
	}
	if line, what := odd(text); what != "" {
		return fault(line, what, "write the file without, or format it by hand")
	}
	var out strings.Builder
	if hasBOM {
		out.WriteString(bom)
	}
	chunks := split(text)
	for i, c := range chunks {
		formatted, ok := c.format(fields, i == len(chunks)-1)
		if !ok {
			return fault(c.line, "cannot be formatted without changing what it says or losing a comment", "format this document by hand")
		}
		out.WriteString(formatted)
	}
	return []byte(out.String()), nil
}

// anyOurs reports whether a file, which must be YAML, holds an agentsync document.
func anyOurs(text string) (found bool, err error) {
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var doc yaml.Node
		switch err := decoder.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return false, err
		}
		found = found || doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 && ours(doc.Content[0])
	}
}

// odd finds what no manifest needs and what lines cannot be told apart by; what is "" if there is nothing.
func odd(text string) (line int, what string) {
	for at := range strings.Lines(text) {
		line++
		switch {
		case strings.ContainsAny(strings.TrimSuffix(at, "\r\n"), "\r\u0085\u2028\u2029"):
			return line, "holds a line break that is neither LF nor CRLF"
		case strings.HasPrefix(at, "%") || isMarker(at, "..."):
			return line, "holds a YAML directive or an end-of-document marker"
		}
	}
	return 0, ""
}

// chunk is one document of a file, from its marker to the next.
type chunk struct {
	text string
	line int // of the file, from 1
}

// split cuts a file before each line that begins a document. Such a line cannot be part of a scalar.
func split(text string) []chunk {
	var chunks []chunk
	start, from, line := 0, 1, 0
	for offset := 0; offset < len(text); {
		end := len(text)
		if i := strings.IndexByte(text[offset:], '\n'); i >= 0 {
			end = offset + i + 1
		}
		if line++; isMarker(text[offset:end], "---") && offset > start {
			chunks = append(chunks, chunk{text[start:offset], from})
			start, from = offset, line
		}
		offset = end
	}
	return append(chunks, chunk{text[start:], from})
}

func isMarker(line, marker string) bool {
	rest, ok := strings.CutPrefix(line, marker)
	return ok && (rest == "" || strings.ContainsRune(" \t\r\n", rune(rest[0])))
}

// root parses the document; nil where there is none.
func (c chunk) root() *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(c.text), &doc); err != nil || doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil
	}
	return doc.Content[0]
}

func ours(root *yaml.Node) bool {
	return strings.HasPrefix(strings.ToLower(text(root, "apiVersion")), "agentsync")
}

// format returns the document laid out; ok is false where that would say something else.
func (c chunk) format(fields Fields, last bool) (text string, ok bool) {
	root := c.root()
	if root == nil || !ours(root) {
		return c.text, true
	}
	newline := "\n"
	if first, _, _ := strings.Cut(c.text, "\n"); strings.HasSuffix(first, "\r") {
		newline = "\r\n"
	}
	plain := strings.ReplaceAll(c.text, "\r\n", "\n")
	lines := strings.Split(strings.TrimSuffix(plain, "\n"), "\n")
	for _, sorted := range []bool{!hasAnchor(root), false} {
		l := &layout{lines: lines, sorted: sorted}
		out, regular := l.document(root, documentKeys(root, fields), last)
		if !regular {
			return c.text, true
		}
		result := strings.Join(out, "\n") + "\n"
		if sameLines(plain, result) && sameMeaning(root, result) {
			return strings.ReplaceAll(result, "\n", newline), true
		}
	}
	return "", false
}

// hasAnchor reports whether the order of keys may mean something: an anchor must stand before its aliases.
func hasAnchor(n *yaml.Node) bool {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		return true
	}
	for _, child := range n.Content {
		if hasAnchor(child) {
			return true
		}
	}
	return false
}

// text returns the scalar under a key of a map, "" where there is none.
func text(n *yaml.Node, key string) string {
	if v := child(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return nil
}
