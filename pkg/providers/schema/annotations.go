package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
)

// annotationKey is the keyword that holds what JSON Schema has no word for.
const annotationKey = "x-agentsync"

// annotations are the contents of x-agentsync; see the package comment.
type annotations struct {
	Sensitive        bool            `json:"sensitive"`
	Text             bool            `json:"text"`
	Immutable        bool            `json:"immutable"`
	CreateOnly       bool            `json:"createOnly"`
	File             bool            `json:"file"`
	List             diff.ListRule   `json:"list"`
	Key              string          `json:"key"`
	Nested           string          `json:"nested"`
	ReadMaybe        bool            `json:"readMaybe"`
	Clear            json.RawMessage `json:"clear"`
	Group            string          `json:"group"`
	Toggle           string          `json:"toggle"`
	Required         []string        `json:"required"`
	RequiredOnCreate []string        `json:"requiredOnCreate"`
	Warn             *limits         `json:"warn"`
	Unit             string          `json:"unit"`
	Source           string          `json:"source"`
}

// keywords are those of x-agentsync. encoding/json alone would also take them in capitals.
func keywords() []string {
	return []string{"sensitive", "text", "immutable", "createOnly", "file", "list", "key", "nested", "readMaybe", "clear", "group",
		"toggle", "required", "requiredOnCreate", "warn", "unit", "source"}
}

// annotate reads x-agentsync and the standard annotations into n's type. up is the type around it, nil for the root.
func (p parser) annotate(path string, n *node, up *diff.Type) {
	if n.doc.has(annotationKey) {
		p.readAnnotations(path, n)
	}
	t, note := n.typ, &n.note
	p.checkAnnotations(path, t.Kind, note, up == nil)
	if up == nil {
		up = &diff.Type{}
	}
	t.ReadOnly = up.ReadOnly || n.doc.flag("readOnly")
	t.WriteOnly = up.WriteOnly || n.doc.flag("writeOnly")
	t.ReadMaybe = up.ReadMaybe || note.ReadMaybe
	t.Sensitive = up.Sensitive || note.Sensitive
	t.Immutable = up.Immutable || note.Immutable
	t.CreateOnly = up.CreateOnly || note.CreateOnly
	t.Text, t.File = note.Text, note.File
	t.List, t.Key = note.List, note.Key
	t.Whole, t.SentWhole = note.Nested == "whole", note.Nested == "replace"
	t.Group, t.Toggle = note.Group, note.Toggle
	t.Required, t.RequiredOnCreate = note.Required, note.RequiredOnCreate
	for _, name := range texts(n.doc.list("required")) {
		if !slices.Contains(t.Required, name) {
			t.Required = append(t.Required, name)
		}
	}
}

func (p parser) readAnnotations(path string, n *node) {
	doc := n.doc.object(annotationKey)
	if doc == nil {
		p.fail(path, "%s is an object", annotationKey)
	}
	for _, key := range doc.keys {
		if !slices.Contains(keywords(), key) {
			p.fail(path, "unknown %s keyword %q", annotationKey, key)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(encodeJSON(doc)))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&n.note); err != nil {
		p.fail(path, "%s: %v", annotationKey, err)
	}
}

// checkAnnotations refuses values that mean nothing, and keywords on fields of a kind that has no use for them.
func (p parser) checkAnnotations(path string, kind diff.Kind, note *annotations, root bool) {
	type rule struct {
		keyword string
		used    bool
		fits    bool
		where   string
	}
	scalar := kind != diff.Map && kind != diff.List
	for _, r := range []rule{
		{"text", note.Text, kind == diff.String, "a string"},
		{"file", note.File, kind == diff.String, "a string"},
		{"list", note.List != "", kind == diff.List, "a list"},
		{"key", note.Key != "", kind == diff.List, "a list"},
		{"nested", note.Nested != "", kind == diff.Map, "an object"},
		{"required", note.Required != nil, kind == diff.Map && !root, "an object below the root"},
		{"requiredOnCreate", note.RequiredOnCreate != nil, root, "the root"},
		{"warn", note.Warn != nil, scalar, "a string, number or boolean"},
	} {
		if r.used && !r.fits {
			p.fail(path, "%s belongs on %s", r.keyword, r.where)
		}
	}
	if lists := []diff.ListRule{"", diff.Atomic, diff.Set, diff.Keyed}; !slices.Contains(lists, note.List) {
		p.fail(path, "list is atomic, set or keyed, not %q", note.List)
	}
	if nested := []string{"", "replace", "merge", "whole"}; !slices.Contains(nested, note.Nested) {
		p.fail(path, "nested is replace, merge or whole, not %q", note.Nested)
	}
	if note.Warn != nil {
		if err := note.Warn.prepare(); err != nil {
			p.fail(path, "warn: %v", err)
		}
	}
}

// limits are what a vendor seems to refuse but does not document.
type limits struct {
	Minimum json.Number `json:"minimum"`
	Maximum json.Number `json:"maximum"`
	Enum    []any       `json:"enum"`
	Pattern string      `json:"pattern"`
	pattern *regexp.Regexp
}

func (l *limits) prepare() (err error) {
	l.pattern, err = regexp.Compile(l.Pattern)
	return err
}

// exceeded says how value is outside the limits, "" if it is not.
func (l *limits) exceeded(value any) string {
	switch v := value.(type) {
	case json.Number:
		if l.Minimum != "" && compareNumbers(v, l.Minimum) < 0 {
			return fmt.Sprintf("is below %s", l.Minimum)
		}
		if l.Maximum != "" && compareNumbers(v, l.Maximum) > 0 {
			return fmt.Sprintf("is above %s", l.Maximum)
		}
	case string:
		if !l.pattern.MatchString(v) {
			return fmt.Sprintf("does not match %s", l.Pattern)
		}
	}
	among := func(known any) bool { return diff.Equal(nil, diff.Normalize(nil, known), value) }
	if l.Enum != nil && !slices.ContainsFunc(l.Enum, among) {
		return "is not one of " + listing(l.Enum)
	}
	return ""
}

func compareNumbers(a, b json.Number) int {
	x, okX := new(big.Rat).SetString(string(a))
	y, okY := new(big.Rat).SetString(string(b))
	if !okX || !okY {
		return 0
	}
	return x.Cmp(y)
}
