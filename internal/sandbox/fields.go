package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// field is what a vendor's page says of a field. The kinds carry JSON Schema's names.
type field struct {
	kind string
	// required counts in a create and inside nested objects.
	required bool
	// filled refuses an empty string, null accepts null.
	filled, null bool
	enum         []string
	// between bounds a number, where the page does; nil is unbounded.
	between *[2]float64
	// fields are an object's; nil leaves it open. values are those of a map.
	fields map[string]field
	values *field
	items  *field
	// unique names the field of the items whose value may not come twice.
	unique string
	// why refuses the field, saying why: read-only or fixed at creation.
	why string
}

const (
	kindText    = "string"
	kindInteger = "integer"
	kindNumber  = "number"
	kindBoolean = "boolean"
	kindObject  = "object"
	kindArray   = "array"
	kindAny     = "any"
)

// checkObject returns what is wrong with an object, sorted. Names that stored has are known too: an API that keeps what it does not
// know takes it back. In a create (whole) required fields must be there.
func checkObject(at string, fields map[string]field, o, stored map[string]any, whole bool) []string {
	var wrong []string
	for name, value := range o {
		path := strings.TrimPrefix(at+"."+name, ".")
		f, known := fields[name]
		_, kept := stored[name]
		switch {
		case !known && !kept:
			wrong = append(wrong, fmt.Sprintf("unknown field %q", path))
		case f.why != "":
			wrong = append(wrong, fmt.Sprintf("%s: %s", path, f.why))
		case known:
			wrong = append(wrong, f.check(path, value, stored[name])...)
		}
	}
	for name, f := range fields {
		if _, there := o[name]; f.required && whole && !there {
			wrong = append(wrong, fmt.Sprintf("%s: required", strings.TrimPrefix(at+"."+name, ".")))
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (f field) check(path string, value, stored any) []string {
	if value == nil {
		if f.null {
			return nil
		}
		return []string{path + ": null is not allowed"}
	}
	if !f.is(value) {
		return []string{fmt.Sprintf("%s: must be of type %s", path, f.kind)}
	}
	switch v := value.(type) {
	case string:
		return f.checkText(path, v)
	case json.Number:
		n, err := v.Float64()
		if err != nil || f.between != nil && (n < f.between[0] || n > f.between[1]) {
			return []string{fmt.Sprintf("%s: %s is out of range", path, v)}
		}
	case map[string]any:
		was, _ := stored.(map[string]any)
		if f.fields != nil {
			return checkObject(path, f.fields, v, was, true)
		}
		return f.checkMap(path, v)
	case []any:
		return f.checkItems(path, v)
	}
	return nil
}

func (f field) is(value any) bool {
	switch v := value.(type) {
	case string:
		return f.kind == kindText || f.kind == kindAny
	case bool:
		return f.kind == kindBoolean || f.kind == kindAny
	case json.Number:
		// A server that decodes into an integer takes neither 1.0 nor 1e3.
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return f.kind == kindNumber || f.kind == kindAny || f.kind == kindInteger && err == nil
	case map[string]any:
		return f.kind == kindObject || f.kind == kindAny
	case []any:
		return f.kind == kindArray || f.kind == kindAny
	}
	return false
}

func (f field) checkText(path, v string) []string {
	if f.filled && strings.TrimSpace(v) == "" {
		return []string{path + ": must not be empty"}
	}
	if f.enum != nil && !slices.Contains(f.enum, v) {
		return []string{fmt.Sprintf("%s: must be one of %s", path, strings.Join(f.enum, ", "))}
	}
	return nil
}

func (f field) checkMap(path string, v map[string]any) []string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if f.values != nil {
			wrong = append(wrong, f.values.check(path+"."+name, v[name], nil)...)
		}
	}
	return wrong
}

func (f field) checkItems(path string, v []any) []string {
	if f.items == nil {
		return nil
	}
	var wrong []string
	seen := map[any]bool{}
	for i, item := range v {
		at := fmt.Sprintf("%s[%d]", path, i)
		wrong = append(wrong, f.items.check(at, item, nil)...)
		if o, ok := item.(map[string]any); ok && f.unique != "" {
			name, _ := o[f.unique].(string)
			if seen[name] {
				wrong = append(wrong, fmt.Sprintf("%s: %s %q comes twice", at, f.unique, name))
			}
			seen[name] = true
		}
	}
	return wrong
}

// object reads a JSON object strictly; numbers are json.Number.
func (in *request) object() (map[string]any, error) {
	if kind := in.header.Get("Content-Type"); !isJSON(kind) {
		return nil, errContentType
	}
	if in.bodyErr != nil {
		return nil, in.bodyErr
	}
	dec := json.NewDecoder(bytes.NewReader(in.body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, errors.New("the body is not valid JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("the body is not one JSON value")
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the body must be a JSON object")
	}
	return o, nil
}

var errContentType = errors.New("Content-Type must be application/json")

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// plain turns checked values into those of the store: numbers as float64, and, if the server trims, trimmed text.
func (s *Server) plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		if err != nil || math.IsInf(n, 0) {
			return v.String()
		}
		return n
	case string:
		if s.opts.Quirks.TrimText {
			return strings.TrimSpace(strings.ReplaceAll(v, "\r\n", "\n"))
		}
	case map[string]any:
		o := make(map[string]any, len(v))
		for name, value := range v {
			o[name] = s.plain(value)
		}
		return o
	case []any:
		l := make([]any, len(v))
		for i, value := range v {
			l[i] = s.plain(value)
		}
		return l
	}
	return v
}

// numbers returns v with its numbers as text, if the server does that.
func (s *Server) numbers(v any) any {
	if !s.opts.Quirks.NumbersAsText {
		return v
	}
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case map[string]any:
		for name, value := range v {
			v[name] = s.numbers(value)
		}
	case []any:
		for i, value := range v {
			v[i] = s.numbers(value)
		}
	}
	return v
}

// fieldNames are the top-level names in the body, sorted.
func (in *request) fieldNames() []string {
	names := map[string]bool{}
	if in.form != nil {
		for _, p := range in.form.parts {
			names[p.Name] = true
		}
	} else {
		var o map[string]json.RawMessage
		_ = json.Unmarshal(in.body, &o) // no object, no names
		for name := range o {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// uuidForm is the form of the ids that Centerfy and Voicy document as UUIDs.
const uuidForm = `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`

func isUUID(s string) bool {
	ok, err := regexp.MatchString(uuidForm, s)
	return ok && err == nil
}
