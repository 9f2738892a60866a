package agentsync_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
)

const readme = "README.md"

var (
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	shellBlock   = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	yamlBlock    = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	marked       = regexp.MustCompile(`(?ms)^<!-- begin: (\S+) -->\n(.*?)^<!-- end: (\S+) -->$`)
	link         = regexp.MustCompile(`\]\(([^)#]+)\)`)
	fileValue    = regexp.MustCompile(`\$file: ([^}]+)}`)
	envValue     = regexp.MustCompile(`\$env: (\w+)`)
	longFlag     = regexp.MustCompile(`(?:^|\s)(--[a-z-]+)`)
	exitRow      = regexp.MustCompile(`(?m)^\| ([0-9, ]+) \|`)
)

func readReadme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReadmeIsGenerated runs every console block and makes every marked table, and compares them with what the page says.
func TestReadmeIsGenerated(t *testing.T) {
	got := readReadme(t)
	want := consoleBlock.ReplaceAllStringFunc(got, func(block string) string { return console(t, block) })
	want = marked.ReplaceAllStringFunc(want, func(block string) string { return table(t, block) })
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("run `go test . -update` and read the difference (-page +truth):\n%s", cmp.Diff(strings.Split(got, "\n"), strings.Split(want, "\n")))
}

// console runs the commands of a block, one after the other, in a workspace of its own.
func console(t *testing.T, block string) string {
	t.Helper()
	dir := workspace(t)
	var out bytes.Buffer
	out.WriteString("```console\n")
	for line := range strings.Lines(consoleBlock.FindStringSubmatch(block)[1]) {
		text, isCommand := strings.CutPrefix(strings.TrimRight(line, "\n"), "$ ")
		if !isCommand {
			continue
		}
		fmt.Fprintf(&out, "$ %s\n", text)
		result, err := command(t, dir, nil, "sh", "-c", text).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", text, err, result)
		}
		for line := range strings.Lines(string(result)) {
			out.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
	}
	out.WriteString("```")
	return out.String()
}

// table writes the marked block of its name.
func table(t *testing.T, block string) string {
	t.Helper()
	name := marked.FindStringSubmatch(block)[1]
	write := map[string]func(*strings.Builder){"vendors": vendors, "settings": settings, "findings": findings}[name]
	if write == nil {
		t.Fatalf("nothing makes the block %q", name)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "<!-- begin: %s -->\n", name)
	write(&out)
	fmt.Fprintf(&out, "<!-- end: %s -->", name)
	return out.String()
}

func vendors(out *strings.Builder) {
	lists := map[string]string{"none": "no", "summaries": "ids and names", "whole": "whole agents"}
	deletes := map[string]string{"none": "no", "delete": "for good", "archive": "archives"}
	out.WriteString("| type | vendor | list | update | delete |\n|---|---|---|---|---|\n")
	each(func(v providers.Vendor, g providers.Generation, name string) {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", name, v.Title, lists[g.Can.List], g.Can.Update, deletes[g.Can.Delete])
	})
	each(func(_ providers.Vendor, g providers.Generation, name string) {
		fmt.Fprintf(out, "\n%s:\n\n", name)
		for _, note := range g.Notes {
			fmt.Fprintf(out, "- %s\n", note)
		}
	})
}

// each visits every API generation of every vendor, with its name for readers.
func each(visit func(v providers.Vendor, g providers.Generation, name string)) {
	for _, v := range all.Vendors() {
		for _, g := range v.Generations {
			name := "`" + v.Name + "`"
			if g.Name != "" {
				name += ", `api: " + g.Name + "`"
			}
			visit(v, g, name)
		}
	}
}

func settings(out *strings.Builder) {
	out.WriteString("| variable | in a Provider document | what it is |\n|---|---|---|\n")
	for _, v := range all.Vendors() {
		for _, s := range v.Settings {
			about := s.About
			if s.Required {
				about += " (required)"
			}
			fmt.Fprintf(out, "| %s | `%s` | %s: %s |\n", code(s.Env), s.Field, v.Title, cell(about))
		}
	}
}

func findings(out *strings.Builder) {
	out.WriteString("| code | meaning | what to do |\n|---|---|---|\n")
	for _, c := range providers.Codes() {
		fmt.Fprintf(out, "| %s | %s | %s |\n", c.Code, cell(c.Title), cell(c.Cure))
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// cell makes s one cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// TestReadmeShell checks the command lines that are shown but not run: their commands and flags exist.
func TestReadmeShell(t *testing.T) {
	checked := 0
	for _, block := range shellBlock.FindAllStringSubmatch(readReadme(t), -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(line, "#")
			words := strings.Fields(strings.Replace(line, "go run ./cmd/agentsync", "agentsync", 1))
			if len(words) < 2 || words[0] != "agentsync" {
				continue
			}
			checked++
			help, status := agentsync(t, t.TempDir(), words[1], "--help")
			if status != 0 || !bytes.Contains(help, []byte("agentsync "+words[1])) {
				t.Errorf("%s: no command %s", line, words[1])
			}
			for _, flag := range longFlag.FindAllStringSubmatch(line, -1) {
				if !bytes.Contains(help, []byte(flag[1]+" ")) {
					t.Errorf("%s: no flag %s", line, flag[1])
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no command line found")
	}
}

// TestReadmeManifests checks every manifest on the page, with the files and variables that it names.
func TestReadmeManifests(t *testing.T) {
	blocks := yamlBlock.FindAllStringSubmatch(readReadme(t), -1)
	if len(blocks) == 0 {
		t.Fatal("no manifest found")
	}
	for _, block := range blocks {
		manifest := block[1]
		dir := t.TempDir()
		write(t, filepath.Join(dir, "manifest.yaml"), manifest)
		for _, file := range fileValue.FindAllStringSubmatch(manifest, -1) {
			write(t, filepath.Join(dir, file[1]), "text\n")
		}
		var env []string
		for _, name := range envValue.FindAllStringSubmatch(manifest, -1) {
			env = append(env, name[1]+"=value")
		}
		if out, err := command(t, dir, env, filepath.Join(binDir, "agentsync"), "validate", "manifest.yaml").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, manifest)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReadmeExitStatus holds the table to the constants of the command.
func TestReadmeExitStatus(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "cmd/agentsync/exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "exit") && len(spec.Values) == 1 {
			if value, isLiteral := spec.Values[0].(*ast.BasicLit); isLiteral {
				want[value.Value] = true
			}
		}
		return true
	})
	got := map[string]bool{}
	for _, row := range exitRow.FindAllStringSubmatch(readReadme(t), -1) {
		for _, status := range strings.Split(row[1], ", ") {
			got[status] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the page says %q, the command %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// TestReadmeLinks checks that what the page points to is there.
func TestReadmeLinks(t *testing.T) {
	links := link.FindAllStringSubmatch(readReadme(t), -1)
	if len(links) == 0 {
		t.Fatal("no link found")
	}
	for _, l := range links {
		if strings.Contains(l[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.FromSlash(l[1])); err != nil {
			t.Error(err)
		}
	}
}
