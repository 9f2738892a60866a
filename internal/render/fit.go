package render

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The most characters of a comment. GitHub says 65536 when it refuses a longer one; GitLab documents 1000000 ("Notes", GitLab
// application limits). Checked 2026-11-21.
const (
	GitHubLimit = 65536
	GitLabLimit = 1000000
)

// LeastLimit is the least that a [Markdown.Limit] may be: the counts fit into it.
const LeastLimit = 2000

// Markdown says how markdown for a comment is written.
type Markdown struct {
	// Limit is the most characters; 0 means [GitHubLimit].
	Limit int
	// Key tells comments in one pull request apart; "" where there is only one. See [CheckKey].
	Key string
}

func (m Markdown) limit() int {
	if m.Limit <= 0 {
		return GitHubLimit
	}
	return m.Limit
}

// fit returns the first text that is not too long, else the last one as far as it goes.
func (m Markdown) fit(tries []func() string) string {
	text := ""
	for _, try := range tries {
		if text = try(); utf8.RuneCountInString(text) <= m.limit() {
			return text
		}
	}
	return string([]rune(text)[:m.limit()])
}

const markerStart = "<!-- agentsync:"

// emptyMark is the second line of a page that has nothing to say.
const emptyMark = markerStart + "empty -->"

// Marker is the first line of a comment, which nobody sees: by it the comment is found again. kind is plan, drift or apply.
func Marker(kind, key string) string {
	return strings.TrimSuffix(markerStart+kind+" "+key, " ") + " -->"
}

// CheckKey reports whether key can be part of a marker.
func CheckKey(key string) error {
	bad := strings.ContainsFunc(key, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/-", r))
	})
	if bad || len(key) > 64 || strings.Contains(key, "--") || strings.HasSuffix(key, "-") {
		return fmt.Errorf("%q is not a name of at most 64 letters, digits, '.', '_', '/' and single '-'", key)
	}
	return nil
}

// Marked puts markdown under the marker of key, in place of the one it may have, and reports whether the page itself says that there is
// nothing to do.
func Marked(text, key string) (marked, marker string, empty bool) {
	kind := "plan"
	first, rest, _ := strings.Cut(text, "\n")
	for _, known := range []string{"plan", "drift", "apply"} {
		if strings.HasPrefix(strings.TrimSuffix(first, "\r"), markerStart+known+" ") {
			kind, text = known, rest
		}
	}
	empty = strings.HasPrefix(text, emptyMark) || strings.TrimSpace(text) == ""
	marker = Marker(kind, key)
	return marker + "\n" + text, marker, empty
}
