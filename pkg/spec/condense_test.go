package spec

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// condensable are files whose texts are taken out; others are read whole.
func condensable() []string {
	return []string{
		"a: |\n  one\n  two\nb: 1\n", "a: |-\n  one\n\n   two\n\n\nb: 1\n", "a:\n- b: |\n    x\n  c: y\n- d: |-\n    z\n",
		"a: \"one\\ntwo \\\"x\\\" \\\\ \\t\"\nb: 'it'\n", "---\na: |\n  # no comment\n  --- no: end\n  key: |\n    more\n# a comment\n---\nb: \"x y\"\n",
		"a: |\n  x\ty\n  é שלום 😀\n\n# end\n\nb: {c: d, e: [f]}\n", "a: |\n  x\n\n\n", "a: |\n  x\n\n \n", "a: |-\n  x\n", "- - a: |\n      x\n  - b\n",
		"a: plain\n  continued\nb: |\n  x\n", "a: http://x/y:z\nb: \"c: |\"\nd: |\n  {$file: x}\n", "a:   |\n    x\n   \n    y\n",
	}
}

func wholeFiles() []string {
	return []string{
		"a:\n  b: |\n      x\n    c: 1\n", "a: |\n  \tx\n",
		"", "a", "a: |", "a: |\nb: 1\n", "a: |\n\n  x\n", "a: |\n x\n    \n y\n", "a: |+\n  x\n\n", "a: |2\n   x\n", "a: >\n  x\n  y\n", "a: | # c\n  x\n",
		"a: \"one\n  |\n  two\"\nb: |\n  x\n", "a: 'x\n\n  b: |\n    y'\n", "a: {b: [\n  c: |\n   x\n ]}\n", "a: &x |\n  y\nb: *x\n", "? a\n: |\n  x\n",
		"a: |\r\n  x\r\n", "a: |\n  x\x85\n", "a: |\n  x\u2028y\n", "a: |\n  x\u0085y\n", "a: |\n  x\ufeffy\n", "a: |\n\tx\n", "a: |\n  x\n\ty: 1\n",
		"a: !!str |\n  x\n", "%YAML 1.1\n---\na: |\n  x\n", "a: |\n  x\n b: 1\n", "a: \"x\\u0041\"\n", "a: \"x\\\n  y\"\n", "a: b: |\n  x\n", "a: |\n  x\n...\n",
		"- |\n  a: |\n    b\n", "a: x\n  b: |\n    c\n", "a: \"x\" # c\n", "a: \"x\"y\n", "\"a\": |\n  x\n", "a: - |\n  x\n",
	}
}

// outline writes down all of a tree but the comments.
func outline(b *strings.Builder, n *yaml.Node) {
	fmt.Fprintf(b, "(%d %q %q %d:%d style %d &%s", n.Kind, n.ShortTag(), n.Value, n.Line, n.Column, n.Style, n.Anchor)
	for _, child := range n.Content {
		outline(b, child)
	}
	b.WriteString(")")
}

func outlines(nodes []*yaml.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		outline(&b, n)
	}
	return b.String()
}

// compare reports how a condensed file differs from the whole one, and whether it was condensed.
func compareCondensed(t *testing.T, data string) bool {
	t.Helper()
	if !utf8.ValidString(data) {
		return false // never gets so far
	}
	short, ok := condense([]byte(data), 1)
	if !ok {
		return false
	}
	got, problems := readNodes("a.yaml", short.data)
	if len(problems) > 0 {
		return false // read whole, for its faults
	}
	for _, n := range got {
		short.restore(n)
	}
	want, problems := readNodes("a.yaml", []byte(data))
	if len(problems) > 0 {
		t.Fatalf("%q was condensed to %q, and is not valid: %v", data, short.data, problems)
	}
	if g, w := outlines(got), outlines(want); g != w {
		t.Fatalf("%q was condensed to %q\ngot  %s\nwant %s", data, short.data, g, w)
	}
	return true
}

func TestCondenseIsTheYAMLReader(t *testing.T) {
	for _, data := range condensable() {
		if !compareCondensed(t, data) {
			t.Errorf("%q was not condensed", data)
		}
	}
	for _, data := range wholeFiles() {
		if compareCondensed(t, data) {
			t.Errorf("%q was condensed", data)
		}
	}
}

// FuzzCondense: what is read line by line is what the YAML reader reads.
func FuzzCondense(f *testing.F) {
	for _, data := range append(condensable(), wholeFiles()...) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) { compareCondensed(t, data) })
}

// manifest4K is a manifest as people write them, with a prompt of 4 KB.
func manifest4K(style string) []byte {
	prompt := strings.Repeat("- Ask for the caller's name, \"spell\" it back, and say what happens next.\n", 54)
	head := "apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata:\n  name: a\nspec:\n  provider: voicy\n  config:\n    agent_name: A\n    general_prompt: "
	if style == "quoted" {
		return fmt.Appendf(nil, "%s%q\n", head, prompt)
	}
	return []byte(head + "|\n      " + strings.ReplaceAll(strings.TrimSpace(prompt), "\n", "\n      ") + "\n")
}

func TestLongPromptsAreCondensed(t *testing.T) {
	for _, style := range []string{"literal", "quoted"} {
		short, ok := condense(manifest4K(style), shortText)
		if !ok || len(short.data) > 400 {
			t.Errorf("%s: the YAML reader still reads %d bytes", style, len(short.data))
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, style := range []string{"literal", "quoted"} {
		data := manifest4K(style)
		b.Run(style, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if docs, problems := parse("a.yaml", data, ours); len(docs) != 1 || len(problems) > 0 {
					b.Fatal(problems)
				}
			}
		})
		b.Run(style+"/whole", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if nodes, problems := readNodes("a.yaml", data); len(nodes) != 1 || len(problems) > 0 {
					b.Fatal(problems)
				}
			}
		})
	}
}
