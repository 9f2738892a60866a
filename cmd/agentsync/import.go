package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// importFlags are import's own.
type importFlags struct {
	flags
	ids, match    []string
	dir           string
	force, dryRun bool
	lockTimeout   time.Duration
}

func (a *app) importCommand() *cobra.Command {
	f := &importFlags{}
	c := &cobra.Command{
		Use:   "import PROVIDER",
		Short: "Write manifests from live agents",
		Long: `import reads the live agents of an account and writes a manifest for each, bound to it by spec.id. PROVIDER is a vendor's type, or the name
of a Provider document in the current folder. Long texts go to Markdown files under prompts/ beside the manifests; secrets become
environment variables, which import names and never fills. What needs a person is said in comments. What is live is recorded in the
state as applied, so that a plan right after is empty, once the variables are set.

Agents that a manifest in the current folder declares already are left alone, and no file is overwritten, unless --force says so: it writes
an imported manifest again from what is live, and loses what was edited in it. A vendor without a list (Centerfy) needs --id.

Exit status: 0 all is imported, or was; 4 some agents are and some are not; 3 credentials; 5 refused: a file is in the way, or the agent
cannot be managed; 1 any other error.`,
		Example: `  agentsync import voicy
  agentsync import nova --match "Clinic *" --dry-run
  agentsync import centerfy --id d8f2a229-2f5c-42ba-ac65-402f2c25fee2`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			faults := []error{oneOf(c, "output", f.output, "text", "json"), oneOf(c, "log-format", f.logFormat, "text", "json")}
			if err := errors.Join(faults...); err != nil {
				return err
			}
			return a.importAgents(c.Context(), f, args[0])
		},
	}
	f.online(c.Flags())
	f.talking(c.Flags())
	c.Flags().StringVarP(&f.output, "output", "o", "text", "output format: text, json")
	c.Flags().StringSliceVar(&f.ids, "id", nil, "import the agent with this id (may be repeated)")
	c.Flags().StringArrayVar(&f.match, "match", nil, "import the agents whose display name matches this pattern of * and ? (may be repeated)")
	c.Flags().StringVar(&f.dir, "dir", "", "folder for the manifests (default: agents/PROVIDER)")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite files")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be written")
	c.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "how long to wait for another run's lock")
	return c
}

// importing is one run of import.
type importing struct {
	*session
	f       *importFlags
	globs   []glob
	account *plan.Account
	dir     string // where manifests go, relative to the repository's root
	files   newFiles
	guard   func() error
	index   declarations
	report  importReport
	codes   []int
}

func (a *app) importAgents(ctx context.Context, f *importFlags, provider string) error {
	i, err := a.newImport(f, provider)
	if err != nil {
		return err
	}
	defer i.files.close()
	store, err := i.store(ctx, !f.dryRun)
	if err != nil {
		return err
	}
	i.guard = func() error { return nil }
	if !f.dryRun {
		held, err := a.lock(ctx, state.NewBook(store), state.RunID(a.now()), f.lockTimeout)
		if err != nil {
			return err
		}
		defer held.release()
		i.guard = held.guard
	}
	if err := i.remember(ctx, state.NewBook(store)); err != nil {
		return err
	}
	if err := i.openAccount(i.account); err != nil {
		return err
	}
	i.index = i.declared()
	if err := i.run(ctx); err != nil {
		return err
	}
	if err := i.show(); err != nil {
		return err
	}
	if len(i.report.Failed) > 0 && len(i.report.Written) > 0 && !f.dryRun {
		i.codes = append(i.codes, exitPartial)
	}
	return exitOrNil(worst(i.codes...))
}

// newImport reads the manifests of the current folder and finds the account and the folder to write to.
func (a *app) newImport(f *importFlags, provider string) (*importing, error) {
	s, err := a.newSession(&f.flags)
	if err != nil {
		return nil, err
	}
	i := &importing{session: s, f: f, report: importReport{FormatVersion: "1.0", Provider: provider, DryRun: f.dryRun,
		Written: []importedAgent{}, Skipped: []skippedAgent{}, Variables: []neededVariable{}, Failed: []failedAgent{}}}
	if i.globs, err = globs(f.match); err != nil {
		return nil, err
	}
	if i.dir = f.dir; i.dir == "" {
		i.dir = filepath.Join("agents", provider)
	}
	if err := i.read(); err != nil {
		return nil, err
	}
	if err := i.choose(provider); err != nil {
		return nil, err
	}
	if i.dir, err = i.place(i.dir); err != nil {
		return nil, err
	}
	i.files, err = openFiles(i.set.Root)
	return i, err
}

