package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const (
	novaAgents = prefixNova + "/org/" + NovaOrg + "/agents"
	reminders  = novaAgents + "/9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0c01"
	webChat    = novaAgents + "/9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0c02"
)

func TestNovaRefuses(t *testing.T) {
	b := seeded(t, Quirks{}).nova()
	b.refuse(Nova, []refusal{
		{"wrong path", "GET", prefixNova + "/agents", "", 404, `"status":false`},
		{"another organization", "GET", prefixNova + "/org/org_other/agents", "", 403, "no access"},
		{"wrong method", "PUT", reminders, `{"name": "x"}`, 405, "PUT"},
		{"collection by DELETE", "DELETE", novaAgents, "", 405, "DELETE"},
		{"no such agent", "GET", novaAgents + "/none", "", 404, "agent not found"},
		{"query", "GET", novaAgents + "?limit=2", "", 400, "limit"},
		{"page 0", "GET", novaAgents + "?page=0", "", 400, "page"},
		{"huge size", "GET", novaAgents + "?size=1000", "", 400, "size"},
		{"empty size", "GET", novaAgents + "?size=", "", 400, "size"},
		{"empty body", "PATCH", reminders, `{}`, 400, "no fields"},
		{"malformed", "PATCH", reminders, `{"name"`, 400, "not valid JSON"},
		{"unknown field", "PATCH", reminders, `{"prompt": "x"}`, 400, `unknown field \"prompt\"`},
		{"read-only field", "PATCH", reminders, `{"tools": []}`, 400, "tools: read-only"},
		{"trunks", "PATCH", reminders, `{"allowed_sip_trunks": []}`, 400, "allowed_sip_trunks: read-only"},
		{"create-only field", "PATCH", reminders, `{"copy_from_agent_id": "x"}`, 400, "only for a create"},
		{"null", "PATCH", reminders, `{"prompt_template": null}`, 400, "prompt_template: null"},
		{"null object", "PATCH", reminders, `{"greeting_config": null}`, 400, "greeting_config: null"},
		{"null inside", "PATCH", reminders, `{"greeting_config": {"greeting": null}}`, 400, "greeting_config.greeting: null"},
		{"text for an object", "PATCH", reminders, `{"greeting_config": "{}"}`, 400, "greeting_config: must be of type object"},
		{"bytes for an object", "PATCH", reminders, `{"greeting_config": [123, 125]}`, 400, "type object"},
		{"enum", "PATCH", reminders, `{"type": "email"}`, 400, "voice, chat, video"},
		{"unknown inside", "PATCH", reminders, `{"greeting_config": {"text": "x"}}`, 400, `greeting_config.text`},
		{"type inside", "PATCH", reminders, `{"vad_config": {"sample_rate": 8000.5}}`, 400, "vad_config.sample_rate: must be of type integer"},
		{"sparse llm_config", "PATCH", reminders, `{"llm_config": {"temperature": 0.1}}`, 400, "llm_config.model: required; llm_config.provider: required"},
		{"sparse voice_config", "PATCH", reminders, `{"voice_config": {"speed": 1}}`, 400, "voice_config.model: required"},
		{"sparse transcriber_config", "PATCH", reminders, `{"transcriber_config": {}}`, 400, "transcriber_config.provider: required"},
		{"sparse background_sound", "PATCH", reminders, `{"background_sound": {"enabled": true}}`, 400, "background_sound.file: required"},
		{"sparse thinking_sound", "PATCH", reminders, `{"background_sound": {"file": "a", "thinking_sound": [{"volume": 1}]}}`, 400, "thinking_sound[0].sound: required"},
		{"sparse webhook", "PATCH", reminders, `{"precall_webhook": {"headers": {}}}`, 400, "precall_webhook.method: required"},
		{"webhook's headers", "PATCH", reminders, `{"precall_webhook": {"url": "https://a.example", "method": "GET", "headers": {"a": 1}}}`, 400,
			"precall_webhook.headers.a: must be of type string"},
		{"list of numbers", "PATCH", reminders, `{"default_functions": [1]}`, 400, "default_functions[0]"},
		{"create without type", "POST", novaAgents, `{"name": "x"}`, 400, "type: required"},
		{"create with configuration", "POST", novaAgents, `{"name": "x", "type": "voice", "llm_config": {"provider": "openai", "model": "m"}}`, 400, "llm_config"},
		{"copy of none", "POST", novaAgents, `{"name": "x", "type": "voice", "copy_from_agent_id": "none"}`, 404, "not found"},
	})
	t.Run("content type", func(t *testing.T) {
		b.with("Content-Type", "text/json").do("PATCH", reminders, `{"name": "x"}`).want(t, 415, "application/json")
	})
	t.Run("credentials", func(t *testing.T) {
		b.with("X-API-Key", "").do("GET", novaAgents, "").want(t, 401, "API key")
		b.with("X-API-Key", "").with("Authorization", "Bearer "+NovaKey).do("GET", novaAgents, "").want(t, 401, "API key")
	})
	t.Run("validation by 422", func(t *testing.T) {
		seeded(t, Quirks{Nova: NovaQuirks{InvalidStatus: 422}}).nova().do("PATCH", reminders, `{"type": "x"}`).want(t, 422, "type")
	})
}

