package diff

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// random makes documents for agentType.
type random struct{ *rand.Rand }

func (r random) text() string { return []string{"", "a", "b", "a\r\nb\n", "c "}[r.IntN(5)] }

func (r random) doc(readable bool) Object {
	doc := Object{}
	put := func(name string, v func() any) {
		if r.IntN(2) == 0 {
			doc[name] = v()
		}
	}
	text := func() any { return r.text() }
	put("name", text)
	put("prompt", text)
	put("delay", func() any { return r.IntN(3) * 100 })
	put("hook", func() any { return r.IntN(2) == 0 })
	put("hook_url", text)
	put("tags", func() any { return r.list(func(int) any { return r.text() }) })
	put("steps", func() any { return r.list(func(int) any { return r.text() }) })
	put("vars", func() any {
		return r.list(func(i int) any {
			o := item(fmt.Sprint(i), "about", r.text())
			if r.IntN(2) == 0 {
				o["required"] = r.IntN(2) == 0
			}
			return o
		})
	})
	put("greeting", func() any {
		g := Object{}
		if r.IntN(2) == 0 {
			g["text"] = r.text()
		}
		if r.IntN(2) == 0 {
			g["pause"] = r.IntN(3)
		}
		if readable && r.IntN(2) == 0 {
			g["unknown"] = r.text()
		}
		return g
	})
	put("headers", func() any { return Object{"h": r.text()} })
	if readable {
		put("id", text)
		put("more", text)
	} else {
		put("token", text)
	}
	return doc
}

func (r random) list(element func(int) any) []any {
	list := make([]any, r.IntN(3))
	for i := range list {
		list[i] = element(i)
	}
	return list
}

// send does to live what a strict vendor does with an update that sends every difference: top-level fields replaced, whole nodes
// built from live plus desired, write-only fields kept out of sight.
func send(t *Type, live, desired Object, fields []Field) Object {
	after := Clone(live).(Object)
	for _, f := range fields {
		top := f.Path.Top()
		if f.Origin == Released || t.Field(top).WriteOnly {
			continue
		}
		after[top] = Overlay(t.Field(top), live[top], desired[top])
	}
	return after
}

// What Compare names, when sent, makes declared fields as desired, and leaves all others as they were: the second comparison is empty.
func TestSendingTheDifferencesConverges(t *testing.T) {
	typ := agentType()
	for seed := range uint64(3000) {
		r := random{rand.New(rand.NewPCG(seed, 1))}
		live := norm(r.doc(true))
		desired := Complete(typ, live, norm(r.doc(false)))
		var base Object
		if r.IntN(3) > 0 {
			base = norm(r.doc(false))
		}
		fields := Compare(typ, base, live, desired, Options{})
		after := send(typ, live, desired, fields)
		next := Project(typ, after, desired)
		if left := Compare(typ, next, after, Complete(typ, after, desired), Options{}); len(left) > 0 {
			t.Fatalf("seed %d: after sending, %v is left\nlive %s\ndesired %s\nafter %s", seed, left[0].Path, Canonical(live), Canonical(desired), Canonical(after))
		}
		for name := range live {
			if _, declared := desired[name]; !declared && !cmp.Equal(live[name], after[name]) {
				t.Fatalf("seed %d: undeclared %s moved", seed, name)
			}
		}
		if g, ok := live["greeting"].(Object); ok && g["unknown"] != nil && !cmp.Equal(g["unknown"], after["greeting"].(Object)["unknown"]) {
			t.Fatalf("seed %d: an unknown field of greeting was lost", seed)
		}
	}
}

// Every difference has the origin that the table says, whatever the values.
func TestOriginsFollowTheTable(t *testing.T) {
	typ := &Type{Kind: Map, Fields: map[string]*Type{"f": {Kind: String}}}
	doc := func(v string) Object {
		if v == "" {
			return Object{}
		}
		return Object{"f": v}
	}
	values := []string{"", "a", "b", "c"}
	for _, b := range values {
		for _, l := range values {
			for _, d := range values[1:] {
				want := Origin("")
				switch {
				case l == d:
				case b == "" && l == "":
					want = FromManifest
				case b == "":
					want = Unknown
				case b == l:
					want = FromManifest
				case b == d:
					want = Drift
				default:
					want = Conflict
				}
				var got Origin
				for _, f := range Compare(typ, doc(b), doc(l), doc(d), Options{}) {
					got = f.Origin
				}
				if got != want {
					t.Errorf("base %q, live %q, desired %q: %q, want %q", b, l, d, got, want)
				}
			}
		}
	}
}

// Normal form is a fixed point, and comparing does not change its arguments.
func FuzzNormalize(f *testing.F) {
	f.Add(`{"name":"a","delay":"1.0","vars":[{"name":"x"}],"greeting":{"text":"t\r\n"}}`)
	f.Add(`{"delay":1e3,"tags":["b","a",null],"headers":{"a":1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var doc Object
		if json.Unmarshal([]byte(text), &doc) != nil || doc == nil {
			return
		}
		typ := agentType()
		once := Normalize(typ, doc).(Object)
		if d := cmp.Diff(once, Normalize(typ, once)); d != "" {
			t.Fatalf("not a fixed point: %s", d)
		}
		before := string(Canonical(once))
		if fields := Compare(typ, once, once, once, Options{}); len(fields) > 0 {
			t.Fatalf("a document differs from itself: %v", fields)
		}
		Compare(typ, nil, Object{}, once, Options{})
		Project(typ, Object{}, once)
		if after := string(Canonical(once)); after != before {
			t.Fatalf("changed: %s to %s", before, after)
		}
		if Fingerprint(typ, once) != Fingerprint(typ, Clone(once).(Object)) {
			t.Fatal("equal documents have different fingerprints")
		}
	})
}
