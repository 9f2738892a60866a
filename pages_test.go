package agentsync_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	shellBlock   = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	yamlBlock    = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	fence        = regexp.MustCompile("(?ms)^```.*?^```$")
	marked       = regexp.MustCompile(`(?ms)^<!-- begin: (\S+) -->\n(.*?)^<!-- end: (\S+) -->$`)
	link         = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug       = regexp.MustCompile(`[^a-z0-9 _-]`)
	inlineLine   = regexp.MustCompile("`(agentsync [^`]+)`")
	nextCommand  = regexp.MustCompile(`\|\|?|&&|;`)
	fileValue    = regexp.MustCompile(`\$file: ([^}\s]+)`)
	envValue     = regexp.MustCompile(`\$env: (\w+)`)
	longFlag     = regexp.MustCompile(`(?:^|\s)(--[a-z-]+)`)
)

// eachPage runs check on the README and on every page of docs. It returns in how many places check found something to look at.
func eachPage(t *testing.T, check func(t *testing.T, page, text string) int) (found int) {
	t.Helper()
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append([]string{"README.md"}, docs...) {
		t.Run(filepath.ToSlash(page), func(t *testing.T) {
			found += check(t, page, readPage(t, page))
		})
	}
	if found == 0 {
		t.Error("the pages hold nothing to check")
	}
	return found
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPagesAreGenerated runs every console block and makes every marked block, and compares them with what the page says.
func TestPagesAreGenerated(t *testing.T) {
	eachPage(t, func(t *testing.T, page, got string) int {
		blocks := 0
		want := consoleBlock.ReplaceAllStringFunc(got, func(block string) string { blocks++; return console(t, block) })
		want = marked.ReplaceAllStringFunc(want, func(block string) string { blocks++; return generated(t, block) })
		switch {
		case got == want:
		case *update:
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("run `go test . -update` and read the difference (-page +truth):\n%s", cmp.Diff(strings.Split(got, "\n"), strings.Split(want, "\n")))
		}
		return blocks
	})
}

// console runs the commands of a block, one after the other, in a workspace of its own, which is shown as /repo.
func console(t *testing.T, block string) string {
	t.Helper()
	dir := workspace(t)
	if strings.Contains(block, " main ") { // names a commit
		history(t, dir)
	}
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
		for line := range strings.Lines(strings.ReplaceAll(string(result), dir, "/repo")) {
			out.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
	}
	out.WriteString("```")
	return out.String()
}

// TestPagesShell checks the command lines that are shown but not run: their commands and flags exist.
func TestPagesShell(t *testing.T) {
	help := helpTexts()
	eachPage(t, func(t *testing.T, _, text string) int {
		var lines []string
		for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
			for line := range strings.Lines(block[1]) {
				line, _, _ = strings.Cut(line, "#")
				lines = append(lines, nextCommand.Split(line, -1)...)
			}
		}
		for _, span := range inlineLine.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			lines = append(lines, nextCommand.Split(span[1], -1)...)
		}
		checked := 0
		for _, line := range lines {
			words := strings.Fields(strings.Replace(line, "go run ./cmd/agentsync", "agentsync", 1))
			if len(words) < 2 || words[0] != "agentsync" {
				continue
			}
			checked++
			answer := help(t, words[1:])
			if answer == "" {
				t.Errorf("%s: no such command", line)
				continue
			}
			for _, flag := range longFlag.FindAllStringSubmatch(line, -1) {
				if !strings.Contains(answer, flag[1]+" ") {
					t.Errorf("%s: no flag %s", line, flag[1])
				}
			}
		}
		return checked
	})
}

// helpTexts returns what gives the help of a command line's command, "" if there is none; each is asked for once.
func helpTexts() func(t *testing.T, words []string) string {
	known := map[string]string{}
	return func(t *testing.T, words []string) string {
		name := words[:1]
		if words[0] == "state" && len(words) > 1 && !strings.ContainsAny(words[1], "-|") {
			name = words[:2]
		}
		key := strings.Join(name, " ")
		if _, ok := known[key]; !ok {
			out, status := agentsync(t, t.TempDir(), append(name, "--help")...)
			if status != 0 || (key != "--help" && !bytes.Contains(out, []byte("agentsync "+key))) {
				out = nil
			}
			known[key] = string(out)
		}
		return known[key]
	}
}

// TestPagesManifests checks every manifest on the pages, with the files and variables that it names.
func TestPagesManifests(t *testing.T) {
	eachPage(t, func(t *testing.T, _, text string) int {
		checked := 0
		for _, block := range yamlBlock.FindAllStringSubmatch(text, -1) {
			manifest := block[1]
			if !strings.Contains(manifest, "apiVersion: agentsync.dev/") {
				continue // a pipeline's, or a kustomization
			}
			checked++
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
		return checked
	})
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

// TestPagesLinks checks that what the pages point to is there, down to the heading.
func TestPagesLinks(t *testing.T) {
	eachPage(t, func(t *testing.T, page, text string) int {
		links := link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1)
		for _, l := range links {
			if strings.Contains(l[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(l[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
			}
			if _, err := os.Stat(target); err != nil {
				t.Error(err)
			} else if anchor != "" && !anchors(readPage(t, target))[anchor] {
				t.Errorf("%s: %s has no heading #%s", l[1], target, anchor)
			}
		}
		return len(links)
	})
}

// anchors are the headings of a page, as GitHub and GitLab name them in links.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		names[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")] = true
	}
	return names
}
