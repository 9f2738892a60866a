package spec

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// Sizes beyond which input is refused, so that a mistake or an attack costs an error and not the machine.
const (
	maxManifest = 4 << 20   // bytes of one manifest file or of standard input
	maxText     = 1 << 20   // bytes of one $file or $join text
	maxJoined   = 64 << 20  // bytes of all $join texts together
	maxFiles    = 10_000    // manifest files
	maxNodes    = 500_000   // values of one file, aliases expanded
	maxDepth    = 100       // maps and lists inside each other
	shortSecret = 4         // bytes below which a secret is not masked
	stdinName   = "<stdin>" // what a Pos calls standard input
	readers     = 4         // manifest files read at the same time
)

// Input says what to read. Nothing is read from the process's environment: Getenv and Dir come from the caller.
type Input struct {
	// Paths are files, folders (read recursively) or "-"; none means Dir.
	Paths []string
	// Kustomize is a folder to build with kustomize instead of Paths. The kustomize library keeps its schemas in a global, so builds
	// must not run at the same time.
	Kustomize string
	// Dir is the absolute working directory.
	Dir string
	// Stdin is what "-" reads.
	Stdin io.Reader
	// Withheld are variables that no Agent may name: the process's own credentials, which would end up in a live agent.
	Withheld []string
	// Getenv looks a variable up, as os.LookupEnv does; nil means that none is set.
	Getenv func(string) (string, bool)
}

// Load reads, resolves and checks everything in. An error that is a [Problems] lists every fault of the manifests; any other
// is a fault of the call (a path that does not exist is a Problem with the path as its File). With Problems the Set holds what
// could be read, so that everything else that is wrong with it can be said at once; it is good for nothing else.
func Load(in Input) (*Set, error) {
	l, err := newLoader(in)
	if err != nil {
		return nil, err
	}
	defer l.tree.close()
	manifests := l.kustomization
	if in.Kustomize == "" {
		manifests = l.manifests
	}
	for _, m := range manifests() {
		if len(m.docs) > 0 && !m.built {
			l.set.Files++
		}
		for _, root := range m.docs {
			l.document(m.dir, root)
		}
	}
	l.finish()
	return l.set, l.problems.Err()
}

// loader is the work of one Load.
type loader struct {
	in     Input
	dir    string // in.Dir without symbolic links
	base   string // the repository that dir lies in, or dir
	inputs []input
	tree   *tree
	set    *Set
	values values
	// seen gives the place of each address and Provider name.
	seen     map[string]Pos
	problems Problems
}

// manifest is one file, read and parsed.
type manifest struct {
	dir  string // the folder in the tree that its paths are relative to
	docs []*Value
	// built marks the output of kustomize, which is no file.
	built bool
}

func newLoader(in Input) (*loader, error) {
	switch {
	case !filepath.IsAbs(in.Dir):
		return nil, errors.New("the working directory must be an absolute path")
	case in.Kustomize != "" && len(in.Paths) > 0:
		return nil, errors.New("give paths or a kustomization, not both")
	}
	if in.Getenv == nil {
		in.Getenv = func(string) (string, bool) { return "", false }
	}
	dir, err := filepath.EvalSymlinks(in.Dir)
	if err != nil {
		return nil, err
	}
	l := &loader{in: in, dir: dir, set: &Set{Paths: in.Paths}, seen: map[string]Pos{}}
	switch {
	case in.Kustomize != "":
		l.set.Paths = []string{in.Kustomize}
	case len(in.Paths) == 0:
		l.set.Paths = []string{"."}
	}
	if err := l.locate(); err != nil {
		return nil, err
	}
	if l.tree, err = openTree(l.set.Root); err != nil {
		return nil, err
	}
	l.values = values{tree: l.tree, getenv: in.Getenv, withheld: in.Withheld, secrets: map[string]bool{}, problems: &l.problems}
	return l, nil
}

// manifests reads and parses all sources, several at a time, and returns them in order.
func (l *loader) manifests() []manifest {
	sources := l.sources()
	type result struct {
		docs     []*Value
		problems Problems
	}
	results := make([]result, len(sources))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(readers, len(sources)) { // few that read many: each grows its stack once
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(sources); i = int(next.Add(1)) - 1 {
				data, problems := l.read(sources[i])
				if len(problems) == 0 {
					results[i].docs, problems = parse(sources[i].file, data, ours)
				}
				results[i].problems = problems
			}
		})
	}
	group.Wait()
	manifests := make([]manifest, len(sources))
	for i, s := range sources {
		manifests[i] = manifest{dir: s.dir, docs: results[i].docs}
		l.problems = append(l.problems, results[i].problems...)
		for _, in := range s.inputs {
			l.inputs[in].found = l.inputs[in].found || len(results[i].docs) > 0 || len(results[i].problems) > 0
		}
	}
	l.reportEmpty()
	return manifests
}

// reportEmpty reports each input that holds nothing of agentsync: reading nothing must not look like wanting nothing.
func (l *loader) reportEmpty() {
	for _, in := range l.inputs {
		if in.found || in.missing {
			continue
		}
		p := Problem{Pos: Pos{File: in.file}, Message: "no agentsync document in this file",
			Hint: "a document begins with apiVersion: " + APIVersion}
		switch {
		case in.stdin:
			p.Message = "no agentsync document on standard input"
		case in.folder:
			p.Message = "no agentsync document in this folder"
			p.Hint = "manifests are .yaml, .yml or .json files with apiVersion: " + APIVersion + "; hidden files and folders are skipped"
		}
		l.problems = append(l.problems, p)
	}
}

// finish puts what was read into its decided order.
func (l *loader) finish() {
	slices.SortFunc(l.set.Agents, func(a, b *Agent) int { return cmp.Compare(a.Address(), b.Address()) })
	slices.SortFunc(l.set.Providers, func(a, b *Provider) int { return cmp.Compare(a.Name, b.Name) })
	l.set.Warnings = l.problems.Warnings()
	// The longest first, so that masking one secret cannot leave a part of a longer one that contains it.
	l.set.Secrets = slices.SortedFunc(maps.Keys(l.values.secrets), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}
