package convirza

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

func TestDecodeAgent(t *testing.T) {
	l, err := decodeAgent(root(), parse(t, readFile(t, "agent.json")))
	if err != nil {
		t.Fatal(err)
	}
	if l.ID != "101" || l.Name != "Sales Assistant — Inbound Leads" || !l.Whole || l.Locked != "" || l.Gone || l.Unreadable != nil ||
		l.Revision != "2026-03-20T14:20:00.000Z" {
		t.Errorf("%+v", l)
	}
	if len(l.Config) != 23 {
		t.Errorf("%d of the answer's 23 fields are kept", len(l.Config))
	}
}

func TestDecodeAgentTolerance(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		want         string // what decode says, or an excerpt of the error
	}{
		{"numbers in quotes", `{"code": "200", "data": {"id": "7", "voice_id": "3", "config": {"volume": "0.80"}}}`, `7 {"config":{"volume":0.8},"id":7,"voice_id":3}`},
		{"no code", `{"data": {"id": 7}}`, `7 {"id":7}`},
		{"unknown fields stay", `{"data": {"id": 7, "later": {"a": null}, "config": {"b": [1.0]}}}`, `7 {"config":{"b":[1]},"id":7,"later":{"a":null}}`},
		{"null fields", `{"data": {"id": 7, "urls": null, "config": null}}`, `7 {"config":null,"id":7,"urls":null}`},
		{"text becomes LF", `{"data": {"id": 7, "prompt": "a\r\nb \n"}}`, `7 {"id":7,"prompt":"a\nb"}`},
		{"wrong kinds", `{"data": {"id": 7, "urls": "a", "prompt": 1, "config": {"volume": [], "x": 1}, "knowledgebase_files": [null]}}`,
			`7 {"id":7} /config: /config/volume is not of type number; /knowledgebase_files: /knowledgebase_files/0 is null; /prompt: /prompt is not of type string; /urls: /urls is not of type array`},
		{"fraction for an id", `{"data": {"id": 7, "voice_id": 3.5}}`, `7 {"id":7} /voice_id: /voice_id is not of type integer`},
		{"paused", `{"data": {"id": 7, "status": "paused"}}`, `7 {"id":7,"status":"paused"} locked`},
		{"deleted", `{"data": {"id": 7, "status": "Deleted"}}`, `7 {"id":7,"status":"Deleted"} locked gone`},
		{"status of another kind", `{"data": {"id": 7, "status": 2}}`, `7 {"id":7} /status: /status is not of type string locked`},

		{"failing code", `{"code": 404, "message": "no such agent", "requestId": "r-1", "data": {"id": 7}}`, `error: its code is 404: no such agent (request id "r-1")`},
		{"odd code", `{"code": "ok", "data": {"id": 7}}`, `error: its code is ok`},
		{"no data", `{"code": 200}`, `error: its data is no agent`},
		{"null data", `{"code": 200, "data": null}`, `error: its data is no agent`},
		{"list", `{"code": 200, "data": [{"id": 7}]}`, `error: its data is no agent`},
		{"no id", `{"data": {}}`, `error: its id is <nil>`},
		{"id 0", `{"data": {"id": 0}}`, `error: its id is 0`},
		{"id of letters", `{"data": {"id": "7a"}}`, `error: its id is 7a`},
		{"no envelope", `[]`, `error: it is no object`},
		{"null", `null`, `error: it is no object`},
	} {
		l, err := decodeAgent(root(), parse(t, tc.answer))
		got := l.ID + " " + string(diff.Canonical(l.Config))
		var whys []string
		for _, name := range []string{"/config", "/knowledgebase_files", "/prompt", "/status", "/urls", "/voice_id"} {
			if why, odd := l.Unreadable[diff.Pointer(name)]; odd {
				whys = append(whys, name+": "+why)
			}
		}
		if len(whys) > 0 {
			got += " " + strings.Join(whys, "; ")
		}
		if l.Locked != "" {
			got += " locked"
		}
		if l.Gone {
			got += " gone"
		}
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != tc.want && (err == nil || !strings.HasPrefix(got, tc.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.name, got, tc.want)
		}
		if err == nil && !l.Whole {
			t.Errorf("%s: not whole", tc.name)
		}
	}
}

func TestDecodeCreated(t *testing.T) {
	for data, want := range map[string]string{
		`{"id": 5}`:                 "5",
		`{"id": "5", "agentId": 6}`: "5",
		`{"agentId": 5}`:            "5",
		`{"VOICEAGENT_ID": "5"}`:    "5",
		`{"agentId": 5, "voice_id": 3, "org_unit_id": 1001, "paid": true}`: "5",
		`{"id": null, "agentId": 5}`:                                       "",
		`{"id": "uuid", "agentId": 5}`:                                     "",
		`{"agentId": 5, "userId": 6}`:                                      "",
		`{"org_unit_id": 1001}`:                                            "",
		`{"agentId": 0}`:                                                   "",
		`{}`:                                                               "",
		`[]`:                                                               "",
		`5`:                                                                "",
		`null`:                                                             "",
	} {
		id, err := decodeCreated(root(), parse(t, `{"code": 200, "data": `+data+`}`))
		if id != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", data, id, err, want)
		}
	}
	if id, err := decodeCreated(root(), parse(t, `{"code": 500, "data": {"id": 5}}`)); err == nil {
		t.Errorf("a failing code gave the id %s", id)
	}
}

