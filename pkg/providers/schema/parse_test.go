package schema

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

func TestType(t *testing.T) {
	root := phone(t).Type()
	free := &diff.Type{Kind: diff.Any}
	str := &diff.Type{Kind: diff.String}
	secret := func(kind diff.Kind) *diff.Type { return &diff.Type{Kind: kind, Sensitive: true} }
	for pointer, want := range map[diff.Pointer]*diff.Type{
		"/name":        str,
		"/prompt":      {Kind: diff.String, Text: true, Clear: "", HasClear: true},
		"/mode":        {Kind: diff.String, Default: "static", HasDefault: true},
		"/delay_ms":    {Kind: diff.Integer, Default: jsonNumber("100"), HasDefault: true},
		"/webhook":     {Kind: diff.Boolean, Group: "webhook"},
		"/webhook_url": {Kind: diff.String, Group: "webhook", Toggle: "webhook", Sensitive: true},
		"/token":       {Kind: diff.String, WriteOnly: true, Sensitive: true},
		"/region":      {Kind: diff.String, Immutable: true},
		"/copy_from":   {Kind: diff.String, CreateOnly: true},
		"/note":        {Kind: diff.String, HasClear: true},
		"/either":      free,
		"/extra":       free,
		"/voice/speed": {Kind: diff.Number, ReadMaybe: true},
		"/voice/id":    {Kind: diff.String, ReadOnly: true},
		"/voice/style": str,
		"/window": {Kind: diff.Map, Whole: true, Required: []string{"from", "to"},
			Fields: map[string]*diff.Type{"from": str, "to": str}},
		"/hook/headers":          {Kind: diff.Map, Sensitive: true, Extra: secret(diff.String)},
		"/hook/headers/X-Token":  secret(diff.String),
		"/hook/body":             {Kind: diff.Map, Extra: free},
		"/tags":                  {Kind: diff.List, List: diff.Set, Items: str, HasClear: true, Clear: []any{}},
		"/steps":                 {Kind: diff.List, List: diff.Atomic, Items: str},
		"/vars/0/default":        {Kind: diff.String, HasClear: true},
		"/keys/0/value":          secret(diff.String),
		"/files/0":               {Kind: diff.String, File: true},
		"/plugins":               {Kind: diff.List, List: diff.Atomic},
		"/stats/calls":           {Kind: diff.Integer, ReadOnly: true},
		"/no/such/field/at/all/": nil,
	} {
		if got := root.At(pointer); !reflect.DeepEqual(got, want) {
			t.Errorf("type of %s = %+v, want %+v", pointer, got, want)
		}
	}
	voice, vars, hook := root.At("/voice"), root.At("/vars"), root.At("/hook")
	if !voice.SentWhole || voice.Whole || hook.SentWhole || hook.Whole {
		t.Errorf("nested: voice is %+v, hook is %+v", voice, hook)
	}
	if vars.List != diff.Keyed || vars.Key != "name" || !reflect.DeepEqual(vars.Items.Required, []string{"name"}) {
		t.Errorf("vars is %+v", vars)
	}
	if !reflect.DeepEqual(root.RequiredOnCreate, []string{"name", "prompt"}) || root.Required != nil || root.Extra != nil {
		t.Errorf("the root requires %v on create and %v always; extra %v", root.RequiredOnCreate, root.Required, root.Extra)
	}
}

func TestOpenRoot(t *testing.T) {
	s := Parse("open", []byte(`{"type": "object", "properties": {"a": true}, "additionalProperties": {"type": "integer"}}`))
	config, problems := s.Decode(value(t, `{a: x, b: 1.0}`), false)
	if got := canonical(config.Object); got != `{"a":"x","b":1}` || len(problems) > 0 {
		t.Errorf("Decode = %s, %v", got, problems)
	}
}

