// Package jsontree reads JSON into maps, lists and texts in one pass. It gives what encoding/json gives with UseNumber, and fuzzing holds it
// to that; encoding/json looks at every byte four times on the way, which is most of what a plan would cost.
package jsontree

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of what is read here, and not left to encoding/json.
const (
	maxDepth = 1000 // values inside each other
	maxKeys  = 1000 // names that are kept to be used again
	maxRoom  = 8192 // bytes that a text with escapes is given to begin with
)

// Texts are long texts that are in memory already. What is decoded shares them instead of holding a copy: most of what a vendor answers and
// the state remembers is what the manifests say. It is filled first, and may then be read by several at a time; nil is none.
type Texts map[string]string

// sharedText is the length from which a text is worth sharing.
const sharedText = 64

// Add adds the long texts in v, a value as Decode returns it.
func (t Texts) Add(v any) {
	switch v := v.(type) {
	case string:
		if len(v) >= sharedText {
			t[v] = v
		}
	case []any:
		for _, item := range v {
			t.Add(item)
		}
	case map[string]any:
		for _, item := range v {
			t.Add(item)
		}
	}
}

// of returns text, as the one that is there already if there is one.
func (t Texts) of(text []byte) string {
	if len(text) >= sharedText {
		if known, ok := t[string(text)]; ok {
			return known
		}
	}
	return string(text)
}

// Decode returns the one value in data: nil, bool, [json.Number], string, []any or map[string]any. It is false for data that encoding/json
// would refuse, and for what is nested absurdly deep; whoever wants to know why asks encoding/json.
func (t Texts) Decode(data []byte) (value any, ok bool) {
	d := decoder{data: data, keys: map[string]string{}, texts: t}
	return d.whole()
}

// Unique is Decode for data in which no object has a name twice; it is false where one has.
func (t Texts) Unique(data []byte) (value any, ok bool) {
	d := decoder{data: data, keys: map[string]string{}, texts: t, unique: true}
	return d.whole()
}

func (d *decoder) whole() (value any, ok bool) {
	d.space()
	value, ok = d.value(0)
	if d.space(); !ok || d.at < len(d.data) {
		return nil, false
	}
	return value, true
}

type decoder struct {
	data  []byte
	at    int
	texts Texts
	// unique refuses names that are there twice.
	unique bool
	// keys holds each name once: the rows of a list have the same.
	keys map[string]string
	// text is where a string with escapes is put together.
	text []byte
}

func (d *decoder) space() {
	for d.at < len(d.data) {
		switch d.data[d.at] {
		case ' ', '\n', '\r', '\t':
			d.at++
		default:
			return
		}
	}
}