// The example of the page "Update agent", with text for its placeholders.
func TestNovaDocumented(t *testing.T) {
	b := seeded(t, Quirks{}).nova()
	body := `{"default_functions": ["f"],
		"extra_config": {"allow_interruptions": true, "interruption_sensitivity": 0.5, "min_words": 1, "turn_detector_enabled": true,
			"turn_detector_is_multilingual": true, "turn_detector_model_type": "m", "use_gender_plugin": "none"},
		"goodbye_config": {"enabled": true, "message": "m"},
		"greeting_config": {"agent_speaks_first": true, "greeting": "g", "pause_before_first_message": 1, "voice_mail_message": "v",
			"welcome_message_is_generated": true},
		"name": "n", "plugins": ["p"], "prompt_template": "t",
		"room_duration_config": {"close_room_message": "c", "duration_warning_message": "d", "max_duration_min": 2, "max_silence_sec": 1,
			"silence_message": "s", "wait_for_message_sec": 1},
		"type": "voice",
		"vad_config": {"activation_threshold": 0.5, "max_buffered_speech": 2, "min_silence_duration": 1, "min_speech_duration": 1,
			"prefix_padding_duration": 1, "sample_rate": 28000}}`
	b.do("PATCH", reminders, body).want(t, 200, "")
	got := b.do("GET", reminders, "").want(t, 200, "").object(t)
	var sent map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	for name, want := range sent {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	for _, name := range []string{"id", "organization_id", "created_at", "updated_at", "public_quota", "tools", "allowed_sip_trunks", "llm_config"} {
		if got[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}

func TestNovaLife(t *testing.T) {
	b := seeded(t, Quirks{}).nova()
	made := b.do("POST", novaAgents, `{"name": "New", "type": "voice", "prompt_template": "p"}`).want(t, 201, "").object(t)
	if made["llm_config"] == nil || made["background_sound"] != nil {
		t.Errorf("defaults: %v", made)
	}
	copied := b.do("POST", novaAgents, `{"name": "Copy", "type": "voice", "copy_from_agent_id": "9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0c01"}`).
		want(t, 201, "").object(t)
	if hook := copied["precall_webhook"].(map[string]any); hook["url"] != "https://api.lumen-dental.example/precall" || copied["name"] != "Copy" {
		t.Errorf("copy: %v", copied)
	}
	path := fmt.Sprintf("%s/%v", novaAgents, made["id"])
	b.do("DELETE", path, "").want(t, 200, "deleted")
	b.do("GET", path, "").want(t, 404, "")
}

// An object is replaced, so that a sparse one loses the rest; merged with the quirk. What a stored object has is taken back.
func TestNovaNested(t *testing.T) {
	sparse := `{"greeting_config": {"greeting": "Hi"}}`
	got := seeded(t, Quirks{}).nova().do("PATCH", reminders, sparse).want(t, 200, "").object(t)
	if want := map[string]any{"greeting": "Hi"}; !reflect.DeepEqual(got["greeting_config"], want) {
		t.Errorf("replace: %v", got["greeting_config"])
	}
	got = seeded(t, Quirks{Nova: NovaQuirks{Merge: true}}).nova().do("PATCH", reminders, sparse).want(t, 200, "").object(t)
	if o := got["greeting_config"].(map[string]any); o["greeting"] != "Hi" || len(o) != 5 {
		t.Errorf("merge: %v", o)
	}
	b := seeded(t, Quirks{}).nova()
	err := b.Edit(Nova, "9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0c01", func(agent map[string]any) {
		agent["greeting_config"].(map[string]any)["tone"] = "soft"
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do("PATCH", reminders, `{"greeting_config": {"greeting": "Hi", "tone": "soft"}}`).want(t, 200, `"tone":"soft"`)
}

func TestNovaEncodings(t *testing.T) {
	want := seeded(t, Quirks{}).nova().do("GET", reminders, "").object(t)
	decode := map[string]func(v any) []byte{
		"text": func(v any) []byte { return []byte(v.(string)) },
		"base64": func(v any) []byte {
			data, err := base64.StdEncoding.DecodeString(v.(string))
			if err != nil {
				t.Error(err)
			}
			return data
		},
		"bytes": func(v any) []byte {
			var data []byte
			for _, n := range v.([]any) {
				data = append(data, byte(n.(float64)))
			}
			return data
		},
	}
	for encoding, decode := range decode {
		got := seeded(t, Quirks{Nova: NovaQuirks{Encoding: encoding}}).nova().do("GET", reminders, "").object(t)
		for _, name := range novaConfigs() {
			if want[name] == nil {
				continue
			}
			var v any
			if err := json.Unmarshal(decode(got[name]), &v); err != nil || !reflect.DeepEqual(v, want[name]) {
				t.Errorf("%s: %s: %v, want %v", encoding, name, v, want[name])
			}
		}
	}
	for unset, want := range map[string]any{"": nil, "missing": nil, "text": "", "list": []any{}} {
		got := seeded(t, Quirks{Nova: NovaQuirks{Unset: unset}}).nova().do("GET", webChat, "").object(t)
		value, there := got["voice_config"]
		if !reflect.DeepEqual(value, want) || there == (unset == "missing") {
			t.Errorf("%q: %v %v", unset, value, there)
		}
	}
}

func TestNovaList(t *testing.T) {
	o := Options{Seed: true, PageSize: 2}
	b := newBench(t, o).nova()
	for i := range 3 {
		if _, err := b.Add(Nova, map[string]any{"name": fmt.Sprintf("Extra %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[any]bool{}
	for page := 1; page <= 3; page++ {
		got := b.do("GET", fmt.Sprintf("%s?page=%d&size=50", novaAgents, page), "").want(t, 200, "").object(t)
		meta := map[string]any{"page": float64(page), "size": 2.0, "total": 5.0, "total_pages": 3.0}
		if !reflect.DeepEqual(got["meta"], meta) {
			t.Errorf("meta %v, want %v", got["meta"], meta)
		}
		for _, row := range got["data"].([]any) {
			if len(row.(map[string]any)) != 5 {
				t.Errorf("no summary: %v", row)
			}
			seen[row.(map[string]any)["id"]] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d agents", len(seen))
	}
	b.do("GET", novaAgents+"?page=4", "").want(t, 200, `"data":[]`)
	b.do("GET", novaAgents+"?search=WEB&type=chat", "").want(t, 200, `"total":1`)

	quirky := seeded(t, Quirks{Nova: NovaQuirks{WholeItems: true, NoMeta: true, PagesFromZero: true}}).nova()
	got := quirky.do("GET", novaAgents+"?page=0", "").want(t, 200, "prompt_template").object(t)
	if _, ok := got["meta"]; ok || len(got["data"].([]any)) != 2 {
		t.Errorf("got %v", got)
	}
	quirky.do("GET", novaAgents+"?page=1", "").want(t, 200, `"data":[]`)
}

func TestNovaQuirks(t *testing.T) {
	const secret = "lumen-precall-secret"
	quirky := func(q NovaQuirks) *bench { return seeded(t, Quirks{Nova: q}).nova() }
	quirky(NovaQuirks{}).do("GET", reminders, "").want(t, 200, secret)
	for _, headers := range []string{"masked", "dropped"} {
		b := quirky(NovaQuirks{Headers: headers})
		if text := b.do("GET", reminders, "").text; strings.Contains(text, secret) {
			t.Errorf("%s: %s", headers, text)
		}
		if data, _ := json.Marshal(b.Agents(Nova)); !strings.Contains(string(data), secret) {
			t.Errorf("%s: the stored secret is lost", headers)
		}
	}
	quirky(NovaQuirks{NoContent: true}).do("DELETE", webChat, "").want(t, 204, "")
	made := quirky(NovaQuirks{EmptyCreate: true}).do("POST", novaAgents, `{"name": "x", "type": "voice"}`).object(t)
	if made["llm_config"] != nil {
		t.Errorf("got %v", made)
	}
	b := seeded(t, Quirks{NumbersAsText: true, TrimText: true}).nova()
	b.do("PATCH", reminders, `{"prompt_template": " a\r\nb \n", "goodbye_config": {"message": "x "}}`).
		want(t, 200, `"prompt_template":"a\nb"`).want(t, 200, `"message":"x"`).want(t, 200, `"temperature":"0.4"`)
}
