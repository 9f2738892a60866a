package convirza

import (
	"fmt"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// cause says why PUT would lose the live value of a field.
type cause string

// The causes, in the order in which a reason names them.
const (
	notReadable  cause = "cannot be read back"
	notShown     cause = "empty or missing in the answer"
	notDecodable cause = "cannot be decoded"
	notKnown     cause = "not in the schema"
)

// risk is a field that PUT would reset although nothing says what it holds.
type risk struct {
	field string
	cause cause
}

// fates sorts the writable fields that PUT must not lose: carried ones are sent back as they are live, those at risk cannot be. Declared
// fields are sent as desired; the rest is known to be at the vendor's default, which is what PUT resets to.
type fates struct {
	carried []string
	atRisk  []risk
}

// sortFields says what PUT would do to each field: "fields omitted from the request body are reset to defaults" (update-agent, checked
// 2026-11-21).
//
//	declared  field                             base    PUT
//	yes       decodable                         any     sends it
//	any       live value cannot be decoded      any     at risk
//	no        write-only                        null    leaves it at its default
//	no        write-only                        else    at risk
//	no        files, with names live            any     at risk
//	no        files, none live                  any     has nothing to lose
//	no        readable, with a value live       any     carries it
//	no        readable, empty or missing live   nothing for it, made by agentsync   leaves it at its default
//	no        readable, empty or missing live   else    at risk
//	no        live, not in the schema           any     at risk
func sortFields(root *diff.Type, c providers.Change) fates {
	var f fates
	for _, name := range allFields(root, c.Live.Config) {
		if why := lost(root, c, name); why != "" {
			f.atRisk = append(f.atRisk, risk{name, why})
		} else if _, declared := c.Desired[name]; !declared && sendable(root, c.Live, name) {
			f.carried = append(f.carried, name)
		}
	}
	return f
}

// allFields names the fields that a form may carry, in order: those of the schema, and those of the answer that it does not know.
func allFields(root *diff.Type, live diff.Object) []string {
	var names []string
	for name, t := range root.Fields {
		if !t.ReadOnly {
			names = append(names, name)
		}
	}
	for name := range live {
		if root.Field(name) == nil {
			names = append(names, name)
		}
	}
	return inOrder(names)
}

// lost says why PUT would lose the named field, "" if it would not.
func lost(root *diff.Type, c providers.Change, name string) cause {
	_, declared := c.Desired[name]
	t := root.Field(name)
	switch {
	case unreadable(c.Live, name), name == filesField && !declared && unreadable(c.Live, fileNamesField):
		return notDecodable
	case declared && (name != filesField || len(c.Files) > 0):
		return ""
	case t == nil:
		return notKnown
	case name == filesField:
		return filesLost(c)
	case t.WriteOnly:
		if !atDefault(c.Base, name) {
			return notReadable
		}
		return ""
	case sendable(root, c.Live, name):
		return ""
	case c.Base[name] == nil && diff.IsEmpty(c.Live.Config[name]) && madeHere(root, c.Base):
		return ""
	}
	return notShown
}

func filesLost(c providers.Change) cause {
	names, known := liveFiles(c.Live)
	switch {
	case len(names) > 0:
		return notReadable
	case !known && !atDefault(c.Base, filesField):
		return notShown
	}
	return ""
}

// atDefault reports whether the base knows a write-only field to be at the vendor's default: it is there, and null.
func atDefault(base diff.Object, name string) bool {
	v, there := base[name]
	return there && v == nil
}

// madeHere reports whether agentsync created the agent: only then does the base know write-only fields that nobody set.
func madeHere(root *diff.Type, base diff.Object) bool {
	for name, t := range root.Fields {
		if t.WriteOnly && atDefault(base, name) {
			return true
		}
	}
	return false
}

// sendable reports whether the live value of a field can be sent back as it is.
func sendable(root *diff.Type, l providers.Live, name string) bool {
	t := root.Field(name)
	v, there := l.Config[name]
	if !there || t == nil || t.WriteOnly || t.ReadOnly {
		return false
	}
	_, ok := textParts(name, v)
	return ok
}

// unreadable reports whether the field, or something in it, could not be decoded. An object that is sent whole cannot be sent
// without it.
func unreadable(l providers.Live, name string) bool {
	for p := range l.Unreadable {
		if p.Top() == name {
			return true
		}
	}
	return false
}

// describe names the fields at risk by cause, on one line: "a, b (cannot be read back); c (not in the schema)".
func describe(risks []risk) string {
	var groups []string
	for _, why := range []cause{notReadable, notShown, notDecodable, notKnown} {
		var names []string
		for _, r := range risks {
			if r.cause == why {
				names = append(names, r.field)
			}
		}
		if len(names) > 0 {
			groups = append(groups, fmt.Sprintf("%s (%s)", strings.Join(names, ", "), why))
		}
	}
	return strings.Join(groups, "; ")
}

// pointers returns the pointers of the fields at risk, in order.
func pointers(risks []risk) []string {
	var all []string
	for _, r := range risks {
		all = append(all, string(diff.Pointer("").Child(r.field)))
	}
	slices.Sort(all)
	return all
}

// unaccepted returns the risks that accept does not name.
func unaccepted(risks []risk, accept []diff.Pointer) []risk {
	return slices.DeleteFunc(slices.Clone(risks), func(r risk) bool {
		return slices.Contains(accept, diff.Pointer("").Child(r.field))
	})
}
