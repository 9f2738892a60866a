package nova

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
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
	l, err := decodeAgent(answer(t, `{
		"id": "a1", "name": "Front desk", "updated_at": "2026-11-01T10:00:00.123456Z", "prompt_template": "Hi\r\nyou\n",
		"goodbye_config": "eyJlbmFibGVkIjp0cnVlLCJtZXNzYWdlIjpudWxsfQ==",
		"greeting_config": "{\"greeting\": \"Hello\", \"pause_before_first_message\": \"2\"}",
		"extra_config": null, "vad_config": [], "llm_config": "nonsense", "plugins": [1, 2],
		"precall_webhook": {"url": "https://h.example", "body_template": {"keep": null}, "headers": null},
		"new_field": {"kept": [1.0]}, "tools": null}`))
	if err != nil {
		t.Fatal(err)
	}
	if l.ID != "a1" || l.Name != "Front desk" || !l.Whole || l.Revision != "2026-11-01T10:00:00.123456Z" || l.Gone || l.Locked != "" {
		t.Errorf("got %+v", l)
	}
	const want = `{"goodbye_config":{"enabled":true},"greeting_config":{"greeting":"Hello","pause_before_first_message":2},"id":"a1",` +
		`"name":"Front desk","new_field":{"kept":[1]},"plugins":[1,2],` +
		`"precall_webhook":{"body_template":{"keep":null},"url":"https://h.example"},"prompt_template":"Hi\nyou","updated_at":"2026-11-01T10:00:00.123456Z"}`
	if got := string(diff.Canonical(l.Config)); got != want {
		t.Errorf("config\n got %s\nwant %s", got, want)
	}
	if got := fmt.Sprint(l.Unreadable); got != "map[/llm_config:text that is not the JSON of an object, nor base64 of it]" {
		t.Errorf("unreadable: %s", got)
	}
}

// The vendor page's own sample shows every config object as [123], which is no document: nothing of it may be taken for one.
func TestDecodeVendorSample(t *testing.T) {
	body, err := os.ReadFile("testdata/vendor-response.json")
	if err != nil {
		t.Fatal(err)
	}
	l, err := decodeAgent(answer(t, string(body)))
	if err != nil {
		t.Fatal(err)
	}
	unreadable := slices.Sorted(maps.Keys(l.Unreadable))
	want := []diff.Pointer{"/background_sound", "/extra_config", "/goodbye_config", "/greeting_config", "/llm_config", "/precall_webhook",
		"/room_duration_config", "/transcriber_config", "/vad_config", "/voice_config"}
	if !slices.Equal(unreadable, want) {
		t.Errorf("unreadable: got %v, want %v", unreadable, want)
	}
	for name := range l.Config {
		if agentSchema().Type().Field(name) == nil {
			t.Errorf("the schema does not know %s", name)
		}
	}
}

func TestDecodeAgentRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`null`:              "empty segment",
		`{}`:                "empty segment",
		`{"id": ""}`:        "empty segment",
		`{"id": ".."}`:      "cannot be part",
		`{"message": "no"}`: "empty segment",
	} {
		if _, err := decodeAgent(answer(t, body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func FuzzDecodeAgent(f *testing.F) {
	f.Add([]byte(`{"id":"a","plugins":"W10=","llm_config":[123,125]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var fields map[string]any
		if rest.DecodeJSON(&rest.Answer{Body: body}, &fields) != nil {
			return
		}
		l, err := decodeAgent(fields)
		if err != nil {
			return
		}
		if again := diff.Normalize(agentSchema().Type(), l.Config); string(diff.Canonical(again)) != string(diff.Canonical(l.Config)) {
			t.Errorf("config is not in normal form: %v", l.Config)
		}
		for p := range l.Unreadable {
			if _, there := p.Get(l.Config); there {
				t.Errorf("%s is unreadable and there", p)
			}
		}
	})
}

func TestDecodePage(t *testing.T) {
	cases := []struct {
		body, want string
	}{
		{`{"data":[{"id":"a","name":"A"},{"id":7}],"meta":{"page":1,"size":50,"total":2,"total_pages":1}}`, "a A,7  total 2 pages 1"},
		{`{"data":[{"id":"a","extra":1}],"meta":{"total":"3"}}`, "a  total 3 pages -1"},
		{`{"data":[]}`, "total -1 pages -1"},
		{`{"data":null,"meta":{"total":0}}`, "total 0 pages -1"},
		{`{"data":null,"meta":null}`, "no list of agents in the answer"},
		{`{"status":false,"message":"no","error":"x","data":null}`, "no list of agents in the answer"},
		{`{"meta":{"total":0}}`, "total 0 pages -1"},
		{`{}`, "no list of agents in the answer"},
		{`{"message":"hello"}`, "no list of agents in the answer"},
		{`{"data":{"id":"a"}}`, "no list of agents in the answer"},
		{`{"data":["a"]}`, "item 1 of the list is not an object"},
		{`{"data":[{"id":"a"},{"name":"B"}]}`, `item 2 of the list: id "": empty segment in the path; is an id missing?`},
	}
	for _, c := range cases {
		p, err := decodePage(answer(t, c.body))
		got := fmt.Sprint(err)
		if err == nil {
			var agents []string
			for _, a := range p.agents {
				agents = append(agents, a.ID+" "+a.Name)
				if a.Whole {
					t.Errorf("%s: a summary is not whole", c.body)
				}
			}
			got = strings.TrimSpace(fmt.Sprintf("%s total %d pages %d", strings.Join(agents, ","), p.total, p.pages))
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.body, got, c.want)
		}
	}
}

func TestListing(t *testing.T) {
	agents := func(ids string) (list []providers.Live) {
		for _, id := range strings.Fields(ids) {
			list = append(list, providers.Live{ID: id})
		}
		return list
	}
	cases := []struct {
		name  string
		pages []page // until add says that there are no more; all are used
		ids   string
		err   string
	}{
		{"one page", []page{{agents: agents("a b"), total: 2, pages: 1}}, "a b", ""},
		{"two pages", []page{{agents: agents("a b"), total: 3, pages: 2}, {agents: agents("c"), total: 3, pages: 2}}, "a b c", ""},
		{"no agents", []page{{agents: nil, total: 0, pages: 0}}, "", ""},
		{"no agents, no meta", []page{{agents: nil, total: -1, pages: -1}}, "", ""},
		{"no meta: until nothing is new", []page{{agents: agents("a b"), total: -1, pages: -1}, {agents: agents("c"), total: -1, pages: -1}, {agents: agents("c"), total: -1, pages: -1}}, "a b c", ""},
		{"no meta: until a page is empty", []page{{agents: agents("a"), total: -1, pages: -1}, {agents: nil, total: -1, pages: -1}}, "a", ""},
		{"the same page for ever", []page{{agents: agents("a b"), total: 2, pages: 2}, {agents: agents("a b"), total: 2, pages: 3}}, "a b", ""},
		{"zero pages are not believed", []page{{agents: agents("a"), total: 1, pages: 0}, {agents: nil, total: 1, pages: 0}}, "a", ""},
		{"pages overlap", []page{{agents: agents("a b"), total: 3, pages: 2}, {agents: agents("b c"), total: 3, pages: 2}}, "a b c", ""},
		{"an empty page ends the list", []page{{agents: agents("a"), total: 9, pages: 5}, {agents: nil, total: 9, pages: 5}}, "", "the list says that there are 9 agents and shows 1"},
		{"too few", []page{{agents: agents("a"), total: 2, pages: 1}}, "", "the list says that there are 2 agents and shows 1"},
		{"too many", []page{{agents: agents("a b"), total: 1, pages: 1}}, "", "the list says that there are 1 agents and shows 2"},
		{"the same page again", []page{{agents: agents("a b"), total: 4, pages: 2}, {agents: agents("a b"), total: 4, pages: 2}}, "", "the list says that there are 4 agents and shows 2"},
		{"a total that is said once", []page{{agents: agents("a"), total: 5, pages: -1}, {agents: nil, total: -1, pages: -1}}, "", "the list says that there are 5 agents and shows 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			all := newListing()
			for i, p := range c.pages {
				if more := all.add(i+1, p); more != (i+1 < len(c.pages)) {
					t.Fatalf("page %d: more is %v", i+1, more)
				}
			}
			err := all.complete()
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			var ids []string
			for _, a := range all.agents {
				ids = append(ids, a.ID)
			}
			if got := strings.Join(ids, " "); got != c.ids || err != nil {
				t.Errorf("got %s, %v; want %s", got, err, c.ids)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	cases := []struct {
		body, want string
		ok         bool
	}{
		{`{"status":false,"message":"no such agent","error":"x","data":null}`, "no such agent", true},
		{`{"status":false,"message":"","error":"no such agent"}`, "no such agent", true},
		{`{"error":{"code":7}}`, `{"error":{"code":7}}`, true},
		{`{"detail":"x"}`, `{"detail":"x"}`, false},
		{`"message"`, `"message"`, false},
		{" 404 page not found\n", "404 page not found", false},
		{``, ``, false},
	}
	for _, c := range cases {
		if got, id, ok := message(404, []byte(c.body)); got != c.want || ok != c.ok || id != "" {
			t.Errorf("%s: got %q, %q, %v; want %q, %v", c.body, got, id, ok, c.want, c.ok)
		}
	}
}
