package providers

import (
	"maps"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
)

// Body returns the smallest safe JSON body for a change: each changed top-level field with its desired value, objects that are
// sent whole built from live plus desired, and with every field the rest of its group. carried are the pointers of live
// values that the body sends back unchanged.
func Body(root *diff.Type, c Change) (body diff.Object, carried []string) {
	body = diff.Object{}
	for _, f := range c.Fields {
		top := f.Path.Top()
		if _, done := body[top]; done {
			continue
		}
		value, ok := c.Desired[top]
		if !ok {
			continue
		}
		var kept []string
		body[top], kept = whole(root.Field(top), diff.Pointer("").Child(top), c.Live.Config[top], value)
		carried = append(carried, kept...)
	}
	carried = append(carried, addGroups(root, c, body)...)
	slices.Sort(carried)
	return body, slices.Compact(carried)
}

// whole returns desired laid over live where the type says that the object is sent whole, else desired.
func whole(t *diff.Type, at diff.Pointer, live, desired any) (any, []string) {
	d, isObject := desired.(diff.Object)
	l, hasLive := live.(diff.Object)
	if t == nil || !t.SentWhole || t.Whole || !isObject || !hasLive {
		return desired, nil
	}
	merged := maps.Clone(l)
	var carried []string
	for name := range l {
		if field := t.Field(name); field != nil && field.ReadOnly {
			delete(merged, name)
		} else if _, declared := d[name]; !declared {
			carried = append(carried, string(at.Child(name)))
		}
	}
	for name, value := range d {
		field := t.Field(name)
		if field == nil {
			field = &diff.Type{Kind: diff.Any}
		}
		// Inside a node that is sent whole everything is, whatever the schema says of the inner object.
		if inner, ok := value.(diff.Object); ok && !field.Whole {
			deep := *field
			deep.SentWhole = true
			var kept []string
			merged[name], kept = whole(&deep, at.Child(name), l[name], inner)
			carried = append(carried, kept...)
			continue
		}
		merged[name] = value
	}
	return merged, carried
}

// addGroups completes the groups of the fields in body: with desired values, else with live ones. A field whose toggle is off, in what
// will be, stays out.
func addGroups(root *diff.Type, c Change, body diff.Object) (carried []string) {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		t := root.Field(name)
		if t == nil || t.Group == "" {
			continue
		}
		for other, ot := range root.Fields {
			if _, there := body[other]; there || ot.Group != t.Group || ToggledOff(root, other, c.Desired, c.Live.Config) {
				continue
			}
			if value, ok := c.Desired[other]; ok {
				body[other] = value
			} else if value, ok := c.Live.Config[other]; ok && value != nil {
				body[other] = value
				carried = append(carried, string(diff.Pointer("").Child(other)))
			}
		}
	}
	return carried
}

// ToggledOff reports whether the named field means nothing because its toggle, as desired or else as live, is not true.
func ToggledOff(root *diff.Type, name string, desired, live diff.Object) bool {
	t := root.Field(name)
	if t == nil || t.Toggle == "" {
		return false
	}
	on, declared := desired[t.Toggle]
	if !declared {
		on = live[t.Toggle]
	}
	return on != true
}
