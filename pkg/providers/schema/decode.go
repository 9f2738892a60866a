package schema

import (
	"cmp"
	"fmt"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// decoder decodes one config.
type decoder struct {
	schema       *Schema
	allowUnknown bool
	config       Config
	problems     spec.Problems
	// faulty are the pointers of values left out because of a problem, cleared those of nulls that became a clearing
	// value, secret those of values that are never shown.
	faulty, cleared, secret []diff.Pointer
}

// place is where a value stands.
type place struct {
	at   diff.Pointer
	path string // for people
	node *node  // nil where nothing is known
	// declared: the value is of a documented field, so that a null asks to clear it.
	declared bool
	secret   bool
	// exact: the value is sent as the manifest has it, so that what it requires must be in the manifest.
	exact bool
}

func (p place) typ() *diff.Type {
	if p.node == nil {
		return &diff.Type{Kind: diff.Any}
	}
	return p.node.typ
}

func (d *decoder) root(v *spec.Value) diff.Object {
	if v == nil {
		v = &spec.Value{}
	}
	root := place{node: d.schema.root}
	d.config.Places[""] = v.Pos
	if v.Kind != spec.Map {
		d.fault(root, v.Pos, "spec.config is "+describe(v)+", not an object", "")
		return diff.Object{}
	}
	object := d.object(root, v)
	return diff.Normalize(d.schema.root.typ, object).(diff.Object)
}

// value decodes v; ok is false where there is nothing to put in its place.
func (d *decoder) value(p place, v *spec.Value) (value any, ok bool) {
	if v == nil {
		v = &spec.Value{}
	}
	d.config.Places[p.at] = v.Pos
	if v.Faulty {
		d.faulty = append(d.faulty, p.at)
		return nil, false
	}
	p.secret = p.secret || p.typ().Sensitive || v.Sensitive
	if p.secret {
		d.secret = append(d.secret, p.at)
	}
	if v.Sensitive && !p.typ().Sensitive {
		d.config.Sensitive = append(d.config.Sensitive, p.at)
	}
	kind := p.typ().Kind
	switch {
	case v.Kind == spec.Null:
		return d.null(p, v)
	case v.Kind == spec.Map && (kind == diff.Map || kind == diff.Any):
		return d.object(p, v), true
	case v.Kind == spec.List && (kind == diff.List || kind == diff.Any):
		return d.list(p, v), true
	case v.Kind == spec.Map || v.Kind == spec.List:
		d.fault(p, v.Pos, d.named(p.path, describe(v)+", not "+article(kind)), "")
		return nil, false
	}
	return d.scalar(p, v)
}

// null decides what a null means: inside a free-form value it is data, elsewhere it asks to clear the field.
func (d *decoder) null(p place, v *spec.Value) (any, bool) {
	t := p.typ()
	switch {
	case t.HasClear:
		d.cleared = append(d.cleared, p.at)
		return t.Clear, true
	case p.declared:
		d.fault(p, v.Pos, fmt.Sprintf("null cannot clear %q: %s documents no way to clear it", p.path, d.schema.vendor),
			"leave it out: a field that is not declared is untouched")
		return nil, false
	case t.Kind == diff.Any:
		return nil, true
	}
	d.fault(p, v.Pos, d.named(p.path, "null, not "+article(t.Kind)), "")
	return nil, false
}

func (d *decoder) object(p place, v *spec.Value) diff.Object {
	// The order of names is the order of pointers, in which Sensitive and Files are given.
	pairs := slices.Clone(v.Pairs)
	slices.SortStableFunc(pairs, func(a, b spec.Pair) int { return cmp.Compare(a.Key, b.Key) })
	object := make(diff.Object, len(pairs))
	t := p.typ()
	exact := p.exact || t.Whole
	for _, pair := range pairs {
		child, ok := d.field(p, pair)
		if !ok {
			continue
		}
		child.exact = exact
		if value, ok := d.value(child, pair.Value); ok {
			object[pair.Key] = value
		}
	}
	if exact {
		for _, name := range t.Required {
			if v.Lookup(name) == nil {
				d.missing(p, v.Pos, name)
			}
		}
	}
	return object
}

// field finds the place of a pair of the object at p; ok is false where the object may not have it.
func (d *decoder) field(p place, pair spec.Pair) (child place, ok bool) {
	child = place{at: p.at.Child(pair.Key), path: join(p.path, pair.Key), secret: p.secret}
	child.node, ok = p.node.field(pair.Key)
	switch {
	case !ok && d.allowUnknown:
		return child, true
	case !ok:
		d.config.Places[child.at] = pair.KeyPos
		d.unknown(p, child, pair)
		return child, false
	case child.node == nil:
		return child, true
	case child.node.typ.ReadOnly:
		d.config.Places[child.at] = pair.KeyPos
		d.fault(child, pair.KeyPos, fmt.Sprintf("%q is read-only: the vendor sets it", child.path), "take it out of the manifest")
		return child, false
	}
	_, child.declared = p.node.fields[pair.Key]
	return child, true
}

func (d *decoder) unknown(p, child place, pair spec.Pair) {
	known := slices.DeleteFunc(slices.Clone(p.node.names), func(name string) bool { return p.node.fields[name].typ.ReadOnly })
	hint := fmt.Sprintf("`agentsync explain %s` lists the fields", d.explained(p.path))
	if near := spec.Nearest(pair.Key, known); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", join(p.path, near), hint)
	}
	d.fault(child, pair.KeyPos, fmt.Sprintf("unknown field %q", child.path), hint)
	d.problems[len(d.problems)-1].Field = child.path
}

