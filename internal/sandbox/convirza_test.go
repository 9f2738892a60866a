package sandbox

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	voiceAgents = prefixConvirza + "/ai-voice-agents"
	mainLine    = voiceAgents + "/101"
	campaign    = voiceAgents + "/102"
)

// required are the least parts of a create or a PUT.
func required(more ...part) []part {
	return append([]part{{name: "voiceagent_name", text: "New"}, {name: "direction", text: "inbound"}, {name: "org_unit_id", text: "1001"},
		{name: "voice_id", text: "5"}, {name: "greetings", text: "Hi"}, {name: "prompt", text: "Be kind."}}, more...)
}

func TestConvirzaRefuses(t *testing.T) {
	b := seeded(t, Quirks{}).convirza()
	foreign, err := b.Add(Convirza, map[string]any{"_foreign": true})
	if err != nil {
		t.Fatal(err)
	}
	b.refuse(Convirza, []refusal{
		{"wrong path", "GET", prefixConvirza + "/agents", "", 404, `"requestId"`},
		{"wrong method", "POST", mainLine, `{}`, 405, "POST"},
		{"siblings' list path", "GET", voiceAgents + "/list", "", 400, "positive integer"},
		{"no such agent", "GET", voiceAgents + "/999", "", 404, "not found"},
		{"foreign agent", "GET", voiceAgents + "/" + foreign, "", 404, "not found"},
		{"odd id", "GET", voiceAgents + "/0101", "", 400, "positive integer"},
		{"query", "GET", voiceAgents + "?page=1", "", 400, "page"},
		{"limit", "GET", voiceAgents + "?limit=1000", "", 400, "limit"},
		{"PUT as JSON", "PUT", mainLine, `{"prompt": "x"}`, 400, "multipart/form-data"},
		{"PATCH as JSON", "PATCH", mainLine, `{"prompt": "x"}`, 400, "multipart/form-data"},
		{"POST as JSON", "POST", voiceAgents, `{"prompt": "x"}`, 400, "multipart/form-data"},
		{"no body", "PATCH", mainLine, "", 400, "multipart/form-data"},
	})
}

func TestConvirzaRefusesForms(t *testing.T) {
	b := seeded(t, Quirks{}).convirza()
	before := b.Agents(Convirza)
	for name, row := range map[string]struct {
		method, path string
		parts        []part
		says         string
	}{
		"no parts":                 {"PATCH", mainLine, nil, "no fields"},
		"unknown part":             {"PATCH", mainLine, []part{{name: "prompts", text: "x"}}, `unknown field \"prompts\"`},
		"bracketed part":           {"PATCH", mainLine, []part{{name: "urls[]", text: "https://a.example"}}, `urls[]`},
		"read-only part":           {"PATCH", mainLine, []part{{name: "status", text: "active"}}, "status"},
		"file names":               {"PATCH", mainLine, []part{{name: "knowledgebase_files", text: "a.pdf"}}, "knowledgebase_files"},
		"part twice":               {"PATCH", mainLine, []part{{name: "prompt", text: "x"}, {name: "prompt", text: "y"}}, "comes twice"},
		"no integer":               {"PATCH", mainLine, []part{{name: "max_call_duration", text: "5m"}}, "max_call_duration: must be of type integer"},
		"float for an integer":     {"PATCH", mainLine, []part{{name: "max_call_duration", text: "300.0"}}, "type integer"},
		"empty integer":            {"PATCH", mainLine, []part{{name: "industry_id", text: ""}}, "industry_id: must not be empty"},
		"null as text":             {"PATCH", mainLine, []part{{name: "inherited_prompt_id", text: "null"}}, "type integer"},
		"enum":                     {"PATCH", mainLine, []part{{name: "direction", text: "both"}}, "direction"},
		"config no JSON":           {"PATCH", mainLine, []part{{name: "config", text: "loud"}}, "config: must be a JSON object"},
		"config of the wrong type": {"PATCH", mainLine, []part{{name: "config", text: `{"volume": "0.8"}`}}, "config: volume"},
		"config with null":         {"PATCH", mainLine, []part{{name: "config", text: `{"other": null}`}}, "config: other"},
		"no url":                   {"PATCH", mainLine, []part{{name: "urls", text: "docs"}}, "not a web address"},
		"empty url":                {"PATCH", mainLine, []part{{name: "urls", text: ""}}, "urls: must not be empty"},
		"foreign unit":             {"PATCH", mainLine, []part{{name: "org_unit_id", text: "7"}}, "org_unit_id"},
		"empty files part":         {"PATCH", mainLine, []part{{name: "files", text: ""}}, "files: must be a file"},
		"empty file":               {"PATCH", mainLine, []part{{name: "files", file: "a.pdf"}}, "a.pdf is empty"},
		"text as a file":           {"PATCH", mainLine, []part{{name: "prompt", text: "x", file: "p.txt"}}, "prompt: must not be a file"},
		"large file":               {"PATCH", mainLine, []part{{name: "files", file: "a.pdf", text: strings.Repeat("x", 10_000_001)}}, "larger than 10000000"},
		"eleven files":             {"PATCH", mainLine, slices.Repeat([]part{{name: "files", file: "a.pdf", text: "x"}}, 11), "at most 10 files"},
		"PUT without required":     {"PUT", mainLine, required()[1:], "voiceagent_name: required"},
		"PUT of one field":         {"PUT", mainLine, []part{{name: "prompt", text: "x"}}, "greetings: required; org_unit_id: required; voice_id: required"},
		"POST without required":    {"POST", voiceAgents, required()[:5], "prompt: required"},
		"PUT empty prompt":         {"PUT", mainLine, append(required()[:5], part{name: "prompt"}), "prompt: must not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			bb := *b
			bb.t = t
			bb.form(row.method, row.path, row.parts...).want(t, 400, row.says)
		})
	}
	if !reflect.DeepEqual(before, b.Agents(Convirza)) {
		t.Error("a refused form changed the store")
	}
	t.Run("no multipart", func(t *testing.T) {
		b.with("Content-Type", "multipart/form-data; boundary=x").do("PATCH", mainLine, "prompt=x").want(t, 400, "multipart")
		b.with("Content-Type", "multipart/form-data; boundary=x").do("PATCH", mainLine, "--x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\ncut").
			want(t, 400, "cut off")
		b.with("Content-Type", "multipart/form-data").do("PATCH", mainLine, "prompt=x").want(t, 400, "boundary")
		b.with("Content-Type", "application/x-www-form-urlencoded").do("PATCH", mainLine, "prompt=x").want(t, 400, "multipart/form-data")
	})
}

