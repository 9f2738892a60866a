package convirza

import (
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// created is the base of an agent that agentsync made without any write-only field.
const created = `{"integrations": null, "created_by": null, "ext_org_unit_id": null, "industry_id": null, "knowledge_base": null, "files": null}`

func TestUpdateGolden(t *testing.T) {
	example := func() diff.Object { return object(t, readFile(t, "example.json")) }
	pdf, docx := file("product-catalog.pdf", "%PDF-1", true), file("sales-playbook.docx", "PK", false)
	type testCase struct {
		name string
		c    func() providers.Change
	}
	for _, tc := range []testCase{
		{"put-example", func() providers.Change {
			return change(t, vendorAgent(t, `{"knowledgebase_files": []}`), nil, example())
		}},
		{"put-example-files-reset", func() providers.Change {
			c := change(t, vendorAgent(t, `{}`), nil, example())
			c.Update, c.AcceptReset = "put", []diff.Pointer{"/files"}
			return c
		}},
		{"auto-example-files-live", func() providers.Change {
			return change(t, vendorAgent(t, `{}`), nil, object(t, `{"voice_id": 5, "prompt": "Be brief."}`))
		}},
		{"auto-carried", func() providers.Change {
			return change(t, vendorAgent(t, `{"knowledgebase_files": [], "config": {"volume": 0.8, "later": {"a": [1, "<x>"]}}}`),
				object(t, created), object(t, `{"greetings": "Hello!", "config": {"volume": 1.0}}`))
		}},
		{"put-files", func() providers.Change {
			return change(t, vendorAgent(t, `{}`), object(t, created), object(t, `{}`), pdf, docx)
		}},
		{"patch-files", func() providers.Change {
			c := change(t, vendorAgent(t, `{"knowledgebase_files": ["product-catalog.pdf"]}`), nil, object(t, `{"max_call_duration": 300}`), pdf, docx)
			return c
		}},
		{"patch-config", func() providers.Change {
			c := change(t, vendorAgent(t, `{}`), nil, object(t, `{"config": {"background_noise": true}, "urls": ["https://a.example"], "industry_id": 7}`))
			c.Update = "patch"
			return c
		}},
		{"put-lossy", func() providers.Change {
			c := change(t, vendorAgent(t, `{"later": 1}`), nil, object(t, `{"voice_id": 5, "industry_id": 7}`))
			c.Update, c.AcceptReset = "put", []diff.Pointer{"/created_by", "/files"}
			return c
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { golden(t, tc.name, show(planUpdate(root(), tc.c()))) })
	}
}

// The vendor's own request: `curl --form` in its page, but for the empty files part, which is never sent.
func TestUpdateIsTheVendorsExample(t *testing.T) {
	c := change(t, vendorAgent(t, `{"knowledgebase_files": []}`), nil, object(t, readFile(t, "example.json")))
	w := planUpdate(root(), c)
	if len(w.Requests) != 1 || w.Requests[0].Method != "PUT" || len(w.Carried)+len(w.Reset)+len(w.Findings) > 0 {
		t.Fatalf("not one plain PUT:\n%s", show(w))
	}
	var got []string
	for _, p := range w.Requests[0].Form {
		got = append(got, p.Name+"="+p.Text)
	}
	want := []string{
		"voiceagent_name=Sales Assistant - Updated", "direction=inbound", "org_unit_id=1001", "inherited_prompt_id=12",
		"integrations=", "integrations=", "created_by=2001", "ext_org_unit_id=1001", "industry_id=7", "voice_id=5",
		"greetings=Hi there! Thanks for calling Convirza. How may I assist you?",
		"prompt=You are an experienced and professional sales assistant. Focus on qualifying leads and scheduling demos while maintaining a friendly, helpful tone.",
		`config={"background_noise":true,"block_non_intelliquent_number":true,"volume":0.9}`,
		"max_call_duration=420", "notification_time=45", "notification_message=Agent has been on the call for 45 seconds.",
		"urls=https://docs.example.com/updated-guide", "urls=https://www.example.com/new-features", "knowledge_base=",
		"more_information=Updated guidelines: Always mention our new product features and promotional offers.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestPlanCreate(t *testing.T) {
	desired := object(t, readFile(t, "example.json"))
	desired[filesField] = []any{"a.pdf"}
	golden(t, "create", show(planCreate(providers.Change{Desired: desired, Files: []providers.File{file("a.pdf", "%PDF", false)}})))
	if _, kept := desired[filesField]; !kept {
		t.Error("the desired config was changed")
	}
}

func TestUpdateRefuses(t *testing.T) {
	l := vendorAgent(t, `{}`)
	for _, tc := range []struct {
		name string
		edit func(*providers.Change)
		want string
	}{
		{"locked", func(c *providers.Change) { c.Live.Locked = "has the status x" }, "blocking AS105"},
		{"no id", func(c *providers.Change) { c.ID, c.Live.ID = "", "" }, "blocking AS110"},
		{"id of another route", func(c *providers.Change) { c.ID = "list" }, "blocking AS110"},
		{"empty text", func(c *providers.Change) { c.Desired["greetings"] = "" }, "blocking AS209"},
		{"null", func(c *providers.Change) { c.Desired["greetings"] = nil }, "blocking AS209"},
		{"empty list", func(c *providers.Change) {
			c.Desired["urls"] = []any{}
			c.Fields = append(c.Fields, diff.Field{Path: "/urls"})
		}, "blocking AS209"},
		{"undecodable", func(c *providers.Change) {
			c.Live.Unreadable = map[diff.Pointer]string{"/greetings": "odd"}
		}, "blocking AS206"},
		{"lossy", func(c *providers.Change) { c.Update = "put" }, "blocking AS301"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := change(t, l, nil, object(t, `{"greetings": "Hello!"}`))
			tc.edit(&c)
			w := planUpdate(root(), c)
			if got := codes(w.Findings); got != tc.want || len(w.Requests) > 0 {
				t.Errorf("findings %q, want %q; requests %d", got, tc.want, len(w.Requests))
			}
		})
	}
}

// An empty part is sent for two fields only, and never for files.
func TestTextParts(t *testing.T) {
	for _, tc := range []struct {
		name, value, want string
		ok                bool
	}{
		{"prompt", `"a"`, "a", true},
		{"prompt", `""`, "", false},
		{"prompt", `null`, "", false},
		{"knowledge_base", `""`, "", true},
		{"integrations", `["", "x"]`, "|x", true},
		{"integrations", `[]`, "", false},
		{"integrations", `[null]`, "", false},
		{"urls", `["a", "b"]`, "a|b", true},
		{"urls", `["a", ""]`, "", false},
		{"config", `{"b": 1, "a": "<&>"}`, `{"a":"<&>","b":1}`, true},
		{"config", `{}`, `{}`, true},
		{"voice_id", `5`, "5", true},
		{"later", `true`, "true", true},
		{"later", `[{"a": 1}, [2]]`, `{"a":1}|[2]`, true},
	} {
		parts, ok := textParts(tc.name, parse(t, tc.value))
		var texts []string
		for _, p := range parts {
			if p.Name != tc.name || p.Open != nil {
				t.Errorf("part %+v of %s", p, tc.name)
			}
			texts = append(texts, p.Text)
		}
		if got := strings.Join(texts, "|"); ok != tc.ok || (ok && got != tc.want) {
			t.Errorf("%s %s: got %q, %t, want %q, %t", tc.name, tc.value, got, ok, tc.want, tc.ok)
		}
	}
}

func TestPlanDelete(t *testing.T) {
	for _, tc := range []struct{ changes, want string }{
		{`{"primary_phone_number": ""}`, "DELETE /ai-voice-agents/101"},
		{`{"primary_phone_number": null}`, "DELETE /ai-voice-agents/101"},
		{`{}`, "blocking AS403"},
		{`{"primary_phone_number": ["+1"]}`, "blocking AS403"},
		{`{"primary_phone_number": "", "status": "paused"}`, "blocking AS105"},
	} {
		w := planDelete(vendorAgent(t, tc.changes))
		got := codes(w.Findings)
		for _, r := range w.Requests {
			got += r.Method + " " + r.Path
			if len(r.Form) > 0 || r.Creates {
				t.Errorf("%s: %+v", tc.changes, r)
			}
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.changes, got, tc.want)
		}
	}
	if w := planDelete(providers.Live{ID: "0"}); codes(w.Findings) != "blocking AS110" {
		t.Errorf("id 0: %s", show(w))
	}
}

func TestAgentPath(t *testing.T) {
	for id, ok := range map[string]bool{
		"1": true, "101": true, "9223372036854775807": true,
		"": false, "0": false, "-1": false, "007": false, "+1": false, "1.0": false, "list": false, "1/2": false, " 1": false,
		"9223372036854775808": false, strings.Repeat("9", 4000): false,
	} {
		path, err := agentPath(id)
		if (err == nil) != ok || (ok && path != agentsPath+"/"+id) {
			t.Errorf("%.40q: %q, %v", id, path, err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%.40q: an error of %d bytes", id, len(err.Error()))
		}
	}
}

func TestEncodeOrder(t *testing.T) {
	form, fields, findings := encode(object(t, `{"zeta": 1, "prompt": "a", "alpha": true, "voiceagent_name": "n"}`), nil)
	if len(findings) > 0 || !slices.Equal(fields, []string{"alpha", "prompt", "voiceagent_name", "zeta"}) {
		t.Errorf("fields %q, findings %v", fields, findings)
	}
	var order []string
	for _, p := range form {
		order = append(order, p.Name)
	}
	if !slices.Equal(order, []string{"voiceagent_name", "prompt", "alpha", "zeta"}) {
		t.Errorf("parts %q", order)
	}
}
