package providers

import (
	"maps"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/rest"
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

// whole returns desired laid over live where the type says that the object is sent whole, else desired, and the pointers of the
// live values that this carries.
func whole(t *diff.Type, at diff.Pointer, live, desired any) (any, []string) {
	if t == nil || !t.SentWhole || t.Whole {
		return desired, nil
	}
	return diff.Overlay(t, live, desired), undeclared(t, at, live, desired)
}

// undeclared lists the live values below at that desired does not declare.
func undeclared(t *diff.Type, at diff.Pointer, live, desired any) []string {
	now, isObject := live.(diff.Object)
	want, declares := desired.(diff.Object)
	if !isObject || !declares || (t != nil && t.Whole) {
		return nil
	}
	var pointers []string
	for _, name := range diff.Keys(now) {
		field := t.Field(name)
		if value, declared := want[name]; declared {
			pointers = append(pointers, undeclared(field, at.Child(name), now[name], value)...)
		} else if field == nil || !field.ReadOnly {
			pointers = append(pointers, string(at.Child(name)))
		}
	}
	return pointers
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
			if _, there := body[other]; there || ot.Group != t.Group || (ot.Toggle != "" && !diff.On(root, ot.Toggle, c.Desired, c.Live.Config)) {
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

// Sendable returns the fields of an update that the vendor accepts: not those that are read-only, fixed at the create, or no longer
// managed.
func Sendable(root *diff.Type, fields []diff.Field) []diff.Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f diff.Field) bool {
		t := root.Field(f.Path.Top())
		return f.Origin == diff.Released || (t != nil && (t.ReadOnly || t.CreateOnly || t.Immutable))
	})
}

// DropUnreadable takes out of body what would overwrite a live value that could not be read, with a blocking finding for each.
func DropUnreadable(l Live, body diff.Object) (findings []Finding) {
	for _, name := range diff.Keys(body) {
		if why, ok := l.Unreadable[diff.Pointer("").Child(name)]; ok {
			delete(body, name)
			findings = append(findings, NewBlocking(CodeUnreadable, name+" cannot be read, so it is not overwritten: "+why, ""))
		}
	}
	return findings
}

// JSONRequest returns a request with a JSON body; a nil body is none.
func JSONRequest(method, path string, body diff.Object) Request {
	r := Request{Request: rest.Request{Method: method, Path: path}, Fields: diff.Keys(body)}
	if body != nil {
		r.JSON = body
	}
	return r
}
