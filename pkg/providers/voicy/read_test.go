package voicy

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

func answer(body []byte) *rest.Answer { return &rest.Answer{Status: http.StatusOK, Body: body} }

func TestDecodeVendorAnswers(t *testing.T) {
	for _, tc := range []struct{ api, file, name, revision string }{
		{"v1", "update-agent.json", "Updated Agent Name", ""},
		{"functions-v1", "agent-get.json", "Clinic", "2026-06-02T08:00:00Z"},
	} {
		d := dialectOf(t, tc.api)
		text := readFile(t, tc.file)
		l, err := d.decodeAgent(answer(text))
		if err != nil {
			t.Fatalf("%s: %v", tc.file, err)
		}
		if l.ID != agentID || l.Name != tc.name || l.Revision != tc.revision || !l.Whole || l.Locked != "" || l.Unreadable != nil {
			t.Errorf("%s: %+v", tc.file, l)
		}
		if got, want := diff.Canonical(l.Config), diff.Canonical(configOf(t, d, string(text))); string(got) != string(want) {
			t.Errorf("%s: config %s, want %s", tc.file, got, want)
		}
		for name := range l.Config {
			if d.schema().Type().Field(name) == nil {
				t.Errorf("%s: the schema does not know %q", tc.file, name)
			}
		}
	}
}

func TestDecodeAgentFaults(t *testing.T) {
	for _, tc := range []struct{ name, api, body, want string }{
		{"other generation", "functions-v1", `{"agent_id": "a", "agent_name": "A"}`, "set `api: v1`"},
		{"other generation", "v1", `{"agent_id": "a", "name": "A"}`, "set `api: functions-v1`"},
		{"no id", "v1", `{"agent_name": "A"}`, "no agent_id"},
		{"id is no text", "v1", `{"agent_id": 7, "agent_name": "A"}`, "no agent_id"},
		{"error in a 200", "v1", `{"error": "nope"}`, "no agent_id"},
		{"list", "v1", `[]`, "JSON"},
		{"null", "v1", `null`, "no agent_id"},
		{"page", "v1", `<html>`, "JSON"},
		{"nothing", "v1", ``, "JSON"},
		{"cut off", "v1", `{"agent_id": "a"`, "JSON"},
		{"two documents", "v1", `{"agent_id": "a"} {"agent_id": "b"}`, "more follows"},
	} {
		l, err := dialectOf(t, tc.api).decodeAgent(answer([]byte(tc.body)))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %s %s: got %+v, %v; want an error with %q", tc.name, tc.api, tc.body, l, err, tc.want)
		}
	}
}

func TestDecodeAgents(t *testing.T) {
	for _, tc := range []struct {
		name, api, body string
		ids             string
		whole           bool
		want            string
	}{
		{"empty", "v1", `[]`, "", false, ""},
		{"whole", "v1", `[{"agent_id": "a", "agent_name": "A", "vars_provided": [], "vars_extracted": []}]`, "a", true, ""},
		{"later v1 list without variables", "v1", `[{"agent_id": "a", "agent_name": "A", "account": {"id": 1}}]`, "a", false, ""},
		{"functions", "functions-v1", `[{"agent_id": "a", "name": "A"}, {"agent_id": "b", "name": "A"}]`, "a b", false, ""},
		{"functions sample with empty variables", "functions-v1", `[{"agent_id": "a", "name": "A", "variables_provided": [], "variables_extracted": []}]`, "a", false, ""},
		{"twice", "v1", `[{"agent_id": "a", "agent_name": "A"}, {"agent_id": "a", "agent_name": "A"}]`, "", false, "twice"},
		{"null item", "v1", `[null]`, "", false, "agent 1 of the list: no agent_id"},
		{"other generation", "v1", `[{"agent_id": "a", "name": "A"}]`, "", false, "set `api: functions-v1`"},
		{"null", "v1", `null`, "", false, "null"},
		{"object", "v1", `{"agents": []}`, "", false, "JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			agents, err := dialectOf(t, tc.api).decodeAgents(answer([]byte(tc.body)))
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %+v, %v; want an error with %q", agents, err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, l := range agents {
				ids = append(ids, l.ID)
				if l.Whole != tc.whole {
					t.Errorf("agent %s: whole is %v", l.ID, l.Whole)
				}
			}
			if got := strings.Join(ids, " "); got != tc.ids {
				t.Errorf("ids %q, want %q", got, tc.ids)
			}
		})
	}
}

func TestUnreadableVariables(t *testing.T) {
	d := dialectOf(t, "v1")
	for _, tc := range []struct{ list, why string }{
		{`[]`, ""},
		{`null`, ""},
		{`[{"name": "a"}, {"name": "b"}]`, ""},
		{`[{"name": "a"}, {"name": "a"}]`, `two items are named "a"`},
		{`[{"name": "a"}, {"label": "b"}]`, "item 2 has no name"},
		{`["a"]`, "item 1 has no name"},
		{`{"a": 1}`, "not a list"},
	} {
		l, err := d.decodeAgent(answer([]byte(`{"agent_id": "a", "agent_name": "A", "vars_provided": ` + tc.list + `, "vars_extracted": []}`)))
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Unreadable["/vars_provided"]; got != tc.why {
			t.Errorf("%s: unreadable %q, want %q", tc.list, got, tc.why)
		}
		if _, there := l.Config["vars_provided"]; there != (tc.why == "") {
			t.Errorf("%s: in the config: %v", tc.list, there)
		}
		if _, there := l.Config["vars_extracted"]; !there {
			t.Errorf("%s: the other list is missing", tc.list)
		}
	}
}

