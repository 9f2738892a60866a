package nova

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
)

// asBytes is the vendor's integer[]: the bytes of text as a list of numbers, as the decoder of an answer returns it.
func asBytes(text string) []any {
	list := make([]any, len(text))
	for i, b := range []byte(text) {
		list[i] = json.Number(strconv.Itoa(int(b)))
	}
	return list
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestDecodeConfig(t *testing.T) {
	object := map[string]any{"enabled": true, "message": "bye, später", "n": json.Number("1.50")}
	const text = ` {"enabled": true, "message": "bye, später", "n": 1.50} `
	list := []any{map[string]any{"a": json.Number("1")}, "x"}
	encode := base64.StdEncoding.EncodeToString
	cases := []struct {
		name string
		kind diff.Kind
		in   any
		want any
		why  string
	}{
		{"object", diff.Map, object, object, ""},
		{"empty object", diff.Map, map[string]any{}, map[string]any{}, ""},
		{"JSON text", diff.Map, text, object, ""},
		{"JSON text in JSON text", diff.Map, jsonText(text), object, ""},
		{"base64", diff.Map, encode([]byte(text)), object, ""},
		{"base64 without padding", diff.Map, base64.RawStdEncoding.EncodeToString([]byte(text)), object, ""},
		{"base64 for URLs", diff.Map, base64.URLEncoding.EncodeToString([]byte(`{"a":"???>>>"}`)), map[string]any{"a": "???>>>"}, ""},
		{"base64 for URLs without padding", diff.Map, base64.RawURLEncoding.EncodeToString([]byte(`{"a":"??>>>>"}`)), map[string]any{"a": "??>>>>"}, ""},
		{"base64 of JSON text in JSON text", diff.Map, encode([]byte(jsonText(text))), object, ""},
		{"bytes", diff.Map, asBytes(text), object, ""},
		{"bytes of JSON text in JSON text", diff.Map, asBytes(jsonText(text)), object, ""},
		{"null", diff.Map, nil, nil, ""},
		{"empty text", diff.Map, "", nil, ""},
		{"empty list", diff.Map, []any{}, nil, ""},
		{"text null", diff.Map, "null", nil, ""},
		{"base64 null", diff.Map, encode([]byte("null")), nil, ""},
		{"bytes null", diff.Map, asBytes("null"), nil, ""},

		{"plain text", diff.Map, "hello", nil, "text that is not the JSON of an object, nor base64 of it"},
		{"JSON of a list", diff.Map, `[1]`, nil, "text that is not the JSON of an object, nor base64 of it"},
		{"two documents", diff.Map, `{} {}`, nil, "text that is not the JSON of an object, nor base64 of it"},
		{"encoded three times", diff.Map, jsonText(jsonText(text)), nil, "text that is not the JSON of an object, nor base64 of it"},
		{"base64 of base64", diff.Map, encode([]byte(encode([]byte(text)))), nil, "text that is not the JSON of an object, nor base64 of it"},
		{"not UTF-8", diff.Map, encode([]byte("{\"a\":\"\xff\"}")), nil, "text that is not the JSON of an object, nor base64 of it"},
		{"broken bytes", diff.Map, asBytes("{"), nil, "bytes that are not the JSON of an object"},
		{"a number over 255", diff.Map, []any{json.Number("123"), json.Number("256")}, nil, "a list that does not consist of bytes"},
		{"a negative number", diff.Map, []any{json.Number("-1")}, nil, "a list that does not consist of bytes"},
		{"a list of texts", diff.Map, []any{"a"}, nil, "a list that does not consist of bytes"},
		{"a number", diff.Map, json.Number("7"), nil, "neither an object nor an encoded one"},
		{"a boolean", diff.Map, true, nil, "neither an object nor an encoded one"},
		{"large text", diff.Map, `{"a":"` + strings.Repeat("x", 2*maxEncoded) + `"}`, nil, "larger than 1 MiB"},
		{"large JSON", diff.Map, `{"a":"` + strings.Repeat("x", maxEncoded) + `"}`, nil, "larger than 1 MiB"},
		{"large base64", diff.Map, encode([]byte(`{"a":"` + strings.Repeat("x", maxEncoded-3) + `"}`)), nil, "larger than 1 MiB"},
		{"large bytes", diff.Map, asBytes(`{"a":"` + strings.Repeat("x", maxEncoded) + `"}`), nil, "larger than 1 MiB"},

		{"list", diff.List, list, list, ""},
		{"list as text", diff.List, jsonText(list), list, ""},
		{"list as base64", diff.List, encode([]byte(jsonText(list))), list, ""},
		{"list as bytes", diff.List, asBytes(jsonText(list)), list, ""},
		{"empty list of plugins", diff.List, []any{}, []any{}, ""},
		{"no plugins", diff.List, nil, nil, ""},
		{"plugins null as bytes", diff.List, asBytes("null"), nil, ""},
		{"numbers that are no JSON", diff.List, asBytes("{"), asBytes("{"), ""},
		{"numbers that are JSON of something else", diff.List, asBytes("12"), asBytes("12"), ""},
		{"plugins as an object", diff.List, map[string]any{"a": true}, nil, "neither a list nor an encoded one"},
		{"plugins as other text", diff.List, "{}", nil, "text that is not the JSON of a list, nor base64 of it"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, why := decodeConfig(c.kind, c.in)
			if !reflect.DeepEqual(got, c.want) || why != c.why {
				t.Errorf("got %v, %q; want %v, %q", got, why, c.want, c.why)
			}
		})
	}
}

// FuzzConfigObject: all forms of a JSON object decode to the same object, and what is not one is unset or has a reason.
func FuzzConfigObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"b":[1,2.50,"ü"]},"c":null}`, `[1]`, `null`, `"{}"`, `{"a":1}{}`, "e30=", "\xff", ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := parse(diff.Map, []byte(text))
		forms := map[string]any{
			"base64":          base64.StdEncoding.EncodeToString([]byte(text)),
			"unpadded base64": base64.RawURLEncoding.EncodeToString([]byte(text)),
			"bytes":           asBytes(text),
		}
		if err == nil {
			forms["text"] = text
		}
		for name, form := range forms {
			got, why := decodeConfig(diff.Map, form)
			switch {
			case got == nil && why == "" && text != "" && (err != nil || want != nil):
				t.Errorf("%s: %q got lost", name, text)
			case err == nil && (why != "" || !reflect.DeepEqual(got, want)):
				t.Errorf("%s: got %v, %q; want %v", name, got, why, want)
			}
		}
		got, why := decodeConfig(diff.Map, text)
		if _, isObject := got.(map[string]any); got != nil && (!isObject || why != "") {
			t.Errorf("text: got %v, %q", got, why)
		}
	})
}
