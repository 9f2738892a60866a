package nova

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/providertest"
)

var update = flag.Bool("update", false, "write the golden files")

// document decodes JSON into a config in normal form; "" is none.
func document(t *testing.T, text string) diff.Object {
	t.Helper()
	if text == "" {
		return nil
	}
	config, _ := diff.Normalize(agentSchema().Type(), answer(t, text)).(diff.Object)
	return config
}

// changeOf compares as the planner does.
func changeOf(t *testing.T, live, desired, base string) providers.Change {
	t.Helper()
	c := providers.Change{Desired: document(t, desired), Base: document(t, base)}
	if live != "" {
		l, err := decodeAgent(answer(t, live))
		if err != nil {
			t.Fatal(err)
		}
		c.ID, c.Live = l.ID, l
	}
	c.Fields = diff.Compare(agentSchema().Type(), c.Base, c.Live.Config, c.Desired, diff.Options{})
	return c
}

func golden(t *testing.T, name string, w providers.Write) {
	t.Helper()
	providertest.Golden(t, filepath.Join("testdata", name+".json"), *update, w)
}

// webhook is a live agent with a webhook that has the given headers, and plugins that cannot be read.
func webhook(headers string) string {
	return `{"id": "a/1", "name": "Desk", "type": "voice", "plugins": "?", "greeting_config": {"greeting": "Hi", "future": {"kept": 1}},
		"llm_config": {"provider": "openai", "model": "gpt-4o"},
		"precall_webhook": {"url": "https://old.example/h", "method": "POST", "body_template": {"n": null}` + headers + `}}`
}

func TestCreate(t *testing.T) {
	for name, desired := range map[string]string{
		"create-minimal": `{"name": "Desk", "type": "chat", "prompt_template": "Help"}`,
		"create-full": `{"name": "Desk", "type": "voice", "prompt_template": "Help", "default_functions": ["end_call"], "id": "ignored",
			"voice_config": {"provider": "cartesia", "model": "sonic", "speed": 1.10}, "goodbye_config": {"enabled": false}}`,
		"create-copy":       `{"name": "Desk", "type": "voice", "prompt_template": "Help", "copy_from_agent_id": "a0", "llm_config": {"temperature": 0}}`,
		"create-incomplete": `{"name": "Desk", "type": "voice", "prompt_template": "Help", "llm_config": {"temperature": 0}, "precall_webhook": {"method": "GET"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := changeOf(t, "", desired, "")
			before := string(diff.Canonical(c.Desired))
			golden(t, name, org("o%2F1").planCreate(c))
			if string(diff.Canonical(c.Desired)) != before {
				t.Error("the desired config was changed")
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	none := webhook("")
	cases := []struct {
		name, live, desired, base string
		accept                    []diff.Pointer
	}{
		{name: "update-field", live: none, desired: `{"name": "Front desk", "type": "voice"}`},
		{name: "update-empty-string", live: none, desired: `{"name": "Desk", "greeting_config": {"greeting": ""}}`},
		{name: "update-node", live: none, desired: `{"greeting_config": {"greeting": "Hello", "agent_speaks_first": true}}`},
		{name: "update-node-from-nothing", live: none, desired: `{"goodbye_config": {"message": "Bye"}}`},
		{name: "update-node-completed", live: none, desired: `{"llm_config": {"temperature": 0.5}}`},
		{name: "update-node-incomplete", live: none, desired: `{"transcriber_config": {"language": "en"}, "voice_config": {"speed": 1}}`},
		{name: "update-list", live: none, desired: `{"default_functions": ["a", "b"], "background_sound": {"file": "f", "thinking_sound": [{"sound": "s"}]}}`},
		{name: "update-unreadable", live: none, desired: `{"plugins": [{"x": 1}], "name": "New"}`},
		{name: "update-unsent", live: none, desired: `{"type": "chat", "copy_from_agent_id": "a0"}`},
		{name: "update-released", live: none, desired: `{"greeting_config": {}}`, base: `{"greeting_config": {"greeting": "Hi"}, "name": "Desk"}`},
		{name: "update-unknown-field", live: none, desired: `{"brand_new": {"a": [1]}}`},
		{name: "headers-unseen", live: none, desired: `{"precall_webhook": {"url": "https://new.example"}}`},
		{name: "headers-known-null", live: none, desired: `{"precall_webhook": {"url": "https://new.example"}}`,
			base: `{"precall_webhook": {"headers": null}}`},
		{name: "headers-reset", live: none, desired: `{"precall_webhook": {"url": "https://new.example"}}`, accept: []diff.Pointer{"/precall_webhook"}},
		{name: "headers-carried", live: webhook(`, "headers": {"A": "secret"}`), desired: `{"precall_webhook": {"url": "https://new.example"}}`},
		{name: "headers-none", live: webhook(`, "headers": {}`), desired: `{"precall_webhook": {"method": "GET"}}`},
		{name: "headers-masked", live: webhook(`, "headers": {"A": "Bearer ***"}`), desired: `{"precall_webhook": {"method": "GET"}}`},
		{name: "headers-declared", live: webhook(`, "headers": {"A": "***", "B": "gone"}`), desired: `{"precall_webhook": {"headers": {"A": "secret"}}}`},
		{name: "webhook-new", live: `{"id": "a1"}`, desired: `{"precall_webhook": {"url": "https://new.example", "method": "POST"}}`},
		{name: "url-masked", live: `{"id": "a1", "precall_webhook": {"url": "https://h.example/[REDACTED]", "method": "GET", "headers": {}}}`,
			desired: `{"precall_webhook": {"timeout_seconds": 3}}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			change := changeOf(t, c.live, c.desired, c.base)
			change.AcceptReset = c.accept
			before := string(diff.Canonical(change.Live.Config))
			golden(t, c.name, org("o1").planUpdate(change))
			if string(diff.Canonical(change.Live.Config)) != before {
				t.Error("the live config was changed")
			}
		})
	}
}

