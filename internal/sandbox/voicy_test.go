package sandbox

import (
	"reflect"
	"strings"
	"testing"
)

const (
	frontDesk  = "550e8400-e29b-41d4-a716-446655440001"
	recall     = "550e8400-e29b-41d4-a716-446655440003"
	insurance  = "7c9e6679-7425-40de-944b-e07fc1f90a01"
	triage     = "7c9e6679-7425-40de-944b-e07fc1f90a02"
	voicyNone  = "550e8400-e29b-41d4-a716-000000000000"
	pathUpdate = prefixVoicy + "/update-agent/"
	pathModify = prefixFunctions + "/agent-modify/"
)

func TestVoicyRefuses(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	foreign, err := b.Add(Voicy, map[string]any{"_foreign": true})
	if err != nil {
		t.Fatal(err)
	}
	update := pathUpdate + frontDesk
	b.refuse(Voicy, []refusal{
		{"wrong path", "GET", prefixVoicy + "/agents", "", 404, `{"error":`},
		{"the other generation", "GET", prefixVoicy + "/agent-list", "", 404, "no route"},
		{"wrong method", "PUT", update, `{}`, 404, "PUT"},
		{"query", "GET", prefixVoicy + "/list-agents?limit=1", "", 400, "limit"},
		{"no uuid", "GET", prefixVoicy + "/get-agent/x", "", 400, "UUID"},
		{"no id", "GET", prefixVoicy + "/get-agent/", "", 404, "no route"},
		{"no such agent", "GET", prefixVoicy + "/get-agent/" + voicyNone, "", 404, "Agent not found"},
		{"foreign agent", "GET", prefixVoicy + "/get-agent/" + foreign, "", 403, "Access denied"},
		{"empty body", "PATCH", update, `{}`, 400, "no fields"},
		{"malformed", "PATCH", update, `{`, 400, "not valid JSON"},
		{"unknown field", "PATCH", update, `{"name": "x"}`, 400, `unknown field \"name\"`},
		{"read-only field", "PATCH", update, `{"agent_id": "x"}`, 400, "agent_id"},
		{"wrong type", "PATCH", update, `{"agent_name": 1}`, 400, "agent_name: must be of type string"},
		{"no integer", "PATCH", update, `{"response_delay_ms": 1.5}`, 400, "response_delay_ms: must be of type integer"},
		{"integer as a float", "PATCH", update, `{"response_delay_ms": 100.0}`, 400, "type integer"},
		{"integer with exponent", "PATCH", update, `{"response_delay_ms": 1e2}`, 400, "type integer"},
		{"null", "PATCH", update, `{"begin_message": null}`, 400, "begin_message: null"},
		{"enum", "PATCH", update, `{"begin_message_mode": "loud"}`, 400, "static, dynamic, off"},
		{"direction", "PATCH", update, `{"prompt_text_direction": "up"}`, 400, "rtl, ltr"},
		{"item without name", "PATCH", update, `{"vars_provided": [{"type": "string"}]}`, 400, "vars_provided[0].name: required"},
		{"item's unknown field", "PATCH", update, `{"vars_provided": [{"name": "a", "required": true}]}`, 400, `vars_provided[0].required`},
		{"item twice", "PATCH", update, `{"vars_extracted": [{"name": "a"}, {"name": "a"}]}`, 400, "comes twice"},
		{"null in an item", "PATCH", update, `{"vars_extracted": [{"name": "a", "description": null}]}`, 400, "description: null"},
		{"create without name", "POST", prefixVoicy + "/create-agent", `{"language": "en"}`, 400, "agent_name: required"},
		{"create with an empty name", "POST", prefixVoicy + "/create-agent", `{"agent_name": " "}`, 400, "agent_name: must not be empty"},
		{"delete in use", "DELETE", prefixVoicy + "/delete-agent/" + frontDesk, "", 400, "phone number"},
		{"delete with a body", "DELETE", prefixVoicy + "/delete-agent/" + recall, `{}`, 400, "no body"},
	})
	t.Run("content type", func(t *testing.T) {
		b.with("Content-Type", "application/merge-patch+json").do("PATCH", update, `{"agent_name": "x"}`).want(t, 400, "Content-Type")
	})
	t.Run("credentials", func(t *testing.T) {
		for _, value := range []string{"", VoicyKey, "Bearer ", "Bearer voicy_sk_live_xxx", "Basic " + VoicyKey} {
			b.with("Authorization", value).do("GET", prefixVoicy+"/list-agents", "").want(t, 401, "API key")
		}
	})
}

