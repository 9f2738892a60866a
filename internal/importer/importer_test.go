package importer_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"agentsync.dev/agentsync/internal/importer"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

var update = flag.Bool("update", false, "write the golden files")

// account returns the account of one API, by the name that the state has for it.
func account(t *testing.T, name string) importer.Account {
	t.Helper()
	for _, api := range apis(t.TempDir()) {
		if api.name == name {
			return api.account
		}
	}
	t.Fatalf("no API %s", name)
	return importer.Account{}
}

// live makes a live agent of a JSON object.
func live(t *testing.T, a importer.Account, config string) providers.Live {
	t.Helper()
	var raw map[string]any
	decoder := json.NewDecoder(strings.NewReader(config))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	name, _ := raw[a.Generation.NameField].(string)
	return providers.Live{ID: "42", Name: name, Whole: true, Config: diff.Normalize(a.Generation.Schema().Type(), raw).(diff.Object)}
}

func write(t *testing.T, a importer.Account, l providers.Live) importer.Draft {
	t.Helper()
	d, err := importer.Write(a, "desk", l)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWriteGolden shows what each kind of value becomes: read the differences before you commit them.
func TestWriteGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.json")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		name := strings.TrimSuffix(filepath.Base(input), ".json")
		t.Run(name, func(t *testing.T) {
			api, _, _ := strings.Cut(name, ".")
			a := account(t, strings.ReplaceAll(api, "_", "/"))
			config, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			l := live(t, a, string(config))
			d := write(t, a, l)
			got := string(d.Manifest)
			for _, p := range d.Prompts {
				got += "-- " + p.Path + " --\n" + string(p.Text)
			}
			golden := strings.TrimSuffix(input, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || string(want) != got {
				t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
			}
			config2 := reread(t, a, d, l)
			if fields := differences(a, d, l.Config, config2.Object); len(fields) > 0 {
				t.Errorf("differs: %+v", fields)
			}
			again, err := importer.Write(account(t, strings.ReplaceAll(api, "_", "/")), "desk", l)
			if err != nil || string(again.Manifest) != string(d.Manifest) {
				t.Errorf("another time it is different: %v\n%s", err, again.Manifest)
			}
		})
	}
}

// TestWriteTraps: every text that YAML has a meaning for is declared, and as it is live, wherever a text can stand.
func TestWriteTraps(t *testing.T) {
	a := account(t, "nova")
	for _, s := range traps {
		if s == "" || s == "***" {
			continue
		}
		l := live(t, a, string(diff.Canonical(diff.Object{"name": s, "prompt_template": s, "default_functions": []any{s, ""},
			"plugins": []any{diff.Object{"k" + s: s}, nil}, "greeting_config": diff.Object{"greeting": s}})))
		d := write(t, a, l)
		config := reread(t, a, d, l)
		for _, name := range diff.Keys(l.Config) {
			got, want := config.Object[name], l.Config[name]
			if !diff.IsEmpty(want) && string(diff.Canonical(got)) != string(diff.Canonical(want)) {
				t.Errorf("%q in %s: got %s, want %s\n%s", s, name, diff.Canonical(got), diff.Canonical(want), d.Manifest)
			}
		}
	}
}

// FuzzWriteText: whatever text is live, in a prompt, a phrase, a list or a key, the manifest says it or leaves it out with a note.
func FuzzWriteText(f *testing.F) {
	for _, s := range traps {
		f.Add(s)
	}
	accounts := apis(f.TempDir())
	at := slices.IndexFunc(accounts, func(x api) bool { return x.name == "nova" })
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // no JSON answer holds it
		}
		a := accounts[at].account
		config := diff.Normalize(a.Generation.Schema().Type(), diff.Object{"name": s, "prompt_template": s, "default_functions": []any{s},
			"plugins": []any{diff.Object{s: s}}}).(diff.Object)
		l := providers.Live{ID: "42", Name: s, Config: config, Whole: true}
		d := write(t, a, l)
		declared := reread(t, a, d, l).Object
		if fields := differences(a, d, l.Config, declared); len(fields) > 0 {
			t.Fatalf("differs: %+v\n%s", fields, d.Manifest)
		}
		for _, name := range diff.Keys(l.Config) {
			_, there := declared[name]
			noted := slices.ContainsFunc(d.Notes, func(note string) bool { return strings.HasPrefix(note, name+":") })
			if !there && !noted && !diff.IsEmpty(l.Config[name]) {
				t.Fatalf("%s is lost\n%s", name, d.Manifest)
			}
		}
	})
}

