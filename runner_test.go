package agentsync_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is one step of a workflow's job or of a composite action.
type step struct {
	Name            string            `yaml:"name"`
	ID              string            `yaml:"id"`
	If              string            `yaml:"if"`
	Uses            string            `yaml:"uses"`
	With            map[string]string `yaml:"with"`
	Env             map[string]string `yaml:"env"`
	Shell           string            `yaml:"shell"`
	WorkingDir      string            `yaml:"working-directory"`
	Run             string            `yaml:"run"`
	ContinueOnError bool              `yaml:"continue-on-error"`
}

// job runs steps as GitHub's runner does, as far as the workflows here need it: expressions are put in before a step, each script is a file
// for bash, and outputs go through a file.
type job struct {
	t *testing.T
	// dir is the workspace, temp the runner's folder.
	dir, temp string
	// env is the environment of every step, values what the expressions may name ("inputs.base", "github.event.before").
	env    []string
	values map[string]string
	// uses carries out the steps that are not scripts, by what stands before the @.
	uses map[string]func(with, env map[string]string) (outputs map[string]string, code int)
	// summary is what was written to the job's summary.
	summary string
}

var (
	expression = regexp.MustCompile(`\$\{\{ *([^}]*?) *\}\}`)
	condition  = regexp.MustCompile(`^(\S+) (==|!=) '([^']*)'$`)
)

// fill puts values in the place of expressions.
func (j *job) fill(text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		name := expression.FindStringSubmatch(found)[1]
		value, known := j.values[name]
		if !known && !strings.HasPrefix(name, "steps.") { // an output that was not written is empty
			j.t.Errorf("nothing gives %s", found)
		}
		return value
	})
}

// holds evaluates the condition of a step: comparisons joined by &&. A step without always() does not follow one that failed.
func (j *job) holds(test string, failed bool) bool {
	holds, always := true, false
	for part := range strings.SplitSeq(test, "&&") {
		part = strings.TrimSpace(part)
		match := condition.FindStringSubmatch(part)
		switch {
		case part == "":
		case part == "always()":
			always = true
		case match == nil:
			j.t.Fatalf("the condition %q is not understood", part)
		default:
			holds = holds && (j.values[match[1]] == match[3]) == (match[2] == "==")
		}
	}
	return holds && (always || !failed)
}

// run runs the steps and returns the exit status of the first that failed.
func (j *job) run(steps []step) int {
	j.t.Helper()
	code := 0
	for _, s := range steps {
		if !j.holds(s.If, code != 0) {
			continue
		}
		own := 0
		if s.Uses == "" {
			own = j.script(s)
		} else {
			own = j.use(s)
		}
		if code == 0 {
			code = own
		}
	}
	return code
}

func (j *job) filled(all map[string]string) map[string]string {
	values := map[string]string{}
	for name, value := range all {
		values[name] = j.fill(value)
	}
	return values
}

func (j *job) use(s step) int {
	j.t.Helper()
	name, _, _ := strings.Cut(s.Uses, "@")
	carryOut := j.uses[name]
	if carryOut == nil {
		j.t.Fatalf("nothing carries out %s", s.Uses)
	}
	outputs, code := carryOut(j.filled(s.With), j.filled(s.Env))
	j.keep(s.ID, outputs)
	return code
}

func (j *job) keep(id string, outputs map[string]string) {
	for name, value := range outputs {
		j.values["steps."+id+".outputs."+name] = value
	}
}

// script runs a step's script as `shell: bash` means it.
func (j *job) script(s step) int {
	j.t.Helper()
	file, out, summary := filepath.Join(j.temp, "step.sh"), filepath.Join(j.temp, "output"), filepath.Join(j.temp, "summary")
	if strings.Contains(s.Run, "${{") {
		j.t.Errorf("%s: an expression inside a script is read as a command", s.Name)
	}
	write(j.t, file, s.Run)
	write(j.t, out, "")
	write(j.t, summary, "")
	c := exec.CommandContext(j.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", file)
	c.Dir = filepath.Join(j.dir, j.fill(s.WorkingDir))
	c.Env = append(slices.Clone(j.env), "GITHUB_OUTPUT="+out, "GITHUB_STEP_SUMMARY="+summary, "RUNNER_TEMP="+j.temp)
	env := j.filled(s.Env)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		c.Env = append(c.Env, name+"="+env[name])
	}
	said, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		j.t.Fatal(err)
	}
	j.t.Logf("%s%s: exit %d\n%s", s.ID, s.Name, c.ProcessState.ExitCode(), said)
	j.summary += read(j.t, summary)
	outputs := map[string]string{}
	for line := range strings.Lines(read(j.t, out)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			j.t.Errorf("%s: the output %q is not name=value", s.Name, line)
		}
		outputs[name] = value
	}
	j.keep(s.ID, outputs)
	return c.ProcessState.ExitCode()
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// composite is action.yml.
type composite struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Branding    map[string]string `yaml:"branding"`
	Inputs      map[string]struct {
		Description string `yaml:"description"`
		Default     string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Description string `yaml:"description"`
		Value       string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

// inside runs the action as a step of j with these inputs and this environment, and returns its outputs and exit status.
func (a composite) inside(j *job, with, env map[string]string) (map[string]string, int) {
	j.t.Helper()
	inner := &job{t: j.t, dir: j.dir, temp: j.t.TempDir(), env: slices.Clone(j.env), values: map[string]string{}, uses: j.uses}
	for name, value := range j.values {
		if strings.HasPrefix(name, "github.") {
			inner.values[name] = value
		}
	}
	for name, input := range a.Inputs {
		inner.values["inputs."+name] = j.fill(input.Default)
	}
	for name, value := range with {
		if _, known := a.Inputs[name]; !known {
			j.t.Errorf("the action has no input %s", name)
		}
		inner.values["inputs."+name] = value
	}
	for name, value := range env {
		inner.env = append(inner.env, name+"="+value)
	}
	code := inner.run(a.Runs.Steps)
	j.summary += inner.summary
	outputs := map[string]string{}
	for name, output := range a.Outputs {
		outputs[name] = inner.fill(output.Value)
	}
	if outputs["exit-code"] != "" && outputs["exit-code"] != fmt.Sprint(code) {
		j.t.Errorf("the action ended with %d, its output says %s", code, outputs["exit-code"])
	}
	return outputs, code
}
