package convirza

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

func TestSortFields(t *testing.T) {
	const hidden = "integrations, created_by, ext_org_unit_id, industry_id, knowledge_base (cannot be read back)"
	for _, tc := range []struct {
		name, live, base, desired string
		files                     []providers.File
		atRisk                    string // as describe names them
	}{
		{name: "agentsync made it", live: `{"knowledgebase_files": []}`, base: created},
		{name: "adopted", live: `{"knowledgebase_files": []}`, base: ``, atRisk: hidden},
		{name: "declared once, then released", live: `{"knowledgebase_files": []}`,
			base: strings.Replace(created, `"industry_id": null`, `"industry_id": 7`, 1), atRisk: "industry_id (cannot be read back)"},
		{name: "declared", live: `{"knowledgebase_files": []}`, base: strings.Replace(created, `"industry_id": null`, `"industry_id": 7`, 1),
			desired: `{"industry_id": 8}`},
		{name: "files live", live: `{}`, base: created, atRisk: "files (cannot be read back)"},
		{name: "files declared", live: `{}`, base: created, files: []providers.File{file("a.pdf", "a", false)}},
		{name: "files declared as none", live: `{}`, base: created, desired: `{"files": []}`, atRisk: "files (cannot be read back)"},
		{name: "no word on files", live: `{"knowledgebase_files": null}`, base: created},
		{name: "no word on files, none known", live: `{"knowledgebase_files": null}`, base: strings.Replace(created, `"files": null`, `"urls": null`, 1),
			atRisk: "files (empty or missing in the answer)"},
		{name: "file names undecodable", live: `{"knowledgebase_files": "a.pdf"}`, base: created, atRisk: "files (cannot be decoded)"},
		{name: "unknown live field", live: `{"knowledgebase_files": [], "later": false}`, base: created, atRisk: "later (not in the schema)"},
		{name: "unknown live field, declared", live: `{"knowledgebase_files": [], "later": false}`, base: created, desired: `{"later": true}`},
		{name: "missing, made here", live: `{"knowledgebase_files": [], "voice_id": null, "urls": [], "more_information": ""}`, base: created},
		{name: "missing, once declared", live: `{"knowledgebase_files": [], "voice_id": null}`,
			base: strings.Replace(created, `{`, `{"voice_id": 3, `, 1), atRisk: "voice_id (empty or missing in the answer)"},
		{name: "missing, adopted", live: `{"knowledgebase_files": [], "voice_id": null}`,
			base:   `{"integrations": ["a"], "created_by": 1, "ext_org_unit_id": "1", "industry_id": 1, "knowledge_base": "a"}`,
			atRisk: hidden + "; voice_id (empty or missing in the answer)"},
		{name: "missing, declared", live: `{"knowledgebase_files": [], "voice_id": null}`, base: created, desired: `{"voice_id": 3}`},
		{name: "undecodable", live: `{"knowledgebase_files": [], "urls": "https://a.example"}`, base: created, atRisk: "urls (cannot be decoded)"},
		{name: "undecodable, declared", live: `{"knowledgebase_files": [], "config": {"volume": "loud"}}`, base: created,
			desired: `{"config": {"volume": 1}}`, atRisk: "config (cannot be decoded)"},
		{name: "list with an empty item", live: `{"knowledgebase_files": [], "urls": ["a", ""]}`, base: created, atRisk: "urls (empty or missing in the answer)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := vendorAgent(t, tc.live)
			c := providers.Change{ID: l.ID, Live: l, Files: tc.files, Desired: diff.Object{}}
			if tc.base != "" {
				c.Base = object(t, tc.base)
			}
			if tc.desired != "" {
				c.Desired = object(t, tc.desired)
			}
			if tc.files != nil {
				c.Desired[filesField] = []any{tc.files[0].Name}
			}
			f := sortFields(root(), c)
			if got := describe(f.atRisk); got != tc.atRisk {
				t.Errorf("at risk %q, want %q", got, tc.atRisk)
			}
			for _, name := range f.carried {
				_, declared := c.Desired[name]
				if _, live := l.Config[name]; declared || !live || root().Field(name).ReadOnly || root().Field(name).WriteOnly {
					t.Errorf("%s is carried", name)
				}
			}
		})
	}
}

// Every writable field has one fate, whatever is live: nothing is lost without being named.
func TestEveryFieldHasAFate(t *testing.T) {
	for name, typ := range root().Fields {
		if typ.ReadOnly {
			continue
		}
		l := vendorAgent(t, fmt.Sprintf(`{%q: null, "knowledgebase_files": ["a.pdf"]}`, name))
		f := sortFields(root(), providers.Change{ID: l.ID, Live: l, Desired: diff.Object{}})
		if slices.Contains(f.carried, name) || !slices.ContainsFunc(f.atRisk, func(r risk) bool { return r.field == name }) {
			t.Errorf("%s, which is not live, not declared and without a base, is not at risk", name)
		}
	}
}
