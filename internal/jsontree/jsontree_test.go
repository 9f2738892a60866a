package jsontree

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// standard is what encoding/json makes of data.
func standard(data []byte) (value any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return value, err == io.EOF
}

func inputs() []string {
	return []string{
		``, ` `, `null`, `true`, `false`, `nul`, `truer`, `"text"`, "\t{ \"a\" : [ 1 , -2.50e+3 ] , \"a\" : null }\r\n",
		`[]`, `[ ]`, `{}`, `{ }`, `[1,]`, `[,1]`, `{"a":1,}`, `{"a"}`, `{a:1}`, `{1:1}`, `[1 2]`, `{"a":1 "b":2}`, `[`, `{`, `{"a":`, `]`,
		`0`, `-0`, `01`, `1.`, `.5`, `1e`, `1e+`, `1E400`, `+1`, `-`, `- 1`, `1.5.2`, `0x10`, `NaN`, `123456789012345678901234567890`,
		`"`, `"\`, `"\"`, `"\\"`, `"\x"`, `"\n\t\b\f\r\/\""`, `"\u0041\u00e9\u05d0"`, `"\uD83D\uDE00"`, `"\uD83D"`, `"\uD83D\uD83D"`,
		`"\uDE00x"`, `"\u12"`, `"\u12G4"`, `"\uD83D\u12"`, `"\uD83D\n"`, "\"a\x01b\"", "\"a\nb\"", "\"\x7f\"", "\"caf\u00e9 \u05e9\u05dc\u05d5\u05dd \U0001F600\"",
		"\"\xff\xfe\"", "\"\xed\xa0\x80\"", "\"\xe2\x80\"", "{\"\xff\":1}", `"1234567"`, `"12345678"`, `"123456789\n1234567\"12345678\\"`,
		"\"aaaaaaa\x1faaaaaaaa\"", "\"aaaaaaa\u00e9aaaaaaaa\"", `"!!!!!!!!!!!!!!!!#][]["`, "\xef\xbb\xbf{}", `{} {}`, `1 2`, `"a" x`,
		`[{"agent_id":"1","prompt":"one\ntwo"},{"agent_id":"2","prompt":"\"x\""}]`, strings.Repeat("[", 900) + strings.Repeat("]", 900),
	}
}

func TestDecodeIsEncodingJSON(t *testing.T) {
	for _, input := range inputs() {
		got, ok := Texts(nil).Decode([]byte(input))
		want, wantOK := standard([]byte(input))
		if ok != wantOK || !ok && got != nil {
			t.Errorf("Decode(%q): ok is %v, and encoding/json says %v", input, ok, wantOK)
		} else if ok && !reflect.DeepEqual(got, want) { // cmp is slow where values lie deep
			t.Errorf("Decode(%q) = %#v, and encoding/json says %#v", input, got, want)
		}
	}
}

// TestPlainStopsAtTheFirst puts every byte at every place of a word.
func TestPlainStopsAtTheFirst(t *testing.T) {
	for c := range 256 {
		for at := range 17 {
			data := []byte(strings.Repeat("a", 20))
			data[at] = byte(c)
			want := at
			if c >= ' ' && c < 0x80 && c != '"' && c != '\\' {
				want = len(data)
			}
			if got := plain(data); got != want {
				t.Fatalf("plain stops at %d of %q, want %d", got, data, want)
			}
		}
	}
}

func TestDecodeKeepsNothingOfTheInput(t *testing.T) {
	data := []byte(`{"name":"text","more":"a\nb","n":12}`)
	value, _ := Texts(nil).Decode(data)
	clear(data)
	if d := cmp.Diff(map[string]any{"name": "text", "more": "a\nb", "n": json.Number("12")}, value); d != "" {
		t.Errorf("after the input was overwritten (-want +got):\n%s", d)
	}
}

func TestDecodeAllocatesOncePerText(t *testing.T) {
	row := `{"agent_id":"1","general_prompt":"` + strings.Repeat(`line\n`, 1000) + `","begin_message":"Hello"}`
	one, many := []byte("["+row+"]"), []byte("["+strings.Repeat(row+",", 100)+row+"]")
	count := func(data []byte) float64 { return testing.AllocsPerRun(10, func() { Texts(nil).Decode(data) }) }
	// A row is a map with its table, three texts and their boxes; its names are known from the first. The list grows now and then.
	if per := (count(many) - count(one)) / 100; per > 8.2 {
		t.Errorf("a row costs %.1f allocations", per)
	}
}

func TestUniqueRefusesNamesThatAreThereTwice(t *testing.T) {
	for data, want := range map[string]bool{`{"a":1,"b":{"a":1}}`: true, `{"a":1,"a":1}`: false, `{"b":[{"a":1,"\u0061":2}]}`: false, `{}`: true} {
		if _, ok := Texts(nil).Unique([]byte(data)); ok != want {
			t.Errorf("Unique(%s) is %v", data, ok)
		}
	}
}

func TestTextsAreShared(t *testing.T) {
	long := strings.Repeat("a line of a prompt\n", 20)
	texts := Texts{}
	texts.Add(map[string]any{"a": []any{long, "short"}})
	data, err := json.Marshal(map[string]any{"prompt": long, "name": "short"})
	if err != nil {
		t.Fatal(err)
	}
	value, ok := texts.Decode(data)
	got, _ := value.(map[string]any)["prompt"].(string)
	if !ok || got != long || unsafe.StringData(got) != unsafe.StringData(long) || len(texts) != 1 {
		t.Errorf("%v, shared: %v, of %d texts", ok, unsafe.StringData(got) == unsafe.StringData(long), len(texts))
	}
}

func FuzzDecode(f *testing.F) {
	for _, input := range inputs() {
		f.Add([]byte(input))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := Texts(nil).Decode(data)
		want, wantOK := standard(data)
		if ok != wantOK && !(wantOK && bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxDepth) {
			t.Fatalf("ok is %v, and encoding/json says %v", ok, wantOK)
		}
		if ok && !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, and encoding/json says %#v", got, want)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	row := `{"agent_id":"1","general_prompt":"` + strings.Repeat(`a line of a prompt, of some length\n`, 100) + `","begin_message":"Hello"}`
	data := []byte("[" + strings.Repeat(row+",", 99) + row + "]")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Texts(nil).Decode(data); !ok {
			b.Fatal("not decoded")
		}
	}
}
