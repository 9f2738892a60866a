package centerfy

import (
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/providers/providertest"
)

func TestSchemaDecode(t *testing.T) {
	cases := []struct {
		config string
		errs   []string // a part of each error, in any order
		warns  int
	}{
		{`{"name": "Desk", "temperature": 1, "max_duration": 0.5, "backcchanneling": true}`, nil, 0},
		{`{"temperature": 1.01}`, []string{"temperature"}, 0},
		{`{"temperature": -0.1}`, []string{"temperature"}, 0},
		{`{"max_duration": 0, "silence_timeout": -1, "voice_activity_timeout": 0}`, nil, 3},
		{`{"background_noise": true}`, []string{"background_type"}, 0},
		{`{"background_noise": false}`, nil, 0},
		{`{"background_type": "call_center"}`, nil, 0},
		{`{"voicemail_detection": true}`, []string{"voicemail_type"}, 0},
		{`{"voicemail_type": "leave_message"}`, []string{"voicemail_message"}, 0},
		{`{"voicemail_type": "shout"}`, []string{"voicemail_type"}, 0},
		{`{"webhook": true}`, []string{"webhook_url"}, 0},
		{`{"webhook": true, "webhook_url": "https://h.example"}`, nil, 0},
		{`{"backchanneling": true}`, []string{"backchanneling"}, 0},
		{`{"name": null}`, []string{"name"}, 0},
		{`{"updated_at": "x"}`, []string{"updated_at"}, 0},
		{`{"voice_id": "Any", "llm_model": "any", "background_type": "any"}`, nil, 0},
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
	groups := map[string]string{"background_noise": "background", "background_type": "background/background_noise", "voicemail_detection": "voicemail",
		"voicemail_type": "voicemail/voicemail_detection", "voicemail_message": "voicemail/voicemail_detection", "webhook": "webhook",
		"webhook_url": "webhook/webhook"}
	writable := 0
	for name, f := range root.Fields {
		got := f.Group
		if f.Toggle != "" {
			got += "/" + f.Toggle
		}
		if got != groups[name] {
			t.Errorf("%s: group %q, want %q", name, got, groups[name])
		}
		if f.HasClear || f.HasDefault {
			t.Errorf("%s: nothing is documented that clears it, nor a default", name)
		}
		fixed := name == "organization_id" || name == "sub_account_id"
		if f.Immutable != fixed || f.Sensitive != (name == "webhook_url") {
			t.Errorf("%s: immutable %v, sensitive %v", name, f.Immutable, f.Sensitive)
		}
		if !f.ReadOnly {
			writable++
		}
		// Whatever a create always needs is in the list; the others depend on a toggle.
		if required := slices.Contains(root.RequiredOnCreate, name); required != (!f.ReadOnly && f.Toggle == "") {
			t.Errorf("%s: required on create is %v", name, required)
		}
	}
	if writable != 20 || len(root.RequiredOnCreate) != 16 {
		t.Errorf("%d writable fields, %d required on create", writable, len(root.RequiredOnCreate))
	}
}

func TestVendor(t *testing.T) {
	v := Vendor()
	if v.Name != "centerfy" || len(v.Generations) != 1 || v.Generations[0].Name != "" || v.Generations[0].BaseURL != "https://crmwebhook.com/functions/v1/crm-api" {
		t.Errorf("got %+v", v)
	}
	if can := v.Generations[0].Can; can.List != "none" || can.Update != "PUT" || can.Delete != "archive" {
		t.Errorf("can %+v", can)
	}
	var envs []string
	for _, s := range v.Settings {
		envs = append(envs, s.Env+"="+s.Field)
	}
	if got := strings.Join(envs, " "); got != "CENTERFY_API_KEY=auth.apiKey CENTERFY_BASE_URL=baseURL" {
		t.Errorf("settings %s", got)
	}
}
