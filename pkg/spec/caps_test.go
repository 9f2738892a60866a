package spec_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/spec"
)

const head = "apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  provider: voicy\n  config:\n"

// loadDir loads dir and returns the report.
func loadDir(dir string, paths ...string) string {
	return report(spec.Load(spec.Input{Dir: dir, Paths: paths}))
}

func wantReport(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// bomb is a list of lists of lists, each ten aliases of the one before.
func bomb() string {
	var b strings.Builder
	b.WriteString(head + "    l0: &l0 [x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "    l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestCaps(t *testing.T) {
	joins := head + "    part: {$file: big.md}\n    all:\n    - &j {$join: [{$file: big.md}, x]}\n" + strings.Repeat("    - *j\n", 70)
	tests := map[string]struct{ name, text, want string }{
		"alias bomb":  {"a.yaml", bomb(), "a.yaml:13:14: more than 500000 values, aliases expanded\n    split the file, or use fewer aliases\n"},
		"json values": {"a.json", `{"apiVersion": "agentsync.dev/v1", "x": [` + strings.Repeat("0,", 500_000) + "0]}", "a.json:1:1000036: more than 500000 values\n    split the file\n"},
		"yaml depth":  {"a.yaml", head + "    x: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "a.yaml:7:106: nested more than 100 deep\n"},
		"json depth":  {"a.json", `{"apiVersion": "agentsync.dev/v1", "x": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", "a.json:1:141: nested more than 100 deep\n"},
		"join total":  {"a.yaml", joins, "a.yaml:9:7: the joined text is larger than 1 MiB, or all together than 64 MiB\n    use fewer or smaller parts\n"},
		"one join": {"a.yaml", head + "    x: {$join: [{$file: big.md}, {$file: big.md}]}\n",
			"a.yaml:7:8: the joined text is larger than 1 MiB, or all together than 64 MiB\n    use fewer or smaller parts\n"},
		"text":     {"a.yaml", head + "    x: {$file: huge.md}\n", "a.yaml:7:16: file huge.md is larger than 1 MiB\n    split it\n"},
		"encoding": {"a.yaml", "a: b\nü: \xff\n", "a.yaml:2:4: not UTF-8 text\n    save the file as UTF-8\n"},
		"latin1":   {"a.yaml", head + "    x: {$file: latin1.md}\n", "a.yaml:7:16: file latin1.md is not UTF-8 text\n    save it as UTF-8\n"},
		"control":  {"a.yaml", "a: b\nc: \x01\n", "a.yaml:2:4: not valid YAML: control characters are not allowed\n    write such a character as an escape in double quotes\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "big.md"), strings.Repeat("x", 1<<20-16))
			write(t, filepath.Join(dir, "huge.md"), strings.Repeat("x", 1<<20+1))
			write(t, filepath.Join(dir, "latin1.md"), "caf\xe9")
			write(t, filepath.Join(dir, test.name), test.text)
			wantReport(t, loadDir(dir), test.want)
		})
	}
}

func TestHugeManifestIsRefusedByItsSize(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.yaml", "b.json"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(50<<20), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	wantReport(t, loadDir(dir), "a.yaml: is larger than 4 MiB\n    split it\nb.json: is larger than 4 MiB\n    split it\n")
	wantReport(t, report(spec.Load(spec.Input{Dir: dir, Paths: []string{"-"}, Stdin: bytes.NewReader(make([]byte, 5<<20))})),
		"<stdin>: is larger than 4 MiB\n    split it\n")
	write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [a.yaml]\n")
	wantReport(t, report(spec.Load(spec.Input{Dir: dir, Kustomize: "."})), "a.yaml: is larger than 4 MiB\n    split it\n")
}

func TestTooManyFiles(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "00000.yaml")
	write(t, first, "a: b\n")
	for i := range 10_000 {
		if err := os.Link(first, filepath.Join(dir, fmt.Sprintf("%05d.yaml", i+1))); err != nil {
			t.Fatal(err)
		}
	}
	got := loadDir(dir)
	want := "10000.yaml: there are more than 10000 manifest files\n    name the folders that hold manifests\n"
	if !strings.Contains(got, want) {
		t.Errorf("got:\n%s", got)
	}
}

// TestKustomizeBomb checks that kustomize, which expands aliases without a limit, never sees a bomb, in whatever kind of document.
func TestKustomizeBomb(t *testing.T) {
	for _, version := range []string{"agentsync.dev/v1", "v1"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [a.yaml]\n")
		write(t, filepath.Join(dir, "a.yaml"), strings.Replace(bomb(), "agentsync.dev/v1", version, 1))
		wantReport(t, report(spec.Load(spec.Input{Dir: dir, Kustomize: "."})),
			"a.yaml:13:14: more than 500000 values, aliases expanded\n    split the file, or use fewer aliases\n")
	}
}

func TestByteOrderMarkAndLineEnds(t *testing.T) {
	dir := t.TempDir()
	manifest := "\uFEFF" + strings.ReplaceAll(head, "\n", "\r\n") + "    a: |\r\n      one\r\n      two\r\n    b: {$file: p.md}\r\n"
	write(t, filepath.Join(dir, "a.yaml"), manifest)
	write(t, filepath.Join(dir, "b.json"), "\uFEFF{\"apiVersion\": \"v1\"}")
	write(t, filepath.Join(dir, "p.md"), "\uFEFFone\r\ntwo\r\n\r\n")
	set, err := spec.Load(spec.Input{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	config := set.Agents[0].Config
	if got, want := config.Lookup("a").Text, "one\ntwo\n"; got != want {
		t.Errorf("a = %q, want %q", got, want)
	}
	if got, want := config.Lookup("b").Text, "one\r\ntwo\r\n"; got != want {
		t.Errorf("b = %q, want %q", got, want)
	}
}
