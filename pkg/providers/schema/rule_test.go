package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"agentsync.dev/agentsync/pkg/diff"
)

// sealed loads nothing: every schema is complete in itself.
type sealed struct{}

func (sealed) Load(url string) (any, error) { panic(url) }

// standard compiles a schema for a validator of the whole standard.
func standard(raw []byte) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(sealed{})
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("https://agentsync.dev/schema.json", doc); err != nil {
		panic(err)
	}
	return c.MustCompile("https://agentsync.dev/schema.json")
}

// bareSchemas use every keyword that rules know, each for an object's field v.
func bareSchemas() []string {
	return []string{
		`{"type": "string"}`, `{"type": ["integer", "null"]}`, `{"type": "number"}`, `{"enum": [1, "a", null, [1.0], {"b": 2}]}`, `{"const": 1.50}`,
		`{"minimum": 1.5, "maximum": 3}`, `{"exclusiveMinimum": 1, "exclusiveMaximum": 2}`, `{"multipleOf": 0.1}`, `{"minLength": 2, "maxLength": 3}`,
		`{"pattern": "^a+$"}`, `{"minItems": 1, "maxItems": 2}`, `{"minProperties": 1, "maxProperties": 2}`, `{"uniqueItems": true}`,
		`{"items": {"type": "integer"}}`, `{"contains": {"const": 1}}`, `{"required": ["a", "b"]}`, `{"dependentRequired": {"a": ["b"]}}`,
		`{"properties": {"a": {"type": "integer"}, "b": false}}`, `{"properties": {"a": true}, "additionalProperties": {"type": "string"}}`,
		`{"propertyNames": {"maxLength": 1}}`, `{"not": {"type": "string"}}`, `{"allOf": [{"minimum": 1}, {"maximum": 2}]}`,
		`{"anyOf": [{"type": "string"}, {"minimum": 2}]}`, `{"oneOf": [{"type": "integer"}, {"minimum": 2}]}`,
		`{"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}`,
		`{"if": {"type": "string"}, "then": {"minLength": 2}}`, `true`,
	}
}

func bareDocuments() []string {
	return []string{
		`null`, `true`, `1`, `1.0`, `1.5`, `2`, `3`, `4`, `0.3`, `-1`, `1e2`, `""`, `"a"`, `"aa"`, `"aaa"`, `"שלום"`, `"1"`, `[]`, `[1]`, `[1, 1.0]`, `["a", 1]`,
		`[1, 2, 3]`, `[{"a": 1}, {"a": 1}]`, `[[1], [1.0]]`, `{}`, `{"a": 1}`, `{"a": 1, "b": 2}`, `{"b": 2}`, `{"a": "x", "long": "y"}`, `{"a": 2, "c": 3, "d": 4}`,
	}
}

// agrees reports where a rule's verdict is not the standard's.
func agrees(t *testing.T, own *rule, whole *jsonschema.Schema, schema string, value any) {
	t.Helper()
	got, want := own.check(nil, value), whole.Validate(value)
	if len(got) == 0 != (want == nil) {
		t.Errorf("%s of %s: the rule finds %d faults, the standard says %v", diff.Canonical(value), schema, len(got), want)
	}
}

func normalForm(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return diff.Normalize(nil, value)
}

func TestRulesAreTheStandard(t *testing.T) {
	for _, raw := range bareSchemas() {
		schema := `{"properties": {"v": ` + raw + `}}`
		doc, err := decodeJSON([]byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		own, whole := parser{"test"}.rule(nil, doc), standard([]byte(schema))
		for _, text := range bareDocuments() {
			agrees(t, own, whole, raw, normalForm(t, `{"v": `+text+`}`))
		}
	}
}

func TestRuleRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, raw := range []string{`{"dependentSchemas": {}}`, `{"minimum": "1"}`, `{"pattern": "("}`, `1`, `{"properties": {"a": {"prefixItems": []}}}`} {
		doc, err := decodeJSON([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", raw)
				}
			}()
			parser{"test"}.rule(nil, doc)
		}()
	}
}

// FuzzRule: what a rule says of a document is what a validator of the whole standard says.
func FuzzRule(f *testing.F) {
	raw, err := os.ReadFile("testdata/phone.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range bareDocuments() {
		f.Add(`{"name": "n", "vars": ` + text + `, "speed": ` + text + `}`)
	}
	s, whole := Parse("phone", raw), standard(raw)
	var bare []*rule
	var bareWhole []*jsonschema.Schema
	for _, raw := range bareSchemas() {
		doc, err := decodeJSON([]byte(raw))
		if err != nil {
			f.Fatal(err)
		}
		bare, bareWhole = append(bare, parser{"test"}.rule(nil, doc)), append(bareWhole, standard([]byte(raw)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil {
			return
		}
		value = diff.Normalize(nil, value)
		for i, own := range bare {
			agrees(t, own, bareWhole[i], bareSchemas()[i], value)
		}
		// The standard refuses fields that are not known; of those the walk tells.
		if object, ok := value.(diff.Object); ok {
			for name := range object {
				if s.Type().Field(name) == nil {
					return
				}
			}
			if whole.Validate(value) == nil && len(s.rule().check(nil, value)) > 0 {
				t.Errorf("%s is valid, and the rule finds faults", text)
			}
		}
	})
}
