package nova

import (
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/providertest"
)

func TestSchemaDecode(t *testing.T) {
	cases := []struct {
		config string
		errs   []string // a part of each error, in any order
		warns  int
	}{
		{`{"name": "Desk", "type": "voice", "prompt_template": "x", "plugins": [1, "a", {"b": null}]}`, nil, 0},
		{`{"type": "phone"}`, []string{"type"}, 0},
		{`{"llm_config": {"provider": "google", "model": "any"}, "voice_config": {"provider": "any"}}`, []string{"provider"}, 0},
		{`{"transcriber_config": {"provider": "whisper", "commit_strategy": "never", "keyterms": ["a"]}}`, []string{"provider", "commit_strategy"}, 0},
		{`{"precall_webhook": {"method": "DELETE"}}`, []string{"method"}, 0},
		{`{"precall_webhook": {"headers": {"X-Any": "v"}, "body_template": {"deep": {"er": [1, true]}}}}`, nil, 0},
		{`{"precall_webhook": {"headers": {"X-Any": ["v"]}}}`, []string{"X-Any"}, 0},
		{`{"vad_config": {"sample_rate": 1, "activation_threshold": 2}, "llm_config": {"top_p": -1}}`, nil, 3},
		{`{"background_sound": {"thinking_sound": [{"volume": 1}]}}`, []string{"sound"}, 0},
		{`{"greeting_config": {"greting": "Hi"}, "promt_template": "x"}`, []string{"greting", "promt_template"}, 0},
		{`{"id": "a", "tools": []}`, []string{"id", "tools"}, 0},
		{`{"name": null, "goodbye_config": {"message": null}}`, []string{"name", "message"}, 0},
		{`{"goodbye_config": {"message": ""}}`, nil, 0},
	}
	for _, c := range cases {
		t.Run(c.config, func(t *testing.T) {
			_, problems := agentSchema().Decode(providertest.Manifest(answer(t, c.config)), false)
			var errs []string
			for _, p := range problems {
				if !p.Warning {
					errs = append(errs, p.Message)
				}
			}
			if len(errs) != len(c.errs) || len(problems)-len(errs) != c.warns {
				t.Fatalf("got %q and %d warnings", errs, len(problems)-len(errs))
			}
			for _, part := range c.errs {
				if !slices.ContainsFunc(errs, func(e string) bool { return strings.Contains(e, part) }) {
					t.Errorf("nothing about %q in %q", part, errs)
				}
			}
		})
	}
}

func TestSchemaTypes(t *testing.T) {
	root := agentSchema().Type()
	if want := []string{"name", "type", "prompt_template"}; !slices.Equal(root.RequiredOnCreate, want) {
		t.Errorf("a create requires %v", root.RequiredOnCreate)
	}
	required := map[string]string{"llm_config": "model provider", "voice_config": "model provider", "transcriber_config": "provider",
		"background_sound": "file", "precall_webhook": "method url"}
	objects := 0
	for name, f := range root.Fields {
		if f.HasClear || f.HasDefault {
			t.Errorf("%s: nothing is documented that clears it, nor a default", name)
		}
		if f.Kind != diff.Map {
			continue
		}
		objects++
		if !f.SentWhole || f.Whole {
			t.Errorf("%s is not sent whole and compared by field", name)
		}
		if got := strings.Join(slices.Sorted(slices.Values(f.Required)), " "); got != required[name] {
			t.Errorf("%s requires %q", name, got)
		}
	}
	if objects != 10 {
		t.Errorf("%d config objects", objects)
	}
	headers, url := root.At(headersPath), root.At("/precall_webhook/url")
	if !headers.WriteOnly || !headers.Sensitive || !headers.Whole || !url.Sensitive {
		t.Errorf("headers %+v, url %+v", headers, url)
	}
	if !root.Fields["type"].Immutable || !root.Fields["copy_from_agent_id"].CreateOnly || !root.At("/llm_config/system_prompt").Text {
		t.Error("type, copy_from_agent_id or system_prompt is not what it should be")
	}
	for _, name := range []string{"id", "organization_id", "created_at", "updated_at", "public_quota", "tools", "allowed_sip_trunks"} {
		if !root.Fields[name].ReadOnly {
			t.Errorf("%s is not read-only", name)
		}
	}
}

func TestVendor(t *testing.T) {
	v := Vendor()
	if v.Name != "nova" || len(v.Generations) != 1 || v.Generations[0].Name != "" || v.Generations[0].BaseURL != "https://v2-nova-api.prod.czmx.in/api" {
		t.Errorf("got %+v", v)
	}
	if can := v.Generations[0].Can; can.List != "summaries" || can.Update != "PATCH" || can.Delete != "delete" {
		t.Errorf("can %+v", can)
	}
	var envs []string
	for _, s := range v.Settings {
		envs = append(envs, s.Env+"="+s.Field)
	}
	if got := strings.Join(envs, " "); got != "NOVA_API_KEY=auth.apiKey NOVA_ORG_ID=orgID NOVA_BASE_URL=baseURL" {
		t.Errorf("settings %s", got)
	}
}
