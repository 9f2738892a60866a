package schema

import (
	"strings"
	"testing"
)

func TestValidatorProblems(t *testing.T) {
	runProblems(t, []problemTest{
		{"enum", `mode: loud`, "a.yaml:1:7: phone: mode: \"loud\" is not one of static, dynamic, off\n" +
			"  `agentsync explain phone.mode` describes it"},
		{"enum, nearly", `{mode: dinamic, greeting: a}`, "a.yaml:1:8: phone: mode: \"dinamic\" is not one of static, dynamic, off\n" +
			"  did you mean \"dynamic\"?"},
		{"enum of a shared definition", `voice: {style: loud}`, "a.yaml:1:16: phone: voice.style: \"loud\" is not one of calm, lively\n" +
			"  `agentsync explain phone.voice.style` describes it"},
		{"enum of an item", `vars: [{name: a}, {name: b, kind: x}]`, "a.yaml:1:35: phone: vars[1].kind: \"x\" is not one of text, count\n" +
			"  `agentsync explain phone.vars.kind` describes it"},
		{"sensitive enum", `token: tok_charlie`, "a.yaml:1:8: phone: token: (sensitive) is not one of tok_alpha, tok_bravo\n" +
			"  `agentsync explain phone.token` describes it"},
		{"maximum", `temperature: 1.4`, "a.yaml:1:14: phone: temperature: 1.4 is above 1\n" +
			"  `agentsync explain phone.temperature` describes it"},
		{"minimum", `voice: {speed: 0.1}`, "a.yaml:1:16: phone: voice.speed: 0.1 is below 0.5\n" +
			"  `agentsync explain phone.voice.speed` describes it"},
		{"exclusive minimum", `weight: 0`, "a.yaml:1:9: phone: weight: 0 is not above 0\n" +
			"  `agentsync explain phone.weight` describes it"},
		{"exclusive maximum", `{name: a, weight: 10}`, "a.yaml:1:19: phone: weight: 10 is not below 10\n" +
			"  `agentsync explain phone.weight` describes it"},
		{"multiple", `weight: 0.3`, "a.yaml:1:9: phone: weight: 0.3 is not a multiple of 0.5\n" +
			"  `agentsync explain phone.weight` describes it"},
		{"too short", `name: ""`, "a.yaml:1:7: phone: name: a text of 0 characters is too short: at least 1\n" +
			"  `agentsync explain phone.name` describes it"},
		{"too long", `name: "123456789 123456789 1"`, "a.yaml:1:7: phone: name: a text of 21 characters is too long: at most 20\n" +
			"  `agentsync explain phone.name` describes it"},
		{"pattern", `{number: "a b", region: eu}`, "a.yaml:1:10: phone: number: \"a b\" does not match ^[+0-9]*$\n" +
			"  `agentsync explain phone.number` describes it"},
		{"too few items", `steps: []`, "a.yaml:1:8: phone: steps: a list of 0 items is too short: at least 1\n" +
			"  `agentsync explain phone.steps` describes it"},
		{"too many items", `tags: [a, b, c, d]`, "a.yaml:1:7: phone: tags: a list of 4 items is too long: at most 3\n" +
			"  `agentsync explain phone.tags` describes it"},
		{"items not unique", `steps: [a, b, a]`, "a.yaml:1:8: phone: steps: items 0 and 2 are the same, the first is at a.yaml:1:9\n" +
			"  take one of the two out"},
		{"one of two kinds", `either: 1.5`, "a.yaml:1:9: phone: either: 1.5 is not a whole number or a string\n" +
			"  `agentsync explain phone.either` describes it"},
		{"required by a const", "name: a\nwebhook: yes", "a.yaml:1:1: phone: \"webhook_url\" is required when webhook is true\n" +
			"  declare it beside webhook"},
		{"not required", `webhook: no`, ""},
		{"required by an enum", `mode: static`, "a.yaml:1:1: phone: \"greeting\" is required when mode is static or dynamic\n" +
			"  declare it beside mode"},
		{"required by presence", `number: "1"`, "a.yaml:1:1: phone: \"region\" is required when number is set\n  declare it beside number"},
		{"required, but there at fault", `{webhook: yes, webhook_url: 3}`, "a.yaml:1:29: phone: webhook_url: (sensitive) is a number, not a string\n" +
			"  write it in quotes"},
		{"demanded by presence", `{copy_from: a, region: us}`, "a.yaml:1:24: phone: region: \"us\" is not eu when copy_from is set and region is set\n" +
			"  `agentsync explain phone.region` describes it"},
		{"demanded by else", `{mode: off, greeting: "` + strings.Repeat("a", 101) + `"}`,
			"a.yaml:1:23: phone: greeting: a text of 101 characters is too long: at most 100 unless mode is static or dynamic\n" +
				"  `agentsync explain phone.greeting` describes it"},
		{"demanded by what has no words", `weight: 9.5`, "a.yaml:1:9: phone: weight: 9.5 is above 9\n" +
			"  `agentsync explain phone.weight` describes it"},
		{"everything at once", "mode: loud\nnam: a\ntemperature: 2\ntags: [x, x, y, z]",
			"a.yaml:1:7: phone: mode: \"loud\" is not one of static, dynamic, off\n" +
				"  `agentsync explain phone.mode` describes it\n" +
				"a.yaml:2:1: phone: unknown field \"nam\"\n" +
				"  did you mean \"name\"? `agentsync explain phone` lists the fields\n" +
				"a.yaml:3:14: phone: temperature: 2 is above 1\n" +
				"  `agentsync explain phone.temperature` describes it\n" +
				"a.yaml:4:11: phone: tags[1]: \"x\" is listed twice, first at a.yaml:4:8\n" +
				"  take one of the two out"},
	})
}

