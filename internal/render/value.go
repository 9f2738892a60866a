package render

import (
	"bytes"
	"maps"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
)

// short is the widest value shown in the line of its field, in columns, where the terminal leaves as much.
const short = 60

// none stands for a value that is not there.
const none = "(none)"

// inline shows a value in one line.
func inline(v any) string {
	if v == nil {
		return none
	}
	return visible(string(diff.Canonical(v)))
}

// name writes a pointer the way people name fields.
func name(p diff.Pointer) string {
	var b strings.Builder
	for _, token := range p.Tokens() {
		b.WriteString(child(b.Len() == 0, token))
	}
	return b.String()
}

// child is how a field's name goes on after its parent's.
func child(first bool, token string) string {
	switch {
	case token == "" || strings.ContainsAny(token, ". []\"\n"):
		return "[" + visible(strconv.Quote(token)) + "]"
	case first:
		return visible(token)
	}
	return "." + visible(token)
}

// item is one difference as it is shown: a whole field, or a part of one. A side that is nil is not there.
type item struct {
	name          string
	before, after any
	// note is what else there is to say.
	note string
}

// sign is '+', '-' or '~'.
func (i item) sign() byte {
	switch {
	case i.before == nil:
		return '+'
	case i.after == nil:
		return '-'
	}
	return '~'
}

// items takes a difference apart as far as it helps: objects by field, lists of named things by name.
func items(name string, before, after any) []item {
	whole := []item{{name: name, before: before, after: after}}
	if (before == nil && fits(after)) || (after == nil && fits(before)) {
		return whole
	}
	var parts []item
	if o, ok := sides[map[string]any](before, after); ok {
		parts = objects(name, o[0], o[1])
	} else if l, ok := sides[[]any](before, after); ok {
		parts = lists(name, l[0], l[1])
	}
	if len(parts) == 0 {
		return whole
	}
	return parts
}

func fits(v any) bool { return columns(inline(v)) <= short }

// sides returns both values as a T; one of them may be missing.
func sides[T any](before, after any) (both [2]T, ok bool) {
	found := 0
	for i, v := range []any{before, after} {
		t, is := v.(T)
		if v != nil && !is {
			return both, false
		}
		if is {
			both[i] = t
			found++
		}
	}
	return both, found > 0
}

func objects(name string, before, after map[string]any) []item {
	all := map[string]any{}
	for key := range before {
		all[key] = nil
	}
	for key := range after {
		all[key] = nil
	}
	var parts []item
	for _, key := range diff.Keys(all) {
		if !same(before[key], after[key]) {
			parts = append(parts, items(name+child(false, key), before[key], after[key])...)
		}
	}
	return parts
}

// lists compares lists whose items have a name, whatever their order; it returns nothing for others.
func lists(name string, before, after []any) []item {
	for _, key := range []string{"name", "id", "key"} {
		old, oldNames := named(before, key)
		now, nowNames := named(after, key)
		if old == nil || now == nil {
			continue
		}
		var parts []item
		for _, n := range nowNames {
			switch full := name + "[" + visible(n) + "]"; {
			case old[n] == nil && !fits(now[n]):
				parts = append(parts, items(full, nil, without(now[n], key))...)
			case !same(old[n], now[n]):
				parts = append(parts, items(full, old[n], now[n])...)
			}
		}
		for _, n := range oldNames {
			if now[n] == nil {
				parts = append(parts, item{name: name + "[" + visible(n) + "]", before: old[n]})
			}
		}
		if len(parts) > 0 && !sameOrder(oldNames, nowNames) {
			parts[0].note = "the order differs, too"
		}
		return parts
	}
	return nil
}

// named returns the items of a list by the text that each has under key, and those texts in order. It returns nil where an item is no
// object, or two have the same text.
func named(list []any, key string) (map[string]any, []string) {
	found, names := map[string]any{}, make([]string, 0, len(list))
	for _, v := range list {
		object, _ := v.(map[string]any)
		n, isText := object[key].(string)
		if !isText || found[n] != nil {
			return nil, nil
		}
		found[n], names = object, append(names, n)
	}
	return found, names
}

// without returns an object without the field that its item is told by.
func without(v any, key string) any {
	rest := maps.Clone(v.(map[string]any))
	delete(rest, key)
	return rest
}

// sameOrder reports whether what both have comes in the same order.
func sameOrder(a, b []string) bool {
	at := map[string]int{}
	for i, n := range a {
		at[n] = i
	}
	last := -1
	for _, n := range b {
		i, both := at[n]
		if both && i < last {
			return false
		}
		if both {
			last = i
		}
	}
	return true
}

func same(a, b any) bool { return bytes.Equal(diff.Canonical(a), diff.Canonical(b)) }

// lines lays a value out for a comparison line by line: text as it is, lists one element a line.
func lines(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return visible(v) + "\n"
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(inline(item) + "\n")
		}
		return b.String()
	}
	return inline(v) + "\n"
}

// multiline reports whether a value needs lines of its own however wide the terminal is.
func multiline(v any) bool {
	s, ok := v.(string)
	return ok && strings.Contains(s, "\n")
}
