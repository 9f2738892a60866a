package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
)

// inline returns schema, a part of doc, with every $ref replaced by what it refers to, so that nothing below has to follow
// references. open are the $refs it is inside of.
func inline(doc *object, schema any, open []string) (any, error) {
	switch v := schema.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = inline(doc, item, open); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *object:
		if ref, ok := v.get("$ref").(string); ok {
			return follow(doc, v, ref, open)
		}
		return mapValues(v, func(key string, value any) (any, error) {
			switch key {
			case "default", "examples", "enum", "const", annotationKey:
				return value, nil // not schemas
			case "properties", "$defs":
				if named, ok := value.(*object); ok {
					return mapValues(named, func(_ string, field any) (any, error) { return inline(doc, field, open) })
				}
			}
			return inline(doc, value, open)
		})
	}
	return schema, nil
}

// mapValues returns o with what change makes of its values.
func mapValues(o *object, change func(key string, value any) (any, error)) (*object, error) {
	out := newObject()
	for _, key := range o.keys {
		value, err := change(key, o.values[key])
		if err != nil {
			return nil, err
		}
		out.set(key, value)
	}
	return out, nil
}

// follow returns what a $ref refers to, with the keywords that stand beside it.
func follow(doc, at *object, ref string, open []string) (any, error) {
	pointer, local := strings.CutPrefix(ref, "#")
	if !local {
		return nil, fmt.Errorf("$ref %q leads out of the file", ref)
	}
	if slices.Contains(open, ref) {
		return nil, fmt.Errorf("$ref %q leads back to itself", ref)
	}
	target, ok := find(doc, diff.Pointer(pointer).Tokens())
	if !ok {
		return nil, fmt.Errorf("$ref %q leads nowhere", ref)
	}
	return inline(doc, overlay(target, at), append(slices.Clone(open), ref))
}

// overlay returns target with the keywords that stand beside the $ref to it in doc.
func overlay(target, doc *object) *object {
	merged := target.clone()
	for _, key := range doc.keys {
		value := doc.values[key]
		if key == "$ref" {
			continue
		}
		if own, ok := value.(*object); ok && key == annotationKey && target.object(key) != nil {
			value = overlay(target.object(key), own)
		}
		merged.set(key, value)
	}
	return merged
}

// find returns the object at a place of a file.
func find(doc *object, tokens []string) (*object, bool) {
	var value any = doc
	for _, token := range tokens {
		switch v := value.(type) {
		case *object:
			value = v.get(token)
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	o, ok := value.(*object)
	return o, ok
}
