package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"agentsync.dev/agentsync/pkg/diff"
)

// rule is what the standard keywords of one schema demand of a value, by JSON Schema 2020-12. A keyword that is not known here is a mistake
// in a schema, and found when the schema is parsed. Tests hold rules to what a validator of the whole standard says. (That one compiles
// every draft of the standard when a program starts, whether it is used or not.)
type rule struct {
	at     []string // the way to the schema inside its file
	never  bool     // the schema false
	types  []string
	values []keyword // bounds and patterns, each by itself
	// enum holds the canonical JSON of the values that may be; nil is any. word is "enum" or "const".
	enum [][]byte
	word string

	required   []string
	dependent  map[string][]string
	properties map[string]*rule
	names      []string // of properties, in the order of the file
	extra      *rule    // additionalProperties
	keys       *rule    // propertyNames
	items      *rule
	contains   *rule
	unique     bool

	not, when, then, otherwise *rule
	all, any, one              []*rule
}

// keyword is a demand on a single value: it says whether that is met.
type keyword struct {
	name string
	want string
	met  func(v any) bool
}

// violation is one demand that a value does not meet.
type violation struct {
	at   []string // the way to the value
	rule *rule
	// keyword is the standard's, "false" for the schema false.
	keyword string
	want    string   // of a pattern, and the field that a dependentRequired hangs on
	missing []string // of required and dependentRequired
	twice   [2]int   // of uniqueItems
}

// annotating are the keywords that demand nothing here. Fields that are not known the walk reports.
var annotating = []string{"title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly", "format", "unevaluatedProperties",
	"$schema", "$id", "$defs", "$comment", annotationKey}

// kinds are the standard's, in the order in which messages name them.
var kinds = []string{"null", "boolean", "number", "integer", "string", "array", "object"}

// rule compiles a schema; doc has no $refs.
func (p parser) rule(at []string, schema any) *rule {
	r := &rule{at: at}
	doc, ok := schema.(*object)
	if !ok {
		if r.never = schema == false; !r.never && schema != true {
			p.fail(fmt.Sprint(at), "a schema is a JSON object or a boolean")
		}
		return r
	}
	below := func(tokens ...string) []string { return slices.Concat(at, tokens) }
	list := func(name string) (rules []*rule) {
		for i, item := range doc.list(name) {
			rules = append(rules, p.rule(below(name, strconv.Itoa(i)), item))
		}
		return rules
	}
	for _, name := range doc.keys {
		value := doc.values[name]
		one := func() *rule { return p.rule(below(name), value) }
		switch name {
		case "type":
			if r.types = doc.texts("type"); len(r.types) == 0 {
				r.types = []string{doc.text("type")}
			}
			slices.SortFunc(r.types, func(a, b string) int { return slices.Index(kinds, a) - slices.Index(kinds, b) })
		case "enum":
			r.allow(name, doc.list(name)...)
		case "const":
			r.allow(name, value)
		case "required":
			r.required = doc.texts(name)
		case "dependentRequired":
			r.dependent = map[string][]string{}
			for _, field := range doc.object(name).keys {
				r.dependent[field] = doc.object(name).texts(field)
			}
		case "properties":
			r.names, r.properties = doc.object(name).keys, map[string]*rule{}
			for _, field := range r.names {
				r.properties[field] = p.rule(below(name, field), doc.object(name).get(field))
			}
		case "additionalProperties":
			if value != false {
				r.extra = one()
			}
		case "propertyNames":
			r.keys = one()
		case "items":
			r.items = one()
		case "contains":
			r.contains = one()
		case "uniqueItems":
			r.unique = value == true
		case "not":
			r.not = one()
		case "if":
			r.when = one()
		case "then":
			r.then = one()
		case "else":
			r.otherwise = one()
		case "allOf":
			r.all = list(name)
		case "anyOf":
			r.any = list(name)
		case "oneOf":
			r.one = list(name)
		default:
			if !slices.Contains(annotating, name) {
				r.values = append(r.values, p.keyword(at, name, value))
			}
		}
	}
	return r
}

func (o *object) texts(key string) []string { return texts(o.list(key)) }

func (r *rule) allow(word string, values ...any) {
	r.word, r.enum = word, [][]byte{}
	for _, v := range values {
		r.enum = append(r.enum, diff.Canonical(diff.Normalize(nil, plain(v))))
	}
}

// keyword compiles a bound or a pattern.
func (p parser) keyword(at []string, name string, value any) keyword {
	if name == "pattern" {
		text, _ := value.(string)
		pattern, err := regexp.Compile(text)
		if err != nil {
			p.fail(fmt.Sprint(at), "%v", err)
		}
		return keyword{name, text, func(v any) bool { s, isText := v.(string); return !isText || pattern.MatchString(s) }}
	}
	number, isNumber := rational(value)
	measure, met := measures[name], bounds[name]
	if measure == nil || met == nil || !isNumber {
		p.fail(fmt.Sprint(at), "keyword %q is not supported", name)
	}
	return keyword{name, number.RatString(), func(v any) bool {
		is, measured := measure(v)
		return !measured || met(is, number)
	}}
}

// bounds say whether a measure keeps to a bound.
var bounds = map[string]func(is, bound *big.Rat) bool{
	"minimum": atLeast, "minLength": atLeast, "minItems": atLeast, "minProperties": atLeast,
	"maximum": atMost, "maxLength": atMost, "maxItems": atMost, "maxProperties": atMost,
	"exclusiveMinimum": func(is, bound *big.Rat) bool { return is.Cmp(bound) > 0 },
	"exclusiveMaximum": func(is, bound *big.Rat) bool { return is.Cmp(bound) < 0 },
	"multipleOf":       func(is, bound *big.Rat) bool { return new(big.Rat).Quo(is, bound).IsInt() },
}

