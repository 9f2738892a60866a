package sandbox

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const (
	centerfyAgent = "d8f2a229-2f5c-42ba-ac65-402f2c25fee2"
	billingAgent  = "d8f2a229-2f5c-42ba-ac65-402f2c25fee3"
	centerfyNone  = "d8f2a229-2f5c-42ba-ac65-000000000000"
)

const centerfyCreate = `{"name": "Docs", "voice_id": "Sulafat", "max_duration": 30, "temperature": 0.7, "silence_timeout": 10,
 "voice_activity_timeout": 500, "llm_model": "gpt-4o-mini", "language": "en-US", "background_noise": false,
 "voicemail_detection": false, "organization_id": "` + CenterfyOrg + `", "sub_account_id": "` + CenterfyAccount + `"}`

func TestCenterfyRefuses(t *testing.T) {
	b := seeded(t, Quirks{}).centerfy()
	foreign, err := b.Add(Centerfy, map[string]any{"_foreign": true})
	if err != nil {
		t.Fatal(err)
	}
	update := prefixCenterfy + "/update-agent/" + centerfyAgent
	create := prefixCenterfy + "/create-agent"
	b.refuse(Centerfy, []refusal{
		{"wrong path", "GET", prefixCenterfy + "/list-agents", "", 404, `"error":true`},
		{"wrong method", "PATCH", update, `{"name": "x"}`, 404, "PATCH"},
		{"query", "GET", prefixCenterfy + "/get-agent/" + centerfyAgent + "?full=1", "", 400, "full"},
		{"get with a body", "GET", prefixCenterfy + "/get-agent/" + centerfyAgent, `{}`, 400, "no body"},
		{"no uuid", "GET", prefixCenterfy + "/get-agent/17", "", 400, "UUID"},
		{"no such agent", "PUT", prefixCenterfy + "/update-agent/" + centerfyNone, `{"name": "x"}`, 404, "not found"},
		{"foreign agent", "PUT", prefixCenterfy + "/update-agent/" + foreign, `{"name": "x"}`, 403, "mismatch"},
		{"empty body", "PUT", update, `{}`, 400, "No updatable fields"},
		{"malformed", "PUT", update, `{"name": `, 400, "not valid JSON"},
		{"two values", "PUT", update, `{"name": "x"} {}`, 400, "one JSON value"},
		{"no object", "PUT", update, `["name"]`, 400, "must be a JSON object"},
		{"unknown field", "PUT", update, `{"prompt": "x"}`, 400, `unknown field \"prompt\"`},
		{"right spelling", "PUT", update, `{"backchanneling": true}`, 400, `backchanneling`},
		{"read-only field", "PUT", update, `{"updated_at": "2026-01-01T00:00:00Z"}`, 400, "updated_at"},
		{"wrong type", "PUT", update, `{"max_duration": "30"}`, 400, "max_duration: must be of type number"},
		{"null", "PUT", update, `{"webhook_url": null}`, 400, "webhook_url: null"},
		{"range", "PUT", update, `{"temperature": 1.5}`, 400, "temperature: 1.5 is out of range"},
		{"enum", "PUT", update, `{"voicemail_type": "beep"}`, 400, "leave_message, hangup"},
		{"organization", "PUT", update, `{"organization_id": "` + CenterfyOrg + `"}`, 400, "organization_id: cannot be changed"},
		{"sub-account", "PUT", update, `{"sub_account_id": "` + CenterfyAccount + `"}`, 400, "sub_account_id: cannot be changed"},
		{"webhook alone", "PUT", update, `{"webhook": true}`, 400, "webhook_url: required when webhook=true"},
		{"noise alone", "PUT", update, `{"background_noise": true}`, 400, "background_type: required"},
		{"voicemail alone", "PUT", update, `{"voicemail_detection": true}`, 400, "voicemail_type: required"},
		{"message alone", "PUT", update, `{"voicemail_type": "leave_message"}`, 400, "voicemail_message: required"},
		{"create without a required field", "POST", create, strings.Replace(centerfyCreate, `"name": "Docs", `, "", 1), 400, "name: required"},
		{"create without organization", "POST", create, strings.Replace(centerfyCreate, `"organization_id": "`+CenterfyOrg+`", `, "", 1), 400,
			"organization_id: required"},
		{"create elsewhere", "POST", create, strings.Replace(centerfyCreate, CenterfyOrg, centerfyNone, 1), 403, "mismatch"},
		{"create with unmet rule", "POST", create, strings.Replace(centerfyCreate, `"background_noise": false`, `"background_noise": true`, 1),
			400, "background_type"},
		{"archive without id", "POST", prefixCenterfy + "/archive-agent", `{}`, 400, "agent_id: required"},
		{"archive of none", "POST", prefixCenterfy + "/archive-agent", `{"agent_id": "` + centerfyNone + `"}`, 404, "not found"},
		{"delete", "DELETE", prefixCenterfy + "/archive-agent", "", 404, "DELETE"},
	})
	t.Run("content type", func(t *testing.T) {
		b.with("Content-Type", "text/plain").do("PUT", update, `{"name": "x"}`).want(t, 400, "Content-Type")
	})
	t.Run("credentials", func(t *testing.T) {
		b.with("x-api-key", "").do("GET", prefixCenterfy+"/get-agent/"+centerfyAgent, "").want(t, 401, "Unauthorized")
		b.with("x-api-key", "cfy_other").do("GET", prefixCenterfy+"/get-agent/"+centerfyAgent, "").want(t, 401, "Unauthorized")
		b.with("x-api-key", "").with("Authorization", "Bearer "+CenterfyKey).
			do("GET", prefixCenterfy+"/get-agent/"+centerfyAgent, "").want(t, 200, "New patient line")
	})
}

