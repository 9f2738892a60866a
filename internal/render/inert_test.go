package render

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// Whatever a value holds, a markdown plan keeps its shape: blocks end where they should, and nothing outside of code is a tag, a mention or a
// command of the forge.
func FuzzMarkdownIsInert(f *testing.F) {
	f.Add("```\n</details>\n@all <img src=x onerror=alert(1)>\n/close\n", "a`b``c", "line")
	f.Add("~~~\n# heading\n- [ ] task", "|x|", "<!-- agentsync:plan -->")
	f.Fuzz(func(t *testing.T, prompt, name, message string) {
		if !utf8.ValidString(prompt + name + message) {
			return
		}
		c := change("voicy", "desk", plan.Update, field("/general_prompt", diff.FromManifest, "old\ntext", prompt+"\n"), field("/language", diff.FromManifest, "en", name),
			plan.Field{Path: diff.Pointer("").Child(name), Op: diff.Replace, Before: 1, After: 2, Origin: diff.FromManifest})
		c.Address, c.Reason = "voicy/"+name, message
		c.Findings = append(c.Findings, providers.NewWarning(name, message, message))
		var out bytes.Buffer
		if err := PlanMarkdown(&out, planOf(0, c), Markdown{Limit: GitLabLimit}); err != nil {
			t.Fatal(err)
		}
		checkInert(t, out.String())
	})
}

// reference is what forges make links and mentions of.
var reference = regexp.MustCompile(`[@#!~%&^][\p{L}\p{N}"]|://|www\.`)

// checkInert reads the page the way a forge does, block by block.
func checkInert(t *testing.T, text string) {
	t.Helper()
	fence, open := "", 0
	for i, line := range strings.Split(text, "\n") {
		if fence != "" {
			if strings.TrimSpace(line) == fence {
				fence = ""
			} else if line != "" && !strings.ContainsRune("+- @", rune(line[0])) {
				t.Errorf("line %d of a block has no sign: %q", i+1, line)
			}
			continue
		}
		switch {
		case strings.HasPrefix(line, "```"):
			fence = strings.TrimSuffix(line, "diff")
			continue
		case strings.HasPrefix(line, "<details><summary><code>") && strings.HasSuffix(line, "</summary>"):
			open++
			line = strings.TrimSuffix(strings.NewReplacer("<details><summary><code>", "", "</code>", "").Replace(line), "</summary>")
			if strings.ContainsAny(line, "<>") {
				t.Errorf("line %d has a tag: %q", i+1, line)
			}
			continue
		case line == "</details>":
			open--
			continue
		case i == 0 && line == Marker("plan", ""):
			continue
		}
		bare := withoutCode(line)
		if strings.ContainsAny(bare, "<>") || strings.HasPrefix(strings.TrimSpace(line), "/") {
			t.Errorf("line %d is not inert: %q", i+1, line)
		}
		if found := reference.FindString(html.UnescapeString(bare)); found != "" {
			t.Errorf("line %d refers with %q: %q", i+1, found, line)
		}
	}
	if fence != "" || open != 0 {
		t.Errorf("a block is not closed:\n%s", text)
	}
}

// withoutCode takes code spans out of a line, as CommonMark reads them.
func withoutCode(line string) string {
	var b strings.Builder
	for line != "" {
		if strings.HasPrefix(line, "\\") && len(line) > 1 {
			line = line[2:]
			continue
		}
		if line[0] != '`' {
			b.WriteByte(line[0])
			line = line[1:]
			continue
		}
		n := len(line) - len(strings.TrimLeft(line, "`"))
		end := closing(line[n:], n)
		if end < 0 {
			line = line[n:]
			continue
		}
		line = line[n+end+n:]
	}
	return b.String()
}

// closing finds a run of exactly n backticks.
func closing(text string, n int) int {
	for at := 0; at < len(text); {
		if text[at] != '`' {
			at++
			continue
		}
		run := len(text[at:]) - len(strings.TrimLeft(text[at:], "`"))
		if run == n {
			return at
		}
		at += run
	}
	return -1
}
