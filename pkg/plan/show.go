package plan

import (
	"slices"
	"strconv"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

// secrets returns the pointers of sensitive values: by the schema, by the manifest ({$env}), and by the state, where the last applied
// value is sealed.
func secrets(t *diff.Type, declared []diff.Pointer, base, live, desired diff.Object) []diff.Pointer {
	all := slices.Concat(declared, diff.Sensitive(t, live), diff.Sensitive(t, desired), diff.Sensitive(t, base), state.SealedPaths(base))
	slices.Sort(all)
	return slices.Compact(all)
}

// reveal returns base with its sealed values made plain as far as live or desired can tell. Where those two agree the
// base does not matter, and its slow fingerprint is not asked.
func reveal(base, live, desired diff.Object) diff.Object {
	sealed := state.SealedPaths(base)
	if len(sealed) == 0 {
		return base
	}
	known := diff.Clone(base).(diff.Object)
	for _, p := range sealed {
		now, shown := p.Get(live)
		if want, declared := p.Get(desired); shown && declared && diff.Equal(nil, now, want) {
			replaceAt(known, p, want)
		}
	}
	return state.Reveal(known, live, desired)
}

// hides reports whether showing the value at p would show a secret: the value itself, a part of it, or what it is part of.
func hides(secret []diff.Pointer, p diff.Pointer) bool {
	return slices.ContainsFunc(secret, func(s diff.Pointer) bool { return s.Covers(p) || p.Covers(s) })
}

// show turns the differences into what a plan may show.
func (d *decider) show() []Field {
	shown := make([]Field, 0, len(d.work.Fields))
	for _, f := range d.work.Fields {
		field := Field{Path: f.Path, Op: f.Op, Origin: f.Origin}
		if hides(d.work.Secret, f.Path) {
			field.Before, field.After, field.Sensitive = Hidden, Hidden, true
			shown = append(shown, field)
			continue
		}
		field.Before, field.After = d.mask(f.Before), d.mask(f.After)
		if f.HasBase && (f.Origin == diff.Conflict || f.Origin == diff.Drift) {
			field.Base = d.mask(f.Base)
		}
		shown = append(shown, field)
	}
	return shown
}

// shortestSecret is the length from which a sensitive value is masked wherever text goes out; shorter ones are too likely to be
// ordinary words.
const shortestSecret = 8

// remember tells the masker about the sensitive values of this agent, so that a vendor's message that echoes a request does
// not show them.
func (d *decider) remember(docs ...diff.Object) {
	if d.opt.Remember == nil {
		return
	}
	for _, doc := range docs {
		for _, p := range d.work.Secret {
			if v, ok := p.Get(doc); ok {
				remember(v, d.opt.Remember)
			}
		}
	}
}

func remember(v any, put func(...string)) {
	switch v := v.(type) {
	case string:
		if len(v) >= shortestSecret {
			put(v)
		}
	case []any:
		for _, item := range v {
			remember(item, put)
		}
	case map[string]any:
		for _, item := range v {
			remember(item, put)
		}
	}
}

// mask removes known secrets from the strings in v: a secret may have been copied into an ordinary field.
func (d *decider) mask(v any) any {
	if d.opt.Mask == nil {
		return v
	}
	switch v := v.(type) {
	case string:
		return d.opt.Mask(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = d.mask(item)
		}
		return list
	case map[string]any:
		object := make(diff.Object, len(v))
		for name, value := range v {
			object[name] = d.mask(value)
		}
		return object
	}
	return v
}

// precondition fingerprints what the change rests on. Secrets enter as slow, salted fingerprints, so that a plan file gives
// nobody a way to try values.
func (d *decider) precondition() Precondition {
	t, c := d.types(), d.work.Change
	p := Precondition{}
	if d.change.Action != Create && c.Live.ID != "" {
		p.Live = liveFingerprint(t, d.address, c.Live.Config, d.work.Secret)
	}
	if d.change.Action == Delete {
		return p
	}
	desired := diff.Object{"config": d.seal(c.Desired), "update": c.Update}
	for _, f := range c.Files {
		desired["file "+string(f.Pointer)] = f.Name + " " + f.SHA256
	}
	for _, a := range c.AcceptReset {
		desired["acceptReset "+string(a)] = true
	}
	p.Desired = diff.Fingerprint(nil, desired)
	return p
}

func (d *decider) seal(doc diff.Object) diff.Object { return seal(d.address, doc, d.work.Secret) }

func seal(address string, doc diff.Object, secret []diff.Pointer) diff.Object {
	sealed, _ := diff.Clone(doc).(diff.Object)
	for _, p := range secret {
		if v, ok := p.Get(sealed); ok && v != nil {
			replaceAt(sealed, p, state.FingerprintSecret(v, address+string(p)))
		}
	}
	return sealed
}

// replaceAt writes v over the value at p, also where that is an element of a list.
func replaceAt(doc diff.Object, p diff.Pointer, v any) {
	tokens := p.Tokens()
	parent, _ := p.Parent().Get(doc)
	switch parent := parent.(type) {
	case map[string]any:
		parent[tokens[len(tokens)-1]] = v
	case []any:
		if i, err := strconv.Atoi(tokens[len(tokens)-1]); err == nil && i >= 0 && i < len(parent) {
			parent[i] = v
		}
	}
}

// liveFingerprint fingerprints a live config for a precondition.
func liveFingerprint(t *diff.Type, address string, live diff.Object, secret []diff.Pointer) string {
	return diff.Fingerprint(t, seal(address, known(t, live), secret))
}

// SameLive reports whether an agent, read again, is as the plan of it was made on, as far as a precondition goes. Where the plan rests on a
// row of a list, fields that the row left out are none that it rests on.
func (w *Work) SameLive(now diff.Object) bool {
	t, planned := w.Account.Generation.Schema().Type(), w.Change.Live.Config
	if w.Listed {
		shown := make(diff.Object, len(planned))
		for name := range planned {
			shown[name] = now[name]
		}
		now = shown
	}
	return diff.Equal(t, known(t, planned), known(t, now))
}

// known is the part of a live config that a precondition is about. Top-level fields that the schema does not know do not count: agentsync
// neither compares nor sends them, and some vendors keep counters there.
func known(t *diff.Type, live diff.Object) diff.Object {
	part := make(diff.Object, len(live))
	for name, v := range live {
		if t.Field(name) != nil {
			part[name] = v
		}
	}
	return part
}
