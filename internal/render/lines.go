package render

import (
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

// Difference is one difference of a field, for a page that lays it out itself. All text in it is made visible, as [Visible] does; it is not
// escaped for HTML.
type Difference struct {
	// Name is the field, or the part of it, as people write it: voice.speed, functions[transfer].
	Name string
	// Note is what else there is to say, "" for nothing.
	Note string
	// Lines are what changed from the live value to the manifest's, with a little around it.
	Lines []Line
}

// Line is one line of a comparison.
type Line struct {
	// Mark is '-' for a line that is live only, '+' for one of the manifest only, ' ' for one of both, '@' where lines are left out; for a
	// sensitive field '+' or '~'.
	Mark  byte
	Spans []Span
}

// Span is a piece of a line. Changed marks what the line's partner on the other side does not have.
type Span struct {
	Text    string
	Changed bool
}

// Differences takes the difference of a field apart as a plan shows it. Of a sensitive field it holds no value. keep, where it is above 0, shortens
// lines: stretches that did not change to about keep columns on either side, and any span to 20 times as many.
func Differences(f plan.Field, keep int) []Difference {
	if f.Sensitive {
		return []Difference{{Name: name(f.Path), Lines: []Line{{Mark: sensitiveSign(f), Spans: []Span{{Text: plan.Hidden}}}}}}
	}
	var list []Difference
	for _, i := range fieldItems(f) {
		d := Difference{Name: i.name, Note: oneLine(i.note)}
		for _, l := range unified(i.before, i.after) {
			d.Lines = append(d.Lines, l.exported(keep))
		}
		list = append(list, d)
	}
	return list
}

func (l diffLine) exported(keep int) Line {
	line := Line{Mark: l.mark}
	if keep > 0 {
		l.spans = elided(l.spans, keep)
	}
	for _, s := range l.spans {
		if keep > 0 {
			s.text = clip(s.text, 20*keep)
		}
		line.Spans = append(line.Spans, Span{Text: s.text, Changed: s.changed})
	}
	return line
}

// About says in words who moved a field: the title under which a plan shows it. It is "" for what the manifest wants.
func About(origin diff.Origin) string {
	for _, a := range about {
		if a.origin == origin {
			return a.title
		}
	}
	return ""
}

// Visible spells out, as <U+202E>, what would steer a terminal or hide from the eye: control characters, and those that reorder or hide text.
// Line breaks stay.
func Visible(s string) string { return visible(s) }

// FieldName writes a pointer the way people name fields, made visible.
func FieldName(p diff.Pointer) string { return name(p) }
