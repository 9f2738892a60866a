package diff

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// agentType is a schema with one field of every behaviour.
func agentType() *Type {
	text := &Type{Kind: String, Text: true}
	return &Type{Kind: Map, Fields: map[string]*Type{
		"id":     {Kind: String, ReadOnly: true},
		"name":   {Kind: String},
		"prompt": text,
		"delay":  {Kind: Integer, Default: CanonicalMust("100"), HasDefault: true},
		"token":  {Kind: String, WriteOnly: true},
		"tags":   {Kind: List, List: Set, Items: &Type{Kind: String}},
		"steps":  {Kind: List, Items: &Type{Kind: String}},
		"vars": {Kind: List, List: Keyed, Key: "name", Items: &Type{Kind: Map, Fields: map[string]*Type{
			"name": {Kind: String}, "about": {Kind: String}, "required": {Kind: Boolean, ReadMaybe: true}}}},
		"greeting": {Kind: Map, SentWhole: true, Fields: map[string]*Type{"text": text, "pause": {Kind: Integer}}},
		"headers":  {Kind: Map, Whole: true, Extra: &Type{Kind: String}},
		"hook":     {Kind: Boolean},
		"hook_url": {Kind: String, Group: "hook", Toggle: "hook"},
	}}
}

// CanonicalMust is for tests.
func CanonicalMust(s string) any {
	n, ok := CanonicalNumber(s)
	if !ok {
		panic(s)
	}
	return n
}

func norm(o Object) Object {
	if o == nil {
		return nil
	}
	return Normalize(agentType(), o).(Object)
}

func item(name string, more ...any) Object {
	o := Object{"name": name}
	for i := 0; i < len(more); i += 2 {
		o[more[i].(string)] = more[i+1]
	}
	return o
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name                string
		base, live, desired Object
		options             Options
		want                []string // "path op origin"
	}{
		{name: "in sync", base: Object{"name": "a"}, live: Object{"name": "a"}, desired: Object{"name": "a"}},
		{name: "manifest", base: Object{"name": "a"}, live: Object{"name": "a"}, desired: Object{"name": "b"}, want: []string{"/name replace manifest"}},
		{name: "drift", base: Object{"name": "a"}, live: Object{"name": "b"}, desired: Object{"name": "a"}, want: []string{"/name replace drift"}},
		{name: "conflict", base: Object{"name": "a"}, live: Object{"name": "b"}, desired: Object{"name": "c"}, want: []string{"/name replace conflict"}},
		{name: "both agree", base: Object{"name": "a"}, live: Object{"name": "b"}, desired: Object{"name": "b"}},
		{name: "no base", live: Object{"name": "a"}, desired: Object{"name": "b"}, want: []string{"/name replace unknown"}},
		{name: "no base for this field", base: Object{"prompt": "p"}, live: Object{"prompt": "p", "name": "a"}, desired: Object{"prompt": "p", "name": "b"},
			want: []string{"/name replace unknown"}},
		{name: "nothing is overwritten", live: Object{}, desired: Object{"name": "b"}, want: []string{"/name add manifest"}},
		{name: "null is absent", live: Object{"name": nil}, desired: Object{"name": "b"}, want: []string{"/name add manifest"}},
		{name: "released", base: Object{"name": "a"}, live: Object{"name": "a"}, desired: Object{}, want: []string{"/name remove released"}},
		{name: "released null is nothing", base: Object{"token": nil}, live: Object{}, desired: Object{}},
		{name: "undeclared is untouched", live: Object{"name": "a", "prompt": "x"}, desired: Object{"name": "a"}},
		{name: "empty equals absent", live: Object{}, desired: Object{"name": "", "tags": []any{}, "greeting": Object{}}},
		{name: "read-only", live: Object{"id": "1"}, desired: Object{"id": "2"}},
		{name: "ignored", base: Object{"name": "a"}, live: Object{"name": "b"}, desired: Object{"name": "c"}, options: Options{Ignore: []Pointer{"/name"}}},
		{name: "ignored below", live: Object{"greeting": Object{"text": "a"}}, desired: Object{"greeting": Object{"text": "b", "pause": 1}},
			options: Options{Ignore: []Pointer{"/greeting/text"}}, want: []string{"/greeting/pause add manifest"}},

		{name: "default equals absent", live: Object{}, desired: Object{"delay": 100}},
		{name: "other than default", live: Object{}, desired: Object{"delay": 200}, want: []string{"/delay add manifest"}},
		{name: "numbers by value", live: Object{"delay": "2e2"}, desired: Object{"delay": 200.0}},
		{name: "text without its end", live: Object{"prompt": "a\r\nb\n\n"}, desired: Object{"prompt": "a\nb"}},
		{name: "a name keeps its end", live: Object{"name": "a "}, desired: Object{"name": "a"}, want: []string{"/name replace unknown"}},

		{name: "write-only as applied", base: Object{"token": "s"}, live: Object{}, desired: Object{"token": "s"}},
		{name: "write-only changed", base: Object{"token": "s"}, live: Object{}, desired: Object{"token": "t"}, want: []string{"/token replace manifest"}},
		{name: "write-only at default", base: Object{"token": nil}, live: Object{}, desired: Object{"token": "t"}, want: []string{"/token add manifest"}},
		{name: "write-only not known", live: Object{}, desired: Object{"token": "t"}, want: []string{"/token add unknown"}},
		{name: "write-only shown as a mask", base: Object{"token": "s"}, live: Object{"token": "***"}, desired: Object{"token": "s"}},

		{name: "a set has no order", live: Object{"tags": []any{"b", "a"}}, desired: Object{"tags": []any{"a", "b"}}},
		{name: "a list has", live: Object{"steps": []any{"b", "a"}}, desired: Object{"steps": []any{"a", "b"}}, want: []string{"/steps replace unknown"}},
		{name: "keyed items have no order", live: Object{"vars": []any{item("b"), item("a")}}, desired: Object{"vars": []any{item("a"), item("b")}}},
		{name: "a keyed item more", live: Object{"vars": []any{item("a")}}, desired: Object{"vars": []any{item("a"), item("b")}},
			want: []string{"/vars replace unknown"}},
		{name: "undeclared in a keyed item", live: Object{"vars": []any{item("a", "about", "x")}}, desired: Object{"vars": []any{item("a")}}},
		{name: "declared in a keyed item", live: Object{"vars": []any{item("a", "about", "x")}}, desired: Object{"vars": []any{item("a", "about", "y")}},
			want: []string{"/vars replace unknown"}},
		{name: "unseen in a keyed item, applied", base: Object{"vars": []any{item("a", "required", true)}}, live: Object{"vars": []any{item("a")}},
			desired: Object{"vars": []any{item("a", "required", true)}}},
		{name: "unseen in a keyed item, changed", base: Object{"vars": []any{item("a", "required", true)}}, live: Object{"vars": []any{item("a")}},
			desired: Object{"vars": []any{item("a", "required", false)}}, want: []string{"/vars replace manifest"}},
		{name: "seen in a keyed item, drifted", base: Object{"vars": []any{item("a", "required", true)}}, live: Object{"vars": []any{item("a", "required", false)}},
			desired: Object{"vars": []any{item("a", "required", true)}}, want: []string{"/vars replace drift"}},

		{name: "nested by field", base: Object{"greeting": Object{"text": "a"}}, live: Object{"greeting": Object{"text": "b", "pause": 1}},
			desired: Object{"greeting": Object{"text": "a"}}, want: []string{"/greeting/text replace drift"}},
		{name: "nested on nothing", live: Object{}, desired: Object{"greeting": Object{"text": "a", "pause": 1}},
			want: []string{"/greeting/pause add manifest", "/greeting/text add manifest"}},
		{name: "nested released", base: Object{"greeting": Object{"text": "a", "pause": 1}}, live: Object{"greeting": Object{"text": "a", "pause": 2}},
			desired: Object{"greeting": Object{"text": "a"}}, want: []string{"/greeting/pause remove released"}},
		{name: "whole object", live: Object{"headers": Object{"a": "1", "b": "2"}}, desired: Object{"headers": Object{"a": "1"}},
			want: []string{"/headers replace unknown"}},

		{name: "toggle off as desired", live: Object{"hook": true, "hook_url": "x"}, desired: Object{"hook": false, "hook_url": "y"},
			want: []string{"/hook replace unknown"}},
		{name: "toggle off as live", live: Object{"hook": false, "hook_url": "x"}, desired: Object{"hook_url": "y"}},
		{name: "toggle on as live", live: Object{"hook": true, "hook_url": "x"}, desired: Object{"hook_url": "y"}, want: []string{"/hook_url replace unknown"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			typ := agentType()
			live, desired := norm(test.live), norm(test.desired)
			desired = Complete(typ, live, desired)
			var got []string
			for _, f := range Compare(typ, norm(test.base), live, desired, test.options) {
				got = append(got, fmt.Sprintf("%s %s %s", f.Path, f.Op, f.Origin))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("Compare (-want +got):\n%s", d)
			}
		})
	}
}

