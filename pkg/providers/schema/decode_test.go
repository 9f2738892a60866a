package schema

import (
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// problemTest is a config with the one problem it has; want is its place, message and hint, "" for none.
type problemTest struct{ name, config, want string }

func runProblems(t *testing.T, tests []problemTest) {
	t.Helper()
	s := phone(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := s.Decode(value(t, test.config), false)
			if got := lines(problems); got != test.want {
				t.Errorf("problems of %s:\n%s\nwant:\n%s", test.config, got, test.want)
			}
		})
	}
}

func TestWalkProblems(t *testing.T) {
	runProblems(t, []problemTest{
		{"none", `{}`, ""},
		{"unknown field", "name: a\nnam: b", "a.yaml:2:1: phone: unknown field \"nam\"\n" +
			"  did you mean \"name\"? `agentsync explain phone` lists the fields"},
		{"unknown field like no other", `zzzzzzzz: b`, "a.yaml:1:1: phone: unknown field \"zzzzzzzz\"\n" +
			"  `agentsync explain phone` lists the fields"},
		{"unknown field inside", "voice:\n  sped: 1", "a.yaml:2:3: phone: unknown field \"voice.sped\"\n" +
			"  did you mean \"voice.speed\"? `agentsync explain phone.voice` lists the fields"},
		{"unknown field of an item", `vars: [{name: a, knd: text}]`, "a.yaml:1:18: phone: unknown field \"vars[0].knd\"\n" +
			"  did you mean \"vars[0].kind\"? `agentsync explain phone.vars` lists the fields"},
		{"unknown field near a read-only one only", `agent_ix: b`, "a.yaml:1:1: phone: unknown field \"agent_ix\"\n" +
			"  `agentsync explain phone` lists the fields"},
		{"read-only", `agent_id: b`, "a.yaml:1:1: phone: \"agent_id\" is read-only: the vendor sets it\n  take it out of the manifest"},
		{"read-only inside", `voice: {id: b}`, "a.yaml:1:9: phone: \"voice.id\" is read-only: the vendor sets it\n" +
			"  take it out of the manifest"},
		{"create-only and immutable", `{copy_from: b, region: eu}`, ""},
		{"null that clears", `{prompt: null, note: ~, tags: null}`, ""},
		{"null that cannot clear", `name: null`, "a.yaml:1:7: phone: null cannot clear \"name\": phone documents no way to clear it\n" +
			"  leave it out: a field that is not declared is untouched"},
		{"null for anything", `extra: null`, "a.yaml:1:8: phone: null cannot clear \"extra\": phone documents no way to clear it\n" +
			"  leave it out: a field that is not declared is untouched"},
		{"null inside anything", `{extra: {a: null, b: [null]}, plugins: [null], hook: {body: {a: null}}}`, ""},
		{"null in a list", `steps: [null]`, "a.yaml:1:9: phone: steps[0]: null, not a string\n" +
			"  `agentsync explain phone.steps` describes it"},
		{"null in an open map", `hook: {headers: {a: null}}`, "a.yaml:1:21: phone: hook.headers.a: null, not a string\n" +
			"  `agentsync explain phone.hook.headers.a` describes it"},
		{"object for a scalar", `name: {a: b}`, "a.yaml:1:7: phone: name: an object, not a string\n" +
			"  `agentsync explain phone.name` describes it"},
		{"list for an object", `voice: [a]`, "a.yaml:1:8: phone: voice: a list, not an object\n" +
			"  `agentsync explain phone.voice` describes it"},
		{"text for an object", `voice: "a"`, "a.yaml:1:8: phone: voice: \"a\" is a string, not an object\n" +
			"  `agentsync explain phone.voice` describes it"},
		{"number for a list", `tags: 3`, "a.yaml:1:7: phone: tags: 3 is a number, not a list\n" +
			"  `agentsync explain phone.tags` describes it"},
		{"duplicate in a set", `tags: [a, "a"]`, "a.yaml:1:11: phone: tags[1]: \"a\" is listed twice, first at a.yaml:1:8\n" +
			"  take one of the two out"},
		{"duplicate key", `vars: [{name: a}, {name: a}]`, "a.yaml:1:26: phone: vars[1].name: \"a\" is used twice, first at a.yaml:1:15\n" +
			"  take one of the two out"},
		{"item without its key", `vars: [{kind: text}]`, "a.yaml:1:8: phone: vars[0]: \"name\" is required\n" +
			"  declare it beside the others"},
		{"item that is no object", `vars: [a]`, "a.yaml:1:8: phone: vars[0]: a is not an object\n" +
			"  `agentsync explain phone.vars` describes it"},
		{"whole object without a field", `window: {from: "1"}`, "a.yaml:1:9: phone: window: \"to\" is required\n" +
			"  declare it beside the others"},
		{"part of an object of which the rest may be live", `voice: {speed: 1}`, ""},
		{"file by its text", `files: [{$file: a.md}]`, "a.yaml:1:9: phone: files[0]: the text of a file, not its path\n" +
			"  write the path itself, without $file"},
		{"likely limit", `delay_ms: -1`, "warning: a.yaml:1:11: phone: delay_ms: -1 is below 0, a limit that the vendor does not document\n" +
			"  `agentsync explain phone.delay_ms` describes it"},
		{"likely values", `codec: mp3`, "warning: a.yaml:1:8: phone: codec: \"mp3\" does not match ^[a-z]+$, a limit that the vendor does not document\n" +
			"  `agentsync explain phone.codec` describes it"},
		{"other likely values", `codec: flac`, "warning: a.yaml:1:8: phone: codec: \"flac\" is not one of opus, pcm, a limit that the vendor does not document\n" +
			"  `agentsync explain phone.codec` describes it"},
	})
}

