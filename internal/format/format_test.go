package format_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"agentsync.dev/agentsync/internal/format"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
)

var update = flag.Bool("update", false, "write what is wanted into testdata")

// fields knows the vendors by their own names.
func fields(provider string) []schema.FieldDoc {
	vendor, ok := all.Lookup(provider)
	if !ok {
		return nil
	}
	doc, _ := vendor.Generations[0].Schema().Lookup("")
	return doc.Children
}

func TestSource(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := format.Source("a.yaml", archive.Files[0].Data, fields)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				archive.Files[1].Data = got
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if string(got) != string(archive.Files[1].Data) {
				t.Errorf("got:\n%s\nwant:\n%s", got, archive.Files[1].Data)
			}
			check(t, archive.Files[0].Data, got)
		})
	}
}

const manifest = "apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  provider: voicy\n  config: {}\n"

func TestLineEnds(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"no line end", strings.TrimSuffix(manifest, "\n"), manifest},
		{"empty lines around", "\n\n" + manifest + "\n\n", manifest},
		{"carriage returns stay", strings.ReplaceAll(manifest, "\n", "\r\n"), strings.ReplaceAll(manifest, "\n", "\r\n")},
		{"one carriage return goes", strings.Replace(manifest, "v1\nkind: Agent\n", "v1\nkind: Agent\r\n", 1), manifest},
		{"a byte order mark stays", "\uFEFF" + manifest, "\uFEFF" + manifest},
		{"white space at the end goes", strings.Replace(manifest, "spec:", "spec:  ", 1), manifest},
		{"an empty file", "", ""},
		{"another program's file", "a:   1  ", "a:   1  "},
		{"another program's directive", "%YAML 1.1\n---\na: 1\n...\n", "%YAML 1.1\n---\na: 1\n...\n"},
	} {
		if got, err := format.Source("a.yaml", []byte(test.in), fields); err != nil || string(got) != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

// TestAnchors: where a document has anchors its keys keep their order, because an anchor must stand before its aliases.
func TestAnchors(t *testing.T) {
	in := "apiVersion: agentsync.dev/v1\nkind: Agent\nspec:\n    config: &c\n        begin_message: x\n        agent_name: *d\n    provider: voicy\n"
	in = strings.Replace(in, "begin_message: x", "begin_message: &d x", 1)
	want := strings.NewReplacer("        ", "    ", "    ", "  ").Replace(in)
	got, err := format.Source("a.yaml", []byte(in), fields)
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want\n%s", got, err, want)
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"not YAML", manifest + "---\na: [\n", "a.yaml: not valid YAML"},
		{"not UTF-8", "a: \xff", "a.yaml: not UTF-8 text"},
		{"a directive", "%YAML 1.1\n---\n" + manifest, "a.yaml:1: holds a YAML directive"},
		{"an end marker", manifest + "...\n", "a.yaml:7: holds a YAML directive or an end-of-document marker"},
		{"an odd line break", strings.Replace(manifest, "{name: a}", "{name: 'a\u2028b'}", 1), "a.yaml:3: holds a line break"},
	} {
		got, err := format.Source("a.yaml", []byte(test.in), fields)
		var problem spec.Problem
		if !errors.As(err, &problem) || !strings.HasPrefix(problem.Error(), test.want) || problem.Hint == "" || got != nil {
			t.Errorf("%s: %q, %v; want %s", test.name, got, err, test.want)
		}
	}
}

// TestOrder holds the order of the keys to that of the published schemas: a document with all keys in that order is not changed, and one
// with the reverse order becomes it.
func TestOrder(t *testing.T) {
	for kind, raw := range map[string][]byte{"Agent": schema.AgentManifest(nil), "Provider": schema.ProviderManifest(nil), "Config": schema.ConfigManifest()} {
		names := propertiesOf(t, raw, "spec")
		if len(names) < 3 {
			t.Fatalf("%s: the schema has %q", kind, names)
		}
		body := func(names []string) string {
			text := "apiVersion: agentsync.dev/v1\nkind: " + kind + "\nmetadata:\n  name: a\nspec:\n"
			for _, name := range names {
				text += "  " + name + ": 1\n"
			}
			return text
		}
		reversed := slices.Clone(names)
		slices.Reverse(reversed)
		got, err := format.Source("a.yaml", []byte(body(reversed)), nil)
		if err != nil || string(got) != body(names) {
			t.Errorf("%s: %v\n%s", kind, err, got)
		}
	}
}

