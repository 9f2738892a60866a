package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"agentsync.dev/agentsync/pkg/spec"
)

// FuzzLoad: whatever a manifest holds, Load returns agents with places or problems with places.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if part.Name != "want" {
				f.Add(part.Data, strings.HasSuffix(part.Name, ".json"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool) {
		dir := t.TempDir()
		name := "a.yaml"
		if isJSON {
			name = "a.json"
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := spec.Load(spec.Input{Dir: dir, Getenv: func(name string) (string, bool) { return name, len(name)%2 == 0 }})
		if err != nil {
			checkProblems(t, err, name)
			return
		}
		for _, a := range set.Agents {
			if a.Pos.File != name || a.Pos.Line == 0 || a.Name == "" || a.Provider == "" || a.Config == nil {
				t.Errorf("agent %+v", a)
			}
			checkValue(t, a.Config, name)
		}
	})
}

// FuzzDirectives: no directive is left in a resolved config, and what came from the environment stays sensitive.
func FuzzDirectives(f *testing.F) {
	for _, text := range []string{"{$file: x}", "{$env: A, default: b}", "{$join: [a, {$env: A, default: b}], separator: ', '}", "{$join: [{$join: []}]}",
		"[{$flie: x}]", "{$env: *x}", "{<<: {$env: A}, default: secret}", `{"$env": "A", "default": "\ud83d\ude00"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := spec.DecodeConfig("a.yaml", []byte("x: "+text+"\n"))
		if err != nil {
			checkProblems(t, err, "a.yaml")
			return
		}
		checkValue(t, v, "a.yaml")
	})
}

func checkProblems(t *testing.T, err error, file string) {
	t.Helper()
	var problems spec.Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("no problems: %v", err)
	}
	for _, p := range problems {
		if p.Pos.File != file && p.Pos.File != "." || p.Message == "" || p.Pos.Line < 0 || (p.Pos.Column > 0 && p.Pos.Line == 0) {
			t.Errorf("problem without a place: %+v", p)
		}
	}
}

func checkValue(t *testing.T, v *spec.Value, file string) {
	t.Helper()
	if v.Pos.File != file || v.Pos.Line == 0 || v.Pos.Column == 0 || v.Dir != "." {
		t.Errorf("value without a place: %+v", v)
	}
	if strings.Contains(v.From, "env ") && !v.Sensitive {
		t.Errorf("value from the environment is not sensitive: %+v", v)
	}
	for _, item := range v.Items {
		checkValue(t, item, file)
	}
	seen := map[string]bool{}
	for _, p := range v.Pairs {
		if strings.HasPrefix(p.Key, "$") || seen[p.Key] || p.KeyPos.Line == 0 {
			t.Errorf("pair %+v", p)
		}
		seen[p.Key] = true
		checkValue(t, p.Value, file)
	}
}
