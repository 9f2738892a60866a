package diff

// fillItems returns the live keyed list with, in each item, what the vendor may leave out taken from the base's item of
// the same key.
func fillItems(t *Type, live, base any) any {
	items, ok := live.([]any)
	if !ok || t.Items == nil {
		return live
	}
	known := byKey(t, base)
	filled := make([]any, len(items))
	for i, item := range items {
		object, _ := item.(Object)
		old := known[keyOf(t, item)]
		if object == nil || old == nil {
			filled[i] = item
			continue
		}
		full := make(Object, len(object))
		for name, v := range object {
			full[name] = v
		}
		for name, field := range t.Items.Fields {
			if _, there := object[name]; !there && (field.ReadMaybe || field.WriteOnly) {
				if v, ok := old[name]; ok {
					full[name] = v
				}
			}
		}
		filled[i] = full
	}
	return filled
}

// byKey indexes the items of a keyed list.
func byKey(t *Type, list any) map[string]Object {
	items, _ := list.([]any)
	index := make(map[string]Object, len(items))
	for _, item := range items {
		if object, ok := item.(Object); ok {
			index[keyOf(t, item)] = object
		}
	}
	return index
}

func keyOf(t *Type, item any) string {
	object, _ := item.(Object)
	return string(Canonical(object[t.Key]))
}

// Complete returns desired with what it leaves undeclared inside the items of keyed lists taken from the live item of the same key, so
// that sending such a list whole touches nothing that is undeclared. Neither argument is changed.
func Complete(t *Type, live, desired Object) Object {
	if len(desired) == 0 {
		return desired
	}
	full := make(Object, len(desired))
	for name, v := range desired {
		field := t.Field(name)
		switch v := v.(type) {
		case map[string]any:
			inner, _ := live[name].(Object)
			full[name] = Complete(field, inner, v)
		case []any:
			full[name] = completeItems(field, live[name], v)
		default:
			full[name] = v
		}
	}
	return full
}

func completeItems(t *Type, live any, desired []any) any {
	if t == nil || t.List != Keyed {
		return desired
	}
	now := byKey(t, live)
	full := make([]any, len(desired))
	for i, item := range desired {
		full[i] = Overlay(t.Items, now[keyOf(t, item)], item)
	}
	return full
}

// Overlay returns desired laid over live: objects field by field, everything else as desired. Read-only fields of live are
// left out. Neither argument is changed.
func Overlay(t *Type, live, desired any) any {
	over, isObject := desired.(Object)
	under, hasLive := live.(Object)
	if !isObject || !hasLive || (t != nil && t.Whole) {
		return desired
	}
	merged := make(Object, len(under)+len(over))
	for name, v := range under {
		if field := t.Field(name); field == nil || !field.ReadOnly {
			merged[name] = v
		}
	}
	for name, v := range over {
		merged[name] = Overlay(t.Field(name), under[name], v)
	}
	return merged
}

// Project returns the part of live that desired declares: the base of the next comparison. What the vendor does not return
// is taken from desired. Neither argument is changed.
func Project(t *Type, live, desired Object) Object {
	base := make(Object, len(desired))
	for name, want := range desired {
		field := t.Field(name)
		now, there := live[name]
		inner, isObject := want.(Object)
		switch {
		case isObject && (field == nil || !field.Whole):
			under, _ := now.(Object)
			base[name] = Project(field, under, inner)
		case !there || (field != nil && field.WriteOnly):
			base[name] = want
		case field != nil && field.List == Keyed:
			base[name] = fillItems(field, now, want)
		default:
			base[name] = now
		}
	}
	return base
}

// KeepUnreadable completes base, the projection of a read, with what is known of write-only fields that the manifest does not declare: what old
// holds of them or, where fresh says that agentsync just created the agent and never set them, null for "at the vendor's
// default". base is changed.
func KeepUnreadable(t *Type, base, old Object, fresh bool) {
	if t == nil {
		return
	}
	for name, field := range t.Fields {
		value, declared := base[name]
		if inner, isObject := value.(Object); isObject && !field.Whole {
			under, _ := old[name].(Object)
			KeepUnreadable(field, inner, under, fresh)
			continue
		}
		if declared || !field.WriteOnly {
			continue
		}
		if known, there := old[name]; there {
			base[name] = known
		} else if fresh {
			base[name] = nil
		}
	}
}

// Without returns doc without the values at the given pointers; objects that become empty go too. doc is not changed.
func Without(doc Object, pointers []Pointer) Object {
	if len(pointers) == 0 {
		return doc
	}
	rest := Clone(doc).(Object)
	for _, p := range pointers {
		p.Delete(rest)
		for parent := p.Parent(); parent != ""; parent = parent.Parent() {
			if v, ok := parent.Get(rest); !ok || !IsEmpty(v) {
				break
			}
			parent.Delete(rest)
		}
	}
	return rest
}