func TestParsePanics(t *testing.T) {
	property := func(p string) string {
		return `{"type": "object", "properties": {"a": ` + p + `, "b": {"type": "string"}}}`
	}
	for _, test := range []struct{ schema, want string }{
		{`{`, "the root: unexpected EOF"},
		{`{} {}`, "the root: there is more than one JSON value"},
		{`[]`, "the root: a schema is a JSON object"},
		{`{"type": "object"}`, "the root: a config is an object with properties"},
		{`{"type": "object", "properties": {"a": {}, "a": {}}}`, `the root: key "a" is there twice`},
		{`{"type": "object", "properties": {}, "required": []}`, `the root: "required" is not used here: write x-agentsync.requiredOnCreate`},
		{`{"type": "object", "properties": {}, "x-agentsync": {"required": ["a"]}}`, "the root: required belongs on an object below the root"},
		{`{"type": "object", "properties": {}, "x-agentsync": {"requiredOnCreate": ["a"]}}`, `the root: required field "a" does not exist`},
		{property(`3`), "a: a schema is a JSON object or true"},
		{property(`false`), "a: a schema is a JSON object or true"},
		{property(`{"type": "text"}`), `a: unknown type "text"`},
		{property(`{"x-agentsync": true}`), "a: x-agentsync is an object"},
		{property(`{"x-agentsync": {"sensitiv": true}}`), `a: unknown x-agentsync keyword "sensitiv"`},
		{property(`{"x-agentsync": {"Sensitive": true}}`), `a: unknown x-agentsync keyword "Sensitive"`},
		{property(`{"x-agentsync": {"sensitive": "yes"}}`), "a: x-agentsync: json: cannot unmarshal"},
		{property(`{"type": "number", "x-agentsync": {"text": true}}`), "a: text belongs on a string"},
		{property(`{"type": "array", "x-agentsync": {"file": true}}`), "a: file belongs on a string"},
		{property(`{"type": "string", "x-agentsync": {"list": "set"}}`), "a: list belongs on a list"},
		{property(`{"type": "array", "x-agentsync": {"list": "bag"}}`), `a: list is atomic, set or keyed, not "bag"`},
		{property(`{"type": "array", "x-agentsync": {"list": "keyed"}}`), "a: list keyed and key go together"},
		{property(`{"type": "array", "x-agentsync": {"key": "id"}}`), "a: list keyed and key go together"},
		{property(`{"type": "array", "items": {"type": "string"}, "x-agentsync": {"list": "keyed", "key": "id"}}`), `a: key "id" is no field of the items`},
		{property(`{"type": "array", "prefixItems": [true]}`), "a: prefixItems is not supported"},
		{property(`{"type": "array", "x-agentsync": {"nested": "whole"}}`), "a: nested belongs on an object"},
		{property(`{"type": "object", "x-agentsync": {"nested": "part"}}`), `a: nested is replace, merge or whole, not "part"`},
		{property(`{"type": "object", "patternProperties": {}}`), "a: patternProperties is not supported"},
		{property(`{"type": "object", "properties": {"x": {}}, "x-agentsync": {"required": ["y"]}}`), `a: required field "y" does not exist`},
		{property(`{"type": "object", "x-agentsync": {"requiredOnCreate": ["y"]}}`), "a: requiredOnCreate belongs on the root"},
		{property(`{"type": "object", "x-agentsync": {"warn": {"minimum": 0}}}`), "a: warn belongs on a string, number or boolean"},
		{property(`{"x-agentsync": {"warn": {"min": 0}}}`), `a: x-agentsync: json: unknown field "min"`},
		{property(`{"x-agentsync": {"warn": {"pattern": "["}}}`), "a: warn: error parsing regexp"},
		{property(`{"x-agentsync": {"toggle": "b"}}`), `a: toggle "b" is no boolean field of the root`},
		{property(`{"x-agentsync": {"toggle": "c"}}`), `a: toggle "c" is no boolean field of the root`},
		{property(`{"$ref": "https://example.com/x.json"}`), `the root: $ref "https://example.com/x.json" leads out of the file`},
		{property(`{"$ref": "#/$defs/x"}`), `the root: $ref "#/$defs/x" leads nowhere`},
		{property(`{"$ref": "#/properties/a"}`), `the root: $ref "#/properties/a" leads back to itself`},
		{property(`{"type": "array", "items": {"$ref": "#"}}`), `the root: $ref "#" leads back to itself`},
	} {
		got := panicText(func() { Parse("test", []byte(test.schema)) })
		if !strings.HasPrefix(got, "schema of test: "+test.want) {
			t.Errorf("Parse(%s) panics with %q, want %q", test.schema, got, test.want)
		}
	}
}

func panicText(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return "nothing"
}

func TestRefs(t *testing.T) {
	s := Parse("refs", []byte(`{
		"type": "object",
		"properties": {
			"a": {"$ref": "#/$defs/outer", "x-agentsync": {"unit": "s"}},
			"b": {"type": "array", "items": {"$ref": "#/$defs/inner"}},
			"c": {"default": {"$ref": "text"}},
			"default": {"$ref": "#/$defs/inner"}
		},
		"$defs": {
			"outer": {"$ref": "#/$defs/inner", "minimum": 1},
			"inner": {"type": "number", "minimum": 0, "x-agentsync": {"sensitive": true, "unit": "ms"}}
		}
	}`))
	doc, _ := s.Lookup("a")
	if doc.Kind != diff.Number || doc.Minimum != "1" || doc.Unit != "s" || !doc.Sensitive {
		t.Errorf("a is %+v", doc)
	}
	if item := s.Type().At("/b/0"); item.Kind != diff.Number || !item.Sensitive {
		t.Errorf("an item of b is %+v", item)
	}
	if named := s.Type().At("/default"); named.Kind != diff.Number {
		t.Errorf("the field named default is %+v", named)
	}
	if got := s.Type().At("/c").Default; !reflect.DeepEqual(got, diff.Object{"$ref": "text"}) {
		t.Errorf("the default of c is %v", got)
	}
	_, problems := s.Decode(value(t, `{a: 0.5, b: [-1]}`), false)
	if want := "a.yaml:1:5: refs: a: (sensitive) is below 1\n  `agentsync explain refs.a` describes it\n" +
		"a.yaml:1:14: refs: b[0]: (sensitive) is below 0\n  `agentsync explain refs.b` describes it"; lines(problems) != want {
		t.Errorf("problems:\n%s\nwant:\n%s", lines(problems), want)
	}
}

// A Schema is shared by all agents of a vendor.
func TestSharedUse(t *testing.T) {
	s := phone(t)
	v := value(t, `{mode: loud, vars: [{name: a}]}`)
	var wait sync.WaitGroup
	results := make([]spec.Problems, 8)
	for i := range results {
		wait.Go(func() { _, results[i] = s.Decode(v, false) })
	}
	wait.Wait()
	for _, problems := range results {
		if lines(problems) != lines(results[0]) || len(problems) != 1 {
			t.Errorf("problems:\n%s", lines(problems))
		}
	}
}

// A bad pattern is a fault of agentsync's own files, found at the first use.
func TestCompilePanics(t *testing.T) {
	s := Parse("test", []byte(`{"type": "object", "properties": {"a": {"type": "string", "pattern": "["}}}`))
	got := panicText(func() { s.Decode(value(t, "a: b"), false) })
	if !strings.HasPrefix(got, "schema of test: ") {
		t.Errorf("Decode panics with %q", got)
	}
}
