package schema

import (
	"strings"
	"sync"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// Schema is one vendor's schema. It is not changed after Parse and may be shared.
type Schema struct {
	vendor string // in messages
	name   string // for `agentsync explain`
	raw    []byte
	doc    *object // raw without $refs
	root   *node
	// rule is compiled at the first use.
	rule func() *rule
}

// Parse reads a schema. name is the vendor's, with the API generation where that is not the default: voicy/functions-v1. It panics on a schema that is not valid, which only a change to
// agentsync's own files can cause.
func Parse(name string, raw []byte) *Schema {
	vendor, _, _ := strings.Cut(name, "/")
	p := parser{name}
	doc := p.document(raw)
	s := &Schema{vendor: vendor, name: name, raw: raw, doc: doc, root: p.root(doc)}
	s.rule = sync.OnceValue(func() *rule { return p.rule(nil, doc) })
	return s
}

// Type returns the type of the whole config.
func (s *Schema) Type() *diff.Type { return s.root.typ }

// JSON returns the schema as published.
func (s *Schema) JSON() []byte { return s.raw }

// Config is a decoded config.
type Config struct {
	// Object is the desired config in normal form. A null that clears became the clearing value.
	Object diff.Object
	// Sensitive are the pointers of values that came from {$env} (the schema's own sensitive fields are not repeated).
	Sensitive []diff.Pointer
	// Files are the values of fields marked file, in order of their pointers.
	Files []FileRef
	// Places gives the manifest position of a pointer; that of the nearest value above it where the pointer is unknown.
	Places map[diff.Pointer]spec.Pos
}

// FileRef is a file named in a config.
type FileRef struct {
	Pointer diff.Pointer
	Dir     string // see spec.Value.Dir
	Name    string
	Pos     spec.Pos
}

// Decode turns a manifest's config into a desired config, and reports every fault: unknown fields with the nearest known name
// (unless allowUnknown), wrong types, read-only fields, nulls that cannot clear, and what the vendor documents (enums, ranges,
// conditional fields). Scalars become what the schema says the field is. The problems are in order of their places; where one
// of them is an error, the Config lacks the values at fault.
func (s *Schema) Decode(v *spec.Value, allowUnknown bool) (Config, spec.Problems) {
	d := &decoder{schema: s, allowUnknown: allowUnknown}
	d.config.Places = map[diff.Pointer]spec.Pos{}
	d.config.Object = d.root(v)
	d.validate()
	return d.config, d.problems.Sorted()
}

// Place returns the position of p in c: its own, or that of the nearest known value above it.
func (c Config) Place(p diff.Pointer) spec.Pos {
	for {
		if pos, ok := c.Places[p]; ok || p == "" {
			return pos
		}
		p = p[:max(0, strings.LastIndexByte(string(p), '/'))]
	}
}
