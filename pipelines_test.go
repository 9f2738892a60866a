package agentsync_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/internal/forge/forgetest"
	"agentsync.dev/agentsync/internal/sandbox"
)

const (
	desk      = "5a4d0b0c-0000-4000-8000-000000000001"
	forgeKey  = "canary-forge-token"
	ourAction = "your-org/agentsync"
)

// strict decodes a file and refuses what it does not know.
func strict[T any](t *testing.T, file string) T {
	t.Helper()
	var into T
	decoder := yaml.NewDecoder(strings.NewReader(read(t, file)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return into
}

// workflow is a file of .github/workflows.
type workflow struct {
	Name        string            `yaml:"name"`
	On          yaml.Node         `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]struct {
		If          string            `yaml:"if"`
		RunsOn      string            `yaml:"runs-on"`
		Environment string            `yaml:"environment"`
		Permissions map[string]string `yaml:"permissions"`
		Steps       []step            `yaml:"steps"`
	} `yaml:"jobs"`
}

// site is what a pipeline works with: a repository whose agent lives at a simulated Voicy, and a forge.
type site struct {
	t      *testing.T
	dir    string
	repo   *git.Repository
	vendor *sandbox.Server
	forge  *forgetest.Server
	env    []string
}

func newSite(t *testing.T, which string) *site {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	vendor, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: t.TempDir(), vendor: vendor, forge: &forgetest.Server{Token: forgeKey, App: which == "github"}}
	handler := s.forge.GitHub()
	if which == "gitlab" {
		handler = s.forge.GitLab()
	}
	web := serve(t, handler)
	keys := vendor.Env(serve(t, vendor.Handler()))
	s.env = []string{"PATH=" + t.TempDir() + string(os.PathListSeparator) + binDir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"VOICY_BASE_URL=" + keys["VOICY_BASE_URL"], "GITHUB_API_URL=" + web, "CI_API_V4_URL=" + web + "/api/v4"}
	if _, err := vendor.Add("voicy", map[string]any{"agent_name": "Desk", "general_prompt": "You answer.", "begin_message": "Hello!"}); err != nil {
		t.Fatal(err)
	}
	if s.repo, err = git.PlainInit(s.dir, false); err != nil {
		t.Fatal(err)
	}
	s.declare("Hello!")
	return s
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	return web.URL
}

// declare writes the manifest with this greeting and commits everything.
func (s *site) declare(greeting string) (commit string) {
	s.t.Helper()
	write(s.t, filepath.Join(s.dir, "agents", "desk.yaml"), `apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: desk}
spec:
  provider: voicy
  id: `+desk+`
  config: {agent_name: Desk, general_prompt: You answer., begin_message: "`+greeting+`"}
---
apiVersion: agentsync.dev/v1
kind: Provider
metadata: {name: voicy}
spec: {type: voicy, limits: {requestsPerMinute: 60000}}
`)
	return commitAll(s.t, s.repo)
}

// greeting is what the live agent says.
func (s *site) greeting() any { return s.vendor.Agents("voicy")[0]["begin_message"] }

func (s *site) edit(greeting string) {
	s.t.Helper()
	if err := s.vendor.Edit("voicy", desk, func(agent map[string]any) { agent["begin_message"] = greeting }); err != nil {
		s.t.Fatal(err)
	}
}

// job is a GitHub job in the site's checkout. Artefacts are kept in a folder that all jobs of the site share.
func (s *site) job(values map[string]string, artefacts string) *job {
	action := strict[composite](s.t, "action.yml")
	here, err := os.Getwd()
	if err != nil {
		s.t.Fatal(err)
	}
	j := &job{t: s.t, dir: s.dir, temp: s.t.TempDir(), values: map[string]string{"github.token": forgeKey, "github.action_path": here,
		"secrets.VOICY_API_KEY": sandbox.VoicyKey}}
	maps.Copy(j.values, values)
	j.env = append(slices.Clone(s.env), "GITHUB_ACTION_PATH="+here, "GITHUB_REPOSITORY="+forgetest.GitHubRepository, "GITHUB_REF=refs/pull/"+strconv.Itoa(forgetest.GitHubNumber)+"/merge",
		"GITHUB_SHA="+values["github.sha"], "ARTEFACTS="+artefacts)
	none := func(map[string]string, map[string]string) (map[string]string, int) { return nil, 0 }
	j.uses = map[string]func(with, env map[string]string) (map[string]string, int){
		"actions/checkout": none,
		"actions/setup-go": none,
		"actions/upload-artifact": func(with, _ map[string]string) (map[string]string, int) {
			write(s.t, filepath.Join(artefacts, with["name"], filepath.Base(with["path"])), read(s.t, with["path"]))
			return nil, 0
		},
		ourAction: func(with, env map[string]string) (map[string]string, int) {
			with["agentsync"] = filepath.Join(binDir, "agentsync")
			return action.inside(j, with, env)
		},
	}
	return j
}

// gh stands for GitHub's command: it knows the calls of the apply workflow and no other.
const gh = `#!/bin/sh
case "$*" in
"api repos/lumen/agents/commits/$GITHUB_SHA/pulls --jq "*) [ -z "$DIRECT" ] && echo headsha || true ;;
"run list --workflow agentsync-plan.yaml --event pull_request --commit headsha --limit 1 --json databaseId --jq "*) echo 4711 ;;
"run download 4711 --name agentsync-plan") cp "$ARTEFACTS/agentsync-plan/"* . ;;
"run list --workflow agentsync-apply.yaml --event push --branch main --status success --limit 1 --json headSha --jq "*) echo "$LAST" ;;
*) echo "gh: $*" >&2; exit 1 ;;
esac
`

// TestGitHubWorkflows runs the example workflows by hand: a pull request is planned and shown, merged, and exactly that is applied.
func TestGitHubWorkflows(t *testing.T) {
	plans, applies := strict[workflow](t, "examples/pipelines/github-plan.yaml"), strict[workflow](t, "examples/pipelines/github-apply.yaml")
	s := newSite(t, "github")
	artefacts := t.TempDir()
	program, _, _ := strings.Cut(strings.TrimPrefix(s.env[0], "PATH="), string(os.PathListSeparator))
	write(t, filepath.Join(program, "gh"), gh)
	if err := os.Chmod(filepath.Join(program, "gh"), 0o755); err != nil {
		t.Fatal(err)
	}
	before, _ := s.repo.Head()
	after := s.declare("Welcome!")

	plan := s.job(nil, artefacts)
	if code := plan.run(plans.Jobs["plan"].Steps); code != 0 {
		t.Fatalf("plan: exit %d", code)
	}
	comments := s.forge.Comments()
	if len(comments) != 1 || !strings.Contains(comments[0].Body, "Welcome!") || !strings.Contains(plan.summary, "Welcome!") {
		t.Errorf("comments %v, summary %s", comments, plan.summary)
	}
	if got := plan.values["steps.agentsync.outputs.changes"] + plan.values["steps.agentsync.outputs.blocked"]; got != "truefalse" {
		t.Errorf("outputs %s", got)
	}
	if code := s.job(nil, artefacts).run(plans.Jobs["plan"].Steps); code != 0 || len(s.forge.Comments()) != 1 || s.greeting() != "Hello!" {
		t.Errorf("planned again: exit %d, %d comments, live %v", code, len(s.forge.Comments()), s.greeting())
	}

	push := func(env ...string) int {
		j := s.job(map[string]string{"github.sha": after, "github.event.before": before.Hash().String()}, artefacts)
		j.env = append(j.env, env...)
		return j.run(applies.Jobs["apply"].Steps)
	}
	if code := push("DIRECT=1"); code != 1 || s.greeting() != "Hello!" {
		t.Errorf("a push without a review: exit %d, live %v", code, s.greeting())
	}
	s.edit("By hand.")
	if code := push(); code != 6 || s.greeting() != "By hand." {
		t.Errorf("the live agent moved: exit %d, live %v", code, s.greeting())
	}
	s.edit("Hello!")
	if code := push(); code != 0 || s.greeting() != "Welcome!" {
		t.Errorf("apply: exit %d, live %v", code, s.greeting())
	}
	if code := push("LAST=" + before.Hash().String()); code != 0 || s.greeting() != "Welcome!" {
		t.Errorf("applied again: exit %d, live %v", code, s.greeting())
	}

	night := func() int { return s.job(nil, artefacts).run(applies.Jobs["drift"].Steps) }
	if code := night(); code != 0 {
		t.Errorf("a quiet night: exit %d", code)
	}
	s.edit("By hand.")
	if code := night(); code != 2 || s.greeting() != "By hand." {
		t.Errorf("drift: exit %d, live %v", code, s.greeting())
	}
}

// TestActionExitCodes: the action ends as agentsync did, and its outputs say the same.
func TestActionExitCodes(t *testing.T) {
	action := strict[composite](t, "action.yml")
	for _, test := range []struct {
		name            string
		with            map[string]string
		key             string
		code            int
		change, blocked string
	}{
		{"nothing to do", map[string]string{"paths": "agents\n"}, "", 0, "false", "false"},
		{"more arguments", map[string]string{"paths": "agents\n\n", "args": "--detailed-exitcode\n--target\nvoicy/desk\n"}, "", 0, "false", "false"},
		{"blocked", map[string]string{"paths": "agents", "base": "HEAD~1", "plan-file": "deep plan.json"}, "", 5, "true", "true"},
		{"faulty manifests", map[string]string{"paths": "agents\nnowhere"}, "", 1, "", ""},
		{"a wrong key", map[string]string{"paths": "agents"}, "no-such-key", 3, "false", "true"},
		{"a wrong argument", map[string]string{"paths": "agents", "args": "--no-such-flag"}, "", 64, "", ""},
		{"a wrong command", map[string]string{"command": "destroy; id"}, "", 64, "", ""},
		{"no commit", map[string]string{"paths": "agents", "base": "$(id)"}, "", 1, "", ""},
		{"a path is one word", map[string]string{"paths": "$(touch evil)\n--help\n`touch evil`"}, "", 1, "", ""},
		{"apply without a plan", map[string]string{"command": "apply", "paths": "agents"}, "", 64, "", ""},
		{"apply unasked", map[string]string{"command": "apply", "paths": "agents", "plan-file": "", "args": "--auto-approve"}, "", 0, "", ""},
		{"below", map[string]string{"working-directory": "agents", "paths": "."}, "", 0, "false", "false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "github")
			if test.name == "blocked" {
				s.declareUnbound()
			}
			key := test.key
			if key == "" {
				key = sandbox.VoicyKey
			}
			with := map[string]string{"agentsync": filepath.Join(binDir, "agentsync")}
			maps.Copy(with, test.with)
			outputs, code := action.inside(s.job(nil, t.TempDir()), with, map[string]string{"VOICY_API_KEY": key})
			if code != test.code || outputs["changes"] != test.change || outputs["blocked"] != test.blocked {
				t.Errorf("exit %d with %v, want %d", code, outputs, test.code)
			}
			if (outputs["plan-file"] != "") != (test.change != "") {
				t.Errorf("plan-file %q", outputs["plan-file"])
			}
			if file := outputs["plan-file"]; file != "" && !strings.HasPrefix(read(t, file), "{") {
				t.Errorf("%s is no plan", file)
			}
			for _, evil := range []string{"evil", "agents/evil"} {
				if _, err := os.Stat(filepath.Join(s.dir, evil)); err == nil {
					t.Error("an input was read as a command")
				}
			}
		})
	}
}

// declareUnbound adds an agent that a stateless run may not create, since it was declared before.
func (s *site) declareUnbound() {
	s.t.Helper()
	write(s.t, filepath.Join(s.dir, "agents", "other.yaml"), "apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: other}\nspec: {provider: voicy, config: {agent_name: Other, general_prompt: You answer.}}\n")
	s.declare("Welcome!")
	s.declare("Welcome!!")
}

// TestActionBuilds: without a ready-made agentsync the action builds its own.
func TestActionBuilds(t *testing.T) {
	s := newSite(t, "github")
	j := s.job(nil, t.TempDir())
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		j.env = append(j.env, name+"="+strings.TrimSpace(string(value)))
	}
	outputs, code := strict[composite](t, "action.yml").inside(j, map[string]string{"paths": "agents"}, map[string]string{"VOICY_API_KEY": sandbox.VoicyKey})
	if code != 0 || outputs["changes"] != "false" {
		t.Errorf("exit %d, outputs %v", code, outputs)
	}
}
