package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// rowsOf is what encoding/json makes of a list of objects.
func rowsOf(data []byte) (rows []map[string]any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if decoder.Decode(&rows) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return rows, err == io.EOF
}

// checkRows holds Rows, with what it leaves to encoding/json, to what that says of the whole.
func checkRows(t *testing.T, data []byte, window int) {
	t.Helper()
	got, left, cut, err := Texts(nil).rows(iotest.HalfReader(bytes.NewReader(data)), window)
	if err != nil {
		t.Fatal(err)
	}
	want, wantOK := rowsOf(data)
	ok := true
	if left != nil {
		if cut+len(left) != len(data) || len(left) > 1 && string(left[1:]) != string(data[cut+1:]) {
			t.Errorf("window %d: %q leaves %q after %d bytes", window, data, left, cut)
		}
		var more []map[string]any
		if more, ok = rowsOf(left); got != nil {
			more = append(got, more...)
		}
		got = more
	}
	if ok != wantOK || ok && !reflect.DeepEqual(got, want) {
		t.Errorf("window %d: %q gives %v (ok is %v), and encoding/json %v (ok is %v)", window, data, got, ok, want, wantOK)
	}
}

func rowInputs() []string {
	row := `{"agent_id":"1","prompt":"one\ntwo","n":[1,2,{"a":null}]}`
	return append(inputs(), `[{"a":1},{"b":2}]`, ` [ {"a":1} , {"b":2} ] `+"\n", `[{"a":1},]`, `[{"a":1}{"b":2}]`, `[{"a":1},{"b":2}] x`, `[{"a":1},{"b":2}`,
		`[{"a":1},null,{"b":2}]`, `[{"a":1},7]`, `[{"a":1},"a long text that is no object"]`, `[{"a":1},{"b":tru}]`, `[{"a":1},{"b":"`+"\x01"+`"}]`, `[{"a":1},]x`,
		"["+strings.Repeat(row+" ,\n", 20)+row+"]", "["+strings.Repeat(row+",", 20)+"oops]", "["+strings.Repeat(row+",", 20)+row+strings.Repeat(" ", 100)+"] 1",
		"  ["+row+`,{"deep":`+strings.Repeat("[", 1100)+strings.Repeat("]", 1100)+"},"+row+"]")
}

func TestRowsAreEncodingJSON(t *testing.T) {
	for _, input := range rowInputs() {
		for _, window := range []int{1, 2, 7, 16, 64, 100, 1 << 20} {
			checkRows(t, []byte(input), window)
		}
	}
}

func TestRowsAreDecodedAsTheyArrive(t *testing.T) {
	row := `{"agent_id":"1","prompt":"` + strings.Repeat("x", 500) + `"}`
	text := "[" + strings.Repeat(row+",", 999) + row + "]"
	s := stream{decoder: decoder{data: make([]byte, 0, 2048), keys: map[string]string{}}, from: strings.NewReader(text)}
	s.fill(0)
	if !s.list() || len(s.rows) != 1000 || cap(s.data) > 2048 {
		t.Errorf("%d rows, in a window of %d bytes", len(s.rows), cap(s.data))
	}
}

func TestRowsThatAreCutShort(t *testing.T) {
	for _, fault := range []error{io.ErrUnexpectedEOF, errors.New("reset")} {
		for _, text := range []string{"", `[{"a":1},{"a":2}`, `[{"a":1},{"a":2}]`} {
			if _, _, _, err := Texts(nil).Rows(io.MultiReader(strings.NewReader(text), iotest.ErrReader(fault))); err != fault {
				t.Errorf("%q and then %v: %v", text, fault, err)
			}
		}
	}
}

func FuzzRows(f *testing.F) {
	for _, input := range rowInputs() {
		f.Add([]byte(input), uint16(16))
	}
	f.Fuzz(func(t *testing.T, data []byte, window uint16) {
		checkRows(t, data, int(window)%512+1)
	})
}
