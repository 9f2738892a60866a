// Package render shows plans and reports to people: as text for a terminal or a log, and as markdown for a comment. What it shows is in
// the documents already; it decides nothing.
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
	// Width is the terminal's width in columns; 0 means 100.
	Width int
	// Verbose adds requests, carried fields and fingerprints.
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
}

func (p *page) line(indent int, format string, args ...any) {
	p.WriteString(strings.Repeat(" ", indent))
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

func (p *page) flush(w io.Writer) error {
	_, err := w.Write(p.Bytes())
	return err
}

// printable makes control characters visible: a vendor's text must not steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\n' && r != '\t') || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '�'
		}
		return r
	}, s)
}

// plural says how many there are of something.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
