package schema

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"sync"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// maxBasedDigits bounds 0x... and 0o... numbers, whose conversion is slow for long texts.
const maxBasedDigits = 64

// wrong says why a scalar is not of the kind its field has.
type wrong struct{ message, hint string }

// decodeScalar returns what the scalar v is in a field of the given kind. An unquoted scalar becomes what the field is, as far as
// there is one reading only; a quoted one is text; text that a directive produced may stand for a number or a boolean, since
// an environment variable is always text.
func decodeScalar(kind diff.Kind, v *spec.Value, secret bool) (any, *wrong) {
	switch kind {
	case diff.String:
		return decodeString(v, secret)
	case diff.Number, diff.Integer:
		return decodeNumber(kind, v, secret)
	case diff.Boolean:
		return decodeBoolean(v, secret)
	case diff.Any:
		return decodeAny(v, secret)
	}
	return nil, mismatch(kind, v, secret)
}

func decodeString(v *spec.Value, secret bool) (any, *wrong) {
	if v.Kind == spec.Plain && (isCanonical(v.Text) || isBoolean(v.Text)) {
		w := mismatch(diff.String, v, secret)
		w.hint = "write it in quotes"
		if !secret {
			w.hint += `: "` + shorten(v.Text) + `"`
		}
		return nil, w
	}
	return v.Text, nil
}

func decodeNumber(kind diff.Kind, v *spec.Value, secret bool) (any, *wrong) {
	if v.Kind == spec.Text && !(v.From != "" && isCanonical(v.Text)) {
		_, bad := parseNumber(v.Text)
		return nil, misquoted(kind, v, secret, bad == "")
	}
	n, bad := parseNumber(v.Text)
	switch {
	case bad == notNumber:
		return nil, mismatch(kind, v, secret)
	case bad == leadingZeros && !secret:
		return nil, &wrong{shown(v, secret) + " " + bad, "write " + withoutZeros(v.Text)}
	case bad != "":
		return nil, &wrong{message: shown(v, secret) + " " + bad}
	case kind == diff.Integer && !isWhole(n):
		return nil, &wrong{message: shown(v, secret) + " is not a whole number"}
	}
	return n, nil
}

func decodeBoolean(v *spec.Value, secret bool) (any, *wrong) {
	if v.Kind == spec.Text {
		if v.From != "" && isBoolean(v.Text) {
			return v.Text == "true", nil
		}
		_, ok := parseBoolean(v.Text)
		return nil, misquoted(diff.Boolean, v, secret, ok)
	}
	b, ok := parseBoolean(v.Text)
	if !ok {
		w := mismatch(diff.Boolean, v, secret)
		w.hint = "write true or false"
		return nil, w
	}
	return b, nil
}

