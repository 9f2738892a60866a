package render

import (
	"fmt"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// PlanMarkdown writes a plan as GitHub-flavoured markdown, for a comment.
func PlanMarkdown(w io.Writer, p *plan.Plan) error {
	out := &page{}
	out.line(0, "### agentsync plan: %s", summary(p))
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Action != plan.None || len(c.Findings) > 0 || len(c.Fields) > 0 {
			out.changeMarkdown(c)
		}
	}
	if len(p.Orphans) > 0 {
		out.line(0, "\n#### Without a manifest\n")
		for _, o := range p.Orphans {
			out.line(0, "- `%s` (%s): %s", o.Address, o.ID, o.Reason)
		}
	}
	if !p.HasChanges() && p.Summary.Blocked == 0 {
		out.line(0, "\nNothing to do: every declared field is as its manifest says.")
	}
	return out.flush(w)
}

func (p *page) changeMarkdown(c *plan.Change) {
	what := string(c.Action)
	if c.Blocked() {
		what += ", blocked"
	}
	p.line(0, "\n#### `%s`: %s\n", c.Address, what)
	if len(c.Fields) > 0 {
		p.line(0, "```diff")
		for _, f := range c.Fields {
			p.fieldMarkdown(f)
		}
		p.line(0, "```")
	}
	if c.Reason != "" {
		p.line(0, "%s", escape(c.Reason))
	}
	for _, r := range c.Requests {
		p.line(0, "- sends `%s %s`: %s", r.Method, r.Path, code(r.Fields))
	}
	if len(c.Carried) > 0 {
		p.line(0, "- carries unchanged: %s", code(c.Carried))
	}
	if len(c.Reset) > 0 {
		p.line(0, "- **resets**: %s", code(c.Reset))
	}
	for _, f := range c.Findings {
		p.findingMarkdown(f)
	}
}

func (p *page) findingMarkdown(f providers.Finding) {
	p.line(0, "- **%s %s**: %s", f.Severity, f.Code, escape(f.Message))
	if f.Hint != "" {
		p.line(2, "hint: %s", escape(f.Hint))
	}
}

func (p *page) fieldMarkdown(f plan.Field) {
	p.line(0, "@@ %s (%s) @@", name(f.Path), f.Origin)
	if f.Sensitive {
		p.line(0, "! %s", plan.Hidden)
		return
	}
	if f.Origin == diff.Released {
		p.line(0, "  left as it is")
		return
	}
	for _, l := range unified(f.Before, f.After) {
		// A zero-width space keeps a fence inside a prompt from closing this one.
		p.line(0, "%c %s", l.mark, strings.ReplaceAll(l.text, "```", "`\u200b``"))
	}
}

func code(names []string) string {
	if len(names) == 0 {
		return "no fields"
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "`" + n + "`"
	}
	return strings.Join(quoted, ", ")
}

// escape keeps text from being read as markdown.
func escape(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "[", "\\[", "@", "&#64;").Replace(printable(s))
}

// ReportMarkdown writes how an apply ended as markdown.
func ReportMarkdown(w io.Writer, r *apply.Report) error {
	out := &page{}
	out.line(0, "### agentsync apply: %s\n", outcomes(r.Summary))
	out.line(0, "Run `%s`\n", r.Run)
	for _, result := range r.Results {
		if result.Outcome == apply.Unchanged {
			continue
		}
		text := fmt.Sprintf("- **%s** `%s`", result.Outcome, result.Address)
		if result.Error != "" {
			text += ": " + escape(result.Error)
		}
		out.line(0, "%s", text)
		for _, f := range result.Findings {
			out.line(2, "- %s %s: %s", f.Severity, f.Code, escape(f.Message))
		}
	}
	return out.flush(w)
}