// The examples of the page "Update Agent".
func TestCenterfyDocumented(t *testing.T) {
	b := seeded(t, Quirks{}).centerfy()
	update := prefixCenterfy + "/update-agent/" + centerfyAgent
	answer := b.do("PUT", update, `{"name": "docs api testing", "voice_id": "Sulafat", "max_duration": 30, "temperature": 0.7,
		"llm_model": "gpt-4o-mini", "is_active": true}`).want(t, 200, "").object(t)
	want := map[string]any{"id": centerfyAgent, "name": "docs api testing", "is_active": true, "updated_at": "2026-11-02T08:00:01Z"}
	if !reflect.DeepEqual(answer, want) {
		t.Errorf("got %v, want %v", answer, want)
	}
	for _, body := range []string{`{"voice_id": "Aria"}`, `{"is_active": false}`, `{"llm_model": "gpt-4o", "temperature": 0.5}`,
		`{"webhook": true, "webhook_url": "https://your-server.com/call-complete"}`} {
		b.do("PUT", update, body).want(t, 200, "")
	}
	got := b.do("GET", prefixCenterfy+"/get-agent/"+centerfyAgent, "").want(t, 200, "").object(t)
	if got["temperature"] != 0.5 || got["voice_id"] != "Aria" || got["is_active"] != false || got["max_duration"] != 30.0 {
		t.Errorf("got %v", got)
	}
	if got["background_type"] != "call_center" {
		t.Error("a partial update touched another field")
	}
}

func TestCenterfyLife(t *testing.T) {
	b := seeded(t, Quirks{}).centerfy()
	made := b.do("POST", prefixCenterfy+"/create-agent", centerfyCreate).want(t, http.StatusCreated, "").object(t)
	id, _ := made["id"].(string)
	got := b.do("GET", prefixCenterfy+"/get-agent/"+id, "").want(t, 200, "").object(t)
	if got["name"] != "Docs" || got["is_active"] != true || got["webhook_url"] != nil {
		t.Errorf("got %v", got)
	}
	archive := `{"agent_id": "` + id + `"}`
	first := b.do("POST", prefixCenterfy+"/archive-agent", archive).want(t, 200, "archived_at").text
	if again := b.do("POST", prefixCenterfy+"/archive-agent", archive).want(t, 200, "").text; again != first {
		t.Errorf("archived again: %s, first %s", again, first)
	}
	b.do("GET", prefixCenterfy+"/get-agent/"+id, "").want(t, 404, "not found")
	b.do("PUT", prefixCenterfy+"/update-agent/"+id, `{"name": "x"}`).want(t, 404, "not found")
	if b.stored(Centerfy, id)["_deleted"] == nil {
		t.Error("an archived agent is not kept")
	}
}

func TestCenterfyQuirks(t *testing.T) {
	get := prefixCenterfy + "/get-agent/" + centerfyAgent
	update := prefixCenterfy + "/update-agent/" + centerfyAgent
	quirky := func(q CenterfyQuirks) *bench { return seeded(t, Quirks{Centerfy: q}).centerfy() }
	t.Run("archived is shown", func(t *testing.T) {
		b := quirky(CenterfyQuirks{ShowArchived: true})
		b.do("POST", prefixCenterfy+"/archive-agent", `{"agent_id": "`+centerfyAgent+`"}`).want(t, 200, "")
		b.do("GET", get, "").want(t, 200, `"archived_at":"2026-11-02T`)
	})
	t.Run("merged rules", func(t *testing.T) {
		quirky(CenterfyQuirks{MergedRules: true}).do("PUT", update, `{"webhook": true}`).want(t, 200, "")
		quirky(CenterfyQuirks{MergedRules: true}).do("PUT", prefixCenterfy+"/update-agent/"+billingAgent, `{"webhook": true}`).want(t, 400, "webhook_url")
	})
	t.Run("dependents", func(t *testing.T) {
		for clear, want := range map[bool]any{false: "call_center", true: nil} {
			b := quirky(CenterfyQuirks{ClearDependents: clear})
			b.do("PUT", update, `{"background_noise": false}`).want(t, 200, "")
			if got := b.do("GET", get, "").object(t)["background_type"]; got != want {
				t.Errorf("clear=%v: %v", clear, got)
			}
		}
	})
	t.Run("create", func(t *testing.T) {
		quirky(CenterfyQuirks{RequireAll: true}).do("POST", prefixCenterfy+"/create-agent", centerfyCreate).want(t, 400, "recording: required")
		quirky(CenterfyQuirks{CreateOK: true, CreateAgentID: true}).do("POST", prefixCenterfy+"/create-agent", centerfyCreate).want(t, 200, `"agent_id"`)
	})
	t.Run("shapes", func(t *testing.T) {
		got := quirky(CenterfyQuirks{FixedSpelling: true}).do("GET", get, "").want(t, 200, `"backchanneling":true`)
		if strings.Contains(got.text, "backcchanneling") {
			t.Error(got.text)
		}
		quirky(CenterfyQuirks{TextErrors: true}).do("GET", prefixCenterfy+"/none", "").want(t, 404, `{"error":"no route`)
		seeded(t, Quirks{NumbersAsText: true}).centerfy().do("GET", get, "").want(t, 200, `"temperature":"0.7"`)
	})
}
