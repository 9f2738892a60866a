package convirza

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

var writeGolden = flag.Bool("update", false, "write the golden files")

func root() *diff.Type { return agentSchema().Type() }

// parse decodes JSON as rest does.
func parse(t testing.TB, text string) any {
	t.Helper()
	var doc any
	if err := rest.DecodeJSON(&rest.Answer{Body: []byte(text)}, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// object is a config in normal form.
func object(t testing.TB, text string) diff.Object {
	t.Helper()
	o, ok := diff.Normalize(root(), parse(t, text)).(diff.Object)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return o
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// vendorAgent is the agent of the vendor's example, with the given changes: null takes a field out.
func vendorAgent(t testing.TB, changes string) providers.Live {
	t.Helper()
	answer := parse(t, readFile(t, "agent.json")).(map[string]any)
	for name, v := range parse(t, changes).(map[string]any) {
		if v == nil {
			delete(answer["data"].(map[string]any), name)
			continue
		}
		answer["data"].(map[string]any)[name] = v
	}
	l, err := decodeAgent(root(), answer)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// change is what the planner would hand over: the differences between live and desired.
func change(t testing.TB, l providers.Live, base, desired diff.Object, files ...providers.File) providers.Change {
	t.Helper()
	c := providers.Change{ID: l.ID, Live: l, Base: base, Desired: desired, Files: files}
	for _, f := range diff.Compare(root(), base, l.Config, desired, diff.Options{}) {
		if f.Origin != diff.Released && f.Path.Top() != filesField {
			c.Fields = append(c.Fields, f)
		}
	}
	if len(files) > 0 {
		var names []any
		for _, f := range files {
			names = append(names, f.Name)
		}
		c.Desired[filesField] = names
		c.Fields = append(c.Fields, diff.Field{Path: "/files", Op: diff.Replace})
	}
	return c
}

func file(name, content string, uploaded bool) providers.File {
	return providers.File{Name: name, Size: int64(len(content)), Uploaded: uploaded,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// show writes all that a Write says, for golden files.
func show(w providers.Write) string {
	var out strings.Builder
	for _, r := range w.Requests {
		fmt.Fprintf(&out, "%s %s once=%t creates=%t\n", r.Method, r.Path, r.Once, r.Creates)
		fmt.Fprintf(&out, "fields %s\n", strings.Join(r.Fields, " "))
		for _, p := range r.Form {
			if p.Open != nil {
				fmt.Fprintf(&out, "  %s <- %s (%d bytes)\n", p.Name, p.FileName, p.Size)
				continue
			}
			fmt.Fprintf(&out, "  %s = %q\n", p.Name, p.Text)
		}
	}
	fmt.Fprintf(&out, "carried %s\nreset %s\nreason %s\n", strings.Join(w.Carried, " "), strings.Join(w.Reset, " "), w.Reason)
	for _, f := range w.Findings {
		fmt.Fprintf(&out, "%s %s %s\n", f.Severity, f.Code, f.Message)
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *writeGolden {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readFile(t, name+".golden"); got != want {
		t.Errorf("%s:\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// codes lists the findings as "severity code".
func codes(findings []providers.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%s %s", f.Severity, f.Code))
	}
	return strings.Join(all, ", ")
}
