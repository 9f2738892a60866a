package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// object is a JSON object that remembers the order of its keys: the fields of a schema are shown in the order of its file.
type object struct {
	keys   []string
	values map[string]any // *object, []any, string, json.Number, bool, nil
}

// newObject makes an object of alternating keys and values.
func newObject(pairs ...any) *object {
	o := &object{values: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		o.set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// get returns the value of key, nil where o has none. A nil object has none at all.
func (o *object) get(key string) any {
	if o == nil {
		return nil
	}
	return o.values[key]
}

func (o *object) has(key string) bool {
	if o == nil {
		return false
	}
	_, ok := o.values[key]
	return ok
}

// object returns the object under key, nil where there is none.
func (o *object) object(key string) *object {
	inner, _ := o.get(key).(*object)
	return inner
}

// text returns the string under key, "" where there is none.
func (o *object) text(key string) string {
	s, _ := o.get(key).(string)
	return s
}

func (o *object) list(key string) []any {
	l, _ := o.get(key).([]any)
	return l
}

// flag reports whether key is true.
func (o *object) flag(key string) bool { return o.get(key) == true }

// set writes a value; a new key goes to the end.
func (o *object) set(key string, value any) {
	if !o.has(key) {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

func (o *object) remove(key string) {
	delete(o.values, key)
	o.keys = slices.DeleteFunc(o.keys, func(k string) bool { return k == key })
}

// clone returns a copy that shares the values.
func (o *object) clone() *object {
	return &object{keys: slices.Clone(o.keys), values: maps.Clone(o.values)}
}

// decodeJSON reads one JSON value with its order and its numbers as written. A key that is there twice is an error.
func decodeJSON(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	value, err := decodeValue(dec)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON value")
	}
	return value, nil
}

func decodeValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(dec)
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			item, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err := dec.Token()
		return list, err
	}
	return token, nil
}

func decodeObject(dec *json.Decoder) (*object, error) {
	o := newObject()
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string)
		if o.has(key) {
			return nil, fmt.Errorf("key %q is there twice", key)
		}
		value, err := decodeValue(dec)
		if err != nil {
			return nil, err
		}
		o.set(key, value)
	}
	_, err := dec.Token()
	return o, err
}

// encodeJSON writes a value that decodeJSON or newObject made, in its order, indented for people.
func encodeJSON(value any) []byte {
	var compact, out bytes.Buffer
	encodeValue(&compact, value)
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		panic(fmt.Sprintf("schema: what was encoded is not JSON: %v", err))
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func encodeValue(out *bytes.Buffer, value any) {
	switch v := value.(type) {
	case *object:
		out.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				out.WriteByte(',')
			}
			encodeValue(out, key)
			out.WriteByte(':')
			encodeValue(out, v.values[key])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			encodeValue(out, item)
		}
		out.WriteByte(']')
	default:
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			panic(fmt.Sprintf("schema: %T is not a JSON value: %v", value, err))
		}
	}
}

// plain returns the value as encoding/json would decode it into an any.
func plain(value any) any {
	switch v := value.(type) {
	case *object:
		m := make(map[string]any, len(v.keys))
		for key, inner := range v.values {
			m[key] = plain(inner)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = plain(item)
		}
		return list
	}
	return value
}

// texts returns the strings of a list, leaving out what is none.
func texts(list []any) []string {
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
