package centerfy

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
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

const liveAgent = `{"id": "d8f2a229", "name": "Desk", "voice_id": "Ravi", "max_duration": 10, "temperature": 0.2, "silence_timeout": 5,
	"voice_activity_timeout": 300, "llm_model": "gpt-4o-mini-old", "language": "en-US", "background_noise": true, "background_type": "call_center",
	"voicemail_detection": true, "voicemail_type": "hangup", "voicemail_message": "", "backcchanneling": false, "is_active": false,
	"webhook": false, "webhook_url": null, "recording": true, "organization_id": "o1", "sub_account_id": "s1",
	"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}`

func TestCreate(t *testing.T) {
	for name, desired := range map[string]string{
		"create": `{"name": "Desk", "voice_id": "Aria", "temperature": 0.70, "webhook": false, "webhook_url": "https://h.example", "organization_id": "o1",
			"sub_account_id": "s1", "created_at": "ignored"}`,
		"create-incomplete": `{"name": "Desk", "webhook": true, "background_noise": true, "voicemail_detection": true, "voicemail_type": "leave_message"}`,
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, planCreate(changeOf(t, "", desired, ""))) })
	}
}

func TestUpdate(t *testing.T) {
	archived := `{"id": "d8f2a229", "archived_at": "2026-01-01T00:00:00Z"}`
	leaves := `{"id": "a1", "voicemail_detection": true, "voicemail_type": "leave_message", "voicemail_message": "Hi"}`
	cases := []struct{ name, live, desired, base string }{
		{"update-field", liveAgent, `{"name": "Front desk", "temperature": 0.2}`, ""},
		{"update-group", liveAgent, `{"background_type": "cafe"}`, ""},
		{"update-toggle-off", liveAgent, `{"background_noise": false, "background_type": "cafe"}`, ""},
		{"update-toggle-on", liveAgent, `{"webhook": true, "webhook_url": "https://h.example/?token=1"}`, ""},
		{"update-toggle-on-incomplete", liveAgent, `{"webhook": true}`, ""},
		{"update-message", liveAgent, `{"voicemail_type": "leave_message", "voicemail_message": "Call back"}`, ""},
		{"update-message-missing", liveAgent, `{"voicemail_type": "leave_message"}`, ""},
		{"update-hangup", leaves, `{"voicemail_type": "hangup"}`, ""},
		{"update-dependent-alone", leaves, `{"voicemail_message": "Hello"}`, ""},
		{"update-unsent", liveAgent, `{"organization_id": "o2", "sub_account_id": "s2"}`, ""},
		{"update-released", liveAgent, `{"name": "Desk"}`, `{"name": "Desk", "recording": true}`},
		{"update-archived", archived, `{"name": "Desk"}`, ""},
		{"update-unreadable", `{"id": "a1", "backcchanneling": true, "backchanneling": false}`, `{"backcchanneling": true, "name": "x"}`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			change := changeOf(t, c.live, c.desired, c.base)
			before := string(diff.Canonical(change.Live.Config))
			golden(t, c.name, planUpdate(change))
			if string(diff.Canonical(change.Live.Config)) != before {
				t.Error("the live config was changed")
			}
		})
	}
}

// The page's requests, as changes of an agent that differs in every field: what is sent is exactly them.
func TestVendorRequests(t *testing.T) {
	text, err := os.ReadFile("testdata/vendor-requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []json.RawMessage
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	if len(examples) != 6 {
		t.Fatalf("%d examples", len(examples))
	}
	for i, example := range examples {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			live := answer(t, liveAgent)
			// One example sets is_active to false, the others to true.
			live["is_active"] = !bytes.Contains(example, []byte(`"is_active": true`))
			w := planUpdate(changeOf(t, string(diff.Canonical(live)), string(example), ""))
			if len(w.Requests) != 1 || len(w.Findings)+len(w.Carried) > 0 {
				t.Fatalf("got %+v", w)
			}
			r, want := w.Requests[0], document(t, string(example))
			if r.Method != "PUT" || r.Path != "/update-agent/d8f2a229" || r.Once {
				t.Errorf("got %s %s", r.Method, r.Path)
			}
			if got := string(diff.Canonical(r.JSON)); got != string(diff.Canonical(want)) {
				t.Errorf("got %s, want %s", got, diff.Canonical(want))
			}
			maps.Copy(live, want)
			if again := changeOf(t, string(diff.Canonical(live)), string(example), ""); len(again.Fields) > 0 {
				t.Errorf("the second run finds %v", again.Fields)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	golden(t, "delete", planDelete(providers.Live{ID: "d8f2a229"}))
}

func TestNoRequestWithoutID(t *testing.T) {
	for _, id := range []string{"", ".", "a/.."} {
		for name, w := range map[string]providers.Write{
			"delete": planDelete(providers.Live{ID: id}),
			"update": planUpdate(providers.Change{ID: id, Desired: diff.Object{"name": "x"}, Fields: []diff.Field{{Path: "/name"}}}),
		} {
			if len(w.Requests) > 0 || len(w.Findings) != 1 || w.Findings[0].Severity != providers.Blocking {
				t.Errorf("%s %q: got %+v", name, id, w)
			}
		}
	}
}
