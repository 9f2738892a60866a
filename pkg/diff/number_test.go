package diff

import (
	"encoding/json"
	"math/big"
	"testing"
)

func TestCanonicalNumber(t *testing.T) {
	tests := map[string]string{
		"0": "0", "-0": "0", "0.0": "0", "0e5": "0", "1": "1", "1.0": "1", "10e-1": "1", "1E0": "1", "1e3": "1000", "100": "100",
		"0.5": "0.5", "0.50": "0.5", "5e-1": "0.5", "-1.50": "-1.5", "0.001": "0.001", "12345678901234567890": "12345678901234567890",
		"1e30": "1e30", "1.5e30": "1.5e30", "1e-30": "1e-30", "123e-32": "1.23e-30", "0.1e1": "1",
		"": "", "01": "", "1.": "", ".5": "", "1e": "", "1e999999999": "", "abc": "", "+1": "", "0x1": "", "1_0": "", "NaN": "",
	}
	for in, want := range tests {
		got, ok := CanonicalNumber(in)
		if string(got) != want || ok != (want != "") {
			t.Errorf("CanonicalNumber(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

// Canonical numbers are equal exactly where the numbers are.
func FuzzCanonicalNumber(f *testing.F) {
	f.Add("1.0", "10e-1")
	f.Add("0.1", "1e-1")
	f.Add("-0", "0")
	f.Fuzz(func(t *testing.T, a, b string) {
		ca, oka := CanonicalNumber(a)
		cb, okb := CanonicalNumber(b)
		if !oka || !okb {
			return
		}
		if !json.Valid([]byte(ca)) {
			t.Fatalf("CanonicalNumber(%q) = %q is not JSON", a, ca)
		}
		again, ok := CanonicalNumber(string(ca))
		if !ok || again != ca {
			t.Fatalf("CanonicalNumber(%q) = %q, and again %q", a, ca, again)
		}
		ra, _ := new(big.Rat).SetString(a)
		rb, _ := new(big.Rat).SetString(b)
		if ra == nil || rb == nil {
			t.Fatalf("taken, but no number: %q, %q", a, b)
		}
		if (ra.Cmp(rb) == 0) != (ca == cb) {
			t.Fatalf("%q and %q became %q and %q", a, b, ca, cb)
		}
	})
}