func TestProjectIsTheBaseOfAnEmptyComparison(t *testing.T) {
	typ := agentType()
	live := norm(Object{"id": "1", "name": "n", "vars": []any{item("b", "about", "x"), item("a")}, "greeting": Object{"text": "t", "pause": 2}})
	desired := Complete(typ, live, norm(Object{"name": "n", "token": "s", "vars": []any{item("a", "required", true), item("b")},
		"greeting": Object{"text": "t"}}))
	base := Project(typ, live, desired)
	want := norm(Object{"name": "n", "token": "s", "vars": []any{item("b", "about", "x"), item("a", "required", true)}, "greeting": Object{"text": "t"}})
	if d := cmp.Diff(want, base); d != "" {
		t.Errorf("Project (-want +got):\n%s", d)
	}
	if fields := Compare(typ, base, live, desired, Options{}); len(fields) != 0 {
		t.Errorf("a comparison with its own base has differences: %v", fields)
	}
}

func TestOverlayKeepsWhatIsNotDeclared(t *testing.T) {
	typ := &Type{Kind: Map, Fields: map[string]*Type{"at": {Kind: String, ReadOnly: true}, "map": {Kind: Map, Whole: true}}}
	live := Object{"at": "t", "a": "1", "new": Object{"x": "1", "y": "2"}, "map": Object{"p": "1"}}
	got := Overlay(typ, live, Object{"a": "2", "new": Object{"y": "3"}, "map": Object{"q": "2"}})
	want := Object{"a": "2", "new": Object{"x": "1", "y": "3"}, "map": Object{"q": "2"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Overlay (-want +got):\n%s", d)
	}
}

func TestWithout(t *testing.T) {
	doc := Object{"a": Object{"b": "1"}, "c": Object{"d": "1", "e": "2"}, "f": []any{"x"}}
	got := Without(doc, []Pointer{"/a/b", "/c/d", "/none/of/this", "/f/0"})
	if d := cmp.Diff(Object{"c": Object{"e": "2"}, "f": []any{"x"}}, got); d != "" {
		t.Errorf("Without (-want +got):\n%s", d)
	}
	if len(doc) != 3 || len(doc["c"].(Object)) != 2 {
		t.Errorf("Without changed its argument: %v", doc)
	}
}
