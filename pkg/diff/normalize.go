package diff

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Normalize returns v in normal form, the only form that is compared: numbers canonical, strings with LF line ends, fields marked
// text without trailing white space, and a numeric string as a number where t says number. v may hold what
// encoding/json decodes and Go's own number types; it is not changed. t may be nil.
func Normalize(t *Type, v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(Object, len(v))
		for name, value := range v {
			object[name] = Normalize(t.Field(name), value)
		}
		return object
	case []any:
		var items *Type
		if t != nil {
			items = t.Items
		}
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = Normalize(items, value)
		}
		return list
	case string:
		return normalizeString(t, v)
	case json.Number:
		if n, ok := CanonicalNumber(string(v)); ok {
			return n
		}
		return v
	case float64:
		return normalizeFloat(v)
	case int:
		return json.Number(strconv.Itoa(v))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	}
	return v
}

func normalizeString(t *Type, s string) any {
	if t != nil && (t.Kind == Number || t.Kind == Integer) {
		if n, ok := CanonicalNumber(strings.TrimSpace(s)); ok {
			return n
		}
	}
	if strings.Contains(s, "\r\n") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if t != nil && t.Text {
		s = strings.TrimRight(s, " \t\r\n")
	}
	return s
}

func normalizeFloat(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	n, _ := CanonicalNumber(strconv.FormatFloat(f, 'g', -1, 64))
	return n
}

// IsEmpty reports whether v says nothing: nil, "", an empty list or an empty object. Vendors show an unset field in any of
// these ways, so they are equal to an absent field.
func IsEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
