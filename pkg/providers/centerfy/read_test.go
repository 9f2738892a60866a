package centerfy

import (
	"fmt"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// answer decodes a JSON object as the client does.
func answer(t testing.TB, body string) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := rest.DecodeJSON(&rest.Answer{Body: []byte(body)}, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestDecodeAgent(t *testing.T) {
	l, err := decodeAgent(answer(t, `{"id": "d8f2", "name": "Desk", "updated_at": "2026-04-17T12:00:00Z", "max_duration": "30.0", "temperature": 0.70,
		"background_type": null, "is_active": false, "archived_at": null, "extra": {"a": 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if l.ID != "d8f2" || l.Name != "Desk" || l.Revision != "2026-04-17T12:00:00Z" || !l.Whole || l.Gone || l.Locked != "" || len(l.Unreadable) > 0 {
		t.Errorf("got %+v", l)
	}
	const want = `{"extra":{"a":1},"id":"d8f2","is_active":false,"max_duration":30,"name":"Desk","temperature":0.7,"updated_at":"2026-04-17T12:00:00Z"}`
	if got := string(diff.Canonical(l.Config)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestDecodeArchived(t *testing.T) {
	l, err := decodeAgent(answer(t, `{"id": "d8f2", "archived_at": "2026-04-17T12:00:00Z", "is_active": true}`))
	if err != nil || !l.Gone || l.Locked == "" {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestDecodeSpelling(t *testing.T) {
	for body, want := range map[string]string{
		`{"id": "a", "backcchanneling": true}`:                          "true map[]",
		`{"id": "a", "backchanneling": false}`:                          "false map[]",
		`{"id": "a", "backcchanneling": true, "backchanneling": true}`:  "true map[]",
		`{"id": "a", "backcchanneling": null, "backchanneling": true}`:  "true map[]",
		`{"id": "a", "backcchanneling": false, "backchanneling": null}`: "false map[]",
		`{"id": "a"}`: "<nil> map[]",
		`{"id": "a", "backcchanneling": true, "backchanneling": false}`: "<nil> map[/backcchanneling:the answer has backcchanneling and backchanneling, and they disagree]",
		`{"id": "a", "backcchanneling": false, "backchanneling": true}`: "<nil> map[/backcchanneling:the answer has backcchanneling and backchanneling, and they disagree]",
	} {
		l, err := decodeAgent(answer(t, body))
		if got := fmt.Sprint(l.Config[backchannelField], " ", l.Unreadable); got != want || err != nil {
			t.Errorf("%s: got %s, %v; want %s", body, got, err, want)
		}
		if _, there := l.Config[backchannelAlias]; there {
			t.Errorf("%s: the alias is a field", body)
		}
	}
}

func TestDecodeCreated(t *testing.T) {
	for body, want := range map[string]string{
		`{"id": "a", "name": "Desk"}`:             "a <nil>",
		`{"agent_id": "b"}`:                       "b <nil>",
		`{"id": "", "agent_id": "b"}`:             "b <nil>",
		`{"id": 7, "webhook_url": "https://s?t"}`: " no id among its fields (id, webhook_url)",
		`{}`:           " no id among its fields ()",
		`{"id": ".."}`: `.. id "..": ".." cannot be part of the path`,
	} {
		id, err := decodeCreated(answer(t, body))
		if got := fmt.Sprint(id, " ", err); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

// FuzzDecodeAgent: what is decoded has an id, is in normal form, and says unreadable only of what it leaves out.
func FuzzDecodeAgent(f *testing.F) {
	f.Add([]byte(`{"id":"a","backcchanneling":true,"backchanneling":1,"temperature":"0.50","archived_at":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var fields map[string]any
		if rest.DecodeJSON(&rest.Answer{Body: body}, &fields) != nil {
			return
		}
		l, err := decodeAgent(fields)
		if err != nil {
			return
		}
		again := diff.Normalize(agentSchema().Type(), l.Config)
		if l.ID == "" || string(diff.Canonical(again)) != string(diff.Canonical(l.Config)) {
			t.Errorf("got %+v", l)
		}
		for p := range l.Unreadable {
			if _, there := p.Get(l.Config); there {
				t.Errorf("%s is unreadable and there", p)
			}
		}
	})
}

func TestMessage(t *testing.T) {
	cases := []struct {
		body, want string
		ok         bool
	}{
		{`{"error": true, "message": "Agent not found"}`, "Agent not found", true},
		{`{"error": "Unauthorized"}`, "Unauthorized", true},
		{`{"error": "bad", "message": "voice_id is required"}`, "voice_id is required", true},
		{`{"error": true}`, `{"error": true}`, true},
		{`{"error": false, "message": "fine"}`, `{"error": false, "message": "fine"}`, false},
		{`{"code": "NOT_FOUND", "message": "Requested function was not found"}`, `{"code": "NOT_FOUND", "message": "Requested function was not found"}`, false},
		{`["error"]`, `["error"]`, false},
		{"<html>\n", "<html>", false},
		{``, ``, false},
	}
	for _, c := range cases {
		got, id, ok := message(404, []byte(c.body))
		if got != c.want || ok != c.ok || id != "" {
			t.Errorf("%s: got %q, %q, %v; want %q, %v", c.body, got, id, ok, c.want, c.ok)
		}
	}
	if got, _, _ := message(400, []byte(strings.Repeat(" ", 10))); got != "" {
		t.Errorf("got %q", got)
	}
}