func TestConfigThatIsNoObject(t *testing.T) {
	s := phone(t)
	for kind, want := range map[spec.Kind]string{
		spec.Null: "phone: spec.config is null, not an object",
		spec.List: "phone: spec.config is a list, not an object",
		spec.Text: "phone: spec.config is a string, not an object",
	} {
		config, problems := s.Decode(&spec.Value{Kind: kind}, false)
		if len(problems) != 1 || problems[0].Message != want || len(config.Object) != 0 {
			t.Errorf("Decode of kind %d = %v, %v, want %q", kind, config.Object, problems, want)
		}
	}
	if _, problems := s.Decode(nil, false); len(problems) != 1 {
		t.Errorf("Decode(nil) = %v, want one problem", problems)
	}
}

func TestDecodedObject(t *testing.T) {
	s := phone(t)
	for _, test := range []struct{ config, want string }{
		{`{}`, `{}`},
		{"prompt: \"a  \\r\\nb \\n\"", `{"prompt":"a  \nb"}`},
		{`{prompt: null, note: null, tags: null}`, `{"note":null,"prompt":"","tags":[]}`},
		{`{temperature: 1.0, delay_ms: 1e3, weight: 0.50}`, `{"delay_ms":1000,"temperature":1,"weight":0.5}`},
		{`{tags: [b, a], files: [x/b.md]}`, `{"files":["x/b.md"],"tags":["b","a"]}`},
		{`{extra: {a: 1.0, b: no, c: [true, ~, "1", 2026-01-01]}}`, `{"extra":{"a":1,"b":"no","c":[true,null,"1","2026-01-01"]}}`},
		{`{hook: {body: {n: 0x1F, t: "1"}, headers: {X-A: on}}}`, `{"hook":{"body":{"n":31,"t":"1"},"headers":{"X-A":"on"}}}`},
		{`{vars: [{name: b, default: null}, {name: a}]}`, `{"vars":[{"default":null,"name":"b"},{"name":"a"}]}`},
		{`{active: {$env: "true"}, delay_ms: {$file: "30"}, name: {$env: "30"}}`, `{"active":true,"delay_ms":30,"name":"30"}`},
		{`{either: 3, plugins: [{a: .5}]}`, `{"either":3,"plugins":[{"a":0.5}]}`},
	} {
		config, problems := s.Decode(value(t, test.config), false)
		if got := canonical(config.Object); got != test.want || len(problems) > 0 {
			t.Errorf("Decode(%s) = %s, %v, want %s", test.config, got, problems, test.want)
		}
	}
}

func TestUnknownFieldsLetThrough(t *testing.T) {
	config, problems := phone(t).Decode(value(t, `{nam: 1.0, voice: {sped: no}, vars: [{name: a, x: null}]}`), true)
	want := `{"nam":1,"vars":[{"name":"a","x":null}],"voice":{"sped":"no"}}`
	if got := canonical(config.Object); got != want || len(problems) > 0 {
		t.Errorf("Decode = %s, %v, want %s", got, problems, want)
	}
}

