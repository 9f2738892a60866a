package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"agentsync.dev/agentsync/pkg/diff"
)

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
	if keyword := r.excludes(v); keyword != "" {
		return []violation{{at: at, rule: r, keyword: keyword}}
	}
	for _, k := range r.values {
		if !k.met(v) {
			found = append(found, violation{at: at, rule: r, keyword: k.name, want: k.want})
		}
	}
	switch v := v.(type) {
	case diff.Object:
		found = append(found, r.checkObject(at, v)...)
	case []any:
		found = append(found, r.checkList(at, v)...)
	}
	return append(found, r.checkParts(at, v)...)
}

// excludes returns the keyword for which v is not at all what may be, "" if there is none.
func (r *rule) excludes(v any) string {
	switch {
	case r.never:
		return "false"
	case r.types != nil && !typed(r.types, v):
		return "type"
	case r.enum != nil && !slices.ContainsFunc(r.enum, func(one []byte) bool { return bytes.Equal(one, diff.Canonical(v)) }):
		return r.word
	}
	return ""
}

// checkParts holds v to the schemas that are joined to this one by a word.
func (r *rule) checkParts(at []string, v any) (found []violation) {
	fails := func(keyword string) { found = append(found, violation{at: at, rule: r, keyword: keyword}) }
	if r.not != nil && len(r.not.check(at, v)) == 0 {
		fails("not")
	}
	for _, part := range r.all {
		found = append(found, part.check(at, v)...)
	}
	if r.any != nil && matches(r.any, at, v) == 0 {
		fails("anyOf")
	}
	if r.one != nil && matches(r.one, at, v) != 1 {
		fails("oneOf")
	}
	if r.when == nil {
		return found
	}
	next := r.then
	if len(r.when.check(at, v)) > 0 {
		next = r.otherwise
	}
	if next != nil {
		found = append(found, next.check(at, v)...)
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
