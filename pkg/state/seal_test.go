package state_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

func seal(t *testing.T, v any) diff.Object {
	t.Helper()
	sealed, err := state.Seal(v)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealFormat(t *testing.T) {
	text, ok := seal(t, "hunter2")["$sealed"].(string)
	if !ok || !strings.HasPrefix(text, "argon2id$v=19$m=19456,t=2,p=1$") || strings.Count(text, "$") != 4 {
		t.Errorf("seal = %q", text)
	}
}

func TestSealHasASalt(t *testing.T) {
	if a, b := seal(t, "hunter2"), seal(t, "hunter2"); reflect.DeepEqual(a, b) {
		t.Error("equal values have equal seals")
	}
}

func TestMatches(t *testing.T) {
	nested := diff.Object{"b": []any{json.Number("1"), "x"}, "a": nil}
	tests := []struct {
		name         string
		sealed, held any
		want         bool
	}{
		{"same text", "hunter2", "hunter2", true},
		{"other text", "hunter2", "hunter3", false},
		{"prefix", "hunter2", "hunter", false},
		{"number and its text", json.Number("1"), "1", false},
		{"one number written in two ways", json.Number("1.0"), json.Number("1"), true},
		{"go number", json.Number("1.5"), 1.5, true},
		{"empty and null", "", nil, false},
		{"object in another order", nested, diff.Object{"a": nil, "b": []any{1, "x"}}, true},
		{"list in another order", []any{"a", "b"}, []any{"b", "a"}, false},
		{"html", "<a&b>", "<a&b>", true},
		{"not JSON", "x", func() {}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := state.Matches(seal(t, test.sealed), test.held); got != test.want {
				t.Errorf("Matches = %v, want %v", got, test.want)
			}
		})
	}
}

func TestMatchesRefusesForeignSeals(t *testing.T) {
	good := seal(t, "hunter2")["$sealed"].(string)
	for _, sealed := range []any{
		nil, "hunter2", diff.Object{}, diff.Object{"$sealed": 1}, diff.Object{"$sealed": ""}, diff.Object{"$sealed": "hunter2"},
		diff.Object{"$sealed": good, "x": 1},
		diff.Object{"$sealed": strings.Replace(good, "m=19456", "m=99999999", 1)},
		diff.Object{"$sealed": strings.Replace(good, "t=2", "t=3", 1)},
		diff.Object{"$sealed": good[:len(good)-4]},
		diff.Object{"$sealed": good[:strings.LastIndex(good, "$")+1]},
		diff.Object{"$sealed": good + "$"},
	} {
		if state.Matches(sealed, "hunter2") {
			t.Errorf("%v matches", sealed)
		}
	}
	if !state.Matches(diff.Object{"$sealed": good}, "hunter2") {
		t.Error("the good one does not match")
	}
}

func TestIsSealed(t *testing.T) {
	for _, test := range []struct {
		v    any
		want bool
	}{
		{diff.Object{"$sealed": "argon2id$..."}, true},
		{diff.Object{"$sealed": "x", "y": 1}, false},
		{diff.Object{"$sealed": nil}, false},
		{diff.Object{}, false}, {nil, false}, {"$sealed", false}, {[]any{"$sealed"}, false},
	} {
		if got := state.IsSealed(test.v); got != test.want {
			t.Errorf("IsSealed(%v) = %v", test.v, got)
		}
	}
}

func TestSealErrorsKeepTheSecret(t *testing.T) {
	_, err := state.Seal(json.Number("hunter2"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	_, err = state.SealAt(diff.Object{"a": json.Number("hunter2"), "b": json.Number("hunter3")}, []diff.Pointer{"/a", "/b"})
	if err == nil || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "/a:") || !strings.Contains(err.Error(), "/b:") {
		t.Errorf("error %v, want both places and no value", err)
	}
}

// shape shows a document with its seals as "#".
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if state.IsSealed(v) {
			return "#"
		}
		object := diff.Object{}
		for name, child := range v {
			object[name] = shape(child)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = shape(child)
		}
		return list
	}
	return v
}