// TestWriteSecrets: a secret is in no byte of a draft, and is sealed where the base holds it.
func TestWriteSecrets(t *testing.T) {
	for api, config := range map[string]string{
		"centerfy": `{"name": "Desk", "webhook": true, "webhook_url": "https://example.com/?token=canary"}`,
		"nova":     `{"name": "Desk", "precall_webhook": {"url": "https://example.com/canary", "method": "POST", "headers": {"X-Token": "canary"}}}`,
	} {
		a := account(t, api)
		l := live(t, a, config)
		d := write(t, a, l)
		if strings.Contains(string(d.Manifest)+strings.Join(d.Notes, "\n"), "canary") {
			t.Errorf("%s: the secret is in\n%s", api, d.Manifest)
		}
		if len(d.Variables) != 1 || !slices.Contains(d.Secret, d.Variables[0].Field) {
			t.Errorf("%s: variables %v, secret %v", api, d.Variables, d.Secret)
		}
		if strings.Contains(string(diff.Canonical(diff.Without(d.Applied, d.Secret))), "canary") {
			t.Errorf("%s: the base holds the secret outside %v: %s", api, d.Secret, diff.Canonical(d.Applied))
		}
		if config := reread(t, a, d, l); !diff.Equal(nil, config.Object["name"], "Desk") {
			t.Errorf("%s: %v", api, config.Object)
		}
	}
}

// TestWriteVariablesAreTheirOwn: two agents never share a variable.
func TestWriteVariablesAreTheirOwn(t *testing.T) {
	a := account(t, "centerfy")
	l := live(t, a, `{"name": "Desk", "webhook": true, "webhook_url": "https://example.com/"}`)
	var names []string
	for _, name := range []string{"a-b", "a.b", "a--b"} {
		d, err := importer.Write(a, name, l)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, d.Variables[0].Name)
	}
	want := []string{"CENTERFY_A_B_WEBHOOK_URL", "CENTERFY_A_B_WEBHOOK_URL_2", "CENTERFY_A_B_WEBHOOK_URL_3"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestNames(t *testing.T) {
	agent := func(id, name string) providers.Live { return providers.Live{ID: id, Name: name} }
	for _, tt := range []struct {
		name   string
		agents []providers.Live
		bound  map[string]string
		taken  map[string]bool
		want   map[string]string
	}{
		{"plain", []providers.Live{agent("1", "Front Desk!"), agent("2", "  24/7  ")}, nil, nil, map[string]string{"1": "front-desk", "2": "24-7"}},
		{"one name twice", []providers.Live{agent("550e8400-446655440001", "Desk"), agent("550e8400-446655440002", "desk")}, nil, nil,
			map[string]string{"550e8400-446655440001": "desk-440001", "550e8400-446655440002": "desk-440002"}},
		{"ids that end alike", []providers.Live{agent("x-1000001", "Desk"), agent("y-2000001", "Desk")}, nil, nil,
			map[string]string{"x-1000001": "desk-1000001", "y-2000001": "desk-2000001"}},
		{"taken by another", []providers.Live{agent("abcdef01", "Desk")}, nil, map[string]bool{"desk": true}, map[string]string{"abcdef01": "desk-cdef01"}},
		{"bound", []providers.Live{agent("1", "Renamed"), agent("2", "Desk")}, map[string]string{"1": "desk"}, map[string]bool{"desk": true},
			map[string]string{"1": "desk", "2": "desk-2"}},
		{"no letters", []providers.Live{agent("101", "שלום"), agent("102", "👋")}, nil, nil, map[string]string{"101": "agent-101", "102": "agent-102"}},
		{"suffix that is a name", []providers.Live{agent("a1", "Desk"), agent("b2", "Desk"), agent("c3", "Desk a1")}, nil, nil,
			map[string]string{"a1": "desk-a1-f", "b2": "desk-b2-4", "c3": "desk-a1"}},
		{"ids that differ in nothing that a name can hold", []providers.Live{agent("a-1", "Desk"), agent("A1", "Desk")}, nil, nil,
			map[string]string{"a-1": "desk-a1-2", "A1": "desk-a1-1"}},
		{"long", []providers.Live{agent("1", strings.Repeat("very ", 30)+"long")}, nil, nil, map[string]string{"1": "very-very-very-very-very-very-very-very"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := importer.Names(tt.agents, tt.bound, tt.taken)
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			backwards := slices.Clone(tt.agents)
			slices.Reverse(backwards)
			if other := importer.Names(backwards, tt.bound, tt.taken); !maps.Equal(got, other) {
				t.Errorf("in another order %v", other)
			}
		})
	}
}
