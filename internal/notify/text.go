package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// How many characters of what comes from outside are shown.
const (
	maxText  = 300 // an error, a finding
	maxPath  = 80
	maxValue = 120
	// lead is what is shown of a text before the place where two of them part.
	lead = 30
)

// line makes text fit to show: on one line, without characters that are not seen, and not longer than most.
func line(text string, most int) string {
	return cut(strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	}), " "), most)
}

// cut shortens text to most characters.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// sides shows two values: of two texts the first line in which they differ, from a little before the place, so that a prompt is never shown at
// length.
func sides(a, b any) (string, string) {
	left, isText := a.(string)
	right, too := b.(string)
	if !isText || !too {
		return value(a), value(b)
	}
	x, y := []rune(left), []rune(right)
	same := 0
	for same < len(x) && same < len(y) && x[same] == y[same] {
		same++
	}
	from := same
	for from > 0 && same-from < lead && x[from-1] != '\n' {
		from--
	}
	return window(x, from), window(y, from)
}

// window shows the line of text from a place on.
func window(text []rune, from int) string {
	to := from
	for to < len(text) && text[to] != '\n' && to-from < maxValue {
		to++
	}
	shown := line(string(text[from:to]), maxValue)
	switch {
	case len(text) == 0:
		return "(empty)"
	case shown == "" && to == len(text):
		shown = "(ends here)"
	case shown == "":
		shown = "(empty line)"
	}
	if from > 0 {
		shown = "… " + shown
	}
	if to < len(text) {
		shown += " …"
	}
	return shown
}

func value(v any) string {
	switch v := v.(type) {
	case nil:
		return "(not set)"
	case string:
		return window([]rune(v), 0)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return line(fmt.Sprint(v), maxValue)
	}
	return line(string(text), maxValue)
}

// spell says how long something took, to the minute, or to the second where it was less than one.
func spell(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