// The example of the page "Update Agent". Its empty files part stays out: it would say that there is a file without a name.
func TestConvirzaDocumented(t *testing.T) {
	b := seeded(t, Quirks{}).convirza()
	got := b.form("PUT", mainLine, []part{
		{name: "voiceagent_name", text: "Sales Assistant - Updated"}, {name: "direction", text: "inbound"}, {name: "org_unit_id", text: "1001"},
		{name: "inherited_prompt_id", text: "12"}, {name: "integrations"}, {name: "integrations"}, {name: "created_by", text: "2001"},
		{name: "ext_org_unit_id", text: "1001"}, {name: "industry_id", text: "7"}, {name: "voice_id", text: "5"},
		{name: "greetings", text: "Hi there!"}, {name: "prompt", text: "You are a sales assistant."},
		{name: "config", text: "{\n    \"background_noise\": true,\n    \"volume\": 0.9,\n    \"block_non_intelliquent_number\": true\n}"},
		{name: "max_call_duration", text: "420"}, {name: "notification_time", text: "45"}, {name: "notification_message", text: "45 seconds."},
		{name: "urls", text: "https://docs.example.com/updated-guide"}, {name: "urls", text: "https://www.example.com/new-features"},
		{name: "knowledge_base"}, {name: "more_information", text: "Updated guidelines."},
	}...).want(t, 200, `"request_id"`)
	keys := slices.Sorted(maps.Keys(got.data(t)))
	want := []string{"config", "created_on", "direction", "greetings", "id", "inherited_prompt_id", "knowledgebase_files", "knowledgebase_urls",
		"max_call_duration", "more_information", "notification_message", "notification_time", "org_unit_id", "primary_phone_number", "prompt",
		"status", "type", "updated_on", "urls", "voice", "voice_id", "voiceagent_name", "voiceagent_type_id"}
	if !slices.Equal(keys, want) {
		t.Errorf("fields %v\nwant   %v", keys, want)
	}
	if d := got.data(t); d["max_call_duration"] != 420.0 || len(d["urls"].([]any)) != 2 || d["config"].(map[string]any)["volume"] != 0.9 {
		t.Errorf("got %v", d)
	}
}

func TestConvirzaPutResets(t *testing.T) {
	b := seeded(t, Quirks{}).convirza()
	d := b.form("PUT", mainLine, required()...).want(t, 200, "").data(t)
	defaults := convirzaDefaults()
	for _, name := range []string{"max_call_duration", "notification_message", "more_information", "urls", "config", "inherited_prompt_id"} {
		if !reflect.DeepEqual(d[name], defaults[name]) {
			t.Errorf("%s: %v, want the default", name, d[name])
		}
	}
	if len(d["knowledgebase_files"].([]any)) != 0 {
		t.Error("the files are still there")
	}
	stored := b.stored(Convirza, "101")
	if stored["industry_id"] != nil || len(stored["integrations"].([]any)) != 0 {
		t.Errorf("write-only fields are not reset: %v", stored)
	}
	if stored["primary_phone_number"] != "+14255550104" || len(stored["knowledgebase_urls"].([]any)) != 1 {
		t.Errorf("read-only fields are reset: %v", stored)
	}
}