// decodeAny resolves as YAML 1.2's core schema does, except where that would lose something or cannot be said in JSON.
func decodeAny(v *spec.Value, secret bool) (any, *wrong) {
	if v.Kind == spec.Text {
		return v.Text, nil
	}
	switch v.Text {
	case "", "~", "null", "Null", "NULL":
		return nil, nil
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	switch n, bad := parseNumber(v.Text); bad {
	case "":
		return n, nil
	case notNumber:
		return v.Text, nil
	default:
		return nil, &wrong{shown(v, secret) + " " + bad, "write it in quotes if it is text"}
	}
}

// mismatch says that v is of another kind than its field.
func mismatch(kind diff.Kind, v *spec.Value, secret bool) *wrong {
	is := describe(v)
	if kind != diff.String && is == "a string" && v.Kind == spec.Plain || is == article(kind) {
		return &wrong{message: shown(v, secret) + " is not " + article(kind)}
	}
	return &wrong{message: shown(v, secret) + " is " + is + ", not " + article(kind)}
}

// misquoted says that text stands where a number or boolean should; bare tells whether it would do without its quotes.
func misquoted(kind diff.Kind, v *spec.Value, secret, bare bool) *wrong {
	w := mismatch(kind, v, secret)
	switch {
	case v.From != "":
		w = &wrong{message: shown(v, secret) + " is not " + article(kind), hint: "it comes from " + v.From}
	case bare:
		w.hint = "drop the quotes"
		if !secret {
			w.hint += ": " + shorten(v.Text)
		}
	}
	return w
}

// shown writes a scalar as the manifest has it.
func shown(v *spec.Value, secret bool) string {
	if v.Kind == spec.Text || secret {
		return show(v.Text, secret)
	}
	return shorten(v.Text)
}

// describe names the kind of a value as it is written.
func describe(v *spec.Value) string {
	switch {
	case v.Kind == spec.Null:
		return "null"
	case v.Kind == spec.Map:
		return "an object"
	case v.Kind == spec.List:
		return "a list"
	case v.Kind == spec.Text:
		return "a string"
	case isBoolean(v.Text):
		return "a boolean"
	case isCanonical(v.Text):
		return "a number"
	}
	return "a string"
}

// isCanonical reports whether s is a number in the one form that cannot be meant as text by an oversight: 42, -3, 1.5, but
// not 1.10, 1e3 or 007.
func isCanonical(s string) bool {
	n, ok := diff.CanonicalNumber(s)
	return ok && string(n) == s
}

func isBoolean(s string) bool { return s == "true" || s == "false" }

// parseBoolean reads true and false and the words that YAML 1.1 has for them, in its three ways of writing them.
func parseBoolean(s string) (value, ok bool) {
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) && s != strings.ToUpper(s[:1])+lower[1:] {
		return false, false
	}
	switch lower {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// What parseNumber finds wrong with a text.
const (
	notNumber    = "is not a number"
	notFinite    = "is not a finite number"
	leadingZeros = "is ambiguous: a number has no leading zeros"
	outOfRange   = "is out of range"
)

// decimal is a number of YAML 1.2's core schema, of which JSON's numbers are a part: sign, whole digits, fraction, exponent. It also
// takes a lone point.
var decimal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([-+]?)([0-9]*)(?:\.([0-9]*))?([eE][-+]?[0-9]+)?$`) })

// parseNumber reads a number as YAML 1.2's core schema or JSON write it. bad is "" or one of the texts above.
func parseNumber(s string) (n json.Number, bad string) {
	switch strings.ToLower(strings.TrimLeft(s, "+-")) {
	case ".inf", ".nan":
		return "", notFinite
	}
	if based, ok := parseBased(s); ok {
		return based, ""
	}
	parts := decimal().FindStringSubmatch(s)
	if parts == nil || parts[2]+parts[3] == "" {
		return "", notNumber
	}
	sign, whole, fraction, exponent := strings.TrimPrefix(parts[1], "+"), parts[2], parts[3], parts[4]
	if len(whole) > 1 && whole[0] == '0' {
		return "", leadingZeros
	}
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	n, ok := diff.CanonicalNumber(sign + whole + fraction + exponent)
	if !ok {
		return "", outOfRange
	}
	return n, ""
}

// parseBased reads 0x1F and 0o17.
func parseBased(s string) (json.Number, bool) {
	base := 16
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		base = 8
		digits, ok = strings.CutPrefix(s, "0o")
	}
	if !ok || len(digits) > maxBasedDigits || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return "", false
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return "", false
	}
	return diff.CanonicalNumber(n.String())
}

// isWhole reports whether a canonical number is an integer.
func isWhole(n json.Number) bool {
	s := string(n)
	if strings.Contains(s, "e") {
		return !strings.Contains(s, "e-")
	}
	return !strings.Contains(s, ".")
}

// withoutZeros says how to write a number that has leading zeros.
func withoutZeros(s string) string {
	parts := decimal().FindStringSubmatch(s)
	whole := strings.TrimLeft(parts[2], "0")
	if whole == "" {
		whole = "0"
	}
	return shorten(parts[1] + whole + s[len(parts[1])+len(parts[2]):])
}

// isFromFile reports whether a directive read the value, or a part of it, from a file.
func isFromFile(from string) bool {
	return strings.HasPrefix(from, "file ") || strings.Contains(from, " file ")
}