// propertiesOf returns the names of the properties of a property, in the order of the text.
func propertiesOf(t *testing.T, raw []byte, name string) []string {
	t.Helper()
	var doc struct {
		Properties map[string]struct{ Properties json.RawMessage }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(doc.Properties[name].Properties)))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, key.(string))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// FuzzFormat: formatting keeps what agentsync reads from a file and every comment, and formatting again changes nothing.
func FuzzFormat(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	for _, rest := range []string{"  ignore:\n  - /a # x\n    # y\n  - /b\n# z\n", "  ? a\n  : b\n", "\tx", "  config:\n    &a\n    b: *a\n",
		"  config:\n    a: |+\n\n      x\n\n\n  drift: refuse\n", "  config:\n      a:\n        b\n        c # d\n\n      # e\n\n      # f\n      \"g h\": 'i\n\n   j'\n",
		"  config:\n    list:\n      -   b: 1 # c\n          # d\n          a: |1-\n           x\n       # e\n      # f\n\n      -\n  # g\n\n", "#a\n  config:\n\n   #b\n   a: [1, # c\n 2]"} {
		f.Add(rest)
	}
	head := strings.TrimSuffix(manifest, "  config: {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, in := range []string{text, head + text} {
			got, err := format.Source("a.yaml", []byte(in), fields)
			var problem spec.Problem
			switch {
			case err == nil:
				check(t, []byte(in), got)
			case !errors.As(err, &problem):
				t.Error(err)
			}
		}
	})
}

func check(t *testing.T, before, after []byte) {
	t.Helper()
	if again, err := format.Source("a.yaml", after, fields); err != nil || string(again) != string(after) {
		t.Errorf("formatted again: %v\n%q\nafter\n%q\nfrom\n%q", err, again, after, before)
	}
	if left, right := comments(string(before)), comments(string(after)); !slices.Equal(left, right) {
		t.Errorf("the comments %q became %q", left, right)
	}
	left, right := load(t, before), load(t, after)
	if !reflect.DeepEqual(left, right) {
		t.Errorf("it says something else:\n%q\nwas\n%q", after, before)
	}
}

// comments are what stands behind each number sign.
func comments(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			found = append(found, strings.TrimRight(comment, " \t\r\n"))
		}
	}
	slices.Sort(found)
	return found
}

// load is what agentsync reads from a manifest, without places and with the keys of maps in order.
func load(t *testing.T, data []byte) *spec.Set {
	t.Helper()
	set, err := spec.Load(spec.Input{Dir: t.TempDir(), Paths: []string{"-"}, Stdin: strings.NewReader(string(data)),
		Getenv: func(name string) (string, bool) { return "value of " + name, true }})
	if set == nil {
		t.Fatal(err)
	}
	set.Root, set.Warnings = "", nil
	strip(reflect.ValueOf(set))
	return set
}

// strip removes places below v and sorts the pairs of maps.
func strip(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			strip(v.Elem())
		}
	case reflect.Slice:
		if pairs, ok := v.Interface().([]spec.Pair); ok {
			slices.SortFunc(pairs, func(a, b spec.Pair) int { return strings.Compare(a.Key, b.Key) })
		}
		for i := range v.Len() {
			strip(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if _, isPos := v.MapIndex(key).Interface().(spec.Pos); isPos {
				v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
				continue
			}
			strip(v.MapIndex(key))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[spec.Pos]() || v.Type().PkgPath() == "time" {
			if v.CanSet() && v.Type() == reflect.TypeFor[spec.Pos]() {
				v.SetZero()
			}
			return
		}
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "Dir" && v.Type() == reflect.TypeFor[spec.Config]() {
				v.Field(i).SetZero()
				continue
			}
			strip(v.Field(i))
		}
	}
}
