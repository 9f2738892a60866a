package spec

import "fmt"

// Pos is a place in a manifest. File is as the user would write it (relative to the working directory where it lies below
// it, "<stdin>" for standard input); Line and Column count from 1, and are 0 where they are unknown.
type Pos struct {
	File         string
	Line, Column int
}

// String returns file:line:column, leaving out what is unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Kind is the kind of a [Value].
type Kind int

// The kinds. A Plain value is an unquoted YAML scalar whose meaning (text, number, boolean) the schema decides; JSON numbers
// and booleans are Plain too. Text is a quoted or block scalar, or text that a directive produced.
const (
	Null Kind = iota
	Plain
	Text
	List
	Map
)

// Value is one node of a manifest after directives are resolved. It keeps a scalar as it was written, so that `no`, `1e3` or
// `2026-01-01` can become what the schema says the field is.
type Value struct {
	Kind  Kind
	Text  string // Plain and Text: the scalar as written
	Items []*Value
	Pairs []Pair // Map: in the order of the manifest, keys unique
	Pos   Pos
	// Sensitive is set on a value that came from {$env}, or was joined from one.
	Sensitive bool
	// From says what a directive made the value from: "" for none, else for example "file prompts/a.md" or "env TOKEN".
	From string
	// Faulty is set where a directive could not be resolved: that was reported, and what the value is is not known.
	Faulty bool
	// Dir is the folder, relative to Root (see [Set]), that relative paths in this value are resolved against.
	Dir string
}

// Pair is one entry of a [Map] value.
type Pair struct {
	Key    string
	KeyPos Pos
	Value  *Value
}

// Lookup returns the value of key in a Map, nil if v is no Map or has no such key.
func (v *Value) Lookup(key string) *Value {
	if v == nil || v.Kind != Map {
		return nil
	}
	for _, p := range v.Pairs {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}
