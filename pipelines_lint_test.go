package agentsync_test

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
)

var pinned = regexp.MustCompile(`uses: ([\w.-]+/[\w.-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+\n`)

// TestActionsAreSafe: what GitHub runs is pinned, asks for no more than it needs, and puts nobody's words into a script.
func TestActionsAreSafe(t *testing.T) {
	action := strict[composite](t, "action.yml")
	text := read(t, "action.yml")
	for name, input := range action.Inputs {
		if input.Description == "" || !strings.Contains(text, "inputs."+name) {
			t.Errorf("input %s is not described, or not used", name)
		}
	}
	for _, name := range regexp.MustCompile(`inputs\.([\w-]+)`).FindAllStringSubmatch(text, -1) {
		if _, known := action.Inputs[name[1]]; !known {
			t.Errorf("%s is no input", name[1])
		}
	}
	want := map[string]map[string]string{
		"plan":  {"contents": "read", "pull-requests": "write"},
		"apply": {"contents": "read", "actions": "read", "pull-requests": "read"},
		"drift": {"contents": "read"},
	}
	files := append(workflows(t), "action.yml")
	for _, file := range files {
		text := read(t, file)
		if n, found := strings.Count(text, "uses: ")-strings.Count(text, "uses: "+ourAction+"@"), len(pinned.FindAllString(text, -1)); n != found || found == 0 {
			t.Errorf("%s: %d of %d actions are pinned with their version", file, found, n)
		}
		steps := action.Runs.Steps
		if file != "action.yml" {
			w := strict[workflow](t, file)
			if len(w.Permissions) > 0 || w.Concurrency.Group == "" {
				t.Errorf("%s: permissions %v, concurrency %v", file, w.Permissions, w.Concurrency)
			}
			for name, job := range w.Jobs {
				if diff := cmp.Diff(want[name], job.Permissions); diff != "" {
					t.Errorf("%s: permissions of %s (-want +got)\n%s", file, name, diff)
				}
				steps = append(steps, job.Steps...)
			}
		}
		for _, s := range steps {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: %s: an expression inside a script", file, s.Name)
			}
		}
	}
}

func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("examples/pipelines/github-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflow (%v)", err)
	}
	return files
}

// TestActionlint runs the well-known linter over the workflows.
func TestActionlint(t *testing.T) {
	var out bytes.Buffer
	linter, err := actionlint.NewLinter(&out, &actionlint.LinterOptions{LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	findings, err := linter.LintFiles(workflows(t), nil)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v\n%s", err, &out)
	}
	bad := "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'echo ${{ github.event.issue.title }}'}]}}\n"
	if findings, err := linter.Lint("bad.yaml", []byte(bad), nil); err != nil || len(findings) == 0 {
		t.Errorf("the linter finds nothing in a faulty workflow (%v)", err)
	}
}

// TestGHFilters tries the filters of the apply workflow on answers as GitHub's API gives them.
func TestGHFilters(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Log("jq is not installed: the filters are not tried")
		return
	}
	filters := regexp.MustCompile(`--jq '([^']*)'`).FindAllStringSubmatch(read(t, "examples/pipelines/github-apply.yaml"), -1)
	answers := [][2]string{
		{`[{"merged_at": null, "head": {"sha": "open"}}, {"merged_at": "2026-11-21T12:00:00Z", "head": {"sha": "merged"}}]`, "merged"},
		{`[{"databaseId": 4711}]`, "4711"}, {`[{"headSha": "abc"}]`, "abc"},
	}
	if len(filters) != len(answers) {
		t.Fatalf("%d filters", len(filters))
	}
	for i, filter := range filters {
		for _, answer := range [][2]string{answers[i], {"[]", ""}} {
			c := exec.CommandContext(t.Context(), jq, "-r", filter[1])
			c.Stdin = strings.NewReader(answer[0])
			if out, err := c.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != answer[1] {
				t.Errorf("%s of %s: %v %s", filter[1], answer[0], err, out)
			}
		}
	}
}
