package diff

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is a config with something of everything, and a prompt of 4 KB.
func sample() Object {
	return Normalize(agentType(), Object{"name": "a", "prompt": strings.Repeat("A line of a prompt, of some length.\n", 120), "delay": 100.0,
		"tags": []any{"a", "b"}, "vars": []any{item("a", "about", "x"), item("b")}, "greeting": Object{"text": "t", "pause": 1}}).(Object)
}

// TestEqualWithoutCopies: what is the same to the last part is found to be so without a copy of it.
func TestEqualWithoutCopies(t *testing.T) {
	t0, a, b := agentType(), sample(), sample()
	if n := testing.AllocsPerRun(10, func() {
		if !Equal(t0, a, b) {
			t.Error("not equal")
		}
	}); n != 0 {
		t.Errorf("comparing two equal configs allocates %v times", n)
	}
	prompt := a["prompt"].(string)
	if n := testing.AllocsPerRun(10, func() { normalizeString(nil, prompt) }); n > 1 { // the box
		t.Errorf("normalising a normal text allocates %v times", n)
	}
}

// TestEqualIsGoCmp holds the comparison of normal forms to what go-cmp says of them.
func TestEqualIsGoCmp(t *testing.T) {
	values := []any{nil, true, false, "", "a", json.Number("1"), json.Number("2"), "1", []any{}, []any{nil}, []any{"a", "b"}, []any{"b", "a"}, Object{},
		Object{"a": nil}, Object{"a": "b"}, Object{"a": "b", "b": nil}, Object{"b": nil}, 1, 1.5, math.NaN(), []string{"a"}}
	for _, a := range values {
		for _, b := range values {
			if got, want := Equal(nil, a, b), cmp.Equal(view(nil, a), view(nil, b)); got != want {
				t.Errorf("Equal(%#v, %#v) is %v, and go-cmp says %v", a, b, got, want)
			}
		}
	}
	typ := agentType()
	for seed := range uint64(3000) {
		r := random{rand.New(rand.NewPCG(seed, 3))}
		a, b := Normalize(typ, r.doc(true)), Normalize(typ, r.doc(true))
		for _, pair := range [][2]any{{a, b}, {a, Clone(a)}} {
			if got, want := Equal(typ, pair[0], pair[1]), cmp.Equal(view(typ, pair[0]), view(typ, pair[1])); got != want {
				t.Errorf("seed %d: Equal is %v, and go-cmp says %v\n%v\n%v", seed, got, want, pair[0], pair[1])
			}
		}
	}
}

func BenchmarkEqual(b *testing.B) {
	t0, x, y := agentType(), sample(), sample()
	b.ReportAllocs()
	for b.Loop() {
		if !Equal(t0, x, y) {
			b.Fatal("not equal")
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	t0, base, live, desired := agentType(), sample(), sample(), sample()
	b.ReportAllocs()
	for b.Loop() {
		if fields := Compare(t0, base, live, desired, Options{}); len(fields) > 0 {
			b.Fatal(fmt.Sprint(fields))
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	t0, doc := agentType(), sample()
	b.ReportAllocs()
	for b.Loop() {
		Normalize(t0, doc)
	}
}