func document(t *testing.T, text string) diff.Object {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object diff.Object
	if err := decoder.Decode(&object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestSealAt(t *testing.T) {
	const doc = `{"key": "s3cret", "open": 1, "none": null, "fake": {"$sealed": "s3cret"},
		"crm": {"token": "s3cret", "url": "u", "deep": {"x": "s3cret"}}, "tools": [{"auth": "s3cret", "name": "n"}]}`
	tests := []struct {
		name  string
		paths []diff.Pointer
		want  map[diff.Pointer]any // nil removes
	}{
		{"nothing", nil, nil},
		{"a field", []diff.Pointer{"/key"}, map[diff.Pointer]any{"/key": "#"}},
		{"an inner field", []diff.Pointer{"/crm/token"}, map[diff.Pointer]any{"/crm/token": "#"}},
		{"twice", []diff.Pointer{"/key", "/key"}, map[diff.Pointer]any{"/key": "#"}},
		{"through a list", []diff.Pointer{"/tools/0/auth"}, map[diff.Pointer]any{"/tools": "#"}},
		{"a list's item", []diff.Pointer{"/tools/0"}, map[diff.Pointer]any{"/tools": "#"}},
		{"through a text", []diff.Pointer{"/key/inner"}, map[diff.Pointer]any{"/key": "#"}},
		{"missing below", []diff.Pointer{"/crm/deep/y/z"}, map[diff.Pointer]any{"/crm/deep": "#"}},
		{"missing at the top", []diff.Pointer{"/nowhere", "/nowhere/else"}, nil},
		{"null stays", []diff.Pointer{"/none", "/none/x"}, nil},
		{"what only looks sealed", []diff.Pointer{"/fake"}, map[diff.Pointer]any{"/fake": "#"}},
		{"above and below", []diff.Pointer{"/crm/token", "/crm/missing", "/crm/deep/x"}, map[diff.Pointer]any{"/crm": "#"}},
		{"side by side", []diff.Pointer{"/key", "/crm/deep/x", "/crm/token"}, map[diff.Pointer]any{"/key": "#", "/crm/token": "#", "/crm/deep/x": "#"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			original := document(t, doc)
			got, err := state.SealAt(original, test.paths)
			if err != nil {
				t.Fatal(err)
			}
			want := shape(document(t, doc)).(diff.Object)
			for at, v := range test.want {
				at.Set(want, v)
			}
			if !reflect.DeepEqual(shape(got), want) {
				t.Errorf("got  %v\nwant %v", shape(got), want)
			}
			if !reflect.DeepEqual(original, document(t, doc)) {
				t.Errorf("the document was changed: %v", original)
			}
			for at := range test.want {
				sealed, _ := at.Get(got)
				value, _ := at.Get(original)
				if !state.Matches(sealed, value) {
					t.Errorf("%s does not match its value", at)
				}
			}
			again, err := state.SealAt(got, test.paths)
			if err != nil || !reflect.DeepEqual(again, got) {
				t.Errorf("sealing again changed %v to %v, %v", got, again, err)
			}
		})
	}
}

func TestSealAtWhole(t *testing.T) {
	got, err := state.SealAt(diff.Object{"a": "b"}, []diff.Pointer{"", "/a"})
	if err != nil || !state.Matches(got, diff.Object{"a": "b"}) {
		t.Errorf("got %v, %v", got, err)
	}
	revealed := state.Reveal(got, diff.Object{"a": "c"}, diff.Object{"a": "d"})
	if !reflect.DeepEqual(revealed, diff.Object{"$sealed": state.Sealed{}}) {
		t.Errorf("revealed %v", revealed)
	}
}

func TestReveal(t *testing.T) {
	plain := document(t, `{"open": "o", "a": "one", "b": {"c": "two", "d": [1]}, "e": "three", "null": null}`)
	base, err := state.SealAt(plain, []diff.Pointer{"/a", "/b/c", "/b/d", "/e"})
	if err != nil {
		t.Fatal(err)
	}
	live := document(t, `{"open": "x", "a": "changed", "b": {"c": "two", "d": [1]}, "e": 3}`)
	desired := document(t, `{"a": "one", "b": {"c": "other"}}`)
	got := state.Reveal(base, live, desired)
	want := diff.Object{"open": "o", "a": "one", "b": diff.Object{"c": "two", "d": []any{json.Number("1")}}, "e": state.Sealed{}, "null": nil}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !state.IsSealed(base["a"]) {
		t.Error("base was changed")
	}
	if got := state.Reveal(nil, live, desired); got != nil {
		t.Errorf("no base revealed as %v", got)
	}
	if got := state.Reveal(base, nil, nil); got["a"] != (state.Sealed{}) {
		t.Errorf("with nothing to match: %v", got)
	}
	broken := diff.Object{"a": diff.Object{"$sealed": "other parameters"}}
	if got := state.Reveal(broken, live, desired); got["a"] != (state.Sealed{}) {
		t.Errorf("a seal that cannot be read revealed as %v", got)
	}
}

func TestSealedSentinel(t *testing.T) {
	var v any = state.Sealed{}
	data, err := json.Marshal(diff.Object{"a": v})
	if err != nil || string(data) != `{"a":"(sensitive)"}` {
		t.Errorf("JSON %s, %v", data, err)
	}
	if text := fmt.Sprint(v); text != "(sensitive)" {
		t.Errorf("text %q", text)
	}
	for _, other := range []any{nil, "", "(sensitive)", diff.Object{}, seal(t, "x")} {
		if diff.Equal(nil, v, other) {
			t.Errorf("equals %v", other)
		}
	}
}

func TestFingerprintSecret(t *testing.T) {
	a := state.FingerprintSecret("hunter2", "voicy/a /key")
	if b := state.FingerprintSecret("hunter2", "voicy/a /key"); a != b {
		t.Errorf("%s and %s for the same secret in the same place", a, b)
	}
	if strings.Contains(a, "hunter2") {
		t.Errorf("%s shows the secret", a)
	}
	for _, other := range []string{
		state.FingerprintSecret("hunter2", "voicy/b /key"), state.FingerprintSecret("hunter3", "voicy/a /key"),
	} {
		if a == other {
			t.Errorf("%s for another secret or place", a)
		}
	}
	const known = "argon2id$v=19$m=19456,t=2,p=1$"
	if !strings.HasPrefix(a, known) {
		t.Errorf("%s does not begin with %s", a, known)
	}
}

// FuzzSeal: a sealed value does not hold the value, matches it, and matches no other.
func FuzzSeal(f *testing.F) {
	f.Add(`"hunter2"`, `"hunter3"`)
	f.Add(`{"token": "abc", "n": 1.0}`, `{"token": "abc", "n": 1}`)
	f.Add(`[1e2, null, "<&>"]`, `[100, null, "<&>"]`)
	f.Add(`"a\r\nb"`, `"a\nb"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		v, w, ok := parsed(a, b)
		if !ok {
			return
		}
		sealed, err := state.Seal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !state.IsSealed(sealed) || !state.Matches(sealed, v) {
			t.Errorf("%s: the seal does not match its value", a)
		}
		same := bytes.Equal(diff.Canonical(diff.Normalize(nil, v)), diff.Canonical(diff.Normalize(nil, w)))
		if state.Matches(sealed, w) != same {
			t.Errorf("seal of %s matches %s: %v, want %v", a, b, !same, same)
		}
		// Shorter texts can be in any fingerprint by chance.
		if text, ok := v.(string); ok && len(text) >= 6 && strings.Contains(strings.TrimPrefix(sealed["$sealed"].(string), "argon2id$v=19$m=19456,t=2,p=1$"), text) {
			t.Errorf("the seal of %q shows it", text)
		}
	})
}

func parsed(a, b string) (v, w any, ok bool) {
	read := func(text string) (v any, ok bool) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		err := decoder.Decode(&v)
		return v, err == nil
	}
	v, ok = read(a)
	w, ok2 := read(b)
	return v, w, ok && ok2
}