// unset stands for a variable that a manifest names and nobody set: import needs those of its own account only.
const unset = "agentsync-unset-variable:"

// unsetProblem is what package spec says of such a variable.
var unsetProblem = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^environment variable (\S+) is (not set|empty)$`) })

// read loads the manifests of the current folder. That there are none is no fault here, nor that their secrets are not set.
func (i *importing) read() error {
	set, err := spec.Load(spec.Input{Dir: i.app.dir, Getenv: i.getenv})
	missing := map[string]bool{}
	problems, isProblems := err.(spec.Problems)
	for _, p := range problems {
		if said := unsetProblem().FindStringSubmatch(p.Message); said != nil {
			missing[said[1]] = true
		}
	}
	if len(missing) > 0 {
		set, err = spec.Load(spec.Input{Dir: i.app.dir, Getenv: func(name string) (string, bool) {
			if missing[name] {
				return unset + name, true
			}
			return i.getenv(name)
		}})
	}
	empty := isProblems && len(problems) == 1 && problems[0].Pos == spec.Pos{File: "."} && strings.HasPrefix(problems[0].Message, "no agentsync document")
	if err != nil && !empty {
		return err
	}
	i.set = set
	for _, secret := range set.Secrets {
		if !strings.Contains(secret, unset) {
			i.mask.Add(secret)
		}
	}
	for _, agent := range set.Agents {
		i.agents = append(i.agents, &plan.Agent{Agent: agent})
	}
	_ = i.resolve() // an account that is not this one is not needed, and plan says what is wrong with it
	warn(i.app.stderr, set.Warnings)
	return nil
}

// choose finds the account, and what is missing of its settings.
func (i *importing) choose(provider string) error {
	doc := i.document(provider)
	vendor, generation, problem := providers.Resolve(all.Vendors(), provider, doc)
	switch {
	case problem != nil && doc == nil:
		return usageError{errors.New(problem.Message), problem.Hint}
	case problem != nil:
		return spec.Problems{*problem}
	}
	i.account = &plan.Account{Name: provider, Vendor: vendor, Generation: generation}
	if generation.Can.List == "none" && (len(i.f.ids) == 0 || len(i.f.match) > 0) {
		return usageError{fmt.Errorf("%s has no list of agents: --id must name each agent to import", vendor.Title),
			fmt.Sprintf("copy the ids from the vendor's dashboard: `agentsync import %s --id ID --id ID`", provider)}
	}
	if doc == nil {
		return nil
	}
	texts := []string{doc.BaseURL, doc.OrgID}
	for _, values := range []map[string]*spec.Value{doc.Auth, doc.Options} {
		for _, value := range values {
			texts = append(texts, value.Text)
		}
	}
	var problems spec.Problems
	for _, text := range texts {
		if _, name, missing := strings.Cut(text, unset); missing {
			problems = append(problems, spec.Problem{Pos: doc.Pos, Message: "environment variable " + name + " is not set", Hint: "set it: the account " + provider + " needs it"})
		}
	}
	return problems.Err()
}

// place checks the folder for the manifests and returns it relative to the repository's root.
func (i *importing) place(dir string) (string, error) {
	here, err := filepath.EvalSymlinks(i.app.dir)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(here, dir)
	}
	if inside, err := filepath.Rel(here, dir); err != nil || !filepath.IsLocal(inside) {
		return "", usageError{fmt.Errorf("--dir: %s lies outside the current folder", dir), "run import where the manifests are read from, above that folder"}
	}
	rel, err := filepath.Rel(i.set.Root, dir)
	if err != nil {
		return "", err
	}
	if hidden := func(part string) bool { return strings.HasPrefix(part, ".") && part != "." }; slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), hidden) {
		return "", usageError{fmt.Errorf("--dir: %s is hidden", dir), "hidden folders are not read: choose another"}
	}
	return filepath.ToSlash(rel), nil
}
