package voicy

import (
	"encoding/json"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/providertest"
)

// Configs of these tests: values are Go's nil, string (quoted), plain, list and object.
type (
	plain  = json.Number
	object = map[string]any
)

// TestSchema holds which values are errors, which are warnings (limits that Voicy does not document) and which are fine.
func TestSchema(t *testing.T) {
	for _, tc := range []struct {
		api, field string
		value      any
		want       string // "" for fine, else "error" or "warning"
	}{
		{"v1", "agent_name", "A", ""},
		{"v1", "agent_name", plain("1e3"), ""}, // a YAML trap: the field is text
		{"v1", "agent_name", "", "error"},
		{"v1", "begin_message", "", ""},
		{"v1", "begin_message", nil, "error"}, // how to clear it is not documented
		{"v1", "begin_message_mode", plain("off"), ""},
		{"v1", "begin_message_mode", "loud", "error"},
		{"v1", "prompt_text_direction", "ttb", "error"},
		{"v1", "response_delay_ms", plain("100"), ""},
		{"v1", "response_delay_ms", plain("0.5"), "error"},
		{"v1", "response_delay_ms", plain("-1"), "warning"},
		{"v1", "agent_id", "a", "error"},
		{"v1", "agent_prompt", "P", "error"},
		{"v1", "version", plain("2"), "error"},
		{"v1", "name", "A", "error"}, // the other generation's
		{"v1", "vars_provided", nil, ""},
		{"v1", "vars_provided", []any{object{"name": "a", "type": "string", "default_value": "x", "description": "d"}}, ""},
		{"v1", "vars_provided", []any{object{"name": "a", "type": "number"}}, "warning"},
		{"v1", "vars_provided", []any{object{"type": "string"}}, "error"},
		{"v1", "vars_provided", []any{object{"name": "a", "required": plain("true")}}, "error"},
		{"v1", "vars_provided", []any{object{"name": "a"}, object{"name": "a"}}, "error"},
		{"v1", "vars_extracted", []any{object{"name": "a", "required": plain("true")}}, ""},
		{"functions-v1", "welcome_message", nil, ""},
		{"functions-v1", "voice", "Dana", ""},
		{"functions-v1", "voice", "Nobody", "warning"},
		{"functions-v1", "active", plain("true"), "error"},
		{"functions-v1", "agent_name", "A", "error"},
		{"functions-v1", "variables_provided", []any{object{"name": "a", "default": "5"}}, ""},
		{"functions-v1", "variables_extracted", []any{object{"name": "a", "required": "perhaps"}}, "error"},
		{"functions-v1", "variables_extracted", nil, ""},
	} {
		config, problems := dialectOf(t, tc.api).schema().Decode(providertest.Manifest(object{tc.field: tc.value}), false)
		got := ""
		if len(problems) > 0 {
			got = "warning"
		}
		if problems.Err() != nil {
			got = "error"
		}
		if got != tc.want {
			t.Errorf("%s %s: %v: %q, want %q: %v", tc.api, tc.field, tc.value, got, tc.want, problems)
		}
		if _, decoded := config.Object[tc.field]; tc.want == "" && !decoded {
			t.Errorf("%s %s: %v is not in the config", tc.api, tc.field, tc.value)
		}
	}
}

func TestClear(t *testing.T) {
	for _, tc := range []struct {
		api, field string
		want       any
	}{
		{"v1", "vars_extracted", []any{}},
		{"functions-v1", "variables_provided", []any{}},
		{"functions-v1", "welcome_message", ""},
	} {
		config, problems := dialectOf(t, tc.api).schema().Decode(providertest.Manifest(object{tc.field: nil}), false)
		got, there := config.Object[tc.field]
		if !there || string(diff.Canonical(got)) != string(diff.Canonical(tc.want)) || problems.Err() != nil {
			t.Errorf("%s %s: null is %v, want %v: %v", tc.api, tc.field, got, tc.want, problems)
		}
	}
}

// TestSchemaSaysWhere holds that every writable field is described and no field is left without one.
func TestSchemaSaysWhere(t *testing.T) {
	for _, d := range dialects() {
		for name, field := range d.schema().Type().Fields {
			if field.Kind == diff.Any && !field.ReadOnly {
				t.Errorf("%s %s: no kind", d.name, name)
			}
		}
		if !strings.Contains(string(d.schema().JSON()), `"source": "docs.voicy.co/`) {
			t.Errorf("%s: no source", d.name)
		}
	}
}
