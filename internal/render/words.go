package render

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/aymanbagabas/go-udiff/lcs"
	"github.com/rivo/uniseg"
)

// diffLine is one line of a unified diff: ' ' kept, '-' removed, '+' added, '@' where lines are left out.
type diffLine struct {
	mark  byte
	spans []span
}

func (l diffLine) text() string {
	var b strings.Builder
	for _, s := range l.spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// around is how many unchanged lines are shown before and after a change.
const around = 2

// unified compares two values line by line and returns the changed lines with a little around them. In lines that changed in part,
// the words that did are marked.
func unified(before, after any) []diffLine {
	old, now := lines(before), lines(after)
	u, err := udiff.ToUnifiedDiff("", "", old, udiff.Lines(old, now), around)
	if err != nil {
		// The edits were made from this very text.
		panic(err)
	}
	var out []diffLine
	seen := 0
	for _, hunk := range u.Hunks {
		if left := hunk.FromLine - 1 - seen; left > 0 {
			out = append(out, diffLine{'@', []span{{text: "… " + plural(left, "line")}}})
		}
		seen = hunk.FromLine - 1
		for _, l := range hunk.Lines {
			mark := byte(' ')
			switch l.Kind {
			case udiff.Delete:
				mark = '-'
			case udiff.Insert:
				mark = '+'
			}
			if mark != '+' {
				seen++
			}
			out = append(out, diffLine{mark, []span{{text: strings.TrimSuffix(l.Content, "\n")}}})
		}
	}
	markWords(out)
	return out
}

// Comparing words takes long where a text was rewritten: no pair of lines is longer than longestPair bytes, and no more than wordWork bytes are
// compared in one value. Past that, lines are shown as removed and added.
const (
	longestPair = 16 << 10
	wordWork    = 256 << 10
)

// markWords finds runs of removed lines with added ones after them and marks what changed inside those that belong together. Where each line
// has its partner, they are put side by side.
func markWords(list []diffLine) {
	work := wordWork
	for i := 0; i < len(list); {
		removed := run(list[i:], '-')
		added := run(list[i+removed:], '+')
		if old, now := list[i:i+removed], list[i+removed:i+removed+added]; pair(old, now, &work) == removed && removed == added {
			copy(list[i:], beside(old, now))
		}
		i += max(removed+added, 1)
	}
}

// pair marks the words that changed between lines that belong together, and returns how many pairs there are. What it compares is taken from
// work.
func pair(old, now []diffLine, work *int) int {
	pairs := 0
	for len(old) > 0 && len(now) > 0 {
		if j := partner(old[0], now, len(now)-len(old), work); j >= 0 {
			old[0].spans, now[j].spans, _ = words(old[0].text(), now[j].text())
			now = now[j+1:]
			pairs++
		}
		old = old[1:]
	}
	return pairs
}

func beside(old, now []diffLine) []diffLine {
	var both []diffLine
	for i := range old {
		both = append(both, old[i], now[i])
	}
	return both
}

func run(list []diffLine, mark byte) int {
	n := 0
	for n < len(list) && list[n].mark == mark {
		n++
	}
	return n
}

// partner finds the added line that a removed one became: the first that is like it, with at most so many passed over. -1 if none is.
func partner(old diffLine, now []diffLine, passed int, work *int) int {
	before := old.text()
	for j := range now {
		after := now[j].text()
		size := len(before) + len(after)
		if j > max(passed, 0) || *work < size {
			break
		}
		if size > longestPair {
			*work--
			continue
		}
		*work -= size
		if _, _, alike := words(before, after); alike {
			return j
		}
	}
	return -1
}

// words compares two lines word by word, as Unicode parts words. They are alike if at least half of them is the same.
func words(before, after string) (old, now []span, alike bool) {
	a, b := tokens(before), tokens(after)
	common, i, j := 0, 0, 0
	keep := func(to int) {
		for ; i < to; i, j = i+1, j+1 {
			common += letters(a[i : i+1])
			old, now = push(old, a[i], false), push(now, b[j], false)
		}
	}
	for _, d := range lcs.DiffLines(a, b) {
		keep(d.Start)
		for ; i < d.End; i++ {
			old = push(old, a[i], true)
		}
		for ; j < d.ReplEnd; j++ {
			now = push(now, b[j], true)
		}
	}
	keep(len(a))
	return old, now, 4*common >= letters(a)+letters(b)
}

// letters is how long words are without the blanks between them.
func letters(words []string) int {
	n := 0
	for _, w := range words {
		n += len(strings.TrimSpace(w))
	}
	return n
}

func tokens(line string) []string {
	var list []string
	state := -1
	for word := ""; line != ""; {
		word, line, state = uniseg.FirstWordInString(line, state)
		list = append(list, word)
	}
	return list
}

// push appends a word to the spans of a line. A single space between two changed words belongs to them.
func push(line []span, word string, changed bool) []span {
	n := len(line)
	if n >= 2 && changed && line[n-1].text == " " && line[n-2].changed {
		line[n-2].text += " " + word
		return line[:n-1]
	}
	if n > 0 && line[n-1].changed == changed {
		line[n-1].text += word
		return line
	}
	return append(line, span{word, changed})
}

// elided leaves out the middle of what did not change in a line that changed in part.
func elided(line []span, keep int) []span {
	out := make([]span, 0, len(line))
	for i, s := range line {
		if s.changed || len(line) == 1 || columns(s.text) <= 3*keep {
			out = append(out, s)
			continue
		}
		head, tail := clip(s.text, keep), clipStart(s.text, keep)
		switch i {
		case 0:
			s.text = tail
		case len(line) - 1:
			s.text = head
		default:
			s.text = head + tail[len("…"):]
		}
		out = append(out, s)
	}
	return out
}

// plain writes a line with its marks as text: {+added+}, [-removed-].
func (l diffLine) plain() diffLine {
	if len(l.spans) == 1 {
		return diffLine{l.mark, []span{{text: l.spans[0].text}}}
	}
	left, right := "{+", "+}"
	if l.mark == '-' {
		left, right = "[-", "-]"
	}
	var b strings.Builder
	for _, s := range l.spans {
		if s.changed {
			s.text = left + s.text + right
		}
		b.WriteString(s.text)
	}
	return diffLine{l.mark, []span{{text: b.String()}}}
}
