package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

func TestVisible(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain\nlines", "plain\nlines"},
		{"tab\there", "tab⇥   here"},
		{"\x1b[2J\x00\r", "<U+001B>[2J<U+0000><U+000D>"},
		{"a\u202eb\u2066c\u200bd\u200ee\ufefff", "a<U+202E>b<U+2066>c<U+200B>d<U+200E>e<U+FEFF>f"},
		{"a\u2028b", "a<U+2028>b"},
		{"שלום 你好 👩\u200d⚕️", "שלום 你好 👩\u200d⚕️"},
		{"bad \xff utf-8\x01", "bad � utf-8<U+0001>"},
	}
	for _, test := range tests {
		if got := visible(test.in); got != test.want {
			t.Errorf("visible(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestWrapAndClip(t *testing.T) {
	tests := []struct {
		text  string
		width int
		rows  []string
		clip  string
	}{
		{"", 10, []string{""}, ""},
		{"short", 10, []string{"short"}, "short"},
		{"exactly 10", 10, []string{"exactly 10"}, "exactly 10"},
		{"two words here", 10, []string{"two words", "here"}, "two words…"},
		{"unbreakableword", 10, []string{"unbreakabl", "eword"}, "unbreakab…"},
		{"你好你好你好", 5, []string{"你好", "你好", "你好"}, "你好…"},
		{"👩\u200d⚕️👩\u200d⚕️👩\u200d⚕️", 4, []string{"👩\u200d⚕️👩\u200d⚕️", "👩\u200d⚕️"}, "👩\u200d⚕️…"},
		{"e\u0301e\u0301e\u0301", 2, []string{"e\u0301e\u0301", "e\u0301"}, "e\u0301…"},
	}
	for _, test := range tests {
		if d := cmp.Diff(test.rows, wrap(test.text, test.width)); d != "" {
			t.Errorf("wrap(%q, %d) (-want +got):\n%s", test.text, test.width, d)
		}
		if got := clip(test.text, test.width); got != test.clip {
			t.Errorf("clip(%q, %d) = %q, want %q", test.text, test.width, got, test.clip)
		}
	}
	if got := clipStart("abcdefghij", 4); got != "…hij" {
		t.Errorf("clipStart = %q", got)
	}
}

// Rows are never wider than asked, and hold all of the text but spaces.
func FuzzWrap(f *testing.F) {
	f.Add("some words and a verylongwordthatdoesnotfit", 10)
	f.Add("你好 שלום 👩\u200d⚕️", 3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		text, width = visible(text), 2+abs(width)%100
		rows := wrap(text, width)
		for _, row := range rows {
			if columns(row) > width && strings.ContainsAny(row, " ") {
				t.Errorf("row %q is wider than %d", row, width)
			}
		}
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if bare(strings.Join(rows, "")) != bare(text) {
			t.Errorf("%q became %q", text, rows)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

func TestItems(t *testing.T) {
	long := strings.Repeat("long ", 20)
	tests := []struct {
		name          string
		before, after any
		want          []string // "sign name note"
	}{
		{"scalar", "a", "b", []string{"~ f"}},
		{"new", nil, "b", []string{"+ f"}},
		{"cleared", "a", nil, []string{"- f"}},
		{"object by field", object("a", 1, "b", 2, "c", 3), object("a", 1, "b", 3, "d", 4), []string{"~ f.b", "- f.c", "+ f.d"}},
		{"nested", object("a", object("x", 1)), object("a", object("x", 2)), []string{"~ f.a.x"}},
		{"a short new object", nil, object("a", 1), []string{"+ f"}},
		{"a long new object", nil, object("a", long, "b", 1), []string{"+ f.a", "+ f.b"}},
		{"an object for a text", "a", object("a", 1), []string{"~ f"}},
		{"odd names", object("a.b", 1, "", 2), object("a.b", 2, "", 3), []string{`~ f[""]`, `~ f["a.b"]`}},
		{"named items", list(object("name", "x", "v", 1), object("name", "y")), list(object("name", "x", "v", 2), object("name", "z")),
			[]string{"~ f[x].v", "+ f[z]", "- f[y]"}},
		{"named items moved", list(object("name", "x"), object("name", "y")), list(object("name", "y"), object("name", "x")), []string{"~ f"}},
		{"moved and changed", list(object("name", "x"), object("name", "y", "v", 1)), list(object("name", "y", "v", 2), object("name", "x")),
			[]string{"~ f[y].v the order differs, too"}},
		{"a long new item", list(object("name", "x")), list(object("name", "x"), object("name", "y", "v", long)), []string{"+ f[y].v"}},
		{"names twice", list(object("name", "x"), object("name", "x")), list(object("name", "x")), []string{"~ f"}},
		{"plain list", list("a"), list("a", "b"), []string{"~ f"}},
		{"null to nothing inside", object("a", nil, "b", 1), object("b", 1), []string{"~ f"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, i := range items("f", test.before, test.after) {
				got = append(got, strings.TrimSpace(string(i.sign())+" "+i.name+" "+i.note))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("items (-want +got):\n%s", d)
			}
		})
	}
}

func TestUnified(t *testing.T) {
	tests := []struct {
		name, before, after string
		want                []string
	}{
		{"words", "one two three\n", "one 2 three\n", []string{"-one [-two-] three", "+one {+2+} three", " "}},
		{"added words only", "one three", "one two three", []string{"-one three", "+one{+ two+} three"}},
		{"unlike lines have no marks", "one two three", "vier fünf sechs", []string{"-one two three", "+vier fünf sechs"}},
		{"pairs side by side", "a b c 1\na b c 2", "a b d 1\na b d 2", []string{"-a b [-c-] 1", "+a b {+d+} 1", "-a b [-c-] 2", "+a b {+d+} 2"}},
		{"a line more", "a b c 1", "a new line\na b d 1", []string{"-a b [-c-] 1", "+a new line", "+a b {+d+} 1"}},
		{"lines left out", "1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8\nx", []string{"@… 6 lines", " 7", " 8", "-9", "+x"}},
		{"two places", "a\n2\n3\n4\n5\n6\n7\n8\nb", "A\n2\n3\n4\n5\n6\n7\n8\nB", []string{"-a", "+A", " 2", " 3", "@… 3 lines", " 7", " 8", "-b", "+B"}},
		{"a blank at the end", "end", "end ", []string{"-end", "+end{+ +}"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range unified(test.before, test.after) {
				got = append(got, string(l.mark)+l.plain().text())
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("unified (-want +got):\n%s", d)
			}
		})
	}
}

// A comparison loses nothing: what is kept and added, in order, is the text after, and what is kept and removed the text before.
func FuzzUnified(f *testing.F) {
	f.Add("one\ntwo\n", "one\n2\n")
	f.Add("a b c", "a c")
	f.Fuzz(func(t *testing.T, before, after string) {
		old, now := "", ""
		for _, l := range unified(before, after) {
			switch l.mark {
			case '@':
				return // lines are left out
			case '-':
				old += l.text() + "\n"
			case '+':
				now += l.text() + "\n"
			default:
				old, now = old+l.text()+"\n", now+l.text()+"\n"
			}
		}
		a, b := lines(before), lines(after)
		if (old != "" || now != "") && (!strings.HasPrefix(a, old) || !strings.HasPrefix(b, now)) {
			t.Errorf("before %q, shown %q; after %q, shown %q", a, old, b, now)
		}
	})
}

func TestColourAndMarksSayTheSame(t *testing.T) {
	var plain, colored bytes.Buffer
	if err := Plan(&plain, sampleOne(), Style{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if err := Plan(&colored, sampleOne(), Style{Width: 100, Color: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plain.String(), "[-only-]") || strings.Contains(colored.String(), "[-only-]") {
		t.Error("words are marked by signs where there is no colour, and there only")
	}
	if !strings.Contains(colored.String(), "\x1b[31;1;4monly\x1b[0m") {
		t.Errorf("the changed word is not underlined:\n%q", colored.String())
	}
	for _, sign := range []string{"  ~ ", "- Monday", "+ Monday"} {
		if !strings.Contains(plain.String(), sign) || !strings.Contains(colors.ReplaceAllString(colored.String(), ""), sign) {
			t.Errorf("the sign %q is not in both", sign)
		}
	}
}

func TestLiveValuesAreShownWhole(t *testing.T) {
	text := strings.Repeat("By hand.\n", 200) + "The last line."
	var changes []plan.Change
	for _, f := range []plan.Field{field("/general_prompt", diff.Unknown, text, "Short."), field("/other", diff.FromManifest, nil, text)} {
		changes = append(changes, change("voicy", f.Path.Top(), plan.Update, f))
	}
	for i, whole := range []bool{true, false} {
		var out bytes.Buffer
		if err := Plan(&out, planOf(0, changes[i]), Style{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "The last line."); got != whole {
			t.Errorf("%s is shown whole: %v", changes[i].Address, got)
		}
		if got := strings.Contains(out.String(), "more lines (-v shows all)"); got == whole {
			t.Errorf("%s is cut: %v", changes[i].Address, got)
		}
	}
}

func TestWithoutATerminalSentencesStayOnOneLine(t *testing.T) {
	c := change("voicy", "desk", plan.None)
	message := strings.Repeat("a long message ", 20) + "end"
	c.Findings = []providers.Finding{providers.NewBlocking(providers.CodeUnreadAgent, message, "")}
	var out bytes.Buffer
	if err := Plan(&out, planOf(0, c), Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "blocking AS501: "+message+"\n") {
		t.Errorf("the message is broken:\n%s", out.String())
	}
}

func TestFold(t *testing.T) {
	lang := func(name, to string) plan.Change {
		return change("voicy", name, plan.Update, field("/language", diff.FromManifest, "en", to))
	}
	unread := func(name string) plan.Change {
		c := change("voicy", name, plan.None)
		c.Findings = []providers.Finding{providers.NewBlocking(providers.CodeGone, "Voicy has no agent "+c.ID+" any more", "`agentsync state rm "+c.Address+"`")}
		return c
	}
	p := planOf(0, change("voicy", "a", plan.Create, field("/x", diff.FromManifest, nil, 1)), change("voicy", "b", plan.Create, field("/x", diff.FromManifest, nil, 1)),
		lang("c", "he"), lang("d", "fr"), lang("e", "he"), unread("f"), unread("g"), change("voicy", "h", plan.Delete), change("voicy", "i", plan.Delete))
	o := outlineOf(p, false)
	var got []string
	for _, b := range o.accounts[0].blocks {
		var names []string
		for _, c := range b.of {
			names = append(names, c.Address)
		}
		got = append(got, strings.Join(names, " "))
	}
	want := []string{"voicy/a", "voicy/b", "voicy/c voicy/e", "voicy/d", "voicy/f voicy/g", "voicy/h", "voicy/i"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("blocks (-want +got):\n%s", d)
	}
	folded := o.accounts[0].blocks[4]
	if f := folded.findings[0]; f.Message != "Voicy has no agent {id} any more" || f.Hint != "`agentsync state rm ADDRESS`" {
		t.Errorf("the finding of both is %+v", f)
	}
	if got := p.Changes[5].Findings[0].Message; got != "Voicy has no agent id-of-f any more" {
		t.Errorf("the plan was changed: %s", got)
	}
}

func TestReplaceWord(t *testing.T) {
	tests := []struct{ text, word, want string }{
		{"/agent/101", "101", "/agent/X"}, {"/agent/1010", "101", "/agent/1010"}, {"a-101", "101", "a-101"}, {"101, 101", "101", "X, X"},
		{"none", "", "none"}, {"é101", "101", "é101"},
	}
	for _, test := range tests {
		if got := replaceWord(test.text, test.word, "X"); got != test.want {
			t.Errorf("replaceWord(%q, %q) = %q, want %q", test.text, test.word, got, test.want)
		}
	}
}

func TestMarkers(t *testing.T) {
	if Marker("plan", "") != "<!-- agentsync:plan -->" || Marker("apply", "prod/eu") != "<!-- agentsync:apply prod/eu -->" {
		t.Errorf("markers are %q and %q", Marker("plan", ""), Marker("apply", "prod/eu"))
	}
	for _, good := range []string{"", "prod", "a.b_c/d-e", strings.Repeat("x", 64)} {
		if err := CheckKey(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"a--b", "a-", "-->", "a b", "é", "a\nb", strings.Repeat("x", 65)} {
		if CheckKey(bad) == nil {
			t.Errorf("CheckKey(%q) has no error", bad)
		}
	}
	tests := []struct {
		text, marked string
		empty        bool
	}{
		{"text", "<!-- agentsync:plan k -->\ntext", false},
		{"<!-- agentsync:plan -->\ntext", "<!-- agentsync:plan k -->\ntext", false},
		{"<!-- agentsync:apply old -->\r\ntext", "<!-- agentsync:apply k -->\ntext", false},
		{"<!-- agentsync:evil--><b> -->\ntext", "<!-- agentsync:plan k -->\n<!-- agentsync:evil--><b> -->\ntext", false},
		{"<!-- agentsync:drift -->\n<!-- agentsync:empty -->\nnone", "<!-- agentsync:drift k -->\n<!-- agentsync:empty -->\nnone", true},
		{" \n", "<!-- agentsync:plan k -->\n \n", true},
	}
	for _, test := range tests {
		marked, marker, empty := Marked(test.text, "k")
		if marked != test.marked || empty != test.empty || !strings.HasPrefix(marked, marker+"\n") {
			t.Errorf("Marked(%q) = %q, %q, %v", test.text, marked, marker, empty)
		}
	}
}

func TestEscape(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain text, with (brackets).", "plain text, with (brackets)."},
		{"<script>&amp;", "&lt;script&gt;&amp;" + apart + "amp;"},
		{"@lumen/team #12 !3 $5 ~bug %v1", "@" + apart + "lumen/team #" + apart + "12 !" + apart + "3 \\$" + apart + "5 \\~" + apart + "bug %" + apart + "v1"},
		{"*bold* _it_ [link](x) | `", "\\*bold\\* \\_it\\_ \\[link\\](x) \\| \\`"},
		{"see https://evil.example and www.x.y", "see https:" + apart + "//evil.example and www" + apart + ".x.y"},
		{"run `agentsync plan @x` now", "run `agentsync plan @x` now"},
		{"two\nlines\x1b", "two lines&lt;U+001B&gt;"},
	}
	for _, test := range tests {
		if got := escape(test.in); got != test.want {
			t.Errorf("escape(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	for in, want := range map[string]string{"a": "`a`", "": "(empty)", "a`b": "``a`b``", "`": "`` ` ``", " a ": "`  a  `", "a\nb": "`a b`"} {
		if got := code(in); got != want {
			t.Errorf("code(%q) = %q, want %q", in, got, want)
		}
	}
}
