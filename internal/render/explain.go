package render

import (
	"fmt"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

// Explain writes what a schema says of a field, and of the fields in it. A doc without a Path is the whole config.
func Explain(w io.Writer, vendor string, doc schema.FieldDoc) error {
	out := &page{}
	title := vendor
	if doc.Path != "" {
		title += "." + doc.Path
		out.line(0, "%s  <%s>", title, Kind(doc))
		out.about(2, doc)
	} else {
		out.line(0, "%s: the fields of spec.config", title)
	}
	for _, child := range doc.Children {
		out.line(0, "")
		out.line(0, "%s  <%s>", child.Path, Kind(child))
		out.about(2, child)
		if doc.Path == "" && len(child.Children) > 0 {
			var names []string
			for _, inner := range child.Children {
				names = append(names, inner.Path[strings.LastIndex(inner.Path, ".")+1:])
			}
			out.wrapped(2, "holds: "+strings.Join(names, ", "))
		}
	}
	return out.flush(w)
}

// Kind names the kind of a field's values, as in "list of string".
func Kind(d schema.FieldDoc) string {
	if d.Kind == diff.List && d.Items != "" {
		return fmt.Sprintf("list of %s", d.Items)
	}
	return string(d.Kind)
}

func (p *page) wrapped(indent int, text string) {
	for _, l := range wrap(text, p.width()-indent) {
		p.line(indent, "%s", l)
	}
}

func (p *page) about(indent int, d schema.FieldDoc) {
	if d.Description != "" {
		p.wrapped(indent, d.Description)
	}
	for _, fact := range Facts(d) {
		p.wrapped(indent, "- "+fact)
	}
}

// Facts lists what holds for a field, as phrases in a decided order.
func Facts(d schema.FieldDoc) []string {
	var list []string
	add := func(when bool, format string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	add(d.Required, "required")
	add(len(d.Enum) > 0, "one of %s", joined(d.Enum))
	add(d.Minimum != "", "at least %s", d.Minimum)
	add(d.Maximum != "", "at most %s", d.Maximum)
	for _, limit := range d.Limits {
		add(true, "%s", limit)
	}
	add(d.Unit != "", "unit: %s", d.Unit)
	add(d.HasDefault, "default: %s", inline(d.Default))
	add(d.HasClear, "null clears it (sends %s)", inline(d.Clear))
	add(d.ReadOnly, "read-only: the vendor sets it")
	add(d.WriteOnly, "write-only: the vendor never returns it, so a change of it in the dashboard cannot be seen")
	add(d.ReadMaybe, "the vendor may leave it out of its answers; it is then compared with what was applied last")
	add(d.Sensitive, "sensitive: never shown; give it as {$env: NAME}")
	add(d.Immutable, "cannot change after the create")
	add(d.CreateOnly, "only taken by a create")
	add(d.File, "a path, relative to the manifest's folder; the file is uploaded")
	add(d.Nested == "replace", "compared field by field, sent whole: what is not declared is taken from the live agent")
	add(d.Nested == "whole", "declared, compared and sent as one value")
	add(d.List == diff.Set, "a set: order does not matter")
	add(d.List == diff.Keyed, "items are matched by %s; the list is sent whole", d.Key)
	add(d.Toggle != "", "means nothing unless %s is true", d.Toggle)
	add(d.Group != "", "travels together with the other fields of its group (%s)", d.Group)
	add(len(d.Examples) > 0, "for example %s", joined(d.Examples))
	add(d.Source != "", "source: %s", d.Source)
	return list
}

func joined(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = inline(v)
	}
	return strings.Join(texts, ", ")
}

// Providers writes what the vendors can and cannot do, and their settings.
func Providers(w io.Writer, vendors []providers.Vendor) error {
	out := &page{}
	for i, v := range vendors {
		if i > 0 {
			out.line(0, "")
		}
		out.line(0, "%s (%s)", v.Name, v.Title)
		for _, g := range v.Generations {
			out.generation(v, g)
		}
		out.line(2, "settings:")
		for _, s := range v.Settings {
			out.setting(s)
		}
	}
	return out.flush(w)
}

func (p *page) generation(v providers.Vendor, g providers.Generation) {
	if g.Name != "" {
		p.line(2, "api %s:", g.Name)
	}
	p.line(4, "base URL  %s", g.BaseURL)
	p.line(4, "list      %s", map[string]string{"none": "no: agents are found by id only", "summaries": "ids and names; each agent is read by itself",
		"whole": "whole agents"}[g.Can.List])
	p.line(4, "update    %s", g.Can.Update)
	p.line(4, "delete    %s", map[string]string{"none": "no: remove agents in the dashboard", "delete": "yes, for good",
		"archive": "archives; a person can restore it"}[g.Can.Delete])
	for _, note := range g.Notes {
		for i, l := range wrap(note, p.width()-6) {
			p.line(4, "%s", map[bool]string{true: "- ", false: "  "}[i == 0]+l)
		}
	}
}

func (p *page) setting(s providers.Setting) {
	text := s.About
	if s.Required {
		text += " (required)"
	}
	p.line(4, "%-24s %-18s %s", s.Env, s.Field, text)
}
