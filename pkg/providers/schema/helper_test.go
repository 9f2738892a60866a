package schema

import (
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

const manifestFile = "a.yaml"

func phone(t testing.TB) *Schema {
	t.Helper()
	raw, err := os.ReadFile("testdata/phone.json")
	if err != nil {
		t.Fatal(err)
	}
	return Parse("phone", raw)
}

// value reads YAML as the loader of manifests does, with directives resolved: $env is sensitive text, $file is text.
func value(t testing.TB, text string) *spec.Value {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	if len(doc.Content) == 0 {
		return &spec.Value{Kind: spec.Map}
	}
	return fromNode(doc.Content[0])
}

func fromNode(n *yaml.Node) *spec.Value {
	v := &spec.Value{Pos: spec.Pos{File: manifestFile, Line: n.Line, Column: n.Column}, Dir: "agents", Text: n.Value}
	switch {
	case n.Kind == yaml.MappingNode:
		v.Kind = spec.Map
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			v.Pairs = append(v.Pairs, spec.Pair{Key: key.Value, Value: fromNode(n.Content[i+1]),
				KeyPos: spec.Pos{File: manifestFile, Line: key.Line, Column: key.Column}})
		}
		return directive(v)
	case n.Kind == yaml.SequenceNode:
		v.Kind = spec.List
		for _, item := range n.Content {
			v.Items = append(v.Items, fromNode(item))
		}
	case n.Tag == "!!null":
		v.Kind = spec.Null
	case n.Style == 0 || n.Style == yaml.TaggedStyle:
		v.Kind = spec.Plain
	default:
		v.Kind = spec.Text
	}
	return v
}

// directive stands in for resolving: the value of a directive is its argument.
func directive(v *spec.Value) *spec.Value {
	if len(v.Pairs) != 1 || !strings.HasPrefix(v.Pairs[0].Key, "$") {
		return v
	}
	name, argument := v.Pairs[0].Key[1:], v.Pairs[0].Value.Text
	return &spec.Value{Kind: spec.Text, Text: argument, Pos: v.Pos, Dir: v.Dir, Sensitive: name == "env", From: name + " NAME"}
}

// lines writes problems as a user sees them, the hint below the message.
func lines(ps spec.Problems) string {
	var out strings.Builder
	for _, p := range ps {
		if p.Warning {
			out.WriteString("warning: ")
		}
		out.WriteString(p.Error() + "\n")
		out.WriteString("  " + p.Hint + "\n")
	}
	return strings.TrimSpace(out.String())
}

func canonical(v any) string { return string(diff.Canonical(v)) }