func TestMessage(t *testing.T) {
	for _, tc := range []struct {
		body, text, id string
		ok             bool
	}{
		{`{"code": 404, "message": "Agent not found", "requestId": "r-1"}`, "Agent not found", "r-1", true},
		{`{"code": 404, "message": "Agent not found"}`, "Agent not found", "", true},
		{`{"requestId": "r-1"}`, "", "r-1", true},
		{`{"request_id": "r-1", "errors": [{"field": "direction"}]}`, `[{"field":"direction"}]`, "r-1", true},
		{`{"code": 400, "error": {"detail": "no"}}`, `{"detail":"no"}`, "", true},
		{`{"statusCode": 404, "message": "Cannot GET /v3/x", "error": "Not Found"}`, "Cannot GET /v3/x", "", false},
		{`{"message": "no Route matched with those values"}`, "no Route matched with those values", "", false},
		{`{"code": 404}`, "", "", false},
		{`[]`, "", "", false},
		{`null`, "", "", false},
		{`<html>`, "", "", false},
		{``, "", "", false},
	} {
		text, id, ok := message(404, []byte(tc.body))
		if text != tc.text || id != tc.id || ok != tc.ok {
			t.Errorf("%s: got %q, %q, %t", tc.body, text, id, ok)
		}
	}
}

// Whatever a vendor answers, what is read of it is a positive id and a config in normal form, or an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(readFile(f, "agent.json")))
	f.Add([]byte(`{"code": "200", "data": {"id": 1e2, "config": {"volume": "1"}, "a/b": [null, {"c": ""}]}}`))
	f.Add([]byte(`{"data": [{"id": 1, "voiceagent_name": "a"}, {"id": 1, "voiceagent_name": null}], "total": "1"}`))
	f.Add([]byte(`{"code": 200, "data": {"agents": [], "total": 0, "x": [1]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var doc any
		if rest.DecodeJSON(&rest.Answer{Body: body}, &doc) != nil {
			return
		}
		if l, err := decodeAgent(root(), doc); err == nil {
			if _, err := agentPath(l.ID); err != nil {
				t.Errorf("id %q", l.ID)
			}
			if again := diff.Normalize(root(), l.Config); string(diff.Canonical(again)) != string(diff.Canonical(l.Config)) {
				t.Errorf("not in normal form: %v", l.Config)
			}
			if why := mismatch(root(), "", l.Config); why != "" {
				t.Errorf("undecodable and kept: %s", why)
			}
		}
		if id, err := decodeCreated(root(), doc); err == nil {
			if _, err := agentPath(id); err != nil {
				t.Errorf("created id %q", id)
			}
		}
		var l listing
		p, err := decodePage(doc)
		if err == nil {
			_, err = l.add(root(), p)
		}
		if err == nil && l.check() == nil {
			seen := map[string]bool{}
			for _, agent := range l.agents {
				if seen[agent.ID] {
					t.Errorf("agent %s is there twice", agent.ID)
				}
				seen[agent.ID] = true
			}
		}
		if text, _, ok := message(500, body); ok && text != "" && !json.Valid(body) {
			t.Errorf("read %q out of no JSON", text)
		}
	})
}

func TestSchema(t *testing.T) {
	readOnly := "id primary_phone_number voiceagent_type_id type voice status created_on updated_on knowledgebase_files knowledgebase_urls"
	writeOnly := "integrations created_by ext_org_unit_id industry_id knowledge_base files"
	typ := root()
	if got, want := len(typ.Fields), len(partOrder())+len(strings.Fields(readOnly)); got != want {
		t.Errorf("%d fields, the vendor's page has %d", got, want)
	}
	for _, name := range partOrder() {
		f := typ.Fields[name]
		if f == nil || f.ReadOnly || f.WriteOnly != strings.Contains(" "+writeOnly+" ", " "+name+" ") || f.HasClear {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, name := range strings.Fields(readOnly) {
		if f := typ.Fields[name]; f == nil || !f.ReadOnly {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for name, set := range map[string]bool{
		"immutable direction": typ.Fields["direction"].Immutable, "immutable org_unit_id": typ.Fields["org_unit_id"].Immutable,
		"text prompt": typ.Fields["prompt"].Text, "text greetings": typ.Fields["greetings"].Text,
		"text more_information": typ.Fields["more_information"].Text, "text notification_message": typ.Fields["notification_message"].Text,
		"files are files": typ.Fields["files"].Items.File, "config is sent whole": typ.Fields["config"].SentWhole,
		"config is open": typ.Fields["config"].Extra != nil, "the agent is closed": typ.Extra == nil,
		"urls are a set": typ.Fields["urls"].List == diff.Set, "integrations have an order": typ.Fields["integrations"].List == diff.Atomic,
	} {
		if !set {
			t.Errorf("not so: %s", name)
		}
	}
	if got := fmt.Sprint(typ.RequiredOnCreate); got != "[voiceagent_name direction org_unit_id voice_id greetings prompt]" {
		t.Errorf("required on create: %s", got)
	}
}

// Every field says what it is and where that is known from.
func TestSchemaIsDescribed(t *testing.T) {
	var doc struct {
		Properties map[string]struct {
			Title, Description string
			Note               struct{ Source string } `json:"x-agentsync"`
		}
	}
	if err := json.Unmarshal(rawSchema, &doc); err != nil {
		t.Fatal(err)
	}
	for name, p := range doc.Properties {
		if p.Title == "" || !strings.HasSuffix(p.Description, ".") || p.Note.Source == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
