package convirza

import (
	"fmt"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
)

// rows is n list items with ids from first.
func rows(first, n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id": %d, "voiceagent_name": "agent %d", "status": "active"}`, first+i, first+i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func TestListing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		pages []string // the data, or with its total the whole answer
		want  string   // agents/pages read, or an excerpt of the error
	}{
		{"array", []string{rows(1, 3)}, "3 agents, 1 pages"},
		{"empty array", []string{`[]`}, "0 agents, 1 pages"},
		{"object", []string{`{"agents": ` + rows(1, 2) + `}`}, "2 agents, 1 pages"},
		{"object with a total", []string{`{"voiceAgents": ` + rows(1, 2) + `, "total": 2, "limit": 100, "tags": ["x"]}`}, "2 agents, 1 pages"},
		{"total in quotes", []string{`{"agents": ` + rows(1, 2) + `, "total": "2"}`}, "2 agents, 1 pages"},
		{"none, and said so", []string{`{"agents": [], "total": 0}`}, "0 agents, 1 pages"},
		{"full page, then a short one", []string{rows(1, 100), rows(101, 5)}, "105 agents, 2 pages"},
		{"full page, then an empty one", []string{rows(1, 100), `[]`}, "100 agents, 2 pages"},
		{"offset not known", []string{rows(1, 100), rows(1, 100)}, "100 agents, 2 pages"},
		{"pages overlap", []string{rows(1, 100), rows(51, 100), rows(151, 1)}, "151 agents, 3 pages"},
		{"full page that is all", []string{`{"agents": ` + rows(1, 100) + `, "total": 100}`}, "100 agents, 1 pages"},
		{"smaller pages than asked for", []string{`{"agents": ` + rows(1, 2) + `, "total": 3}`, `{"agents": ` + rows(3, 1) + `, "total": 3}`}, "3 agents, 2 pages"},
		{"fewer than said", []string{`{"agents": ` + rows(1, 2) + `, "total": 3}`, `{"agents": [], "total": 3}`}, "the list has 2 agents and says that there are 3"},
		{"more than said", []string{`{"agents": ` + rows(1, 2) + `, "total": 1}`}, "the list has 2 agents and says that there are 1"},
		{"none where some are said", []string{`{"agents": [], "total": 3}`}, "the list has 0 agents and says that there are 3"},
		{"offset not known, total is", []string{`{"agents": ` + rows(1, 100) + `, "total": 150}`, `{"agents": ` + rows(1, 100) + `, "total": 150}`}, "the list has 100 agents"},

		{"no data", []string{``}, "its data is no list"},
		{"null", []string{`null`}, "its data is no list"},
		{"text", []string{`"none"`}, "its data is no list"},
		{"object without a list", []string{`{"total": 0}`}, "holds no list"},
		{"list of ids", []string{`{"agents": [1, 2]}`}, "holds no list"},
		{"bare list of ids", []string{`[1]`}, "a list of something else"},
		{"two lists", []string{`{"agents": ` + rows(1, 1) + `, "filters": []}`}, "several lists: agents, filters"},
		{"odd total", []string{`{"agents": [], "total": "many"}`}, "its total is many"},
		{"no id", []string{`[{"voiceagent_name": "a"}]`}, "agent 1 of the list: its id is"},
		{"no name", []string{`[{"id": 1, "name": "a"}]`}, "agent 1 of the list: it has no voiceagent_name"},
		{"odd name", []string{rows(1, 100), `[{"id": 101, "voiceagent_name": 5}]`}, "agent 101 of the list: its voiceagent_name is no text"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var l listing
			got := ""
			for i, data := range tc.pages {
				if data != "" {
					data = `, "data": ` + data
				}
				p, err := decodePage(parse(t, `{"code": 200`+data+`}`))
				last := true
				if err == nil {
					last, err = l.add(root(), p)
				}
				if err == nil && last {
					err = l.check()
				}
				if err != nil {
					got = err.Error()
					break
				}
				got = fmt.Sprintf("%d agents, %d pages", len(l.agents), i+1)
				if last != (i == len(tc.pages)-1) {
					t.Fatalf("after page %d: last is %t", i+1, last)
				}
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestListed(t *testing.T) {
	answer := parse(t, readFile(t, "agent.json")).(map[string]any)
	row := answer["data"].(map[string]any)
	l, err := listed(root(), row)
	if err != nil || !l.Whole {
		t.Errorf("a row with every field: whole %t, %v", l.Whole, err)
	}
	for name, typ := range root().Fields {
		if typ.WriteOnly || name == "id" || name == nameField {
			continue
		}
		short := diff.Clone(row).(diff.Object)
		delete(short, name)
		if l, err := listed(root(), short); err != nil || l.Whole {
			t.Errorf("a row without %s: whole %t, %v", name, l.Whole, err)
		}
	}
	row["status"] = "inactive"
	if l, err = listed(root(), row); err != nil || l.Locked == "" || l.Gone {
		t.Errorf("an inactive row: locked %q, gone %t, %v", l.Locked, l.Gone, err)
	}
}