func atLeast(is, bound *big.Rat) bool { return is.Cmp(bound) >= 0 }
func atMost(is, bound *big.Rat) bool  { return is.Cmp(bound) <= 0 }

// measures give what a bound is about; false for a value that it is not about.
var measures = map[string]func(v any) (*big.Rat, bool){
	"minimum": rational, "maximum": rational, "exclusiveMinimum": rational, "exclusiveMaximum": rational, "multipleOf": rational,
	"minLength": length, "maxLength": length, "minItems": items, "maxItems": items, "minProperties": fields, "maxProperties": fields,
}

func rational(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if ok {
		_, ok = diff.CanonicalNumber(string(n)) // an absurd exponent would take all memory
	}
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

func length(v any) (*big.Rat, bool) {
	s, ok := v.(string)
	return new(big.Rat).SetInt64(int64(utf8.RuneCountInString(s))), ok
}

func items(v any) (*big.Rat, bool) {
	list, ok := v.([]any)
	return new(big.Rat).SetInt64(int64(len(list))), ok
}

func fields(v any) (*big.Rat, bool) {
	object, ok := v.(diff.Object)
	return new(big.Rat).SetInt64(int64(len(object))), ok
}

// typed reports whether v is of one of the types.
func typed(types []string, v any) bool {
	is := ""
	switch v := v.(type) {
	case nil:
		is = "null"
	case bool:
		is = "boolean"
	case string:
		is = "string"
	case []any:
		is = "array"
	case diff.Object:
		is = "object"
	case json.Number:
		is = "number"
		if slices.Contains(types, "integer") {
			n, ok := rational(v)
			return ok && n.IsInt() || slices.Contains(types, is)
		}
	}
	return slices.Contains(types, is)
}

// check returns the demands that v, at a place, does not meet. One of its kind or of its values is the only one said of it.
func (r *rule) check(at []string, v any) (found []violation) {
	add := func(x violation) { x.at, x.rule = at, r; found = append(found, x) }
	switch {
	case r.never:
		add(violation{keyword: "false"})
		return found
	case r.types != nil && !typed(r.types, v):
		add(violation{keyword: "type"})
		return found
	case r.enum != nil && !slices.ContainsFunc(r.enum, func(one []byte) bool { return bytes.Equal(one, diff.Canonical(v)) }):
		add(violation{keyword: r.word})
		return found
	}
	for _, k := range r.values {
		if !k.met(v) {
			add(violation{keyword: k.name, want: k.want})
		}
	}
	switch v := v.(type) {
	case diff.Object:
		found = append(found, r.checkObject(at, v)...)
	case []any:
		found = append(found, r.checkList(at, v)...)
	}
	if r.not != nil && len(r.not.check(at, v)) == 0 {
		add(violation{keyword: "not"})
	}
	for _, part := range r.all {
		found = append(found, part.check(at, v)...)
	}
	if r.any != nil && matches(r.any, at, v) == 0 {
		add(violation{keyword: "anyOf"})
	}
	if r.one != nil && matches(r.one, at, v) != 1 {
		add(violation{keyword: "oneOf"})
	}
	if r.when != nil {
		next := r.then
		if len(r.when.check(at, v)) > 0 {
			next = r.otherwise
		}
		if next != nil {
			found = append(found, next.check(at, v)...)
		}
	}
	return found
}

func matches(rules []*rule, at []string, v any) (n int) {
	for _, r := range rules {
		if len(r.check(at, v)) == 0 {
			n++
		}
	}
	return n
}

func (r *rule) checkObject(at []string, object diff.Object) (found []violation) {
	lacks := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, there := object[name]; return there })
	}
	if missing := lacks(r.required); len(missing) > 0 {
		found = append(found, violation{at: at, rule: r, keyword: "required", missing: missing})
	}
	for _, name := range diff.Keys(object) {
		field := r.properties[name]
		if field == nil {
			field = r.extra
		}
		if field != nil {
			found = append(found, field.check(append(slices.Clone(at), name), object[name])...)
		}
		if r.keys != nil && len(r.keys.check(at, name)) > 0 {
			found = append(found, violation{at: at, rule: r, keyword: "propertyNames"})
		}
		if missing := lacks(r.dependent[name]); len(missing) > 0 {
			found = append(found, violation{at: at, rule: r, keyword: "dependentRequired", want: name, missing: missing})
		}
	}
	return found
}

func (r *rule) checkList(at []string, list []any) (found []violation) {
	contained := r.contains == nil
	for i, item := range list {
		place := append(slices.Clone(at), strconv.Itoa(i))
		if r.items != nil {
			found = append(found, r.items.check(place, item)...)
		}
		contained = contained || len(r.contains.check(place, item)) == 0
	}
	if !contained {
		found = append(found, violation{at: at, rule: r, keyword: "contains"})
	}
	if i, j, twice := twins(list); r.unique && twice {
		found = append(found, violation{at: at, rule: r, keyword: "uniqueItems", twice: [2]int{i, j}})
	}
	return found
}

// twins returns the first two items that are the same.
func twins(list []any) (i, j int, found bool) {
	seen := map[string]int{}
	for j, item := range list {
		text := string(diff.Canonical(item))
		if i, again := seen[text]; again {
			return i, j, true
		}
		seen[text] = j
	}
	return 0, 0, false
}