func TestSensitivePointers(t *testing.T) {
	config, problems := phone(t).Decode(value(t, `
region: {$env: eu-secret}
greeting: {$file: hello}
webhook_url: {$env: the schema says it is}
plugins: [a, {key: {$env: in an atomic list}}]
window: {to: {$env: b}, from: {$env: a}}
name: {$env: secret}
`), false)
	want := []diff.Pointer{"/name", "/plugins/1/key", "/region", "/window/from", "/window/to"}
	if !slices.Equal(config.Sensitive, want) || len(problems) > 0 {
		t.Errorf("Sensitive = %v, %v, want %v", config.Sensitive, problems, want)
	}
}

func TestFiles(t *testing.T) {
	var names []string
	for range 11 {
		names = append(names, "f")
	}
	config, _ := phone(t).Decode(value(t, "files: ["+strings.Join(names, ", ")+", {$env: last}]"), false)
	if len(config.Files) != 12 {
		t.Fatalf("%d files, want 12", len(config.Files))
	}
	if want := (FileRef{Pointer: "/files/2", Dir: "agents", Name: "f", Pos: spec.Pos{File: manifestFile, Line: 1, Column: 15}}); config.Files[2] != want {
		t.Errorf("Files[2] = %+v, want %+v", config.Files[2], want)
	}
	if last := config.Files[11]; last.Pointer != "/files/11" || last.Name != "last" {
		t.Errorf("the last file is %+v", last)
	}
}

func TestPlaces(t *testing.T) {
	config, _ := phone(t).Decode(value(t, "name: a\nvars:\n  - name: b\nnam: c\n"), false)
	for pointer, want := range map[diff.Pointer]string{
		"": "a.yaml:1:1", "/name": "a.yaml:1:7", "/vars/0/name": "a.yaml:3:11", "/vars/0/kind": "a.yaml:3:5",
		"/vars/7/x/y": "a.yaml:3:3", "/voice/speed": "a.yaml:1:1", "/nam": "a.yaml:4:1",
	} {
		if got := config.Place(pointer).String(); got != want {
			t.Errorf("Place(%q) = %s, want %s", pointer, got, want)
		}
	}
	if got := (Config{}).Place("no pointer"); got != (spec.Pos{}) {
		t.Errorf("a place of nothing is %v", got)
	}
}

// A secret must not be in any text, whatever is wrong with it.
func TestSecretsStayOut(t *testing.T) {
	const secret = "hunter2-and-more"
	s := phone(t)
	for _, config := range []string{
		"name: {$env: SECRET-too-long-for-a-name}", "mode: {$env: SECRET}", "temperature: {$env: SECRET}", "active: {$env: SECRET}",
		"voice: {$env: SECRET}", "tags: {$env: SECRET}", "tags: [{$env: SECRET}, {$env: SECRET}]", "number: {$env: SECRET}",
		"vars: [{name: {$env: SECRET}}, {name: {$env: SECRET}}]", "codec: {$env: SECRET}", "steps: [{$env: SECRET}, {$env: SECRET}]",
		"token: SECRET", "token: {SECRET: 1}", "keys: [{id: SECRET}, {id: SECRET}]", "keys: SECRET", "keys: [SECRET]",
		"hook: {headers: {a: [SECRET]}}", "hook: {headers: SECRET}", "{region: {$env: SECRET}, copy_from: a}",
		"nam: {$env: SECRET}", "agent_id: {$env: SECRET}", "either: [{$env: SECRET}]",
	} {
		_, problems := s.Decode(value(t, strings.ReplaceAll(config, "SECRET", secret)), false)
		if len(problems) == 0 {
			t.Errorf("%s has no problem: it tests nothing", config)
		}
		if text := lines(problems); strings.Contains(text, secret) {
			t.Errorf("%s shows the secret:\n%s", config, text)
		}
	}
	_, problems := s.Decode(value(t, "token: 12345678"), false)
	if want := "a.yaml:1:8: phone: token: (sensitive) is a number, not a string\n  write it in quotes"; lines(problems) != want {
		t.Errorf("problems:\n%s\nwant:\n%s", lines(problems), want)
	}
}
