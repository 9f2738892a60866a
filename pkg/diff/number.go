package diff

import (
	"encoding/json"
	"strconv"
	"strings"
)

// maxExponent bounds the exponents read, so that a short text cannot stand for a number of millions of digits.
const maxExponent = 400

// plainDigits is how many digits a canonical number may have before it is written with an exponent.
const plainDigits = 25

// CanonicalNumber returns the one way to write the JSON number s, so that 1, 1.0, 10e-1 and 1E0 are the same text; ok is false
// where s is not a JSON number or its exponent is absurd. No digit is lost.
func CanonicalNumber(s string) (n json.Number, ok bool) {
	digits, exponent, negative, ok := parseNumber(s)
	if !ok {
		return "", false
	}
	if digits == "" {
		return "0", true
	}
	text := layout(digits, exponent)
	if negative {
		text = "-" + text
	}
	return json.Number(text), true
}

// parseNumber reads s as digits × 10^exponent, with no zero at either end of digits.
func parseNumber(s string) (digits string, exponent int, negative, ok bool) {
	if negative = strings.HasPrefix(s, "-"); negative {
		s = s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e > maxExponent || e < -maxExponent {
			return "", 0, false, false
		}
		s, exponent = s[:i], e
	}
	whole, fraction, point := strings.Cut(s, ".")
	if !allDigits(whole) || (point && !allDigits(fraction)) || (len(whole) > 1 && whole[0] == '0') {
		return "", 0, false, false
	}
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	return trimmed, exponent + len(digits) - len(trimmed), negative, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// layout writes digits × 10^exponent without an exponent where that stays short.
func layout(digits string, exponent int) string {
	switch point := len(digits) + exponent; {
	case exponent >= 0 && point <= plainDigits:
		return digits + strings.Repeat("0", exponent)
	case exponent < 0 && point > 0:
		return digits[:point] + "." + digits[point:]
	case exponent < 0 && point > -plainDigits:
		return "0." + strings.Repeat("0", -point) + digits
	default:
		text := digits[:1]
		if len(digits) > 1 {
			text += "." + digits[1:]
		}
		return text + "e" + strconv.Itoa(point-1)
	}
}
