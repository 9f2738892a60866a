package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPointer(t *testing.T) {
	doc := Object{"a/b": Object{"m~n": []any{"x", Object{"y": "z"}}}}
	p := Pointer("").Child("a/b").Child("m~n").Item(1).Child("y")
	if p != "/a~1b/m~0n/1/y" {
		t.Fatalf("pointer is %s", p)
	}
	if v, ok := p.Get(doc); !ok || v != "z" {
		t.Errorf("Get(%s) = %v, %v", p, v, ok)
	}
	if p.Top() != "a/b" || p.Parent() != "/a~1b/m~0n/1" {
		t.Errorf("Top %q, Parent %q", p.Top(), p.Parent())
	}
	for _, missing := range []Pointer{"/x", "/a~1b/m~0n/2", "/a~1b/m~0n/-1", "/a~1b/m~0n/01", "/a~1b/m~0n/0/q"} {
		if v, ok := missing.Get(doc); ok {
			t.Errorf("Get(%s) = %v", missing, v)
		}
	}
	if v, ok := Pointer("").Get(doc); !ok || !cmp.Equal(v, any(doc)) {
		t.Errorf("the empty pointer is not the whole")
	}
}

func TestParsePointer(t *testing.T) {
	for _, good := range []string{"", "/", "/a", "/a~0b~1c", "/a/0"} {
		if _, err := ParsePointer(good); err != nil {
			t.Errorf("ParsePointer(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"a", "a/b", "/a~", "/a~2", "#/a"} {
		if _, err := ParsePointer(bad); err == nil {
			t.Errorf("ParsePointer(%q) has no error", bad)
		}
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		p, q Pointer
		want bool
	}{{"", "/a", true}, {"/a", "/a", true}, {"/a", "/a/b", true}, {"/a", "/ab", false}, {"/a/b", "/a", false}}
	for _, test := range tests {
		if got := test.p.Covers(test.q); got != test.want {
			t.Errorf("%q covers %q: %v", test.p, test.q, got)
		}
	}
}

// A token survives being written into a pointer, and a value written at a pointer is found there.
func FuzzPointer(f *testing.F) {
	f.Add("a", "b")
	f.Add("~1", "/")
	f.Add("", "~")
	f.Fuzz(func(t *testing.T, a, b string) {
		p := Pointer("").Child(a).Child(b)
		if d := cmp.Diff([]string{a, b}, p.Tokens()); d != "" {
			t.Fatal(d)
		}
		if _, err := ParsePointer(string(p)); err != nil {
			t.Fatal(err)
		}
		doc := Object{}
		if !p.Set(doc, "v") {
			t.Fatalf("Set(%q) failed", p)
		}
		if v, ok := p.Get(doc); !ok || v != "v" {
			t.Fatalf("Get(%q) = %v, %v", p, v, ok)
		}
		p.Delete(doc)
		if _, ok := p.Get(doc); ok {
			t.Fatalf("%q is still there", p)
		}
	})
}
