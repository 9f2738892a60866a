package diff

import (
	"cmp"
	"slices"
)

// Options of a comparison.
type Options struct {
	// Ignore are the pointers that are never compared.
	Ignore []Pointer
	// Skip are pointers whose live value could not be read; they are left out as well.
	Skip []Pointer
}

// Compare returns what it takes to bring live to desired, field by field, in order of path. Only fields that desired declares are
// compared; the others are untouched. base is the last applied config, nil if there is none. All three are in normal form and
// are not changed.
//
//	base  live  desired   origin
//	=     =     =                   in sync
//	a     a     b         manifest  to be changed
//	a     b     a         drift     changed outside agentsync
//	a     b     c         conflict  both moved
//	a     b     b                   both agree, whatever the base says
//	none  a     b         unknown   no base
//	none  none  b         manifest  nothing is overwritten
//	a     a     absent    released  no longer managed
//
// An absent live field equals the schema's default. Read-only fields are never compared. A write-only field is compared with
// the base, and so is one that the vendor may leave out of its answers where it did. A field whose toggle is off, as desired or else as
// live, means nothing and is not compared.
func Compare(t *Type, base, live, desired Object, o Options) []Field {
	c := comparison{root: t, live: live, desired: desired, skip: slices.Concat(o.Ignore, o.Skip)}
	c.object(t, "", value{base, base != nil}, value{live, live != nil}, desired)
	slices.SortFunc(c.fields, func(a, b Field) int { return cmp.Compare(a.Path, b.Path) })
	return c.fields
}

// value is a JSON value that may be absent.
type value struct {
	v     any
	there bool
}

// child returns the named field of an object; what is no object has none.
func (v value) child(name string) value {
	object, ok := v.v.(Object)
	if !ok {
		return value{}
	}
	field, there := object[name]
	return value{field, there}
}

type comparison struct {
	root          *Type
	live, desired Object
	skip          []Pointer
	fields        []Field
}

func (c *comparison) skips(p Pointer) bool {
	return slices.ContainsFunc(c.skip, func(s Pointer) bool { return s.Covers(p) })
}

// toggledOff reports whether the top-level field name means nothing. Toggles are top-level fields.
func (c *comparison) toggledOff(t *Type) bool {
	if t == nil || t.Toggle == "" {
		return false
	}
	return !On(c.root, t.Toggle, c.desired, c.live)
}

// On reports whether the boolean field toggle is true as desired, or where desired does not declare it, as live.
func On(root *Type, toggle string, desired, live Object) bool {
	if on, declared := desired[toggle]; declared {
		return on == true
	}
	on, there := live[toggle]
	if field := root.Field(toggle); !there && field != nil && field.HasDefault {
		on = field.Default
	}
	return on == true
}

func (c *comparison) object(t *Type, at Pointer, base, live value, desired Object) {
	for _, name := range Keys(desired) {
		field, path := t.Field(name), at.Child(name)
		if c.skips(path) || (field != nil && field.ReadOnly) || (at == "" && c.toggledOff(field)) {
			continue
		}
		inner, isObject := desired[name].(Object)
		if isObject && (field == nil || !field.Whole) {
			c.object(field, path, base.child(name), live.child(name), inner)
			continue
		}
		c.leaf(field, path, base.child(name), live.child(name), desired[name])
	}
	c.released(t, at, base, live, desired)
}

// released adds what the base holds and desired no longer declares.
func (c *comparison) released(t *Type, at Pointer, base, live value, desired Object) {
	old, _ := base.v.(Object)
	for _, name := range Keys(old) {
		path := at.Child(name)
		if _, declared := desired[name]; declared || old[name] == nil || c.skips(path) {
			continue
		}
		now := live.child(name).v
		c.fields = append(c.fields, Field{Path: path, Op: Remove, Before: now, After: now, Base: old[name], HasBase: true,
			Origin: Released, Type: t.Field(name)})
	}
}

func (c *comparison) leaf(t *Type, at Pointer, base, live value, desired any) {
	now := current(t, base, live)
	if Equal(t, now.v, desired) {
		return
	}
	field := Field{Path: at, Op: Replace, Before: now.v, After: desired, Base: base.v, HasBase: base.there, Type: t}
	if live.v == nil && (t == nil || !t.WriteOnly || base.v == nil) {
		field.Op, field.Before = Add, nil
	}
	field.Origin = origin(t, base, now, desired)
	c.fields = append(c.fields, field)
}

// current returns the live value as far as it is known: the base stands in for what the vendor does not return, the
// default for what is absent.
func current(t *Type, base, live value) value {
	switch {
	case t == nil:
		return live
	case t.WriteOnly, t.ReadMaybe && live.v == nil:
		return base
	case t.List == Keyed:
		return value{fillItems(t, live.v, base.v), live.there}
	case live.v == nil && t.HasDefault:
		return value{t.Default, false}
	}
	return live
}

func origin(t *Type, base, now value, desired any) Origin {
	unreadable := t != nil && t.WriteOnly
	switch {
	case !base.there && (!now.there || now.v == nil) && !unreadable:
		return FromManifest
	case !base.there:
		return Unknown
	case Equal(t, base.v, now.v):
		return FromManifest
	case Equal(t, base.v, desired):
		return Drift
	}
	return Conflict
}
