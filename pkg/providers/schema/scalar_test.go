package schema

import (
	"fmt"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

func plainValue(text string) *spec.Value { return &spec.Value{Kind: spec.Plain, Text: text} }

func quoted(text string) *spec.Value { return &spec.Value{Kind: spec.Text, Text: text} }

func fromEnv(text string) *spec.Value {
	return &spec.Value{Kind: spec.Text, Text: text, From: "env TOKEN", Sensitive: true}
}

func TestScalars(t *testing.T) {
	const s, n, i, b, a = diff.String, diff.Number, diff.Integer, diff.Boolean, diff.Any
	for _, test := range []struct {
		kind  diff.Kind
		value *spec.Value
		want  string // canonical JSON, or message | hint
	}{
		{s, quoted("42"), `"42"`}, {s, quoted(""), `""`}, {s, quoted("true"), `"true"`}, {s, fromEnv("42"), `"42"`},
		{s, plainValue("hello there"), `"hello there"`},
		{s, plainValue("no"), `"no"`}, {s, plainValue("off"), `"off"`}, {s, plainValue("yes"), `"yes"`}, {s, plainValue("on"), `"on"`},
		{s, plainValue("y"), `"y"`}, {s, plainValue("n"), `"n"`}, {s, plainValue("1e3"), `"1e3"`}, {s, plainValue("2026-01-01"), `"2026-01-01"`},
		{s, plainValue("0123"), `"0123"`}, {s, plainValue("0x1F"), `"0x1F"`}, {s, plainValue("1_000"), `"1_000"`}, {s, plainValue("12:30"), `"12:30"`},
		{s, plainValue(".5"), `".5"`}, {s, plainValue("+1"), `"+1"`}, {s, plainValue("1.0"), `"1.0"`}, {s, plainValue("1.10"), `"1.10"`},
		{s, plainValue("True"), `"True"`}, {s, plainValue("-0"), `"-0"`}, {s, plainValue(".inf"), `".inf"`},
		{s, plainValue("42"), `42 is a number, not a string | write it in quotes: "42"`},
		{s, plainValue("1.5"), `1.5 is a number, not a string | write it in quotes: "1.5"`},
		{s, plainValue("-3"), `-3 is a number, not a string | write it in quotes: "-3"`},
		{s, plainValue("true"), `true is a boolean, not a string | write it in quotes: "true"`},
		{s, plainValue("false"), `false is a boolean, not a string | write it in quotes: "false"`},

		{n, plainValue("0.5"), "0.5"}, {n, plainValue("1.0"), "1"}, {n, plainValue("-1.50"), "-1.5"}, {n, plainValue("1e3"), "1000"},
		{n, plainValue("+1"), "1"}, {n, plainValue(".5"), "0.5"}, {n, plainValue("-.5"), "-0.5"}, {n, plainValue("5."), "5"},
		{n, plainValue("0x1F"), "31"}, {n, plainValue("0o17"), "15"}, {n, plainValue("0.0"), "0"}, {n, plainValue("1E-2"), "0.01"},
		{n, fromEnv("0.5"), "0.5"},
		{n, quoted("0.5"), `"0.5" is a string, not a number | drop the quotes: 0.5`},
		{n, quoted("abc"), `"abc" is a string, not a number | `},
		{n, plainValue("abc"), "abc is not a number | "}, {n, plainValue("."), ". is not a number | "}, {n, plainValue("-"), "- is not a number | "},
		{n, plainValue("e5"), "e5 is not a number | "}, {n, plainValue("1_000"), "1_000 is not a number | "},
		{n, plainValue("12:30"), "12:30 is not a number | "}, {n, plainValue("2026-01-01"), "2026-01-01 is not a number | "},
		{n, plainValue("0xZZ"), "0xZZ is not a number | "}, {n, plainValue("0o9"), "0o9 is not a number | "}, {n, plainValue("0x-1"), "0x-1 is not a number | "},
		{n, plainValue("true"), "true is a boolean, not a number | "},
		{n, plainValue("0123"), "0123 is ambiguous: a number has no leading zeros | write 123"},
		{n, plainValue("-007.50"), "-007.50 is ambiguous: a number has no leading zeros | write -7.50"},
		{n, plainValue("00"), "00 is ambiguous: a number has no leading zeros | write 0"},
		{n, plainValue(".inf"), ".inf is not a finite number | "}, {n, plainValue("-.Inf"), "-.Inf is not a finite number | "},
		{n, plainValue(".NaN"), ".NaN is not a finite number | "}, {n, plainValue("1e999999999"), "1e999999999 is out of range | "},
		{n, fromEnv("1.50"), "(sensitive) is not a number | it comes from env TOKEN"},
		{n, fromEnv("0123"), "(sensitive) is not a number | it comes from env TOKEN"},

		{i, plainValue("1e3"), "1000"}, {i, plainValue("1.0"), "1"}, {i, plainValue("0x1F"), "31"}, {i, plainValue("1e30"), "1e30"}, {i, fromEnv("30"), "30"},
		{i, plainValue("1.5"), "1.5 is not a whole number | "}, {i, plainValue("1e-2"), "1e-2 is not a whole number | "},
		{i, plainValue("1e-50"), "1e-50 is not a whole number | "}, {i, fromEnv("1.5"), "(sensitive) is not a whole number | "},
		{i, quoted("30"), `"30" is a string, not a whole number | drop the quotes: 30`}, {i, plainValue("thirty"), "thirty is not a whole number | "},

		{b, plainValue("true"), "true"}, {b, plainValue("True"), "true"}, {b, plainValue("TRUE"), "true"}, {b, plainValue("yes"), "true"}, {b, plainValue("On"), "true"},
		{b, plainValue("y"), "true"}, {b, plainValue("false"), "false"}, {b, plainValue("no"), "false"}, {b, plainValue("OFF"), "false"}, {b, plainValue("N"), "false"},
		{b, fromEnv("true"), "true"}, {b, fromEnv("false"), "false"},
		{b, quoted("yes"), `"yes" is a string, not a boolean | drop the quotes: yes`}, {b, quoted("maybe"), `"maybe" is a string, not a boolean | `},
		{b, plainValue("1"), "1 is a number, not a boolean | write true or false"}, {b, plainValue("tRUE"), "tRUE is not a boolean | write true or false"},
		{b, plainValue(""), " is not a boolean | write true or false"}, {b, fromEnv("yes"), "(sensitive) is not a boolean | it comes from env TOKEN"},

		{a, plainValue("true"), "true"}, {a, plainValue("False"), "false"}, {a, plainValue("~"), "null"}, {a, plainValue("NULL"), "null"}, {a, plainValue(""), "null"},
		{a, plainValue("1.0"), "1"}, {a, plainValue("0o17"), "15"}, {a, plainValue("no"), `"no"`}, {a, plainValue("off"), `"off"`},
		{a, plainValue("2026-01-01"), `"2026-01-01"`}, {a, quoted("1"), `"1"`}, {a, fromEnv("1"), `"1"`}, {a, plainValue("1_000"), `"1_000"`},
		{a, plainValue("0123"), "0123 is ambiguous: a number has no leading zeros | write it in quotes if it is text"},
		{a, plainValue(".nan"), ".nan is not a finite number | write it in quotes if it is text"},

		{diff.List, plainValue("a"), "a is not a list | "}, {diff.Map, quoted("a"), `"a" is a string, not an object | `},
	} {
		got, wrong := decodeScalar(test.kind, test.value, test.value.Sensitive)
		text := ""
		if wrong != nil {
			text = wrong.message + " | " + wrong.hint
		} else {
			text = canonical(got)
		}
		if text != test.want {
			t.Errorf("%s %+v = %s, want %s", test.kind, *test.value, text, test.want)
		}
	}
}

func TestShownValuesAreShort(t *testing.T) {
	long := ""
	for i := range 100 {
		long += fmt.Sprintf("ü%d", i)
	}
	if got := []rune(shorten(long)); len(got) != shownRunes+1 || got[shownRunes] != '…' {
		t.Errorf("shorten left %d runes: %s", len(got), string(got))
	}
	if short := shorten("abc"); short != "abc" {
		t.Errorf("shorten(abc) = %s", short)
	}
}
