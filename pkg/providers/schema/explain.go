package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
)

// FieldDoc is what a schema says of one field, for the field reference.
type FieldDoc struct {
	// Path is the field's name as people write it: greeting_config.greeting, vars[].name, headers.* for any name.
	Path string
	// Kind is the field's kind, Items that of a list's elements.
	Kind  diff.Kind
	Items diff.Kind
	// Description is the text of the schema, in Markdown.
	Description string
	// Enum are the only values the vendor documents; nil if it documents no closed list.
	Enum []any
	// Minimum and Maximum are as the schema writes them, "" where there is none.
	Minimum, Maximum json.Number
	// Limits are what else the schema demands of a value and what it warns about, as phrases ("at most 10 items").
	Limits []string
	// Default is what the vendor takes where the field is absent, and Clear what clears it; see HasDefault and HasClear.
	Default    any
	HasDefault bool
	Clear      any
	HasClear   bool
	Unit       string
	// Source names the vendor page the field comes from; that of the object around it, if it has none of its own.
	Source     string
	ReadOnly   bool
	WriteOnly  bool
	ReadMaybe  bool
	Sensitive  bool
	Immutable  bool
	CreateOnly bool
	Text       bool
	File       bool
	Deprecated bool
	// Required: a create needs it; below the root: it must be there whenever the object around it is sent.
	Required bool
	// Nested is "replace", "merge" or "whole" for an object, "" where the schema does not say.
	Nested string
	// List says how a list compares, and Key by which field of its items.
	List diff.ListRule
	Key  string
	// Group names the fields that travel together, Toggle the boolean without which this one means nothing.
	Group    string
	Toggle   string
	Examples []any
	// Children are the fields of an object, or of a list's objects, in the order of the schema.
	Children []FieldDoc
}

// Fields describes every field, each before those inside it, in the order of the schema.
func (s *Schema) Fields() []FieldDoc {
	var all []FieldDoc
	var add func(docs []FieldDoc)
	add = func(docs []FieldDoc) {
		for _, doc := range docs {
			all = append(all, doc)
			add(doc.Children)
		}
	}
	add(children(s.root, FieldDoc{}))
	return all
}

// Lookup describes one field, named as people write it (greeting_config.greeting; the items of a list need not be named) or by its
// JSON Pointer. "" is the whole config.
func (s *Schema) Lookup(path string) (FieldDoc, bool) {
	doc := document(s.root, FieldDoc{}, "", false)
	for _, token := range lookupTokens(path) {
		child, ok := step(doc, token)
		if !ok {
			return FieldDoc{}, false
		}
		doc = child
	}
	return doc, true
}

// lookupTokens splits a path of either form; indexes and brackets stay out, as documentation has the items only once.
func lookupTokens(path string) []string {
	if strings.HasPrefix(path, "/") {
		return diff.Pointer(path).Tokens()
	}
	if path = withoutIndexes(path); path == "" {
		return nil
	}
	return strings.Split(path, ".")
}

// step finds the field that token names among doc's children. An index of a list leads to what the children are of.
func step(doc FieldDoc, token string) (FieldDoc, bool) {
	if _, err := strconv.Atoi(token); err == nil && doc.Kind == diff.List {
		return doc, true
	}
	for _, name := range []string{token, "*"} {
		i := slices.IndexFunc(doc.Children, func(c FieldDoc) bool { return lastName(c.Path) == name })
		if i >= 0 {
			return doc.Children[i], true
		}
	}
	return FieldDoc{}, false
}

// lastName is the field's own name in its path.
func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// children describes the fields of an object or of a list's objects.
func children(n *node, doc FieldDoc) []FieldDoc {
	path := doc.Path
	for n != nil && n.typ.Kind == diff.List {
		n, path = n.items, path+"[]"
	}
	if n == nil {
		return nil
	}
	var docs []FieldDoc
	for _, name := range n.names {
		required := slices.Contains(n.typ.Required, name) || slices.Contains(n.typ.RequiredOnCreate, name)
		docs = append(docs, document(n.fields[name], doc, join(path, name), required))
	}
	if n.extra != nil && n.extra.typ.Kind != diff.Any {
		docs = append(docs, document(n.extra, doc, join(path, "*"), false))
	}
	return docs
}

// document describes the field at path, whose parent is described already.
func document(n *node, parent FieldDoc, path string, required bool) FieldDoc {
	t, note := n.typ, n.note
	number := func(keyword string) json.Number {
		value, _ := n.doc.get(keyword).(json.Number)
		return value
	}
	doc := FieldDoc{
		Path: path, Kind: t.Kind, Description: n.doc.text("description"),
		Enum: plainList(n.doc.list("enum")), Examples: plainList(n.doc.list("examples")),
		Minimum: number("minimum"), Maximum: number("maximum"), Limits: phrases(n),
		Default: t.Default, HasDefault: t.HasDefault, Clear: t.Clear, HasClear: t.HasClear,
		Unit: note.Unit, Source: note.Source,
		ReadOnly: t.ReadOnly, WriteOnly: t.WriteOnly, ReadMaybe: t.ReadMaybe, Sensitive: t.Sensitive,
		Immutable: t.Immutable, CreateOnly: t.CreateOnly, Text: t.Text, File: t.File, Deprecated: n.doc.flag("deprecated"),
		Required: required, Nested: note.Nested, List: t.List, Key: t.Key, Group: t.Group, Toggle: t.Toggle,
	}
	if doc.Source == "" {
		doc.Source = parent.Source
	}
	if n.items != nil {
		doc.Items = n.items.typ.Kind
	}
	doc.Children = children(n, doc)
	return doc
}

func plainList(list []any) []any {
	values, _ := plain(list).([]any)
	if len(values) == 0 {
		return nil
	}
	return values
}

// phrases puts into words what a schema demands besides its kind, enum, minimum and maximum, and what it warns about.
func phrases(n *node) []string {
	var out []string
	for _, p := range []struct{ keyword, before, thing string }{
		{"exclusiveMinimum", "above ", ""}, {"exclusiveMaximum", "below ", ""}, {"multipleOf", "a multiple of ", ""},
		{"minLength", "at least ", "character"}, {"maxLength", "at most ", "character"}, {"pattern", "matches ", ""},
		{"minItems", "at least ", "item"}, {"maxItems", "at most ", "item"},
		{"minProperties", "at least ", "field"}, {"maxProperties", "at most ", "field"},
	} {
		if !n.doc.has(p.keyword) {
			continue
		}
		limit := fmt.Sprint(n.doc.get(p.keyword))
		if number, err := strconv.Atoi(limit); err == nil && p.thing != "" {
			limit = count(number, p.thing)
		}
		out = append(out, p.before+limit)
	}
	warn := n.note.Warn
	if warn == nil {
		return out
	}
	if warn.Minimum != "" {
		out = append(out, fmt.Sprintf("a warning below %s", warn.Minimum))
	}
	if warn.Maximum != "" {
		out = append(out, fmt.Sprintf("a warning above %s", warn.Maximum))
	}
	if warn.Enum != nil {
		out = append(out, "a warning for others than "+listing(warn.Enum))
	}
	if warn.Pattern != "" {
		out = append(out, "a warning where it does not match "+warn.Pattern)
	}
	return out
}
