package format_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/format"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// read loads manifests and wraps them for showing, with nothing secret but what the manifest says.
func read(t *testing.T, text string) []format.Resolved {
	t.Helper()
	set, err := spec.Load(spec.Input{Dir: t.TempDir(), Paths: []string{"-"}, Stdin: strings.NewReader(text),
		Getenv: func(name string) (string, bool) { return "hush-" + name, true }})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	var agents []format.Resolved
	for _, a := range set.Agents {
		mask := strings.NewReplacer("hush-KEY", "***")
		agents = append(agents, format.Resolved{Agent: a, Config: diff.Object{"n": json.Number("1000"), "secret": "known", "list": []any{"a", diff.Object{"b": nil}, []any{}, diff.Object{}}}, Secret: []diff.Pointer{"/secret"}, Mask: mask.Replace})
	}
	return agents
}

func render(t *testing.T, agents []format.Resolved) string {
	t.Helper()
	var out bytes.Buffer
	if err := format.Render(&out, agents); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const resolved = `apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: desk, labels: {env: prod}}
spec:
  provider: voicy
  id: "0123"
  config:
    n: 1e3
    secret: {deep: known}
    hidden: {$env: KEY}
    said: not hush-KEY
    joined: {$join: ["one\n", two]}
    list: [a, {b: null}, [], {}]
    yes: no
  ignore: [/a~1b]
  drift: ignore
  update: put
  acceptReset: [/c]
  protect: true
  allowUnknownFields: true
  suspend: {reason: "no: reason", until: 2026-12-01T00:00:00Z}
`

func TestRender(t *testing.T) {
	want := `# voicy/desk, declared at <stdin>:1
apiVersion: agentsync.dev/v1
kind: Agent
metadata:
  name: desk
  labels:
    env: prod
spec:
  provider: voicy
  id: "0123"
  config:
    n: 1e3 # <stdin>:8
    secret: (sensitive) # <stdin>:9
    hidden: (sensitive) # <stdin>:10, from env KEY
    said: not *** # <stdin>:11
    joined: |- # <stdin>:12, from join
      one
      two
    list:
      - a # <stdin>:13
      - b: null # <stdin>:13
      - [] # <stdin>:13
      - {} # <stdin>:13
    yes: no # <stdin>:14
  ignore:
    - /a~1b
  drift: ignore
  update: put
  acceptReset:
    - /c
  protect: true
  suspend:
    reason: 'no: reason'
    until: 2026-12-01T00:00:00Z
  allowUnknownFields: true
`
	got := render(t, read(t, resolved))
	if got != want {
		t.Errorf("got:\n%s", got)
	}
	if formatted, err := format.Source("a.yaml", []byte(got), nil); err != nil || string(formatted) != got {
		t.Errorf("it is not formatted: %v\n%s", err, formatted)
	}
}

func TestValues(t *testing.T) {
	byPath := map[diff.Pointer]format.Value{}
	for _, v := range format.Values(read(t, resolved)[0]) {
		byPath[v.Path] = v
	}
	for path, want := range map[diff.Pointer]format.Value{
		"/n":           {Value: json.Number("1000"), Origin: format.Origin{File: "<stdin>", Line: 8, Column: 8}},
		"/secret/deep": {Value: format.Hidden, Origin: format.Origin{File: "<stdin>", Line: 9, Column: 20}},
		"/hidden":      {Value: format.Hidden, Origin: format.Origin{File: "<stdin>", Line: 10, Column: 13}, From: "env KEY"},
		"/said":        {Value: "not ***", Origin: format.Origin{File: "<stdin>", Line: 11, Column: 11}},
		"/joined":      {Value: "one\ntwo", Origin: format.Origin{File: "<stdin>", Line: 12, Column: 13}, From: "join"},
		"/list/2":      {Value: []any{}, Origin: format.Origin{File: "<stdin>", Line: 13, Column: 26}},
	} {
		want.Address, want.Path = "voicy/desk", path
		if got := byPath[path]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	if len(byPath) != 10 {
		t.Errorf("%d values: %v", len(byPath), byPath)
	}
}

// FuzzRender: what is rendered is a manifest with the same values.
func FuzzRender(f *testing.F) {
	for _, text := range []string{"a", "no", "1e3", " x\n  y", "\n\n", "a: b # c", "x\n\ty \nz\n\n", "\u2028", "# a", "- a\n- b", "'", "\"\\", "|", "\t", "---\n", "a\r\nb", "\x7f"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		before := read(t, strings.Replace(manifest, "config: {}", "config: {list: [0], k: 1}", 1))
		config := before[0].Agent.Config
		config.Pairs[0].Value.Items[0] = &spec.Value{Kind: spec.Text, Text: text}
		config.Pairs[1].Key = "k" + text
		after := read(t, render(t, before))
		left, right := before[0].Agent.Config, after[0].Agent.Config
		if left.Pairs[1].Key != right.Pairs[1].Key || left.Pairs[0].Value.Items[0].Text != right.Pairs[0].Value.Items[0].Text ||
			right.Pairs[0].Value.Items[0].Kind != spec.Text || right.Pairs[1].Value.Kind != spec.Plain {
			t.Errorf("%q became %+v in\n%s", text, right.Pairs[0].Value.Items[0], render(t, before))
		}
	})
}