// The example of the page "update-agent".
func TestVoicyDocumented(t *testing.T) {
	b := newBench(t, Options{}).voicy()
	if _, err := b.Add(Voicy, map[string]any{"agent_id": frontDesk, "voice_id": "pNInz6obpgDQGcFmaJgB", "language": "en",
		"general_prompt": "You are a helpful customer support agent...", "response_delay_ms": 100}); err != nil {
		t.Fatal(err)
	}
	got := b.do("PATCH", pathUpdate+frontDesk, `{"agent_name": "Updated Agent Name", "begin_message": "Hello! How can I assist you today?"}`).
		want(t, 200, "").object(t)
	want := map[string]any{
		"agent_id": frontDesk, "agent_name": "Updated Agent Name", "voice_id": "pNInz6obpgDQGcFmaJgB", "language": "en",
		"begin_message": "Hello! How can I assist you today?", "general_prompt": "You are a helpful customer support agent...",
		"begin_message_mode": "static", "response_delay_ms": 100.0, "prompt_text_direction": "ltr",
		"vars_provided": []any{}, "vars_extracted": []any{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestVoicyLife(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	made := b.do("POST", prefixVoicy+"/create-agent", `{"agent_name": "New", "vars_provided": [{"name": "a", "default_value": null}]}`).
		want(t, 201, "").object(t)
	id := made["agent_id"].(string)
	if rows := b.do("GET", prefixVoicy+"/list-agents", "").want(t, 200, "").list(t); len(rows) != 4 {
		t.Errorf("%d agents", len(rows))
	}
	b.do("PATCH", pathUpdate+id, `{"vars_provided": []}`).want(t, 200, `"vars_provided":[]`)
	if gone := b.do("DELETE", prefixVoicy+"/delete-agent/"+id, "").want(t, 204, ""); gone.text != "" {
		t.Errorf("a body with 204: %s", gone.text)
	}
	b.do("GET", prefixVoicy+"/get-agent/"+id, "").want(t, 404, "")
	b.do("DELETE", prefixVoicy+"/delete-agent/"+id, "").want(t, 404, "")
	if text := b.do("GET", prefixVoicy+"/get-agent/"+frontDesk, "").text; strings.Contains(text, "_numbers") {
		t.Error("an answer shows the simulator's marks")
	}
}

func TestVoicyFunctionsRefuses(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	modify := pathModify + insurance
	b.refuse(VoicyFunctions, []refusal{
		{"the other generation", "GET", prefixFunctions + "/list-agents", "", 404, `"status":"error"`},
		{"no delete", "DELETE", modify, "", 404, "DELETE"},
		{"flow", "PATCH", pathModify + triage, `{"name": "x"}`, 422, "conversationalFlow"},
		{"unknown field", "PATCH", modify, `{"agent_name": "x"}`, 400, "agent_name"},
		{"read-only field", "PATCH", modify, `{"active": false}`, 400, "active"},
		{"voice", "PATCH", modify, `{"voice": "Nobody"}`, 400, "Keren"},
		{"item's unknown field", "PATCH", modify, `{"variables_provided": [{"name": "a", "type": "string"}]}`, 400, "type"},
		{"null", "PATCH", modify, `{"welcome_message": null}`, 400, "null"},
		{"empty", "PATCH", modify, `{}`, 400, "no fields"},
		{"create without prompt", "POST", prefixFunctions + "/agent-create", `{"name": "x"}`, 400, "prompt: required"},
		{"create a flow", "POST", prefixFunctions + "/agent-create", `{"name": "x", "prompt": "y", "agent_type": "conversationalFlow"}`, 400, "agent_type"},
		{"no such agent", "PATCH", pathModify + voicyNone, `{"name": "x"}`, 404, "not found"},
		{"v1's agent", "GET", prefixFunctions + "/agent-get/" + frontDesk, "", 404, "not found"},
	})
	b.with("Authorization", "").do("GET", prefixFunctions+"/agent-list", "").want(t, 401, `"message"`)
}

func TestVoicyFunctionsLife(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	made := b.do("POST", prefixFunctions+"/agent-create", `{"name": "New", "prompt": "Be kind.",
		"variables_extracted": [{"name": "email", "description": "d", "required": true}]}`).want(t, 201, "").object(t)
	id := made["agent_id"].(string)
	if made["language"] != "he" || made["voice"] != "Keren" || made["agent_type"] != "singlePrompt" || made["active"] != true {
		t.Errorf("got %v", made)
	}
	if item := made["variables_extracted"].([]any)[0].(map[string]any); !reflect.DeepEqual(item, map[string]any{"name": "email", "description": "d"}) {
		t.Errorf("item %v", item)
	}
	if item := b.stored(VoicyFunctions, id)["variables_extracted"].([]any)[0].(map[string]any); item["required"] != true {
		t.Error("required is not kept")
	}
	changed := b.do("PATCH", pathModify+id, `{"welcome_message": ""}`).want(t, 200, "").object(t)
	if changed["updated_at"] == made["updated_at"] || changed["created_at"] != made["created_at"] {
		t.Errorf("times: %v then %v", made, changed)
	}
	for _, row := range b.do("GET", prefixFunctions+"/agent-list", "").want(t, 200, "").list(t) {
		if _, shown := row.(map[string]any)["variables_provided"]; shown {
			t.Errorf("the list shows variables: %v", row)
		}
	}
	if flow := b.do("GET", prefixFunctions+"/agent-get/"+triage, "").object(t); flow["prompt"] != nil || flow["agent_type"] != "conversationalFlow" {
		t.Errorf("flow %v", flow)
	}
}

func TestVoicyQuirks(t *testing.T) {
	quirky := func(q VoicyQuirks) *bench { return seeded(t, Quirks{Voicy: q}).voicy() }
	quirky(VoicyQuirks{ShowAll: true}).do("GET", prefixFunctions+"/agent-get/"+insurance, "").want(t, 200, `"default":"unknown"`)
	quirky(VoicyQuirks{EmptyListVariables: true}).do("GET", prefixFunctions+"/agent-list", "").want(t, 200, `"variables_provided":[]`)
	quirky(VoicyQuirks{OtherErrors: true}).do("GET", prefixVoicy+"/none", "").want(t, 404, `"status":"error"`)
	quirky(VoicyQuirks{InUseStatus: 409}).do("DELETE", prefixVoicy+"/delete-agent/"+frontDesk, "").want(t, 409, "phone number")
	quirky(VoicyQuirks{CreateOK: true}).do("POST", prefixVoicy+"/create-agent", `{"agent_name": "x"}`).want(t, 200, "agent_id")

	b := quirky(VoicyQuirks{SortVariables: true, ForeignStatus: 404})
	b.do("PATCH", pathUpdate+recall, `{"vars_provided": [{"name": "b"}, {"name": "a"}]}`).want(t, 200, `[{"name":"a"},{"name":"b"}]`)
	id, err := b.Add(Voicy, map[string]any{"_foreign": true})
	if err != nil {
		t.Fatal(err)
	}
	b.do("GET", prefixVoicy+"/get-agent/"+id, "").want(t, 404, "Access denied")
}
