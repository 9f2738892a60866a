package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// validate adds what the schema's standard keywords find. What the walk found already is not said again.
func (d *decoder) validate() {
	if slices.Contains(d.faulty, "") {
		return
	}
	for _, found := range d.schema.rule().check(nil, d.config.Object) {
		d.violation(found)
	}
}

// violation reports one demand of the schema that is not met.
func (d *decoder) violation(found violation) {
	p := d.located(found.at)
	condition, fields := condition(d.schema.doc, found.rule.at)
	switch found.keyword {
	case "required":
		d.required(p, found.missing, condition, fields)
		return
	case "dependentRequired":
		d.required(p, found.missing, "when "+found.want+" is set", []string{found.want})
		return
	}
	if d.excused(p.at) {
		return
	}
	said, hint := d.complaint(p, found)
	if condition != "" {
		said += " " + condition
	}
	d.report(p, d.config.Place(p.at), d.named(p.path, said), hint)
}

// excused reports whether the value at p is not what the manifest says: it was left out, in whole or in part, or a null
// put it there.
func (d *decoder) excused(p diff.Pointer) bool {
	return slices.ContainsFunc(d.faulty, func(f diff.Pointer) bool { return f.Covers(p) || p.Covers(f) }) ||
		slices.ContainsFunc(d.cleared, func(c diff.Pointer) bool { return c.Covers(p) })
}

// required reports fields that the object at p lacks, where the manifest lacks them too. fields are those that the condition is
// about.
func (d *decoder) required(p place, names []string, condition string, fields []string) {
	for _, name := range names {
		leftOut := func(f diff.Pointer) bool { return f.Covers(p.at.Child(name)) }
		switch {
		case slices.ContainsFunc(d.faulty, leftOut):
		case condition == "":
			d.missing(p, d.config.Place(p.at), name)
		default:
			d.report(p, d.config.Place(p.at), d.named(p.path, fmt.Sprintf("%q is required %s", name, condition)),
				"declare it beside "+strings.Join(fields, " and "))
		}
	}
}

// located finds the place of an instance location.
func (d *decoder) located(tokens []string) place {
	p := place{node: d.schema.root}
	var value any = d.config.Object
	for _, token := range tokens {
		p.at = p.at.Child(token)
		switch v := value.(type) {
		case []any:
			i, _ := strconv.Atoi(token)
			p.path = index(p.path, i)
			value, p.node = v[i], p.node.element()
		case diff.Object:
			p.path = join(p.path, token)
			value = v[token]
			p.node, _ = p.node.field(token)
		}
	}
	p.secret = d.isSecret(p.at)
	return p
}

// element returns the node of a list's elements.
func (n *node) element() *node {
	if n == nil {
		return nil
	}
	return n.items
}

// complaint says what is wrong with the value at p, and the cure where there is a better one than reading on.
func (d *decoder) complaint(p place, found violation) (said, hint string) {
	keywords, _ := find(d.schema.doc, found.rule.at)
	value, _ := p.at.Get(d.config.Object)
	is := show(value, p.secret)
	limit := word(keywords.get(found.keyword))
	switch found.keyword {
	case "enum":
		return d.notOneOf(p, is, value, keywords.list("enum"))
	case "const":
		return is + " is not " + limit, ""
	case "type":
		return is + " is not " + alternatives(found.rule.types), ""
	case "minimum":
		return is + " is below " + limit, ""
	case "maximum":
		return is + " is above " + limit, ""
	case "exclusiveMinimum":
		return is + " is not above " + limit, ""
	case "exclusiveMaximum":
		return is + " is not below " + limit, ""
	case "multipleOf":
		return is + " is not a multiple of " + limit, ""
	case "pattern":
		return is + " does not match " + found.want, ""
	case "uniqueItems":
		first := p.at.Item(found.twice[0])
		return fmt.Sprintf("items %d and %d are the same, the first is at %s", found.twice[0], found.twice[1],
			d.config.Place(first)), "take one of the two out"
	case "not":
		if words, _ := simple(keywords.object("not")); words != "" {
			return "the vendor refuses that " + words, ""
		}
	case "false":
		return is + " is not allowed", ""
	}
	if said := measured(found, value, p.secret); said != "" {
		return said, ""
	}
	return is + " does not fit what the vendor documents", ""
}

// measured is the complaint about a length or a number of things, "" about anything else.
func measured(found violation, value any, secret bool) string {
	is := ""
	switch v := value.(type) {
	case string:
		is = "a text of " + count(utf8.RuneCountInString(v), "character")
		if secret {
			is = "(sensitive)"
		}
	case []any:
		is = "a list of " + count(len(v), "item")
	case diff.Object:
		is = "an object of " + count(len(v), "field")
	}
	short, long := "short", "long"
	switch found.keyword {
	case "minProperties", "maxProperties":
		short, long = "small", "large"
	case "minLength", "maxLength", "minItems", "maxItems":
	default:
		return ""
	}
	if strings.HasPrefix(found.keyword, "min") {
		return fmt.Sprintf("%s is too %s: at least %s", is, short, found.want)
	}
	return fmt.Sprintf("%s is too %s: at most %s", is, long, found.want)
}

func (d *decoder) notOneOf(p place, is string, value any, allowed []any) (said, hint string) {
	said = is + " is not one of " + listing(allowed)
	if s, ok := value.(string); ok && !p.secret {
		if near := spec.Nearest(s, texts(allowed)); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
	return said, hint
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

func alternatives(types []string) string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = article(diff.Kind(t))
	}
	return strings.Join(words, " or ")
}
