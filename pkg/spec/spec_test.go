package spec_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/spec"
)

func TestNearest(t *testing.T) {
	tests := []struct {
		name  string
		known []string
		want  string
	}{
		{"general_promt", []string{"begin_message", "general_prompt"}, "general_prompt"},
		{"agnet", []string{"Config", "Agent"}, "Agent"},
		{"$flie", []string{"$env", "$file", "$join"}, "$file"},
		{"apikey", []string{"apiKey"}, "apiKey"},
		{"ID", []string{"id"}, "id"},
		{"cat", []string{"car", "bat"}, "bat"},
		{"bat", []string{"bats", "bat"}, "bat"},
		{"x", []string{"y"}, ""},
		{"temperature", []string{"language", "voice"}, ""},
		{"abc", nil, ""},
		{"", []string{"a"}, ""},
		{"zurück", []string{"zuruck"}, "zuruck"},
	}
	for _, test := range tests {
		if got := spec.Nearest(test.name, test.known); got != test.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", test.name, test.known, got, test.want)
		}
	}
}

func TestDecodeConfig(t *testing.T) {
	v, err := spec.DecodeConfig("c.yaml", []byte("a: no\nb: {$env: X, default: y}\nc: {$join: [a, 1]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	dump(&b, "config", v)
	wantReport(t, b.String(), `config: map in . @c.yaml:1:1
config.a: plain "no" in . @c.yaml:1:4
config.b: text "y" sensitive from env X in . @c.yaml:2:4
config.c: text "a1" from join in . @c.yaml:3:4
`)
	faults := map[string]string{
		"a: {$file: x}":     "c.yaml:1:12: file x: files are not read here",
		"a: {$env: X}":      "c.yaml:1:11: environment variable X is not set",
		"a: 1\na: 2":        `c.yaml:2:1: duplicate key "a": also at c.yaml:1:1`,
		"[a]":               "c.yaml: a config is one document that holds a map",
		"":                  "c.yaml: a config is one document that holds a map",
		"a: 1\n---\nb: 1":   "c.yaml: a config is one document that holds a map",
		"a: b: c":           "c.yaml:1:5: not valid YAML: mapping values are not allowed in this context",
		`{"a": 1, "a": 2}`:  `c.yaml:1:10: duplicate key "a": also at c.yaml:1:2`,
		"{$unknown: x}":     `c.yaml:1:2: unknown directive "$unknown"`,
		"a: {$join: [[1]]}": "c.yaml:1:13: an item of $join must be text, not a list",
	}
	for text, want := range faults {
		if _, err := spec.DecodeConfig("c.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("DecodeConfig(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestLookup(t *testing.T) {
	v, err := spec.DecodeConfig("c.yaml", []byte("a: {b: c}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Lookup("a").Lookup("b"); got == nil || got.Text != "c" {
		t.Errorf("a.b is %v", got)
	}
	if got := v.Lookup("x").Lookup("b").Lookup("c"); got != nil {
		t.Errorf("x.b.c is %v", got)
	}
}

func TestProblems(t *testing.T) {
	at := func(file string, line, column int, message string, warning bool) spec.Problem {
		return spec.Problem{Pos: spec.Pos{File: file, Line: line, Column: column}, Message: message, Warning: warning}
	}
	problems := spec.Problems{at("b", 1, 1, "x", false), at("a", 2, 0, "x", false), at("a", 2, 0, "x", false), at("a", 1, 0, "w", true),
		at("a", 0, 0, "y", false), {Message: "nowhere"}}
	wantReport(t, problems.Err().Error(), "nowhere\na: y\na:2: x\nb:1:1: x")
	wantReport(t, problems.Warnings().Error(), "a:1: w")
	if err := problems.Warnings().Err(); err != nil {
		t.Errorf("warnings are an error: %v", err)
	}
	if problems[0].Message != "x" || len(problems) != 6 {
		t.Error("Err changed its receiver")
	}
}

// TestManyFiles reads many files at once: the result does not depend on which is done first.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		text := strings.Replace(head, "name: a", fmt.Sprintf("name: a%02d", 99-i), 1) + fmt.Sprintf("    n: %d\n    p: {$file: p.md}\n    e: {$env: E}\n", i)
		write(t, filepath.Join(dir, fmt.Sprintf("%02d.yaml", i)), text)
	}
	write(t, filepath.Join(dir, "p.md"), "shared")
	getenv := func(string) (string, bool) { return "e-value", true }
	load := func() string { return report(spec.Load(spec.Input{Dir: dir, Getenv: getenv})) }
	first := load()
	if !strings.Contains(first, "files 100") || strings.Index(first, "voicy/a00") > strings.Index(first, "voicy/a01") {
		t.Fatalf("got:\n%s", first)
	}
	for range 5 {
		wantReport(t, load(), first)
	}
}

// TestKustomizeStaysLocal builds kustomizations that name a repository and a server: neither git nor the server is called.
func TestKustomizeStaysLocal(t *testing.T) {
	called := filepath.Join(t.TempDir(), "called")
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { write(t, called, "server") }))
	defer server.Close()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte("#!/bin/sh\necho git > "+called+"\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, remote := range []string{"https://github.com/example/repo", "github.com/example/repo//base", "git@example.com:a/b.git",
		"ssh://git@example.com/a/b", "file:///a/b.git", server.URL + "/a.yaml", strings.ToUpper(server.URL[:4]) + server.URL[4:] + "/a.yaml"} {
		for _, field := range []string{"resources", "bases", "Components", "crds", "configurations", "patchesStrategicMerge", "generators"} {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "over/kustomization.yaml"), "resources: [../base]\n")
			write(t, filepath.Join(dir, "base/kustomization.yaml"), field+": ["+remote+"]\n")
			_, err := spec.Load(spec.Input{Dir: dir, Kustomize: "over"})
			if err == nil {
				t.Errorf("%s: [%s] was built", field, remote)
			}
		}
	}
	if by, err := os.ReadFile(called); err == nil {
		t.Errorf("called: %s", by)
	}
}
