package agentsync_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/forge/forgetest"
	"agentsync.dev/agentsync/internal/sandbox"
)

// gitLabJob is a job of .gitlab-ci.yml, or a template of one.
type gitLabJob struct {
	Extends string `yaml:"extends"`
	Stage   string `yaml:"stage"`
	Rules   []struct {
		If   string `yaml:"if"`
		When string `yaml:"when"`
	} `yaml:"rules"`
	Needs         []string `yaml:"needs"`
	BeforeScript  []string `yaml:"before_script"`
	Script        []string `yaml:"script"`
	ResourceGroup string   `yaml:"resource_group"`
	Interruptible *bool    `yaml:"interruptible"`
	Environment   string   `yaml:"environment"`
	Artifacts     struct {
		When     string   `yaml:"when"`
		Paths    []string `yaml:"paths"`
		ExpireIn string   `yaml:"expire_in"`
	} `yaml:"artifacts"`
}

// gitLab is .gitlab-ci.yml: what is not one of the words is a job.
type gitLab struct {
	Stages    []string               `yaml:"stages"`
	Default   struct{ Image string } `yaml:"default"`
	Variables map[string]string      `yaml:"variables"`
	Jobs      map[string]gitLabJob   `yaml:",inline"`
}

// runGitLab runs a job's script as GitLab's runner does: all lines as one script, which ends with the first that fails.
func (s *site) runGitLab(file gitLab, name string, env ...string) int {
	s.t.Helper()
	job, known := file.Jobs[name]
	if !known {
		s.t.Fatalf("no job %s", name)
	}
	lines := slices.Concat(file.Jobs[job.Extends].BeforeScript, job.BeforeScript, job.Script)
	c := exec.CommandContext(s.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", strings.Join(lines, "\n"))
	c.Dir = s.dir
	c.Env = append(slices.Clone(s.env), "CI_PROJECT_ID=42", "CI_DEFAULT_BRANCH=main", "GITLAB_TOKEN="+forgeKey, "VOICY_API_KEY="+sandbox.VoicyKey)
	for key, value := range file.Variables {
		c.Env = append(c.Env, key+"="+value)
	}
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	s.t.Logf("%s: exit %d\n%s", name, c.ProcessState.ExitCode(), out)
	return c.ProcessState.ExitCode()
}

// TestGitLabPipeline runs the example's jobs by hand: a merge request is planned and shown, merged, planned again and applied.
func TestGitLabPipeline(t *testing.T) {
	file := strict[gitLab](t, "examples/pipelines/gitlab-ci.yml")
	for name, job := range file.Jobs {
		if template := strings.HasPrefix(name, "."); !template && (len(job.Script) == 0 || len(job.Rules) == 0 || !slices.Contains(file.Stages, job.Stage)) {
			t.Errorf("%s has no script, no rules or no stage", name)
		}
		for _, need := range job.Needs {
			if _, known := file.Jobs[need]; !known {
				t.Errorf("%s needs %s, which is not there", name, need)
			}
		}
	}
	s := newSite(t, "gitlab")
	head, err := s.repo.Head()
	if err != nil {
		t.Fatal(err)
	}
	before := head.Hash().String()
	s.declare("Welcome!")
	request := []string{"CI_MERGE_REQUEST_IID=" + strconv.Itoa(forgetest.GitLabNumber), "CI_MERGE_REQUEST_DIFF_BASE_SHA=" + before}
	if code := s.runGitLab(file, "validate", request...); code != 0 {
		t.Errorf("validate: exit %d", code)
	}
	for range 2 {
		if code := s.runGitLab(file, "plan", request...); code != 0 {
			t.Errorf("plan: exit %d", code)
		}
	}
	if comments := s.forge.Comments(); len(comments) != 1 || !strings.Contains(comments[0].Body, "Welcome!") || s.greeting() != "Hello!" {
		t.Errorf("comments %v, live %v", comments, s.greeting())
	}
	if code := s.runGitLab(file, "plan", append(request, "VOICY_API_KEY=wrong")...); code != 3 {
		t.Errorf("a wrong key: exit %d", code)
	}
	push := []string{"CI_COMMIT_BEFORE_SHA=" + before}
	if code := s.runGitLab(file, "plan-main", push...); code != 0 {
		t.Errorf("plan after the merge: exit %d", code)
	}
	s.edit("By hand.")
	if code := s.runGitLab(file, "apply", push...); code != 6 || s.greeting() != "By hand." {
		t.Errorf("the live agent moved: exit %d, live %v", code, s.greeting())
	}
	s.edit("Hello!")
	if code := s.runGitLab(file, "apply", push...); code != 0 || s.greeting() != "Welcome!" {
		t.Errorf("apply: exit %d, live %v", code, s.greeting())
	}
	if code := s.runGitLab(file, "drift"); code != 0 {
		t.Errorf("a quiet night: exit %d", code)
	}
	s.edit("By hand.")
	if code := s.runGitLab(file, "drift"); code != 2 {
		t.Errorf("drift: exit %d", code)
	}
}

// TestPreCommitHooks: each hook's command exists and does what its name says.
func TestPreCommitHooks(t *testing.T) {
	hooks := strict[[]struct {
		ID            string `yaml:"id"`
		Name          string `yaml:"name"`
		Description   string `yaml:"description"`
		Entry         string `yaml:"entry"`
		Language      string `yaml:"language"`
		Files         string `yaml:"files"`
		PassFilenames *bool  `yaml:"pass_filenames"`
	}](t, ".pre-commit-hooks.yaml")
	for _, hook := range hooks {
		if hook.Language != "golang" || hook.PassFilenames == nil || *hook.PassFilenames {
			t.Errorf("%s: language %s, filenames %v", hook.ID, hook.Language, hook.PassFilenames)
		}
		dir := t.TempDir()
		good := "apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata:\n  name: desk\nspec:\n  provider: voicy\n  config:\n    agent_name: Desk\n    general_prompt: You answer.\n"
		faulty := "kind: Agent\n" + strings.Replace(good, "kind: Agent\n", "", 1) + "    agent_nam: x\n" // out of order, and an unknown field
		for text, works := range map[string]bool{good: true, faulty: false} {
			write(t, filepath.Join(dir, "desk.yaml"), text)
			words := strings.Fields(hook.Entry)
			words[0] = filepath.Join(binDir, words[0])
			out, err := command(t, dir, nil, words...).CombinedOutput()
			if (err == nil) != works {
				t.Errorf("%s: %v\n%s", hook.ID, err, out)
			}
		}
	}
}