// The page's own request, as a change: what is sent is exactly it, but for the type, which agentsync never changes.
func TestVendorExample(t *testing.T) {
	example, err := os.ReadFile("testdata/vendor-request.json")
	if err != nil {
		t.Fatal(err)
	}
	c := changeOf(t, `{"id": "a1", "type": "voice", "name": "old", "llm_config": {"provider": "openai", "model": "m"}}`, string(example), "")
	w := org("o1").planUpdate(c)
	want := document(t, string(example))
	delete(want, "type")
	if len(w.Requests) != 1 || len(w.Findings) > 0 || len(w.Carried) > 0 {
		t.Fatalf("got %+v", w)
	}
	r := w.Requests[0]
	if r.Method != "PATCH" || r.Path != "/org/o1/agents/a1" || r.Once {
		t.Errorf("got %s %s", r.Method, r.Path)
	}
	if got := string(diff.Canonical(r.JSON)); got != string(diff.Canonical(want)) {
		t.Errorf("\n got %s\nwant %s", got, diff.Canonical(want))
	}
	// What was sent is then live: the second run is empty.
	after := maps.Clone(want)
	after["id"], after["type"] = "a1", "voice"
	if again := changeOf(t, string(diff.Canonical(after)), string(example), ""); len(again.Fields) > 0 {
		t.Errorf("the second run finds %v", again.Fields)
	}
}

func TestDelete(t *testing.T) {
	golden(t, "delete", org("o1").planDelete(providers.Live{ID: "a 1"}))
}

func TestNoPathWithoutID(t *testing.T) {
	for _, id := range []string{"", ".", "..", "a/../.."} {
		for name, w := range map[string]providers.Write{
			"delete": org("o1").planDelete(providers.Live{ID: id}),
			"update": org("o1").planUpdate(providers.Change{ID: id, Desired: diff.Object{"name": "x"}, Fields: []diff.Field{{Path: "/name"}}}),
		} {
			if len(w.Requests) > 0 || len(w.Findings) != 1 || w.Findings[0].Severity != providers.Blocking {
				t.Errorf("%s %q: got %+v", name, id, w)
			}
		}
	}
}

func TestLooksMasked(t *testing.T) {
	for value, want := range map[string]bool{
		"***": true, "sk-••••12": true, "abc…": true, "[Redacted]": true, "<MASKED>": true, "hidden": true, "sk-XXXX": true,
		"": false, "Bearer abc": false, "application/json": false, "* * *": false, "xxx": false,
	} {
		if got := looksMasked(map[string]any{"A": "plain", "B": []any{value}}); got != want {
			t.Errorf("%q: got %v", value, got)
		}
	}
}
