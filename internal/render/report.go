package render

import (
	"cmp"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/providers"
)

// Report writes how an apply ended as text. The plan was shown before; here is what became of it.
func Report(w io.Writer, r *apply.Report, s Style) error {
	out := &page{Style: s, hints: map[string]bool{}}
	out.line(0, "")
	if head := "Apply: " + outcomes(r.Summary); s.Width > 0 && columns(head+r.Run)+6 > s.width() {
		out.prose(0, bold, head, "")
		out.line(0, "run %s", r.Run)
	} else {
		out.line(0, "%s  run %s", s.paint(bold, head), r.Run)
	}
	for _, group := range alike(r.Results) {
		out.result(group)
	}
	for i, step := range next(r.Summary) {
		if i == 0 {
			out.line(0, "")
		}
		out.prose(0, bold, "Next: ", step)
	}
	return out.flush(w)
}

func outcomes(s apply.Summary) string {
	return counted("nothing to do", []count{{s.Applied, "applied"}, {s.Failed, "failed"}, {s.Unknown, "of unknown outcome"}, {s.Refused, "refused"},
		{s.NotAttempted, "not attempted"}, {s.Unchanged, "unchanged"}})
}

// next says what to do about what was not applied.
func next(s apply.Summary) []string {
	var steps []string
	for _, step := range []struct {
		when bool
		text string
	}{
		{s.Unknown > 0, "an agent of unknown outcome may have been changed or not. `agentsync plan` reads what is live; nothing is sent twice by itself."},
		{s.Failed > 0, "mend what failed and run apply again: it plans anew and sends only what is left."},
		{s.Refused > 0, "a refused agent was not written to. Its hint says what it takes; then plan again."},
		{s.NotAttempted > 0, "the run ended before every agent had its turn: run apply again for the rest."},
	} {
		if step.when {
			steps = append(steps, step.text)
		}
	}
	return steps
}

// alike puts results together of which everything but the agent is the same, where they say something went wrong. What is unchanged is left out.
func alike(results []apply.Result) [][]apply.Result {
	var groups [][]apply.Result
	first := map[string]int{}
	for _, r := range results {
		if r.Outcome == apply.Unchanged {
			continue
		}
		key := ""
		if r.Outcome != apply.Applied && r.Outcome != apply.Unknown {
			key = sayings(r)
		}
		if at, known := first[key]; known && key != "" {
			groups[at] = append(groups[at], r)
			continue
		}
		first[key] = len(groups)
		groups = append(groups, []apply.Result{r})
	}
	return groups
}

// sayings is all that a result says, without what names the agent.
func sayings(r apply.Result) string {
	texts := []string{string(r.Outcome), r.Error}
	for _, f := range r.Findings {
		texts = append(texts, string(f.Severity), f.Code, f.Message, f.Hint)
	}
	return replaceWord(replaceWord(strings.Join(texts, "\x00"), r.Address, anyAddress), r.ID, anyID)
}

func (p *page) result(group []apply.Result) {
	r := group[0]
	color := map[apply.Outcome]string{apply.Applied: green, apply.NotAttempted: yellow, apply.Refused: yellow}[r.Outcome]
	for _, one := range group {
		head := p.paint(cmp.Or(color, red), string(one.Outcome)) + " " + p.paint(bold, visible(one.Address))
		p.line(2, "%s", strings.TrimRight(head+"  "+p.paint(faint, visible(one.ID)), " "))
	}
	if r.Error != "" && !repeats(r) {
		p.prose(6, "", "", r.Error)
	}
	p.findings(r.Findings)
}

// repeats reports whether the error only says again what a finding says.
func repeats(r apply.Result) bool {
	for _, f := range r.Findings {
		if f.Message == r.Error && f.Severity == providers.Blocking {
			return true
		}
	}
	return false
}
