package render

import (
	"fmt"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/providers"
)

// ReportMarkdown writes how an apply ended as markdown for a comment, in as much detail as fits.
func ReportMarkdown(w io.Writer, r *apply.Report, m Markdown) error {
	_, err := io.WriteString(w, m.fit([]func() string{
		func() string { return reportMarkdown(r, m, true, "") },
		func() string { return reportMarkdown(r, m, false, "one line for each agent") },
		func() string { return reportOpening(r, m, "the agents are counted only") },
	}))
	return err
}

func reportOpening(r *apply.Report, m Markdown, left string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### agentsync apply: %s\n\nRun %s\n", Marker("apply", m.Key), outcomes(r.Summary), code(r.Run))
	if left != "" {
		fmt.Fprintf(&b, "\nShortened to fit into %d characters: %s.\n", m.limit(), left)
	}
	return b.String()
}

func reportMarkdown(r *apply.Report, m Markdown, whole bool, left string) string {
	var b strings.Builder
	b.WriteString(reportOpening(r, m, left) + "\n")
	for _, result := range r.Results {
		if result.Outcome == apply.Unchanged {
			continue
		}
		fmt.Fprintf(&b, "- **%s** %s", escape(string(result.Outcome)), code(result.Address))
		if whole && result.Error != "" && !repeats(result) {
			b.WriteString(": " + escape(result.Error))
		}
		b.WriteString("\n")
		if whole {
			nested(&b, result.Findings)
		}
	}
	for _, step := range next(r.Summary) {
		fmt.Fprintf(&b, "\n**Next**: %s\n", escape(step))
	}
	return b.String()
}

func nested(b *strings.Builder, findings []providers.Finding) {
	for _, f := range findings {
		var one strings.Builder
		findingMarkdown(&one, f)
		for line := range strings.Lines(one.String()) {
			b.WriteString("  " + line)
		}
	}
}
