package diff

// Object is a JSON object in normal form: its values are nil, bool, json.Number (canonical, see [Normalize]), string,
// []any and Object's own underlying map.
type Object = map[string]any

// Kind is the JSON kind a schema gives a field.
type Kind string

// The kinds. Any stands for a field whose kind the vendor does not document; its values are compared as they are.
const (
	Any     Kind = "any"
	String  Kind = "string"
	Number  Kind = "number"
	Integer Kind = "integer"
	Boolean Kind = "boolean"
	List    Kind = "array"
	Map     Kind = "object"
)

// ListRule says how two lists are compared.
type ListRule string

// Atomic lists are compared element by element in order, sets without order, keyed lists by the field [Type.Key] of
// their items, without order. Whichever it is, a list is one field of a plan and is sent whole.
const (
	Atomic ListRule = "atomic"
	Set    ListRule = "set"
	Keyed  ListRule = "keyed"
)

// Type says how the values of one field compare. It is the part of a vendor's schema that code decides on; what
// people read of a field (its description) stays in the schema. A Type is never changed once built, so that it can be shared.
type Type struct {
	Kind Kind
	// Text marks a long string in which trailing white space means nothing.
	Text bool
	// ReadOnly fields are never compared and never sent.
	ReadOnly bool
	// WriteOnly fields are never read back; they are compared with the base.
	WriteOnly bool
	// ReadMaybe marks a field that the vendor may leave out of its answers although it is set; where live lacks it, it is
	// compared with the base.
	ReadMaybe bool
	// Sensitive values are shown as "(sensitive)" and kept as fingerprints.
	Sensitive bool
	// Immutable fields cannot change after the create; CreateOnly fields are not accepted by an update and not returned.
	Immutable  bool
	CreateOnly bool
	// File marks strings that are paths of files to upload.
	File bool
	// List and Key say how a list compares; Items is the type of its elements.
	List  ListRule
	Key   string
	Items *Type
	// Whole marks an object that is declared and compared as one value instead of field by field.
	Whole bool
	// SentWhole marks an object that the vendor may replace: an update sends live plus desired, never a part.
	SentWhole bool
	// Fields are the documented fields of an object; Extra, if any, is the type of all others.
	Fields map[string]*Type
	Extra  *Type
	// Required names the fields that must be there whenever the object is sent; RequiredOnCreate (root only) those
	// that a create needs.
	Required         []string
	RequiredOnCreate []string
	// Default is what an absent live field equals.
	Default    any
	HasDefault bool
	// Clear is the value that clears the field; without HasClear a null in a manifest is an error.
	Clear    any
	HasClear bool
	// Group names the fields that travel together in one request; Toggle is the boolean field of the group that must be
	// true for this field to mean anything.
	Group  string
	Toggle string
}

// Field returns the type of the named field of an object, nil if nothing is known of it. A nil Type knows nothing.
func (t *Type) Field(name string) *Type {
	if t == nil {
		return nil
	}
	if f, ok := t.Fields[name]; ok {
		return f
	}
	return t.Extra
}

// At returns the type at p below t, nil if nothing is known of it.
func (t *Type) At(p Pointer) *Type {
	for _, token := range p.Tokens() {
		if t == nil {
			return nil
		}
		if t.Kind == List {
			t = t.Items
			continue
		}
		t = t.Field(token)
	}
	return t
}
