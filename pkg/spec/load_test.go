package spec_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"agentsync.dev/agentsync/pkg/spec"
)

var update = flag.Bool("update", false, "write the golden files")

// script is an Input read from the comment of an archive: lines such as "paths: a.yaml -", "dir: sub", "env: A=1", "kustomize: over".
// The file <stdin> of the archive is standard input.
func script(t *testing.T, archive *txtar.Archive) (dir string, in spec.Input) {
	t.Helper()
	dir = t.TempDir()
	env := map[string]string{}
	in = spec.Input{Dir: dir, Getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	for _, f := range archive.Files {
		if f.Name == "<stdin>" {
			in.Stdin = strings.NewReader(string(f.Data))
		} else if f.Name != "want" {
			write(t, filepath.Join(dir, f.Name), string(f.Data))
		}
	}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "paths":
			in.Paths = strings.Fields(value)
		case "kustomize":
			in.Kustomize = value
		case "dir":
			in.Dir = filepath.Join(dir, value)
		case "env":
			name, v, _ := strings.Cut(value, "=")
			env[name] = v
		case "link":
			name, target, _ := strings.Cut(value, " -> ")
			if err := os.Symlink(strings.ReplaceAll(target, "$DIR", dir), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir, in
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGolden loads each archive of testdata and compares everything that came out, faults and values, with its "want".
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, in := script(t, archive)
			set, err := spec.Load(in)
			got := strings.ReplaceAll(report(set, err), dir, "$DIR")
			want := ""
			for i, f := range archive.Files {
				if f.Name != "want" {
					continue
				}
				if want = string(f.Data); *update && want != got {
					archive.Files[i].Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// report writes out what Load returned.
func report(set *spec.Set, err error) string {
	var b strings.Builder
	var problems spec.Problems
	switch {
	case errors.As(err, &problems):
		list(&b, "", problems)
		return b.String()
	case err != nil:
		return "error: " + err.Error() + "\n"
	}
	fmt.Fprintf(&b, "root %s paths %v files %d secrets %q\n", set.Root, set.Paths, set.Files, set.Secrets)
	list(&b, "warning: ", set.Warnings)
	for _, p := range set.Providers {
		fmt.Fprintf(&b, "provider %s (%s): type=%s baseURL=%s api=%s orgID=%s limits=%v timeout=%s\n", p.Name, p.Pos, p.Type, p.BaseURL, p.API, p.OrgID, p.Limits, p.Timeout)
		for _, name := range []string{"apiKey", "email", "password", "accessToken"} {
			if v := p.Auth[name]; v != nil {
				dump(&b, "  auth."+name, v)
			}
		}
		for _, name := range []string{"oauthURL", "listPath"} {
			if v := p.Options[name]; v != nil {
				dump(&b, "  "+name, v)
			}
		}
	}
	if c := set.Config; c != nil {
		fmt.Fprintf(&b, "config (%s): state=%s drift=%s maxDeletes=%s maxChangedPercent=%s minAgents=%s dir=%s\n",
			c.Pos, c.State, c.Drift, number(c.MaxDeletes), number(c.MaxChangedPercent), number(c.MinAgents), c.Dir)
	}
	for _, a := range set.Agents {
		fmt.Fprintf(&b, "agent %s (%s): id=%s (%s) provider (%s) labels=%v ignore=%q acceptReset=%q drift=%s update=%s protect=%v unknown=%v suspend=%v\n",
			a.Address(), a.Pos, a.ID, a.IDPos, a.ProviderPos, a.Labels, a.Ignore, a.AcceptReset, a.Drift, a.Update, a.Protect, a.AllowUnknownFields, a.Suspend)
		dump(&b, "  config", a.Config)
	}
	return b.String()
}

func list(b *strings.Builder, prefix string, problems spec.Problems) {
	for _, p := range problems {
		fmt.Fprintf(b, "%s%s\n", prefix, p.Error())
		if p.Hint != "" {
			fmt.Fprintf(b, "    %s\n", p.Hint)
		}
	}
}

func number(n *int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func dump(b *strings.Builder, path string, v *spec.Value) {
	kinds := map[spec.Kind]string{spec.Null: "null", spec.Plain: "plain", spec.Text: "text", spec.List: "list", spec.Map: "map"}
	fmt.Fprintf(b, "%s: %s", path, kinds[v.Kind])
	if v.Kind == spec.Plain || v.Kind == spec.Text {
		fmt.Fprintf(b, " %q", v.Text)
	}
	if v.Sensitive {
		b.WriteString(" sensitive")
	}
	if v.From != "" {
		fmt.Fprintf(b, " from %s", v.From)
	}
	fmt.Fprintf(b, " in %s @%s\n", v.Dir, v.Pos)
	for i, item := range v.Items {
		dump(b, fmt.Sprintf("%s[%d]", path, i), item)
	}
	for _, p := range v.Pairs {
		dump(b, path+"."+p.Key, p.Value)
	}
}