// What the walk left out must not be complained about a second time, by what is missing then.
func TestNoFollowingErrors(t *testing.T) {
	for _, config := range []string{`steps: [null, null]`, `steps: [{}]`, `window: {from: [], to: x}`, `voice: 1`, `vars: [{name: 3}]`} {
		_, problems := phone(t).Decode(value(t, config), false)
		want := 1
		if config == `steps: [null, null]` {
			want = 2 // one for each item, none for two that are equal
		}
		if len(problems) != want {
			t.Errorf("%s has %d problems, want %d:\n%s", config, len(problems), want, lines(problems))
		}
	}
}

func TestRareKeywords(t *testing.T) {
	s := Parse("rare", []byte(`{
		"type": "object",
		"properties": {
			"a": {"type": "string"}, "b": {"type": "string"},
			"c": {"anyOf": [{"type": "string", "minLength": 3}, {"type": "integer"}]},
			"d": {"type": "object", "minProperties": 1, "maxProperties": 2, "propertyNames": {"pattern": "^x"}, "additionalProperties": true},
			"e": {"type": "array", "contains": {"const": "x"}},
			"f": {"const": "fixed value"},
			"g": {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
			"h": {"type": "object", "properties": {"i": true}, "additionalProperties": false}
		},
		"not": {"required": ["a", "b"]},
		"if": {"required": ["f"]}, "then": {"properties": {"b": false}},
		"unevaluatedProperties": false
	}`))
	for config, want := range map[string]string{
		`{a: x, b: y}`:             "a.yaml:1:1: rare: the vendor refuses that a is set and b is set",
		`c: no`:                    `a.yaml:1:4: rare: c: "no" does not fit what the vendor documents`,
		`d: {}`:                    "a.yaml:1:4: rare: d: an object of 0 fields is too small: at least 1",
		`d: {x1: 1, x2: 2, x3: 3}`: "a.yaml:1:4: rare: d: an object of 3 fields is too large: at most 2",
		`d: {y: 1}`:                "a.yaml:1:4: rare: d: the object does not fit what the vendor documents",
		`e: [y]`:                   "a.yaml:1:4: rare: e: the list does not fit what the vendor documents",
		`f: other`:                 `a.yaml:1:4: rare: f: "other" is not "fixed value"`,
		`{f: fixed value, b: y}`:   `a.yaml:1:21: rare: b: "y" is not allowed when f is set`,
		`g: [{}]`:                  `a.yaml:1:5: rare: g[0]: "id" is required`,
		`x: 1`:                     `a.yaml:1:1: rare: unknown field "x"`,
	} {
		_, problems := s.Decode(value(t, config), false)
		if len(problems) != 1 || problems[0].Error() != want {
			t.Errorf("%s: %v, want %s", config, problems, want)
		}
	}
	// Whether an object is closed is for the walk to say.
	if _, problems := s.Decode(value(t, `{x: 1, h: {y: 2}}`), true); len(problems) > 0 {
		t.Errorf("unknown fields let through: %v", problems)
	}
}
