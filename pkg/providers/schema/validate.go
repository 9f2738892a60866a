package schema

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// location names a schema to the validator. Nothing is loaded from it.
const location = "https://agentsync.dev/schema.json"

// sealed loads nothing: every schema is complete in itself.
type sealed struct{}

func (sealed) Load(url string) (any, error) {
	return nil, fmt.Errorf("schemas are not loaded, %s neither", url)
}

func compile(vendor string, raw []byte) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		c := jsonschema.NewCompiler()
		c.UseLoader(sealed{})
		c.DefaultDraft(jsonschema.Draft2020)
		if err = c.AddResource(location, doc); err == nil {
			var compiled *jsonschema.Schema
			if compiled, err = c.Compile(location); err == nil {
				return compiled
			}
		}
	}
	panic(fmt.Sprintf("schema of %s: %v", vendor, err))
}

// validate adds what the schema's standard keywords find. What the walk found already is not said again.
func (d *decoder) validate() {
	if slices.Contains(d.faulty, "") {
		return
	}
	err := d.schema.validator().Validate(d.config.Object)
	if err, ok := err.(*jsonschema.ValidationError); ok {
		d.causes(err)
	}
}

// causes reports the faults that err consists of.
func (d *decoder) causes(err *jsonschema.ValidationError) {
	switch err.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.PropertyNames, *kind.Contains, *kind.MinContains:
		// Each alternative or part has its own complaint; together they say little.
		d.violation(err)
		return
	}
	if len(err.Causes) == 0 {
		d.violation(err)
		return
	}
	for _, cause := range err.Causes {
		d.causes(cause)
	}
}

// violation reports one fault that the validator found.
func (d *decoder) violation(err *jsonschema.ValidationError) {
	p := d.located(err.InstanceLocation)
	keywordAt := keywordTokens(err.SchemaURL)
	condition, fields := condition(d.schema.doc, keywordAt)
	switch k := err.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		return // The walk knows them better.
	case *kind.FalseSchema:
		if last := len(keywordAt) - 1; last >= 0 && keywordAt[last] == "unevaluatedProperties" {
			return
		}
	case *kind.Required:
		d.required(p, k.Missing, condition, fields)
		return
	case *kind.DependentRequired:
		d.required(p, k.Missing, "when "+k.Prop+" is set", []string{k.Prop})
		return
	}
	if d.excused(p.at) {
		return
	}
	said, hint := d.complaint(p, err.ErrorKind, keywordAt)
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

// keywordTokens returns the way to a schema inside its file.
func keywordTokens(schemaURL string) []string {
	_, fragment, _ := strings.Cut(schemaURL, "#")
	if unescaped, err := url.PathUnescape(fragment); err == nil {
		fragment = unescaped
	}
	return diff.Pointer(fragment).Tokens()
}

// complaint says what is wrong with the value at p, and the cure where there is a better one than reading on.
func (d *decoder) complaint(p place, found jsonschema.ErrorKind, keywordAt []string) (said, hint string) {
	keywords, _ := find(d.schema.doc, keywordAt)
	value, _ := p.at.Get(d.config.Object)
	is := show(value, p.secret)
	switch k := found.(type) {
	case *kind.Enum:
		return d.notOneOf(p, is, value, keywords.list("enum"))
	case *kind.Const:
		return is + " is not " + word(keywords.get("const")), ""
	case *kind.Type:
		return is + " is not " + alternatives(k.Want), ""
	case *kind.Minimum:
		return is + " is below " + word(keywords.get("minimum")), ""
	case *kind.Maximum:
		return is + " is above " + word(keywords.get("maximum")), ""
	case *kind.ExclusiveMinimum:
		return is + " is not above " + word(keywords.get("exclusiveMinimum")), ""
	case *kind.ExclusiveMaximum:
		return is + " is not below " + word(keywords.get("exclusiveMaximum")), ""
	case *kind.MultipleOf:
		return is + " is not a multiple of " + word(keywords.get("multipleOf")), ""
	case *kind.Pattern:
		return is + " does not match " + k.Want, ""
	case *kind.UniqueItems:
		first := p.at.Item(k.Duplicates[0])
		return fmt.Sprintf("items %d and %d are the same, the first is at %s", k.Duplicates[0], k.Duplicates[1],
			d.config.Place(first)), "take one of the two out"
	case *kind.Not:
		if words, _ := simple(keywords.object("not")); words != "" {
			return "the vendor refuses that " + words, ""
		}
	case *kind.FalseSchema:
		return is + " is not allowed", ""
	}
	if said := measured(found, p.secret); said != "" {
		return said, ""
	}
	return is + " does not fit what the vendor documents", ""
}

// measured is the complaint about a length or a number of things, "" about anything else.
func measured(found jsonschema.ErrorKind, secret bool) string {
	text := func(got int) string {
		if secret {
			return "(sensitive)"
		}
		return "a text of " + count(got, "character")
	}
	switch k := found.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("%s is too short: at least %d", text(k.Got), k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("%s is too long: at most %d", text(k.Got), k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("a list of %s is too short: at least %d", count(k.Got, "item"), k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("a list of %s is too long: at most %d", count(k.Got, "item"), k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("an object of %s is too small: at least %d", count(k.Got, "field"), k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("an object of %s is too large: at most %d", count(k.Got, "field"), k.Want)
	}
	return ""
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
