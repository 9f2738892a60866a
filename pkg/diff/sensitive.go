package diff

// Sensitive returns the pointers of doc's values that the schema marks sensitive, in order.
func Sensitive(t *Type, doc Object) []Pointer {
	return sensitive(t, "", doc, nil)
}

func sensitive(t *Type, at Pointer, v any, found []Pointer) []Pointer {
	if t == nil || v == nil {
		return found
	}
	if t.Sensitive {
		return append(found, at)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range Keys(v) {
			found = sensitive(t.Field(name), at.Child(name), v[name], found)
		}
	case []any:
		for i, item := range v {
			found = sensitive(t.Items, at.Item(i), item, found)
		}
	}
	return found
}
