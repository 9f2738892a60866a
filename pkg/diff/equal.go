package diff

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Equal reports whether two values in normal form mean the same to a vendor whose field has type t: empty values equal absent
// ones, read-only fields do not count, sets and keyed lists have no order.
func Equal(t *Type, a, b any) bool {
	if s, ok := a.(string); ok {
		if r, ok := b.(string); ok {
			return s == r
		}
	}
	if identical(a, b) {
		return true
	}
	return identical(view(t, a), view(t, b))
}

// identical reports whether two values in normal form are the same to the last part. Most that are compared are: then nothing has to be left
// out, ordered or copied. Tests hold it to what go-cmp says, which would cost each start a fifth of its work.
func identical(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, v := range a {
			if w, there := b[name]; !there || !identical(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, identical)
	case nil, bool, string, json.Number:
		return a == b
	}
	return reflect.DeepEqual(a, b) // not in normal form
}

// view returns what of v counts in a comparison. Values that cannot be ordered (a set of anything) are ordered by their
// canonical JSON.
func view(t *Type, v any) any {
	if IsEmpty(v) {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		object := make(Object, len(v))
		for name, value := range v {
			field := t.Field(name)
			if field != nil && field.ReadOnly {
				continue
			}
			if value = view(field, value); value != nil {
				object[name] = value
			}
		}
		if len(object) == 0 {
			return nil
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = view(t.items(), value)
		}
		if t != nil && (t.List == Set || t.List == Keyed) {
			slices.SortFunc(list, func(a, b any) int { return bytes.Compare(sortKey(t, a), sortKey(t, b)) })
		}
		return list
	}
	return v
}

func (t *Type) items() *Type {
	if t == nil {
		return nil
	}
	return t.Items
}

func sortKey(t *Type, item any) []byte {
	if object, ok := item.(Object); ok && t.List == Keyed {
		return Canonical(object[t.Key])
	}
	return Canonical(item)
}

// Canonical returns the canonical JSON of a value in normal form: sorted keys, no white space, no HTML escapes.
func Canonical(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		// Normal forms hold nothing that JSON cannot say; anything else is a mistake of the caller.
		panic(fmt.Sprintf("diff: value is not in normal form: %v", err))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// Fingerprint returns "sha256:" and the hex digest of what counts in a comparison of doc: two documents that are Equal have
// the same.
func Fingerprint(t *Type, doc Object) string {
	sum := sha256.Sum256(Canonical(view(t, doc)))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Clone returns a deep copy of v.
func Clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(Object, len(v))
		for name, value := range v {
			object[name] = Clone(value)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = Clone(value)
		}
		return list
	}
	return v
}

// Keys returns the names of an object in order.
func Keys(o Object) []string { return slices.Sorted(maps.Keys(o)) }
