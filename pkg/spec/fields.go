package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder decodes the maps of one document strictly.
type decoder struct {
	*loader
	dir string         // the folder in the tree that paths are relative to
	at  map[string]Pos // the places of what was read, by path
}

// field is a key that a map may have.
type field struct {
	name string
	read func(path string, v *Value)
	// missing is the hint where the key is missing; "" for an optional one.
	missing string
}

func (d *decoder) fault(pos Pos, hint, format string, args ...any) {
	d.problems = append(d.problems, Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// wrong reports a value of a wrong kind.
func (d *decoder) wrong(path string, v *Value, want string) {
	hint := ""
	if name := directiveIn(v); name != "" {
		hint = "directives such as " + name + " are read in an Agent's spec.config and in a Provider's baseURL, orgID, auth, oauthURL and listPath"
	}
	d.fault(v.Pos, hint, "%s must be %s, not %s", path, want, describe(v))
}

// object reads the fields of v, which is the map at path. A null is as good as a field that is not there.
func (d *decoder) object(path string, v *Value, fields ...field) {
	if v.Kind != Map {
		d.wrong(path, v, "a map")
		return
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.name
	}
	there := map[string]bool{} // or misspelt, which is reported once
	for _, p := range v.Pairs {
		i := slices.Index(known, p.Key)
		if i < 0 {
			d.fault(p.KeyPos, didYouMean(p.Key, known), "unknown field %q", below(path, p.Key))
			there[Nearest(p.Key, known)] = true
			continue
		}
		if p.Value.Kind == Null {
			continue
		}
		there[p.Key] = true
		d.at[below(path, p.Key)] = p.Value.Pos
		fields[i].read(below(path, p.Key), p.Value)
	}
	for _, f := range fields {
		if f.missing != "" && !there[f.name] {
			d.fault(v.Pos, f.missing, "missing %s", below(path, f.name))
		}
	}
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// text reads a text that is not empty.
func (d *decoder) text(into *string) func(string, *Value) {
	return func(path string, v *Value) {
		switch {
		case v.Kind != Plain && v.Kind != Text:
			d.wrong(path, v, "text")
		case v.Text == "":
			d.fault(v.Pos, "", "%s is empty", path)
		default:
			*into = v.Text
		}
	}
}

// name reads a name that can be a part of a file name.
func (d *decoder) name(into *string) func(string, *Value) {
	return func(path string, v *Value) {
		var name string
		d.text(&name)(path, v)
		if name == "" {
			return
		}
		allowed := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-') }
		if len(name) > 63 || strings.ContainsFunc(name, allowed) || name[0] == '.' || strings.Contains(name, "..") {
			d.fault(v.Pos, "use a-z, 0-9, - and single dots, at most 63, not beginning with a dot", "%s %q is no name", path, name)
			return
		}
		*into = name
	}
}

// oneOf reads one of the allowed words.
func oneOf[T ~string](d *decoder, into *T, allowed ...T) func(string, *Value) {
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	return func(path string, v *Value) {
		var word string
		d.text(&word)(path, v)
		if word != "" && !slices.Contains(words, word) {
			d.fault(v.Pos, didYouMean(word, words), "%s %q is not one of %s", path, word, strings.Join(words, ", "))
			return
		}
		*into = T(word)
	}
}

func (d *decoder) boolean(into *bool) func(string, *Value) {
	return func(path string, v *Value) {
		if v.Kind != Plain || v.Text != "true" && v.Text != "false" {
			d.wrong(path, v, "true or false")
			return
		}
		*into = v.Text == "true"
	}
}

// count reads a whole number from 0 to highest.
func (d *decoder) count(into *int, highest int) func(string, *Value) {
	return func(path string, v *Value) {
		n, err := strconv.Atoi(v.Text)
		switch {
		case v.Kind != Plain || err != nil || strconv.Itoa(n) != v.Text:
			d.wrong(path, v, "a whole number")
		case n < 0:
			d.fault(v.Pos, "", "%s %d is negative", path, n)
		case n > highest:
			d.fault(v.Pos, "", "%s %d is above %d", path, n, highest)
		default:
			*into = n
		}
	}
}

// optional reads a count for which 0 and absent differ.
func (d *decoder) optional(into **int, highest int) func(string, *Value) {
	return func(path string, v *Value) {
		n := -1
		if d.count(&n, highest)(path, v); n >= 0 {
			*into = &n
		}
	}
}

func (d *decoder) duration(into *time.Duration) func(string, *Value) {
	return func(path string, v *Value) {
		var text string
		if d.text(&text)(path, v); text == "" {
			return
		}
		span, err := time.ParseDuration(text)
		if err != nil || span <= 0 {
			d.fault(v.Pos, "write a number above 0 and a unit, such as 30s or 2m", "%s %q is no duration", path, text)
			return
		}
		*into = span
	}
}

func (d *decoder) time(into *time.Time) func(string, *Value) {
	return func(path string, v *Value) {
		var text string
		if d.text(&text)(path, v); text == "" {
			return
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			d.fault(v.Pos, "write it as 2026-12-01T00:00:00Z (RFC 3339)", "%s %q is no time", path, text)
			return
		}
		*into = at
	}
}

// pointers reads a list of JSON Pointers.
func (d *decoder) pointers(into *[]string) func(string, *Value) {
	return func(path string, v *Value) {
		if v.Kind != List {
			d.wrong(path, v, "a list of JSON Pointers")
			return
		}
		for i, item := range v.Items {
			var pointer string
			at := fmt.Sprintf("%s[%d]", path, i)
			if d.text(&pointer)(at, item); pointer == "" {
				continue
			}
			if hint := pointerFault(pointer); hint != "" {
				d.fault(item.Pos, hint, "%s %q is no JSON Pointer", at, pointer)
				continue
			}
			*into = append(*into, pointer)
		}
	}
}

// pointerFault says how to mend what is no JSON Pointer (RFC 6901) to a field.
func pointerFault(pointer string) string {
	if pointer[0] != '/' {
		return "begin it with a slash: /" + pointer
	}
	for i, r := range pointer {
		if r == '~' && !strings.HasPrefix(pointer[i+1:], "0") && !strings.HasPrefix(pointer[i+1:], "1") {
			return "write ~ as ~0, and / inside a name as ~1"
		}
	}
	return ""
}
