// Package render shows plans and reports to people: as text for a terminal or a log, and as markdown for a comment. What it shows is in
// the documents already; it decides nothing.
//
// outline.go puts what a plan says in the order in which it is said; plan.go and markdown.go lay that out.
package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Style says how text is shown.
type Style struct {
	// Color turns colour on. It is never the only signal.
	Color bool
	// Width is the terminal's width in columns. 0 means that there is no terminal: values are then laid out for 100 columns, and
	// sentences stay on one line, as readers of logs search for them.
	Width int
	// Verbose shows long texts, lists of fields and fingerprints whole.
	Verbose bool
}

const defaultWidth = 100

func (s Style) width() int {
	if s.Width <= 0 {
		return defaultWidth
	}
	return max(s.Width, 40)
}

// The colours, as SGR codes.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
	cyan   = "36"
	bold   = "1"
	faint  = "2"
	marked = "1;4" // bold and underlined: seen without colours, too
)

// paint colours text, where colour is on.
func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// page collects text in memory, so that one write puts it out.
type page struct {
	Style
	bytes.Buffer
	// many says that the plan shows many agents: texts are then cut shorter, and no hint is repeated.
	many  bool
	hints map[string]bool
}

func (p *page) line(indent int, format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != "" {
		p.WriteString(strings.Repeat(" ", indent) + text)
	}
	p.WriteByte('\n')
}

// prose writes a sentence after a painted label, on a terminal in as many rows as it takes.
func (p *page) prose(indent int, code, label, text string) {
	text = strings.TrimRight(oneLine(text), " ")
	if p.Width <= 0 {
		p.line(indent, "%s", p.paint(code, label)+text)
		return
	}
	for i, row := range wrap(label+text, p.width()-indent-2) {
		row = strings.Trim(row, " ")
		of := len(row) // how much of the row is still the label
		if label = strings.TrimLeft(label, " "); strings.HasPrefix(row, label) {
			of = len(label)
		} else if !strings.HasPrefix(label, row) {
			of = 0
		}
		label = label[min(of, len(label)):]
		p.line(indent+2*min(i, 1), "%s", p.paint(code, row[:of])+row[of:])
	}
}

func (p *page) flush(w io.Writer) error {
	_, err := w.Write(p.Bytes())
	return err
}

// plural says how many there are of something.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
