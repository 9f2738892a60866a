package importer_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/importer"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
)

// api is one schema, with the account that speaks it.
type api struct {
	name    string
	account importer.Account
}

func apis(dir string) []api {
	var list []api
	for _, v := range all.Vendors() {
		for _, g := range v.Generations {
			list = append(list, api{v.TypeName(g), importer.Account{Provider: v.Name, Title: v.Title, Generation: g, Dir: dir, Used: map[string]bool{}}})
		}
	}
	return list
}

// reread writes a draft to a folder, loads it as a plan would, and decodes it.
func reread(t *testing.T, a importer.Account, d importer.Draft, live providers.Live) schema.Config {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("agent.yaml", d.Manifest)
	for _, p := range d.Prompts {
		write(p.Path, p.Text)
	}
	getenv := func(name string) (string, bool) {
		for _, v := range d.Variables {
			if value, ok := v.Field.Get(live.Config); ok && v.Name == name {
				return fmt.Sprint(value), true
			}
		}
		return "", false
	}
	set, err := spec.Load(spec.Input{Dir: dir, Getenv: getenv})
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Manifest)
	}
	agent := set.Agents[0]
	if agent.ID != live.ID || agent.Name != d.Name || agent.Provider != a.Provider {
		t.Errorf("reads as %s %q\n%s", agent.Address(), agent.ID, d.Manifest)
	}
	config, problems := a.Generation.Schema().Decode(agent.Config, false)
	if err := problems.Err(); err != nil {
		t.Fatalf("%v\n%s", err, d.Manifest)
	}
	return config
}

// differences are what a plan right after the import would show.
func differences(a importer.Account, d importer.Draft, live, declared diff.Object) []diff.Field {
	root := a.Generation.Schema().Type()
	return diff.Compare(root, d.Applied, live, diff.Complete(root, live, declared), diff.Options{})
}

// TestWriteRoundTrip: whatever is live, what is written decodes without a fault and differs from it in nothing; and every value that the
// schema takes is written.
func TestWriteRoundTrip(t *testing.T) {
	for _, api := range apis(t.TempDir()) {
		t.Run(api.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			doc, _ := api.account.Generation.Schema().Lookup("")
			for range 60 {
				g := generator{random: random}
				raw := g.object(doc)
				live := providers.Live{ID: "7c9e6679-7425-40de-944b-e07fc1f90a01", Name: "Random", Whole: true,
					Config: diff.Normalize(api.account.Generation.Schema().Type(), raw).(diff.Object)}
				d, err := importer.Write(api.account, "random", live)
				if err != nil {
					t.Fatalf("%v\n%s", err, diff.Canonical(live.Config))
				}
				config := reread(t, api.account, d, live)
				if fields := differences(api.account, d, live.Config, config.Object); len(fields) > 0 {
					t.Fatalf("differs: %+v\nlive %s\n%s", fields, diff.Canonical(live.Config), d.Manifest)
				}
				complete(t, api.account, live.Config, config.Object, d)
			}
		})
	}
}

// complete checks that everything writable is declared, unless a note says why not.
func complete(t *testing.T, a importer.Account, live, declared diff.Object, d importer.Draft) {
	t.Helper()
	for _, name := range diff.Keys(live) {
		field := a.Generation.Schema().Type().Field(name)
		_, there := declared[name]
		writable := field != nil && !field.ReadOnly && !field.WriteOnly && !field.CreateOnly && !diff.IsEmpty(live[name])
		noted := slices.ContainsFunc(d.Notes, func(note string) bool { return strings.HasPrefix(note, name) })
		if there != writable && !noted {
			t.Errorf("%s is declared: %v, writable: %v\n%s", name, there, writable, d.Manifest)
		}
	}
}

