package render

import (
	"html"
	"strings"
	"unicode"
)

// apart is a zero-width space: put into what a forge would take for a mention or a link, it keeps it text.
const apart = "\u200b"

// escape keeps text from being read as markdown, HTML, a mention, a reference or a link. The text must not begin a line. What is between
// backticks stays code, as in hints.
func escape(s string) string {
	s = oneLine(s)
	pieces := strings.Split(s, "`")
	if len(pieces)%2 == 0 {
		return escapePlain(s)
	}
	var b strings.Builder
	for i, piece := range pieces {
		switch {
		case i%2 == 0:
			b.WriteString(escapePlain(piece))
		case piece == "":
			b.WriteString("\\`\\`")
		default:
			b.WriteString(code(piece))
		}
	}
	return b.String()
}

func escapePlain(s string) string {
	s = strings.NewReplacer("://", ":"+apart+"//", "www.", "www"+apart+".", "GH-", "GH"+apart+"-").Replace(s)
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch r {
		case '\\', '`', '*', '_', '[', ']', '|', '~', '$':
			b.WriteRune('\\')
			b.WriteRune(r)
		case '<', '>', '&':
			b.WriteString(html.EscapeString(string(r)))
		default:
			b.WriteRune(r)
		}
		if refers(r) && i+1 < len(runes) && !unicode.IsSpace(runes[i+1]) {
			b.WriteString(apart)
		}
	}
	return b.String()
}

// refers reports whether r begins a mention or a reference on GitHub or GitLab: @user, #1, !1, $1, ~label, %milestone, &epic, ^alert.
func refers(r rune) bool { return strings.ContainsRune("@#!$~%&^", r) }

// code is text as an inline code span, which nothing in it can end, and in which forges look for no mention.
func code(s string) string {
	s = oneLine(s)
	if s == "" {
		return "(empty)"
	}
	tick := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) != s {
		s = " " + s + " "
	}
	return tick + s + tick
}

// codes is a list of code spans, of which at most so many are named, after what leads to it; "" for none.
func codes(lead string, names []string, most int) string {
	if len(names) == 0 {
		return ""
	}
	spans := make([]string, 0, len(names))
	for i, n := range names {
		if i == most && len(names) > most+1 {
			return lead + strings.Join(spans, ", ") + " and " + plural(len(names)-most, "more field")
		}
		spans = append(spans, code(n))
	}
	return lead + strings.Join(spans, ", ")
}

// fence is a fenced block that no line of text can end.
func fence(lines []string) string {
	body := strings.Join(lines, "\n")
	ticks := strings.Repeat("`", max(3, longestRun(body, '`')+1))
	return ticks + "diff\n" + body + "\n" + ticks + "\n"
}

// folded is a block that a reader opens. The summary is a name, shown as code, and what else there is to say of it.
func folded(name, more, body string) string {
	return "<details><summary><code>" + html.EscapeString(oneLine(name)) + "</code>" + html.EscapeString(more) + "</summary>\n\n" + body + "\n</details>\n"
}

func longestRun(s string, of rune) int {
	longest, now := 0, 0
	for _, r := range s {
		if r != of {
			now = 0
			continue
		}
		now++
		longest = max(longest, now)
	}
	return longest
}
