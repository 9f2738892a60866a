package render

import (
	"fmt"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

// shown writes differences as text: changed spans in brackets.
func shown(list []Difference) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s (%s)\n", d.Name, d.Note)
		for _, l := range d.Lines {
			fmt.Fprintf(&b, "%c", l.Mark)
			for _, s := range l.Spans {
				if s.Changed {
					fmt.Fprintf(&b, "[%s]", s.Text)
				} else {
					b.WriteString(s.Text)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		name string
		f    plan.Field
		keep int
		want string
	}{
		{"text", plan.Field{Path: "/prompt", Before: "one\ntwo three\n", After: "one\ntwo three four\n", Origin: diff.FromManifest}, 0, "prompt ()\n one\n-two three\n+two three[ four]\n \n"},
		{"made visible", plan.Field{Path: "/a\u202eb", Before: nil, After: "x\u202ey\x1b", Origin: diff.FromManifest}, 0, "a<U+202E>b ()\n+x<U+202E>y<U+001B>\n"},
		{"parts", plan.Field{Path: "/voice", Before: map[string]any{"id": "a", "speed": true}, After: map[string]any{"id": "b", "speed": false}, Origin: diff.FromManifest}, 0,
			"voice.id ()\n-a\n+b\nvoice.speed ()\n-true\n+false\n"},
		{"drift", plan.Field{Path: "/n", Before: "b", After: "a", Base: "a", Origin: diff.Drift}, 0, "n (drift; last applied: \"a\")\n-b\n+a\n"},
		{"sensitive", plan.Field{Path: "/key", Op: diff.Replace, Before: "secret", After: "other", Sensitive: true}, 0, "key ()\n~(sensitive)\n"},
		{"shortened", plan.Field{Path: "/p", Before: strings.Repeat("a ", 50) + "x", After: strings.Repeat("a ", 50) + "y", Origin: diff.FromManifest}, 5,
			"p ()\n-…a a [x]\n+…a a [y]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.f.Op == "" {
				c.f.Op = diff.Replace
			}
			if got := shown(Differences(c.f, c.keep)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// Words are compared as far as it takes no time: past that, a rewritten text is shown line by line.
func TestWordsAreMarkedWithinBounds(t *testing.T) {
	marked := func(before, after string) (n int) {
		for _, l := range unified(before, after) {
			if len(l.spans) > 1 {
				n++
			}
		}
		return n
	}
	line := func(end string, bytes int) string { return strings.Repeat("word ", bytes/5) + end + "\n" }
	if n := marked(line("a", 1000), line("b", 1000)); n != 2 {
		t.Errorf("a line of 1 KB: %d lines are marked", n)
	}
	if n := marked(line("a", 20000), line("b", 20000)); n != 0 {
		t.Errorf("a line of 20 KB: %d lines are marked", n)
	}
	if n := marked(strings.Repeat(line("a", 1000), 1000), strings.Repeat(line("b", 1000), 1000)); n == 0 || n > 400 {
		t.Errorf("a thousand lines of 1 KB: %d lines are marked", n)
	}
}