func (d *decoder) list(p place, v *spec.Value) []any {
	t := p.typ()
	list := make([]any, 0, len(v.Items))
	seen := map[string]spec.Pos{}
	for i, item := range v.Items {
		child := place{at: p.at.Item(i), path: index(p.path, i), secret: p.secret, exact: true}
		if p.node != nil {
			child.node = p.node.items
		}
		value, ok := d.value(child, item)
		if !ok {
			// The validator must find the other items where they are.
			list = append(list, nil)
			continue
		}
		list = append(list, value)
		child.secret = d.isSecret(child.at)
		switch t.List {
		case diff.Set:
			d.once(child, value, d.config.Places[child.at], seen, "is listed twice")
		case diff.Keyed:
			d.keyed(child, t.Key, value, seen)
		}
	}
	return list
}

// keyed checks that an item of a keyed list has a key of its own.
func (d *decoder) keyed(item place, key string, value any, seen map[string]spec.Pos) {
	object, ok := value.(diff.Object)
	at := item.at.Child(key)
	if _, decoded := d.config.Places[at]; !ok || !decoded {
		d.missing(item, d.config.Places[item.at], key)
		return
	}
	if name, ok := object[key]; ok {
		field := place{at: at, path: join(item.path, key), node: item.node.fields[key], secret: d.isSecret(at)}
		d.once(field, name, d.config.Places[at], seen, "is used twice")
	}
}

// once refuses a value that was seen before.
func (d *decoder) once(p place, value any, pos spec.Pos, seen map[string]spec.Pos, twice string) {
	same := string(diff.Canonical(diff.Normalize(p.typ(), value)))
	first, again := seen[same]
	if !again {
		seen[same] = pos
		return
	}
	subject := "the item"
	switch value.(type) {
	case diff.Object, []any:
	default:
		subject = show(value, p.secret)
	}
	d.fault(p, pos, fmt.Sprintf("%s: %s %s, first at %s", p.path, subject, twice, first), "take one of the two out")
}

func (d *decoder) scalar(p place, v *spec.Value) (any, bool) {
	value, wrong := decodeScalar(p.typ().Kind, v, p.secret)
	if wrong != nil {
		d.fault(p, v.Pos, p.path+": "+wrong.message, wrong.hint)
		return nil, false
	}
	if p.node == nil {
		return value, true
	}
	if p.node.typ.File && !d.file(p, v) {
		return nil, false
	}
	if warn := p.node.note.Warn; warn != nil {
		if how := warn.exceeded(value); how != "" {
			d.problems = append(d.problems, spec.Problem{Pos: v.Pos, Warning: true,
				Message: fmt.Sprintf("%s: %s: %s %s, a limit that the vendor does not document", d.schema.vendor, p.path,
					show(value, p.secret), how),
				Hint: d.explainHint(p)})
		}
	}
	return value, true
}

func (d *decoder) file(p place, v *spec.Value) bool {
	if v.Kind == spec.Text && isFromFile(v.From) {
		d.fault(p, v.Pos, p.path+": the text of a file, not its path", "write the path itself, without $file")
		return false
	}
	d.config.Files = append(d.config.Files, FileRef{Pointer: p.at, Dir: v.Dir, Name: v.Text, Pos: v.Pos})
	return true
}
