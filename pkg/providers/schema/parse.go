package schema

import (
	"fmt"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
)

// node is one place of a schema: its type, and what only decoding and explaining need. A nil node is a place of which nothing is
// known.
type node struct {
	typ  *diff.Type
	doc  *object
	note annotations
	// names are the fields of an object in the order of the file.
	names  []string
	fields map[string]*node
	// items are a list's elements, extra an object's undocumented fields; nil where nothing is known of them.
	items, extra *node
}

// field returns the node of the named field and whether the object may have it.
func (n *node) field(name string) (*node, bool) {
	if n == nil || n.typ.Kind == diff.Any {
		return nil, true
	}
	if f, ok := n.fields[name]; ok {
		return f, true
	}
	return n.extra, n.extra != nil
}

// parser builds nodes. It panics on what it does not understand: a schema is part of the program.
type parser struct{ vendor string }

func (p parser) fail(path, format string, args ...any) {
	if path == "" {
		path = "the root"
	}
	panic(fmt.Sprintf("schema of %s: %s: %s", p.vendor, path, fmt.Sprintf(format, args...)))
}

func (p parser) document(raw []byte) *object {
	value, err := decodeJSON(raw)
	if err != nil {
		p.fail("", "%v", err)
	}
	doc, ok := value.(*object)
	if !ok {
		p.fail("", "a schema is a JSON object")
	}
	whole, err := inline(doc, doc, nil)
	if err != nil {
		p.fail("", "%v", err)
	}
	return whole.(*object)
}

func (p parser) root(doc *object) *node {
	if doc.has("required") {
		p.fail("", `"required" is not used here: write x-agentsync.requiredOnCreate`)
	}
	if doc.get("type") != "object" || doc.object("properties") == nil {
		p.fail("", "a config is an object with properties")
	}
	return p.node("", doc, nil)
}

// node builds the node of a schema and all below it. up is the type it is inside of, nil for the root.
func (p parser) node(path string, schema any, up *diff.Type) *node {
	if schema == true {
		schema = newObject()
	}
	doc, ok := schema.(*object)
	if !ok {
		p.fail(path, "a schema is a JSON object or true")
	}
	n := &node{doc: doc, typ: &diff.Type{}}
	p.kind(path, n)
	p.annotate(path, n, up)
	switch n.typ.Kind {
	case diff.Map:
		p.object(path, n)
	case diff.List:
		p.list(path, n)
	}
	p.values(path, n)
	return n
}

func (p parser) kind(path string, n *node) {
	var types []string
	switch t := n.doc.get("type").(type) {
	case string:
		types = []string{t}
	case []any:
		types = slices.DeleteFunc(texts(t), func(s string) bool { return s == "null" })
	}
	n.typ.Kind = diff.Any
	if len(types) != 1 {
		return
	}
	n.typ.Kind = diff.Kind(types[0])
	known := []diff.Kind{diff.String, diff.Number, diff.Integer, diff.Boolean, diff.List, diff.Map}
	if !slices.Contains(known, n.typ.Kind) {
		p.fail(path, "unknown type %q", types[0])
	}
}

func (p parser) object(path string, n *node) {
	properties := n.doc.object("properties")
	if n.doc.has("patternProperties") {
		p.fail(path, "patternProperties is not supported: write additionalProperties")
	}
	if properties != nil {
		n.names = properties.keys
		n.fields = make(map[string]*node, len(n.names))
		n.typ.Fields = make(map[string]*diff.Type, len(n.names))
	}
	for _, name := range n.names {
		field := p.node(join(path, name), properties.get(name), n.typ)
		n.fields[name], n.typ.Fields[name] = field, field.typ
	}
	switch extra, there := n.doc.values["additionalProperties"]; {
	case extra == false:
	case there:
		n.extra = p.node(join(path, "*"), extra, n.typ)
	case properties == nil:
		n.extra = p.node(join(path, "*"), true, n.typ)
	}
	if n.extra != nil {
		n.typ.Extra = n.extra.typ
	}
	p.references(path, n)
}

// references checks the names by which an object's annotations refer to its fields.
func (p parser) references(path string, n *node) {
	for _, name := range slices.Concat(n.typ.Required, n.typ.RequiredOnCreate) {
		if n.fields[name] == nil {
			p.fail(path, "required field %q does not exist", name)
		}
	}
	for _, name := range n.names {
		toggle := n.fields[name].typ.Toggle
		if toggle == "" {
			continue
		}
		if field := n.fields[toggle]; path != "" || field == nil || field.typ.Kind != diff.Boolean {
			p.fail(join(path, name), "toggle %q is no boolean field of the root", toggle)
		}
	}
}

func (p parser) list(path string, n *node) {
	if n.doc.has("prefixItems") {
		p.fail(path, "prefixItems is not supported: write items")
	}
	if n.doc.has("items") {
		n.items = p.node(path+"[]", n.doc.get("items"), n.typ)
		n.typ.Items = n.items.typ
	}
	if n.typ.List == "" {
		n.typ.List = diff.Atomic
	}
	if (n.typ.List == diff.Keyed) != (n.typ.Key != "") {
		p.fail(path, "list keyed and key go together")
	}
	if n.typ.List == diff.Keyed && (n.items == nil || n.items.fields[n.typ.Key] == nil) {
		p.fail(path, "key %q is no field of the items", n.typ.Key)
	}
}

// values sets what is stated in the field's own terms: its default and its clearing value.
func (p parser) values(path string, n *node) {
	if n.doc.has("default") {
		n.typ.Default, n.typ.HasDefault = diff.Normalize(n.typ, plain(n.doc.get("default"))), true
	}
	if n.note.Clear != nil {
		value, err := decodeJSON(n.note.Clear)
		if err != nil {
			p.fail(path, "clear: %v", err)
		}
		n.typ.Clear, n.typ.HasClear = diff.Normalize(n.typ, plain(value)), true
	}
}

// join returns the name by which people call the field name of the object at path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
