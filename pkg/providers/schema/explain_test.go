package schema

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
)

var update = flag.Bool("update", false, "write the golden files")

func jsonNumber(s string) json.Number { return json.Number(s) }

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs; look at what -update changes:\n%s", file, got)
	}
}

func TestFieldsInOrder(t *testing.T) {
	var paths []string
	for _, doc := range phone(t).Fields() {
		paths = append(paths, doc.Path)
	}
	want := []string{"name", "prompt", "mode", "greeting", "number", "temperature", "delay_ms", "weight", "codec", "active", "webhook",
		"webhook_url", "token", "region", "copy_from", "note", "either", "extra", "voice", "voice.provider", "voice.speed", "voice.id",
		"voice.style", "window", "window.from", "window.to", "hook", "hook.method", "hook.headers", "hook.headers.*", "hook.body", "tags", "steps",
		"vars", "vars[].name", "vars[].kind", "vars[].default", "keys", "keys[].id", "keys[].value", "files", "plugins", "agent_id", "stats",
		"stats.calls"}
	if !reflect.DeepEqual(paths, want) {
		t.Errorf("Fields:\n%q\nwant:\n%q", paths, want)
	}
}

func TestLookup(t *testing.T) {
	const agents = "docs.example.com/agents"
	s := phone(t)
	for path, want := range map[string]FieldDoc{
		"name": {Path: "name", Kind: diff.String, Description: "Display name.", Source: agents, Required: true, Examples: []any{"Front desk"},
			Limits: []string{"at least 1 character", "at most 20 characters"}},
		"/mode": {Path: "mode", Kind: diff.String, Enum: []any{"static", "dynamic", "off"}, Default: "static", HasDefault: true, Source: agents},
		"temperature": {Path: "temperature", Kind: diff.Number, Minimum: "0", Maximum: "1",
			Source: "docs.example.com/model"},
		"delay_ms": {Path: "delay_ms", Kind: diff.Integer, Default: jsonNumber("100"), HasDefault: true, Unit: "ms", Source: agents,
			Limits: []string{"a warning below 0", "a warning above 5000"}},
		"codec": {Path: "codec", Kind: diff.String, Source: agents,
			Limits: []string{"a warning for others than opus, pcm", "a warning where it does not match ^[a-z]+$"}},
		"weight": {Path: "weight", Kind: diff.Number, Source: agents, Limits: []string{"above 0", "below 10", "a multiple of 0.5"}},
		"webhook_url": {Path: "webhook_url", Kind: diff.String, Source: agents, Sensitive: true, Group: "webhook",
			Toggle: "webhook"},
		"note":            {Path: "note", Kind: diff.String, Source: agents, Deprecated: true, HasClear: true},
		"voice.provider":  {Path: "voice.provider", Kind: diff.String, Source: agents, Required: true},
		"/voice/style":    {Path: "voice.style", Kind: diff.String, Description: "Style of the voice.", Enum: []any{"calm", "lively"}, Unit: "style", Source: agents},
		"vars.name":       {Path: "vars[].name", Kind: diff.String, Source: agents, Required: true, Limits: []string{"at least 1 character"}},
		"vars[].default":  {Path: "vars[].default", Kind: diff.String, Source: agents, HasClear: true},
		"vars[3].default": {Path: "vars[].default", Kind: diff.String, Source: agents, HasClear: true},
		"/vars/3/default": {Path: "vars[].default", Kind: diff.String, Source: agents, HasClear: true},
		"hook.headers.X":  {Path: "hook.headers.*", Kind: diff.String, Source: agents, Sensitive: true},
		"tags": {Path: "tags", Kind: diff.List, Items: diff.String, List: diff.Set, Source: agents, Clear: []any{}, HasClear: true,
			Limits: []string{"at most 3 items"}},
		"stats.calls": {Path: "stats.calls", Kind: diff.Integer, ReadOnly: true, Source: agents},
	} {
		if got, ok := s.Lookup(path); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("Lookup(%q) = %+v, %v, want %+v", path, got, ok, want)
		}
	}
	for _, path := range []string{"nam", "voice.nam", "/voice/nam", "name.x", "/name/0", "hook.body.x", "voice."} {
		if got, ok := s.Lookup(path); ok {
			t.Errorf("Lookup(%q) = %+v, want nothing", path, got)
		}
	}
	all, ok := s.Lookup("")
	if !ok || len(all.Children) != len(s.root.names) || all.Description != "A made-up vendor that has every kind of field." {
		t.Errorf(`Lookup("") = %+v, %v`, all, ok)
	}
	voice, _ := s.Lookup("voice")
	if voice.Nested != "replace" || len(voice.Children) != 4 || !voice.Children[2].ReadOnly {
		t.Errorf("voice is %+v", voice)
	}
}
