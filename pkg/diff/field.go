package diff

// Origin says who moved a field.
type Origin string

// The origins; see the table at [Compare].
const (
	FromManifest Origin = "manifest"
	Drift        Origin = "drift"
	Conflict     Origin = "conflict"
	Unknown      Origin = "unknown"
	Released     Origin = "released"
)

// Op is what happens to a field.
type Op string

// The operations, as in JSON Patch.
const (
	Add     Op = "add"
	Replace Op = "replace"
	Remove  Op = "remove"
)

// Field is one difference between live and desired.
type Field struct {
	Path   Pointer
	Op     Op
	Before any // live; nil if absent
	After  any // desired; nil if absent
	// Base is the last applied value; HasBase is false where there is none.
	Base    any
	HasBase bool
	Origin  Origin
	Type    *Type // nil if the schema does not know the field
}