// next reports whether c comes next, after white space, and passes it.
func (d *decoder) next(c byte) bool {
	d.space()
	if d.at < len(d.data) && d.data[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *decoder) word(word string, value any) (any, bool) {
	if len(d.data)-d.at < len(word) || string(d.data[d.at:d.at+len(word)]) != word {
		return nil, false
	}
	d.at += len(word)
	return value, true
}

// value reads the value that begins at d.at.
func (d *decoder) value(depth int) (any, bool) {
	if d.at >= len(d.data) || depth > maxDepth {
		return nil, false
	}
	switch d.data[d.at] {
	case '{':
		return d.object(depth)
	case '[':
		return d.list(depth)
	case '"':
		text, ok := d.string()
		return d.texts.of(text), ok
	case 't':
		return d.word("true", true)
	case 'f':
		return d.word("false", false)
	case 'n':
		return d.word("null", nil)
	}
	return d.number()
}

func (d *decoder) list(depth int) (any, bool) {
	d.at++
	list := []any{}
	if d.next(']') {
		return list, true
	}
	for {
		d.space()
		item, ok := d.value(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, item)
		switch {
		case d.next(','):
		case d.next(']'):
			return list, true
		default:
			return nil, false
		}
	}
}

func (d *decoder) object(depth int) (any, bool) {
	d.at++
	object := map[string]any{}
	if d.next('}') {
		return object, true
	}
	for n := 1; ; n++ {
		key, ok := d.key()
		if !ok || !d.next(':') {
			return nil, false
		}
		d.space()
		if object[key], ok = d.value(depth + 1); !ok {
			return nil, false
		}
		switch {
		case d.next(','):
		case d.next('}'):
			return object, !d.unique || len(object) == n
		default:
			return nil, false
		}
	}
}

func (d *decoder) key() (string, bool) {
	d.space()
	if d.at >= len(d.data) || d.data[d.at] != '"' {
		return "", false
	}
	text, ok := d.string()
	if key, known := d.keys[string(text)]; known {
		return key, ok
	}
	key := string(text)
	if len(d.keys) < maxKeys {
		d.keys[key] = key
	}
	return key, ok
}

// number reads a number: RFC 8259, section 6.
func (d *decoder) number() (any, bool) {
	start := d.at
	d.pass("-")
	if !d.pass("0") && d.digits() == 0 {
		return nil, false
	}
	if d.pass(".") && d.digits() == 0 {
		return nil, false
	}
	if d.pass("eE") {
		d.pass("+-")
		if d.digits() == 0 {
			return nil, false
		}
	}
	return json.Number(d.data[start:d.at]), true
}

// pass passes one byte if it is one of those.
func (d *decoder) pass(one string) bool {
	if d.at < len(d.data) && strings.IndexByte(one, d.data[d.at]) >= 0 {
		d.at++
		return true
	}
	return false
}

func (d *decoder) digits() (n int) {
	for d.at < len(d.data) && d.data[d.at] >= '0' && d.data[d.at] <= '9' {
		d.at++
		n++
	}
	return n
}

// string reads the string that begins at d.at. What it returns is good until the next call.
func (d *decoder) string() (text []byte, ok bool) {
	d.at++
	start := d.at
	d.at += plain(d.data[d.at:])
	if d.at < len(d.data) && d.data[d.at] == '"' {
		d.at++
		return d.data[start : d.at-1], true
	}
	if d.text == nil {
		d.text = make([]byte, 0, min(len(d.data)-start, maxRoom))
	}
	d.text = append(d.text[:0], d.data[start:d.at]...)
	for d.at < len(d.data) {
		switch c := d.data[d.at]; {
		case c == '"':
			d.at++
			return d.text, true
		case c < ' ':
			return nil, false
		case c == '\\':
			if !d.escape() {
				return nil, false
			}
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(d.data[d.at:]) // bytes that are no UTF-8 become U+FFFD
			d.text = utf8.AppendRune(d.text, r)
			d.at += size
		default:
			n := plain(d.data[d.at:])
			d.text = append(d.text, d.data[d.at:d.at+n]...)
			d.at += n
		}
	}
	return nil, false
}

// escape reads a backslash and what follows.
func (d *decoder) escape() bool {
	if d.at+1 >= len(d.data) {
		return false
	}
	c := d.data[d.at+1]
	if c == 'u' {
		return d.codePoint()
	}
	const short, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := strings.IndexByte(short, c)
	if i < 0 {
		return false
	}
	d.text = append(d.text, meant[i])
	d.at += 2
	return true
}

// codePoint reads \uXXXX, and the second of a pair if it is one. Half a pair becomes U+FFFD.
func (d *decoder) codePoint() bool {
	r, ok := d.hex(d.at)
	if !ok {
		return false
	}
	d.at += 6
	if utf16.IsSurrogate(r) {
		second, _ := d.hex(d.at)
		if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
			d.at += 6
		}
	}
	d.text = utf8.AppendRune(d.text, r)
	return true
}

// hex returns the value of the \uXXXX at a place.
func (d *decoder) hex(at int) (value rune, ok bool) {
	if at+6 > len(d.data) || d.data[at] != '\\' || d.data[at+1] != 'u' {
		return -1, false
	}
	for _, c := range d.data[at+2 : at+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1, false
		}
		value = value<<4 | rune(c)
	}
	return value, true
}

// plain returns how many bytes at the beginning of data stand for themselves in a string: ASCII without controls, quotes and backslashes.
// It looks at eight at a time, with the usual tricks for finding a byte in a word.
func plain(data []byte) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(data)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(data[n:])
		quote, slash := word^(low*'"'), word^(low*'\\')
		odd := (word | (word - low*' ') | (quote - low) | (slash - low)) & high
		if odd != 0 {
			// The lowest mark is exact; those above it may be borrowed, and are looked at no more.
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for ; n < len(data); n++ {
		if c := data[n]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
	}
	return n
}
