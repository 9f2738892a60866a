package schema

import (
	"encoding/json"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
)

// draft names the dialect of what is published.
const draft = "https://json-schema.org/draft/2020-12/schema"

// directiveRef refers to the shared definition of {$file}, {$env} and {$join}.
const directiveRef = "#/$defs/directive"

// Published returns the schema of spec.config for editors: objects are closed where the vendor documents their fields, read-only
// fields are gone, every scalar may be a directive, null is taken where it clears, and nothing of agentsync's own is left in it.
// The result refers to nothing outside itself.
func (s *Schema) Published(title, id string) []byte {
	out := newObject("$schema", draft, "$id", id, "title", title)
	body := publish(s.root, false)
	for _, key := range body.keys {
		if !slices.Contains(identity(), key) {
			out.set(key, body.values[key])
		}
	}
	out.set("$defs", directives())
	return encodeJSON(out)
}

// identity are the keywords that name a document; where one schema is put into another they stay behind.
func identity() []string { return []string{"$schema", "$id", "title", "$defs"} }

// publish rewrites the schema at n. exact is as for [place].
func publish(n *node, exact bool) *object {
	exact = exact || n.typ.Whole
	out := newObject()
	for _, key := range n.doc.keys {
		value := n.doc.values[key]
		switch key {
		case annotationKey, "readOnly", "writeOnly", "$defs", "$comment":
			continue
		case "properties":
			value = writable(n, exact)
		case "items":
			value = publishValue(n.items, true)
		case "additionalProperties":
			if n.extra != nil {
				value = publishValue(n.extra, exact)
			}
		default:
			value = conditional(key, value)
		}
		out.set(key, value)
	}
	if n.fields != nil && n.extra == nil {
		out.set("additionalProperties", false)
	}
	if exact && len(n.typ.Required) > 0 {
		out.set("required", list(n.typ.Required))
	}
	return out
}

// writable rewrites the fields that a manifest may declare.
func writable(n *node, exact bool) *object {
	out := newObject()
	for _, name := range n.names {
		if field := n.fields[name]; !field.typ.ReadOnly {
			out.set(name, publishValue(field, exact))
		}
	}
	return out
}

// publishValue rewrites the schema of a value, for which a directive, or a null that clears, may stand.
func publishValue(n *node, exact bool) *object {
	schema := publish(n, exact)
	if n.typ.Kind == diff.Map || n.typ.Kind == diff.List {
		return either(schema, false, n.typ.HasClear)
	}
	return either(schema, demanding(schema), n.typ.HasClear)
}

// conditional rewrites keywords that add demands to a schema; it leaves the others as they are.
func conditional(key string, value any) any {
	switch key {
	case "then", "else":
		return demand(value)
	case "allOf":
		all, _ := value.([]any)
		parts := make([]any, len(all))
		for i, part := range all {
			parts[i] = demand(part)
		}
		return parts
	}
	return value
}

// demand rewrites a schema that adds to another one: it closes nothing, and a directive may stand for the fields it asks of.
func demand(schema any) any {
	doc, ok := schema.(*object)
	if !ok {
		return schema
	}
	out := newObject()
	for _, key := range doc.keys {
		switch properties := doc.object(key); {
		case key == annotationKey:
		case key == "properties" && properties != nil:
			fields := newObject()
			for _, name := range properties.keys {
				field := demand(properties.get(name))
				if doc, ok := field.(*object); ok {
					field = either(doc, demanding(doc), false)
				}
				fields.set(name, field)
			}
			out.set(key, fields)
		default:
			out.set(key, conditional(key, doc.values[key]))
		}
	}
	return out
}

// demanding reports whether a schema refuses objects, and with them directives.
func demanding(schema *object) bool {
	return schema.has("type") || schema.has("enum") || schema.has("const")
}

// either lets a directive or a null stand for a value, and keeps what people read of it on the outside.
func either(schema *object, directive, null bool) *object {
	var others []any
	if directive {
		others = append(others, newObject("$ref", directiveRef))
	}
	if null {
		others = append(others, newObject("type", "null"))
	}
	if others == nil {
		return schema
	}
	out, inner := newObject(), newObject()
	for _, key := range schema.keys {
		switch key {
		case "title", "description", "default", "examples", "deprecated":
			out.set(key, schema.values[key])
		default:
			inner.set(key, schema.values[key])
		}
	}
	out.set("anyOf", append([]any{inner}, others...))
	return out
}

// directives are the shared definitions of what may stand for a scalar.
func directives() *object {
	ref := func(name string) *object { return newObject("$ref", "#/$defs/"+name) }
	scalar := func(description string) *object {
		return newObject("type", list([]string{"string", "number", "boolean"}), "description", description)
	}
	variable := text("name of the variable")
	variable.set("pattern", "^[^=]+$")
	parts := newObject("type", "array", "description", "the parts: texts and directives", "minItems", json.Number("1"),
		"items", newObject("anyOf", []any{scalar("a text"), ref("directive")}))
	return newObject(
		"directive", newObject("anyOf", []any{ref("file"), ref("env"), ref("join")}),
		"file", closedObject("the text of a file, without one trailing newline",
			newObject("$file", text("path of the file, relative to the manifest's folder")), "$file"),
		"env", closedObject("the value of an environment variable; sensitive",
			newObject("$env", variable, "default", scalar("value where the variable is not set")), "$env"),
		"join", closedObject("texts joined into one",
			newObject("$join", parts, "separator", scalar("text between two parts")), "$join"),
	)
}
