package schema

import (
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
	for _, name := range doc.keys {
		if !r.demands(name, doc) && !p.contains(r, name, doc) && !slices.Contains(annotating, name) {
			r.values = append(r.values, p.keyword(at, name, doc.values[name]))
		}
	}
	return r
}

// demands takes a keyword over that demands something of the value itself, and is false for any other.
func (r *rule) demands(name string, doc *object) bool {
	switch name {
	case "type":
		if r.types = doc.texts(name); len(r.types) == 0 {
			r.types = []string{doc.text(name)}
		}
		slices.SortFunc(r.types, func(a, b string) int { return slices.Index(kinds, a) - slices.Index(kinds, b) })
	case "enum":
		r.allow(name, doc.list(name)...)
	case "const":
		r.allow(name, doc.values[name])
	case "required":
		r.required = doc.texts(name)
	case "dependentRequired":
		r.dependent = map[string][]string{}
		for _, field := range doc.object(name).keys {
			r.dependent[field] = doc.object(name).texts(field)
		}
	case "uniqueItems":
		r.unique = doc.values[name] == true
	default:
		return false
	}
	return true
}

// contains compiles the schemas inside a keyword, and is false for one that holds none.
func (p parser) contains(r *rule, name string, doc *object) bool {
	value := doc.values[name]
	one := func() *rule { return p.rule(slices.Concat(r.at, []string{name}), value) }
	switch name {
	case "properties":
		r.names, r.properties = doc.object(name).keys, map[string]*rule{}
		for _, field := range r.names {
			r.properties[field] = p.rule(slices.Concat(r.at, []string{name, field}), doc.object(name).get(field))
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
	case "not":
		r.not = one()
	case "if":
		r.when = one()
	case "then":
		r.then = one()
	case "else":
		r.otherwise = one()
	case "allOf":
		r.all = p.rules(r, name, doc)
	case "anyOf":
		r.any = p.rules(r, name, doc)
	case "oneOf":
		r.one = p.rules(r, name, doc)
	default:
		return false
	}
	return true
}

// rules compiles a list of schemas.
func (p parser) rules(r *rule, name string, doc *object) (rules []*rule) {
	for i, item := range doc.list(name) {
		rules = append(rules, p.rule(slices.Concat(r.at, []string{name, strconv.Itoa(i)}), item))
	}
	return rules
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
