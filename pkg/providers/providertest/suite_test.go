package providertest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/centerfy"
	"agentsync.dev/agentsync/pkg/providers/convirza"
	"agentsync.dev/agentsync/pkg/providers/nova"
	"agentsync.dev/agentsync/pkg/providers/providertest"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/providers/voicy"
)

const missingUUID = "ffffffff-ffff-4fff-8fff-ffffffffffff"

// TestVendors runs the suite for every vendor and API generation, against the likeliest reading of the vendor's pages and against the
// other readings of what they leave open.
func TestVendors(t *testing.T) {
	for _, tc := range []struct {
		name    string
		subject providertest.Subject
		account account
		other   sandbox.Quirks
	}{
		{"convirza", convirzaSubject(), account{sandbox.Convirza, "id", "999999", map[string]string{"auth.accessToken": sandbox.ConvirzaToken}},
			sandbox.Quirks{NumbersAsText: true, Convirza: sandbox.ConvirzaQuirks{BareList: true, WholeItems: true, IgnorePaging: true, CreateAnswer: "id",
				Created: true, MergeConfig: true, SoftDelete: true, NoContent: true}}},
		{"nova", novaSubject(), account{sandbox.Nova, "id", missingUUID, map[string]string{"auth.apiKey": sandbox.NovaKey, "orgID": sandbox.NovaOrg}},
			sandbox.Quirks{Nova: sandbox.NovaQuirks{Encoding: "bytes", Unset: "missing", WholeItems: true, NoMeta: true, NoContent: true, EmptyCreate: true}}},
		{"centerfy", centerfySubject(), account{sandbox.Centerfy, "id", missingUUID, map[string]string{"auth.apiKey": sandbox.CenterfyKey}},
			sandbox.Quirks{NumbersAsText: true, Centerfy: sandbox.CenterfyQuirks{ShowArchived: true, MergedRules: true, RequireAll: true, CreateOK: true,
				CreateAgentID: true, FixedSpelling: true, TextErrors: true}}},
		{"voicy v1", voicySubject(), account{sandbox.Voicy, "agent_id", missingUUID, map[string]string{"auth.apiKey": sandbox.VoicyKey}},
			sandbox.Quirks{TrimText: true, NumbersAsText: true, Voicy: sandbox.VoicyQuirks{SortVariables: true, OtherErrors: true, CreateOK: true}}},
		{"voicy functions-v1", voicyFunctionsSubject(), account{sandbox.VoicyFunctions, "agent_id", missingUUID, map[string]string{"auth.apiKey": sandbox.VoicyKey}},
			sandbox.Quirks{TrimText: true, Voicy: sandbox.VoicyQuirks{ShowAll: true, SortVariables: true, EmptyListVariables: true, OtherErrors: true, CreateOK: true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.subject.Start = tc.account.start(sandbox.Quirks{})
			providertest.Run(t, tc.subject)
		})
		t.Run(tc.name+", other readings", func(t *testing.T) {
			tc.subject.Start = tc.account.start(tc.other)
			providertest.Run(t, tc.subject)
		})
	}
}

// account is how the sandbox knows a vendor.
type account struct {
	store, idField, missingID string
	settings                  map[string]string
}

// start opens a sandbox of its own, in memory and without agents. Waiting costs no time.
func (a account) start(quirks sandbox.Quirks) func(*testing.T) providertest.Simulation {
	return func(t *testing.T) providertest.Simulation {
		t.Helper()
		server, err := sandbox.New(sandbox.Options{Quirks: quirks, PageSize: 2})
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Simulation{
			MissingID: a.missingID,
			Settings: providers.Settings{
				Account: a.store, Values: a.settings,
				Rest: rest.Shared{Transport: server.Transport(), Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
			},
			Raw: func(id string) map[string]any {
				for _, agent := range server.Agents(a.store) {
					if fmt.Sprint(agent[a.idField]) == id {
						return agent
					}
				}
				t.Fatalf("%s holds no agent %s", a.store, id)
				return nil
			},
			Patch: func(id string, fields map[string]any) {
				err := server.Edit(a.store, id, func(agent map[string]any) {
					for name, value := range fields {
						agent[name] = value
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			},
		}
	}
}

func voicySubject() providertest.Subject {
	return providertest.Subject{
		Vendor: voicy.Vendor(), Generation: "v1",
		Desired: diff.Object{
			"agent_name": "Front desk", "voice_id": "pNInz6obpgDQGcFmaJgB", "language": "en", "general_prompt": "You answer for a clinic.",
			"begin_message": "Hello", "begin_message_mode": "static", "response_delay_ms": 100, "prompt_text_direction": "ltr",
			"vars_provided": []any{
				diff.Object{"name": "who", "type": "string", "default_value": "you", "description": "Who is called"},
				diff.Object{"name": "city", "type": "string"},
			},
			"vars_extracted": []any{diff.Object{"name": "mail", "type": "string", "description": "E-mail", "required": true}},
		},
		Edits: []providertest.Edit{
			{Field: "/agent_name", Value: "Reception"},
			{Field: "/voice_id", Value: "another"},
			{Field: "/language", Value: "he"},
			{Field: "/general_prompt", Value: "You answer for a bank.\nBe brief."},
			{Field: "/begin_message", Value: ""},
			{Field: "/begin_message_mode", Value: "off"},
			{Field: "/response_delay_ms", Value: 0},
			{Field: "/prompt_text_direction", Value: "rtl"},
			{Field: "/vars_provided", Value: []any{diff.Object{"name": "city", "type": "string", "description": "Where"}}},
			{Field: "/vars_extracted", Value: []any{}},
		},
	}
}

func voicyFunctionsSubject() providertest.Subject {
	return providertest.Subject{
		Vendor: voicy.Vendor(), Generation: "functions-v1",
		Desired: diff.Object{
			"name": "Front desk", "prompt": "You answer for a clinic.", "language": "en", "voice": "Dana", "welcome_message": "Hello",
			"variables_provided": []any{
				diff.Object{"name": "who", "description": "Who is called", "default": "you"},
				diff.Object{"name": "city"},
			},
			"variables_extracted": []any{diff.Object{"name": "mail", "description": "E-mail", "required": true}},
		},
		Edits: []providertest.Edit{
			{Field: "/name", Value: "Reception"},
			{Field: "/prompt", Value: "You answer for a bank.\nBe brief."},
			{Field: "/language", Value: "he"},
			{Field: "/voice", Value: "Keren"},
			{Field: "/welcome_message", Value: ""},
			{Field: "/variables_provided", Value: []any{}},
			{Field: "/variables_extracted", Value: []any{diff.Object{"name": "mail", "description": "Mail", "required": false}, diff.Object{"name": "tel"}}},
		},
	}
}

func novaSubject() providertest.Subject {
	return providertest.Subject{
		Vendor: nova.Vendor(),
		Desired: diff.Object{
			"name": "Front desk", "type": "voice", "prompt_template": "You answer for a clinic.",
			"default_functions": []any{"end_call"},
			"greeting_config":   diff.Object{"agent_speaks_first": true, "greeting": "Hello", "pause_before_first_message": 1},
			"goodbye_config":    diff.Object{"enabled": true, "message": "Bye"},
			"llm_config":        diff.Object{"provider": "openai", "model": "gpt-4o", "temperature": 0.5},
			"vad_config":        diff.Object{"activation_threshold": 0.5, "sample_rate": 16000},
			"precall_webhook":   diff.Object{"url": "https://hooks.example/a", "method": "POST", "headers": diff.Object{"X-Token": "t"}},
		},
		Edits: []providertest.Edit{
			{Field: "/name", Value: "Reception"},
			{Field: "/prompt_template", Value: "You answer for a bank.\nBe brief."},
			{Field: "/default_functions", Value: []any{"end_call", "transfer"}},
			{Field: "/greeting_config/greeting", Value: "Welcome"},
			{Field: "/goodbye_config/enabled", Value: false},
			{Field: "/llm_config/temperature", Value: 0.7},
			{Field: "/vad_config/sample_rate", Value: 8000},
			{Field: "/extra_config/min_words", Value: 3},
		},
		Listed: 5,
	}
}

func centerfySubject() providertest.Subject {
	return providertest.Subject{
		Vendor: centerfy.Vendor(),
		Desired: diff.Object{
			"name": "Front desk", "voice_id": "Aria", "max_duration": 30, "temperature": 0.5, "silence_timeout": 5, "voice_activity_timeout": 300,
			"llm_model": "gpt-4o-mini", "language": "en-US", "background_noise": true, "background_type": "call_center",
			"voicemail_detection": true, "voicemail_type": "leave_message", "voicemail_message": "Call back", "backcchanneling": true,
			"is_active": true, "webhook": true, "webhook_url": "https://hooks.example/a", "recording": true,
			"organization_id": sandbox.CenterfyOrg, "sub_account_id": sandbox.CenterfyAccount,
		},
		Edits: []providertest.Edit{
			{Field: "/name", Value: "Reception"},
			{Field: "/voice_id", Value: "Ravi"},
			{Field: "/max_duration", Value: 12.5},
			{Field: "/temperature", Value: 0},
			{Field: "/silence_timeout", Value: 6},
			{Field: "/voice_activity_timeout", Value: 250},
			{Field: "/llm_model", Value: "gpt-4o"},
			{Field: "/language", Value: "de-DE"},
			{Field: "/background_noise", Value: false},
			{Field: "/background_type", Value: "office", Sends: []string{"background_noise", "background_type"}},
			{Field: "/voicemail_detection", Value: false},
			{Field: "/voicemail_message", Value: "Later", Sends: []string{"voicemail_detection", "voicemail_message", "voicemail_type"}},
			{Field: "/backcchanneling", Value: false},
			{Field: "/is_active", Value: false},
			{Field: "/webhook_url", Value: "https://hooks.example/b", Sends: []string{"webhook", "webhook_url"}},
			{Field: "/recording", Value: false},
		},
	}
}

func convirzaSubject() providertest.Subject {
	return providertest.Subject{
		Vendor: convirza.Vendor(),
		Desired: diff.Object{
			"voiceagent_name": "Front desk", "direction": "inbound", "org_unit_id": sandbox.ConvirzaOrgUnit, "inherited_prompt_id": 12, "voice_id": 5,
			"industry_id": 7, "greetings": "Hello", "prompt": "You answer for a clinic.",
			"config":            diff.Object{"background_noise": true, "volume": 0.9, "block_non_intelliquent_number": true},
			"max_call_duration": 420, "notification_time": 45, "notification_message": "45 seconds", "more_information": "Be kind.",
			"urls": []any{"https://docs.example.com/a", "https://docs.example.com/b"},
		},
		Edits: []providertest.Edit{
			{Field: "/voiceagent_name", Value: "Reception"},
			{Field: "/inherited_prompt_id", Value: 13},
			{Field: "/voice_id", Value: 3},
			{Field: "/industry_id", Value: 8},
			{Field: "/greetings", Value: "Good day"},
			{Field: "/prompt", Value: "You answer for a bank.\nBe brief."},
			{Field: "/config/volume", Value: 0.5},
			{Field: "/max_call_duration", Value: 300},
			{Field: "/notification_time", Value: 60},
			{Field: "/notification_message", Value: "A minute"},
			{Field: "/more_information", Value: "Be brief."},
			{Field: "/urls", Value: []any{"https://docs.example.com/c"}},
		},
		Listed: 5,
	}
}
