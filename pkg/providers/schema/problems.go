package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// shownRunes bounds how much of a value a message repeats.
const shownRunes = 60

// fault reports a problem that leaves the value at p out. Without a hint of its own it points to explain.
func (d *decoder) fault(p place, pos spec.Pos, message, hint string) {
	d.faulty = append(d.faulty, p.at)
	d.report(p, pos, message, hint)
}

func (d *decoder) report(p place, pos spec.Pos, message, hint string) {
	if hint == "" {
		hint = d.explainHint(p)
	}
	d.problems = append(d.problems, spec.Problem{Pos: pos, Message: d.schema.vendor + ": " + message, Hint: hint})
}

// missing reports that the object at p lacks a field it requires.
func (d *decoder) missing(p place, pos spec.Pos, name string) {
	d.report(p, pos, d.named(p.path, fmt.Sprintf("%q is required", name)), "declare it beside the others")
}

// named puts the path of a value before what is said of it; the whole config has no path.
func (d *decoder) named(path, said string) string {
	if path == "" {
		return said
	}
	return path + ": " + said
}

// explainHint sends the reader to the description of the field at p, or of the nearest documented one around it.
func (d *decoder) explainHint(p place) string {
	path := withoutIndexes(p.path)
	for path != "" {
		if _, ok := d.schema.Lookup(path); ok {
			return fmt.Sprintf("`agentsync explain %s` describes it", d.explained(path))
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return fmt.Sprintf("`agentsync explain %s` lists the fields", d.schema.name)
}

// explained is the argument of `agentsync explain` for a path.
func (d *decoder) explained(path string) string {
	return strings.TrimSuffix(join(d.schema.name, withoutIndexes(path)), ".")
}

// isSecret reports whether the value at p, or one it is part of, must not be shown.
func (d *decoder) isSecret(p diff.Pointer) bool {
	return slices.ContainsFunc(d.secret, func(s diff.Pointer) bool { return s.Covers(p) })
}

// index returns the name by which people call item i of the list at path.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// withoutIndexes turns vars[0].name into vars.name.
func withoutIndexes(path string) string {
	var out strings.Builder
	for path != "" {
		before, after, found := strings.Cut(path, "[")
		out.WriteString(before)
		if !found {
			break
		}
		_, path, _ = strings.Cut(after, "]")
	}
	return out.String()
}

// show writes a scalar for a message: strings in quotes and not too long, secrets not at all.
func show(value any, secret bool) string {
	if secret {
		return "(sensitive)"
	}
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return quote(v)
	case json.Number:
		return shorten(string(v))
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "the list"
	}
	return "the object"
}

func quote(s string) string { return strconv.Quote(shorten(s)) }

func shorten(s string) string {
	runes := 0
	for i := range s {
		if runes == shownRunes {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}

// listing writes allowed values one after the other, without quotes.
func listing(values []any) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = word(value)
	}
	return strings.Join(words, ", ")
}

// word writes an allowed value without quotes, where it can be told apart.
func word(value any) string {
	if s, ok := value.(string); ok && s != "" && !strings.ContainsAny(s, ", \t\n\"") {
		return s
	}
	return show(value, false)
}

// article names a kind in a sentence.
func article(kind diff.Kind) string {
	switch kind {
	case diff.Integer:
		return "a whole number"
	case diff.List:
		return "a list"
	case diff.Map:
		return "an object"
	case diff.Any:
		return "a value"
	}
	return "a " + string(kind)
}
