package convirza

import (
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/providers/providertest"
)

func TestSchemaDecides(t *testing.T) {
	for _, tc := range []struct{ config, want string }{
		{readFile(t, "example.json"), ""},
		{`{"integrations": [""], "knowledge_base": ""}`, ""},
		{`{"integrations": [1, {"a": true}], "knowledge_base": [5], "ext_org_unit_id": "A-1"}`, ""},
		{`{"knowledge_base": null}`, "error"},
		{`{"ext_org_unit_id": ""}`, "error"},
		{`{"ext_org_unit_id": true}`, "error"},
		{`{"ext_org_unit_id": 1001, "config": {"later": {"a": 1}}, "files": ["a.pdf"]}`, ""},
		{`{"direction": "outbound", "config": {"volume": 1}}`, ""},
		{`{"direction": "sideways"}`, "warning"},
		{`{"config": {"volume": 1.5}}`, "warning"},
		{`{"urls": ["ftp://a.example"]}`, "warning"},
		{`{"prompt": ""}`, "error"},
		{`{"greetings": null}`, "error"},
		{`{"urls": []}`, "error"},
		{`{"urls": [""]}`, "error"},
		{`{"files": []}`, "error"},
		{`{"files": ["1","2","3","4","5","6","7","8","9","10","11"]}`, "error"},
		{`{"voice_id": "five"}`, "error"},
		{`{"voice_id": 1.5}`, "error"},
		{`{"status": "active"}`, "error"},
		{`{"knowledgebase_files": ["a.pdf"]}`, "error"},
		{`{"later": 1}`, "error"},
	} {
		_, problems := agentSchema().Decode(providertest.Manifest(parse(t, tc.config)), false)
		got := ""
		switch {
		case problems.Err() != nil:
			got = "error"
		case len(problems) > 0:
			got = "warning"
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q\n%s", strings.TrimSpace(tc.config), got, tc.want, problems.Error())
		}
	}
}
