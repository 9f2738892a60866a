package render

import (
	"fmt"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/apply"
)

// Report writes how an apply ended as text. The plan was shown before; here is what became of it.
func Report(w io.Writer, r *apply.Report, s Style) error {
	out := &page{Style: s}
	out.line(0, "")
	out.line(0, "%s  run %s", s.paint(bold, "Apply: "+outcomes(r.Summary)), r.Run)
	for i := range r.Results {
		out.result(&r.Results[i])
	}
	return out.flush(w)
}

func outcomes(s apply.Summary) string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{s.Applied, "applied"}, {s.Failed, "failed"}, {s.Unknown, "of unknown outcome"}, {s.Refused, "refused"},
		{s.NotAttempted, "not attempted"}, {s.Unchanged, "unchanged"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

func (p *page) result(r *apply.Result) {
	color := red
	switch r.Outcome {
	case apply.Unchanged:
		return
	case apply.Applied:
		color = green
	case apply.NotAttempted, apply.Refused:
		color = yellow
	}
	p.line(2, "%s %s  %s", p.paint(color, string(r.Outcome)), p.paint(bold, r.Address), p.paint(faint, r.ID))
	if r.Error != "" {
		p.line(6, "%s", printable(r.Error))
	}
	for _, f := range r.Findings {
		p.finding(f)
	}
}