func TestConvirzaPatchKeeps(t *testing.T) {
	b := seeded(t, Quirks{}).convirza()
	before := b.stored(Convirza, "101")
	b.form("PATCH", mainLine, part{name: "prompt", text: "Short."}, part{name: "files", file: "faq.pdf", text: "new"}).want(t, 200, "faq.pdf")
	after := b.stored(Convirza, "101")
	var moved []string
	for name := range after {
		if !reflect.DeepEqual(before[name], after[name]) {
			moved = append(moved, name)
		}
	}
	slices.Sort(moved)
	if want := []string{"_files", "prompt", "updated_on"}; !slices.Equal(moved, want) {
		t.Errorf("moved %v", moved)
	}
	b.form("PATCH", mainLine, part{name: "files", file: "faq.pdf", text: "newer"}).want(t, 200, `["price-list.pdf","opening-hours.docx","faq.pdf"]`)
	file := b.stored(Convirza, "101")["_files"].([]any)[2].(map[string]any)
	if file["size"] != 5.0 || len(file["sha256"].(string)) != 64 {
		t.Errorf("file %v", file)
	}
	var eight []part
	for i := range 8 {
		eight = append(eight, part{name: "files", file: fmt.Sprintf("%d.pdf", i), text: "x"})
	}
	b.form("PATCH", mainLine, eight...).want(t, 400, "at most 10 files")
}

func TestConvirzaLife(t *testing.T) {
	b := seeded(t, Quirks{}).convirza()
	made := b.form("POST", voiceAgents, required(part{name: "files", file: "a.pdf", text: "x"})...).want(t, 200, "").data(t)
	path := fmt.Sprintf("%s/%v", voiceAgents, made["voiceAgentId"])
	got := b.do("GET", path, "").want(t, 200, `"knowledgebase_files":["a.pdf"]`).data(t)
	for _, name := range convirzaHidden() {
		if _, there := got[name]; there {
			t.Errorf("%s is shown", name)
		}
	}
	b.do("GET", voiceAgents+"?limit=2&offset=2", "").want(t, 200, `"total":3`).want(t, 200, `"voiceagent_name":"New"`)
	b.do("DELETE", path, "").want(t, 200, "Success")
	b.do("GET", path, "").want(t, 404, "not found")
	b.do("DELETE", path, "").want(t, 404, "not found")
}

func TestConvirzaQuirks(t *testing.T) {
	quirky := func(q ConvirzaQuirks) *bench { return seeded(t, Quirks{Convirza: q}).convirza() }
	file := part{name: "files", file: "a.pdf", text: "x"}
	quirky(ConvirzaQuirks{ListPath: "/ai-voice-agents/list"}).do("GET", voiceAgents+"/list", "").want(t, 200, "Lumen main line")
	quirky(ConvirzaQuirks{ListPath: "/ai-voice-agents/list"}).do("GET", voiceAgents, "").want(t, 405, "GET")
	quirky(ConvirzaQuirks{BareList: true, WholeItems: true}).do("GET", voiceAgents, "").want(t, 200, `"data":[{`).want(t, 200, `"prompt"`)
	if text := quirky(ConvirzaQuirks{}).do("GET", voiceAgents, "").want(t, 200, `"agents":[{`).text; strings.Contains(text, `"prompt"`) {
		t.Error("a short list has prompts")
	}
	quirky(ConvirzaQuirks{IgnorePaging: true}).do("GET", voiceAgents+"?limit=1&offset=5", "").want(t, 200, "Implant campaign")
	quirky(ConvirzaQuirks{CreateAnswer: "id", Created: true}).form("POST", voiceAgents, required()...).want(t, 201, `"data":{"id":103}`)
	quirky(ConvirzaQuirks{CreateAnswer: "whole"}).form("POST", voiceAgents, required()...).want(t, 200, `"prompt":"Be kind."`)
	quirky(ConvirzaQuirks{PatchReplacesFiles: true}).form("PATCH", mainLine, file).want(t, 200, `"knowledgebase_files":["a.pdf"]`)
	quirky(ConvirzaQuirks{PutKeepsFiles: true}).form("PUT", mainLine, required()...).want(t, 200, "price-list.pdf")
	quirky(ConvirzaQuirks{}).form("PATCH", mainLine, part{name: "config", text: `{"volume": 0.1}`}).want(t, 200, `"config":{"volume":0.1}`)
	quirky(ConvirzaQuirks{MergeConfig: true}).form("PATCH", mainLine, part{name: "config", text: `{"volume": 0.1}`}).want(t, 200, `"background_noise":false`)
	quirky(ConvirzaQuirks{RenameFiles: true}).do("GET", mainLine, "").want(t, 200, "1763750000-price-list.pdf")
	quirky(ConvirzaQuirks{NoContent: true}).do("DELETE", campaign, "").want(t, 204, "")
	quirky(ConvirzaQuirks{FailInBody: true}).do("GET", voiceAgents+"/999", "").want(t, 200, `"code":404`)
	seeded(t, Quirks{NumbersAsText: true}).convirza().do("GET", mainLine, "").want(t, 200, `"id":"101"`)

	b := quirky(ConvirzaQuirks{SoftDelete: true})
	b.do("DELETE", campaign, "").want(t, 200, "")
	b.do("GET", campaign, "").want(t, 200, `"status":"deleted"`)
	b.do("GET", voiceAgents, "").want(t, 200, `"status":"deleted"`)
	b.form("PATCH", campaign, part{name: "prompt", text: "x"}).want(t, 404, "")

	b = quirky(ConvirzaQuirks{ForeignStatus: 401})
	id, err := b.Add(Convirza, map[string]any{"_foreign": true})
	if err != nil {
		t.Fatal(err)
	}
	b.do("GET", voiceAgents+"/"+id, "").want(t, 401, "")
}