func TestLocked(t *testing.T) {
	for _, tc := range []struct {
		api, body string
		want      string
	}{
		{"functions-v1", `{"agent_id": "a", "name": "A", "agent_type": "conversationalFlow"}`, "is a flow agent: "},
		{"functions-v1", `{"agent_id": "a", "name": "A", "agent_type": "singlePrompt"}`, ""},
		{"v1", `{"agent_id": "a", "agent_name": "A", "agent_type": "conversationalFlow", "agent_prompt": ""}`, "is a flow agent: "},
		{"v1", `{"agent_id": "a", "agent_name": "A", "agent_prompt": "P"}`, "has agent_prompt"},
		{"v1", `{"agent_id": "a", "agent_name": "A", "agent_prompt": "P", "general_prompt": "P"}`, ""},
	} {
		l, err := dialectOf(t, tc.api).decodeAgent(answer([]byte(tc.body)))
		if err != nil || !strings.HasPrefix(l.Locked, tc.want) || (tc.want == "") != (l.Locked == "") {
			t.Errorf("%s %s: locked %q, %v; want %q", tc.api, tc.body, l.Locked, err, tc.want)
		}
	}
}

func TestMessage(t *testing.T) {
	for _, tc := range []struct {
		body, text string
		ok         bool
	}{
		{`{"error": "Agent not found"}`, "Agent not found", true},
		{`{"status": "error", "message": "Agent not found"}`, "Agent not found", true},
		{`{"error": ""}`, "", true},
		{`{"message": "Requested function was not found", "code": "NOT_FOUND"}`, "", false},
		{`{"status": "ok", "message": "x"}`, "", false},
		{`{"error": {"message": "x"}}`, "", false},
		{`["error"]`, "", false},
		{`<html>error</html>`, "", false},
		{``, "", false},
	} {
		if text, id, ok := message(404, []byte(tc.body)); text != tc.text || ok != tc.ok || id != "" {
			t.Errorf("%s: %q %q %v", tc.body, text, id, ok)
		}
	}
}

func TestPace(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, tc := range []struct {
		remaining, reset string
		want             int
		in               time.Duration
		ok               bool
	}{
		{"59", "1800000030", 59, 30 * time.Second, true},
		{"0", "1800000060", 0, time.Minute, true},
		{"0", "1799999999", 0, -time.Second, true},
		{"", "1800000030", 0, 0, false},
		{"-1", "1800000030", 0, 0, false},
		{"5", "", 0, 0, false},
		{"5", "soon", 0, 0, false},
		{"0", "1800000030000", 0, 0, false}, // milliseconds
	} {
		h := http.Header{}
		h.Set("X-RateLimit-Limit", "60")
		h.Set("X-RateLimit-Remaining", tc.remaining)
		h.Set("X-RateLimit-Reset", tc.reset)
		rate, ok := pace(h, now)
		if ok != tc.ok || rate.Remaining != tc.want || (ok && (rate.Reset.Sub(now) != tc.in || rate.Limit != 60)) {
			t.Errorf("%q %q: %+v, %v", tc.remaining, tc.reset, rate, ok)
		}
		for _, odd := range []string{"", "0", "-60", "many", "100000"} {
			h.Set("X-RateLimit-Limit", odd)
			if rate, _ := pace(h, now); rate.Limit != 0 {
				t.Errorf("limit %q: %d", odd, rate.Limit)
			}
		}
	}
}

// FuzzDecode holds one property: what is taken for an agent has an id, keeps every readable field of the answer, and a list never
// holds an agent twice.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"update-agent.json", "agent-get.json"} {
		text := readFile(f, name)
		f.Add(text)
		f.Add([]byte("[" + string(text) + "]"))
	}
	f.Add([]byte(`{"agent_id":"a","vars_provided":[{"name":"x"},{"name":"x"}],"new":{"a":[1e400]}}`))
	f.Add([]byte(`[{"agent_id":"a"},{"agent_id":"a"},null]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range dialects() {
			if l, err := d.decodeAgent(answer(body)); err == nil {
				var raw map[string]any
				if rest.DecodeJSON(answer(body), &raw) != nil || l.ID == "" || raw["agent_id"] != l.ID {
					t.Fatalf("%s is no agent, but read as %q", body, l.ID)
				}
				if len(l.Config)+len(l.Unreadable) != len(raw) {
					t.Fatalf("%s: %d fields, %d kept and %d unreadable", body, len(raw), len(l.Config), len(l.Unreadable))
				}
			}
			agents, _ := d.decodeAgents(answer(body))
			seen := map[string]bool{}
			for _, l := range agents {
				if l.ID == "" || seen[l.ID] {
					t.Fatalf("%s: agent %q without id or twice", body, l.ID)
				}
				seen[l.ID] = true
			}
		}
	})
}
