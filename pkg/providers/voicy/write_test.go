package voicy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/providertest"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

var update = flag.Bool("update", false, "write the golden files")

const agentID = "550e8400-e29b-41d4-a716-446655440001"

func dialectOf(t testing.TB, name string) dialect {
	t.Helper()
	for _, d := range dialects() {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("no API generation %q", name)
	return dialect{}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// configOf reads a config that a test writes as JSON.
func configOf(t testing.TB, d dialect, text string) diff.Object {
	t.Helper()
	var raw map[string]any
	if err := rest.DecodeJSON(answer([]byte(text)), &raw); err != nil {
		t.Fatal(err)
	}
	return diff.Normalize(d.schema().Type(), raw).(diff.Object)
}

// changeOf is the change from a live agent to a desired config, as the planner makes it. base is "" where there is none.
func changeOf(t testing.TB, d dialect, live, base, desired string) providers.Change {
	t.Helper()
	l, err := d.decodeAgent(answer([]byte(live)))
	if err != nil {
		t.Fatal(err)
	}
	var old diff.Object
	if base != "" {
		old = configOf(t, d, base)
	}
	root := d.schema().Type()
	want := diff.Complete(root, l.Config, configOf(t, d, desired))
	return providers.Change{ID: l.ID, Live: l, Base: old, Desired: want, Fields: diff.Compare(root, old, l.Config, want, diff.Options{})}
}

func golden(t *testing.T, name string, w providers.Write) {
	t.Helper()
	providertest.Golden(t, filepath.Join("testdata", "golden", name+".json"), *update, w)
}

// TestVendorExample sends the request of the vendor's page, byte for byte in canonical JSON.
func TestVendorExample(t *testing.T) {
	d := dialectOf(t, "v1")
	live := `{"agent_id": "550e8400-e29b-41d4-a716-446655440001", "agent_name": "Old", "begin_message": "Hi", "language": "en"}`
	example := string(readFile(t, "update-agent.curl.json"))
	w := d.planUpdate(changeOf(t, d, live, "", example))
	if len(w.Requests) != 1 || w.Requests[0].Method != "PATCH" || w.Requests[0].Path != "/update-agent/"+agentID {
		t.Fatalf("requests: %+v", w.Requests)
	}
	got, want := diff.Canonical(w.Requests[0].JSON), diff.Canonical(configOf(t, d, example))
	if !bytes.Equal(got, want) {
		t.Errorf("body %s, want %s", got, want)
	}
}

func TestUpdate(t *testing.T) {
	const v1Vars = `{"agent_id": "a", "agent_name": "A", "vars_provided": [
		{"name": "city", "type": "string", "default_value": null, "description": "Where"},
		{"name": "who", "type": "string", "default_value": "you", "description": ""}]}`
	const variables = `{"agent_id": "a", "name": "A", "agent_type": "singlePrompt", "variables_extracted": [{"name": "mail", "description": "E-mail"}]}`
	for _, tc := range []struct {
		name, api, live, base, desired string
	}{
		{"v1-one-of-two-fields", "v1", `{"agent_id": "a", "agent_name": "A", "language": "en"}`, `{"agent_name": "A", "language": "he"}`,
			`{"agent_name": "A", "language": "he"}`},
		{"v1-number", "v1", `{"agent_id": "a", "agent_name": "A", "response_delay_ms": "100"}`, "", `{"response_delay_ms": 250}`},
		{"v1-variables-are-whole-without-nulls", "v1", v1Vars, "", `{"vars_provided": [{"name": "city", "description": "Which city"}, {"name": "who"}]}`},
		{"v1-variables-cleared", "v1", v1Vars, "", `{"vars_provided": []}`},
		{"v1-path-is-escaped", "v1", `{"agent_id": "a/../b c", "agent_name": "A"}`, "", `{"agent_name": "B"}`},
		{"v1-flow-agent", "v1", `{"agent_id": "a", "agent_name": "A", "agent_type": "conversationalFlow"}`, "", `{"agent_name": "B"}`},
		{"v1-interim-agent", "v1", `{"agent_id": "a", "agent_name": "A", "agent_prompt": "P"}`, "", `{"agent_name": "B"}`},
		{"functions-greeting-cleared", "functions-v1", `{"agent_id": "a", "name": "A", "welcome_message": "Hi"}`, "", `{"welcome_message": ""}`},
		{"functions-unseen-items", "functions-v1", variables, "", `{"variables_extracted": [{"name": "mail", "required": true}]}`},
		{"functions-items-with-base", "functions-v1", variables, `{"variables_extracted": [{"name": "mail", "description": "E-mail", "required": true}]}`,
			`{"variables_extracted": [{"name": "mail", "description": "Mail", "required": true}]}`},
		{"functions-first-items", "functions-v1", `{"agent_id": "a", "name": "A", "variables_extracted": []}`, "",
			`{"variables_extracted": [{"name": "mail", "required": true}]}`},
		{"functions-flow-agent", "functions-v1", `{"agent_id": "a", "name": "A", "agent_type": "conversationalFlow"}`, "", `{"name": "B"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := dialectOf(t, tc.api)
			c := changeOf(t, d, tc.live, tc.base, tc.desired)
			before := diff.Clone(c.Desired)
			golden(t, tc.name, d.planUpdate(c))
			if diff := cmp.Diff(before, any(c.Desired)); diff != "" {
				t.Errorf("the desired config was changed: %s", diff)
			}
		})
	}
}

// TestUnseenIsNotDrift holds that what an answer leaves out of a variable counts as what was applied last.
func TestUnseenIsNotDrift(t *testing.T) {
	d := dialectOf(t, "functions-v1")
	const applied = `{"variables_extracted": [{"name": "mail", "description": "E-mail", "required": true}]}`
	c := changeOf(t, d, `{"agent_id": "a", "name": "A", "variables_extracted": [{"name": "mail", "description": "E-mail"}]}`, applied, applied)
	if len(c.Fields) != 0 {
		t.Errorf("differences: %+v", c.Fields)
	}
}

// TestEmptyUpdate holds that an empty body, which the vendor does not document, is not sent.
func TestEmptyUpdate(t *testing.T) {
	d := dialectOf(t, "functions-v1")
	if w := d.planUpdate(changeOf(t, d, `{"agent_id": "a", "name": "A"}`, "", `{"name": "A"}`)); len(w.Requests)+len(w.Findings) != 0 {
		t.Errorf("got %+v", w)
	}
}

func TestCreate(t *testing.T) {
	for _, tc := range []struct{ name, api, desired string }{
		{"v1-create", "v1", `{"agent_name": "A", "general_prompt": "P", "response_delay_ms": 100, "vars_provided": [{"name": "who", "default_value": null}]}`},
		{"functions-create", "functions-v1", `{"name": "A", "prompt": "P", "variables_provided": [{"name": "who", "default": "you"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := dialectOf(t, tc.api)
			desired := configOf(t, d, tc.desired)
			golden(t, tc.name, d.planCreate(providers.Change{Desired: desired}))
			if diff := cmp.Diff(configOf(t, d, tc.desired), desired); diff != "" {
				t.Errorf("the desired config was changed: %s", diff)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	for _, tc := range []struct{ name, api, live string }{
		{"v1-delete", "v1", `{"agent_id": "a", "agent_name": "A"}`},
		{"v1-delete-flow-agent", "v1", `{"agent_id": "a", "agent_name": "A", "agent_type": "conversationalFlow"}`},
		{"functions-delete", "functions-v1", `{"agent_id": "a", "name": "A"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := dialectOf(t, tc.api)
			l, err := d.decodeAgent(answer([]byte(tc.live)))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name, d.planDelete(l))
		})
	}
}