func TestConvirzaTokens(t *testing.T) {
	now := start
	b := newBench(t, Options{Seed: true, Now: func() time.Time { return now }})
	login := `{"email": "` + ConvirzaEmail + `", "password": "` + ConvirzaPassword + `"}`
	token := func(path, body string) map[string]any {
		t.Helper()
		return b.do("POST", prefixOAuth+path, body).want(t, 200, "").object(t)
	}
	opens := func(tokens map[string]any, want int) {
		t.Helper()
		b.with("Authorization", fmt.Sprintf("Bearer %v", tokens["access_token"])).do("GET", mainLine, "").want(t, want, "")
	}
	first := token("/oauth/token", login)
	if first["expires_in"] != "2026-11-09T08:00:00.000Z" || first["token_type"] != "Bearer" {
		t.Errorf("login: %v", first)
	}
	opens(first, 200)
	refresh := fmt.Sprintf(`{"refresh_token": "%v"}`, first["refresh_token"])
	second := token("/oauth/refresh-token", refresh)
	opens(second, 200)
	opens(first, 401)
	b.do("POST", prefixOAuth+"/oauth/refresh-token", refresh).want(t, 401, "log in again")

	now = now.Add(6 * 24 * time.Hour)
	opens(second, 200) // and is renewed by it
	now = now.Add(6 * 24 * time.Hour)
	opens(second, 200)
	now = now.Add(7 * 24 * time.Hour)
	opens(second, 401)

	third := token("/oauth/token", login)
	revoke := fmt.Sprintf(`{"token": "%v", "token_type": "access"}`, third["access_token"])
	token("/oauth/revoke-token", revoke)
	token("/oauth/revoke-token", revoke)
	opens(third, 401)

	for body, status := range map[string]int{
		`{"email": "` + ConvirzaEmail + `", "password": "wrong"}`: 401, `{"email": "a"}`: 400, `{"username": "a", "password": "b"}`: 400,
		strings.Replace(login, "{", `{"grant_type": "password", `, 1): 400, `{`: 400,
	} {
		b.do("POST", prefixOAuth+"/oauth/token", body).want(t, status, "requestId")
	}
	b.do("POST", prefixOAuth+"/oauth/revoke-token", `{"token": "x", "token_type": "id"}`).want(t, 400, "token_type")
	b.do("GET", prefixOAuth+"/oauth/token", "").want(t, 405, "GET")
	for _, header := range []string{"", "Bearer other", "sandbox-access-token"} {
		b.with("Authorization", header).do("GET", mainLine, "").want(t, 401, "Unauthorized")
	}
	for _, c := range b.Log() {
		if strings.Contains(c.Path, "oauth") && c.Body != nil {
			t.Errorf("the log holds the body of %s", c.Path)
		}
	}
	seconds := seeded(t, Quirks{Convirza: ConvirzaQuirks{ExpirySeconds: true}})
	seconds.do("POST", prefixOAuth+"/oauth/token", login).want(t, 200, `"expires_in":604800`)
}