// traps are texts that YAML, a file or a shell would make something else of.
var traps = []string{"no", "Yes", "off", "true", "null", "~", "1e3", "0123", "0x1F", "12", "-1.5", ".5", ".inf", "2026-01-01", "12:30:00", "=", "<<", "-", "- a",
	" leading", "trailing ", "\ttab", "a\tb", "line\nline", "line\r\nline", "lone\rreturn", "ends with a line\n", "\n\nbegins with lines", "a: b", "a #b", "a:", "#a", "@a", "`a`",
	"%a", "&a", "*a", "!a", "|", ">", "{a}", "[a]", "{$file: x}", "$env", "'single'", "\"double\"", "back\\slash", "\\U0001F600", "\\\\U0001F600", "שלום עולם", "שלום, מה שלומך?",
	"\u200Fשלום", "👋", "family 👨‍👩‍👧", "flag 🏴\U000E0067\U000E007F", "\uFEFFmark", "a\u2028b", "a\u0085b", "a\u00A0b", "zero\x00", "bell\a", "\U0010FFFF", "é", "e\u0301", "***", "a*b*c",
	strings.Repeat("long ", 60) + "end", strings.Repeat("line \n", 40) + "end", "# title\n\n- point\n  - below\n\n\ttabbed\n```\ncode\n```", "  indented\nless", "a\n ", "a\n\n", ""}

// generator makes random values that a schema takes.
type generator struct{ random *rand.Rand }

func (g generator) object(doc schema.FieldDoc) diff.Object {
	object := diff.Object{}
	for _, child := range doc.Children {
		name := child.Path[strings.LastIndexByte(child.Path, '.')+1:]
		if name == "*" {
			for range g.random.IntN(3) {
				object[g.text(child)] = g.value(child)
			}
		} else if child.Required && doc.Path != "" || g.random.IntN(4) > 0 {
			object[name] = g.value(child)
		}
	}
	return object
}

func (g generator) value(doc schema.FieldDoc) any {
	if len(doc.Enum) > 0 {
		return doc.Enum[g.random.IntN(len(doc.Enum))]
	}
	switch doc.Kind {
	case diff.Boolean:
		return g.random.IntN(2) == 0
	case diff.Integer:
		return json.Number(fmt.Sprint(g.random.IntN(1000)))
	case diff.Number:
		return json.Number(fmt.Sprintf("%.2f", g.random.Float64()))
	case diff.Map:
		return g.object(doc)
	case diff.List:
		return g.list(doc)
	case diff.String:
		return g.text(doc)
	}
	return g.anything(2)
}

func (g generator) list(doc schema.FieldDoc) []any {
	list := []any{}
	seen := map[string]bool{}
	for range 1 + g.random.IntN(3) {
		item := doc
		item.Kind, item.Enum = doc.Items, nil
		item.Path += "[]"
		value := g.value(item)
		key := string(diff.Canonical(diff.Normalize(nil, value)))
		if object, ok := value.(diff.Object); ok && doc.Key != "" {
			key = fmt.Sprint(diff.Normalize(nil, object[doc.Key]))
		}
		if doc.List == diff.Atomic || !seen[key] {
			seen[key] = true
			list = append(list, value)
		}
	}
	return list
}

func (g generator) text(doc schema.FieldDoc) string {
	for {
		s := traps[g.random.IntN(len(traps))]
		if g.random.IntN(4) == 0 {
			s += traps[g.random.IntN(len(traps))]
		}
		if s != "" {
			return s
		}
	}
}

// anything makes a value for a field of which nothing is documented.
func (g generator) anything(depth int) any {
	switch n := g.random.IntN(8); {
	case n == 0:
		return json.Number(fmt.Sprint(g.random.Int64()))
	case n == 1:
		return json.Number("1e-30")
	case n == 2:
		return g.random.IntN(2) == 0
	case n == 3 && depth > 0:
		return []any{g.anything(depth - 1), nil, g.anything(depth - 1)}
	case n == 4 && depth > 0:
		return diff.Object{g.text(schema.FieldDoc{}): g.anything(depth - 1), "none": nil}
	}
	return g.text(schema.FieldDoc{})
}
