package notify

import (
	"maps"
	"strings"
	"time"
	"unicode/utf16"
)

// maxSlack is how long a text may be, in UTF-16 units: what Discord takes (docs.discord.com/developers/resources/webhook, execute Slack-compatible
// webhook, checked 2026-11-21), the least of the three. Slack cuts at 40,000, Mattermost at 16,383.
const maxSlack = 2000

// slack is m for an incoming webhook of Slack, Mattermost, or Discord with /slack behind its URL. It is as long as all of them take: details go
// first, then events.
func (m *Message) slack() []byte {
	text := ""
	for detail := cures; detail >= titles; detail-- {
		if text = m.text(detail, len(m.Events)); fits(text) {
			break
		}
	}
	for shown := len(m.Events); !fits(text) && shown > 0; {
		shown--
		text = m.text(titles, shown)
	}
	return encode(map[string]string{"text": text})
}

func fits(text string) bool { return len(utf16.Encode([]rune(text))) <= maxSlack }

// How much a text says of each event.
const (
	titles = iota // and of a fight both values
	texts
	cures
)

// text is m for people, with the first shown events.
func (m *Message) text(detail, shown int) string {
	head := "agentsync"
	if m.Watcher.Source != "" {
		head += " " + m.Watcher.Source
	}
	lines := []string{harmless(line(head, maxText) + ": " + m.Summary)}
	for _, e := range m.Events[:shown] {
		lines = append(lines, e.lines(detail)...)
	}
	rest := maps.Clone(m.Omitted)
	for _, e := range m.Events[shown:] {
		rest[e.Kind]++
	}
	for _, last := range []string{omitted(rest), m.Link} {
		if last != "" {
			lines = append(lines, harmless(last))
		}
	}
	return strings.Join(lines, "\n")
}

// lines is e for people. What comes from outside stands in code spans, so that nothing in it is taken for markup or a link.
func (e Event) lines(detail int) []string {
	sign := map[Severity]string{Critical: "🔴", Warning: "🟠"}[e.Severity]
	lasted := spell(time.Duration(e.Seconds) * time.Second)
	head := e.Title
	switch e.What {
	case Ended:
		sign, head = "✅", "ended after "+lasted+": "+e.Title
	case Reminder:
		head = "still, for " + lasted + ": " + e.Title
	case Changed:
		head = "changed: " + e.Title
	}
	lines := []string{sign + " " + harmless(head)}
	if e.Text != "" && (detail >= texts || e.Kind == Fight) {
		for one := range strings.SplitSeq(e.Text, "\n") {
			lines = append(lines, "`"+strings.ReplaceAll(harmless(one), "`", "'")+"`")
		}
	}
	if e.Cure != "" && detail >= cures {
		lines = append(lines, harmless("→ "+e.Cure))
	}
	return lines
}

// harmless escapes what Slack takes for markup of its own (docs.slack.dev/messaging/formatting-message-text, checked 2026-11-21), and parts each @
// from what follows: Mattermost and Discord call people by plain @channel, @here, @all, @everyone and names.
func harmless(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b", "＠", "＠\u200b").Replace(text)
}
