package spec

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// kustomization builds the folder that the caller gave. No plugin, function or chart is run, nothing is fetched, and nothing out of
// the tree is read.
func (l *loader) kustomization() []manifest {
	in := l.inputs[0]
	if in.missing {
		return nil
	}
	fault := func(message, hint string) []manifest {
		l.problems = append(l.problems, Problem{Pos: Pos{File: in.file}, Message: message, Hint: hint})
		return nil
	}
	if !in.folder {
		return fault("is not a folder", "-k takes the folder of a kustomization.yaml")
	}
	// Origins count from the real folder.
	dir, err := filepath.EvalSymlinks(in.abs)
	if err != nil {
		return fault(cause(err), "")
	}
	files := &guardedFiles{FileSystem: filesys.MakeFsOnDisk(), loader: l, dir: l.tree.name(dir), docs: map[string][]*Value{}}
	built, err := build(files, dir)
	if len(files.problems) > 0 {
		l.problems = append(l.problems, files.problems...)
		return nil
	}
	if err != nil {
		text := strings.ReplaceAll(strings.TrimSpace(err.Error()), l.tree.path+string(filepath.Separator), "")
		return fault("kustomize: "+strings.ReplaceAll(text, "\n", "; "), "mend the kustomization files that it names")
	}
	m := manifest{dir: files.dir, built: true}
	for _, r := range built.Resources() {
		if ours(r.GetApiVersion()) {
			m.docs = append(m.docs, files.convert(r.YNode()))
		}
	}
	if l.set.Files = len(files.docs); len(m.docs) == 0 {
		return fault("no agentsync document in this kustomization", "list the manifests under resources")
	}
	return []manifest{m}
}

// build runs kustomize, whose faults can be panics.
func build(files filesys.FileSystem, dir string) (m resmap.ResMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it failed: %v", r)
		}
	}()
	return krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, dir)
}

// convert turns a built resource into a value, with the places of the file that it came from.
func (g *guardedFiles) convert(n *kyaml.Node) *Value {
	c := &converter{open: map[*yaml.Node]bool{}}
	v := c.value(unprotect(n), 0)
	file := path.Join(g.dir, konfig.DefaultKustomizationFileName())
	var from *Value
	if o := originOf(v); o != "" {
		file = path.Join(g.dir, o)
		from = declared(v, g.docs[file])
	}
	replace(v, from, Pos{File: g.loader.source(file).file})
	for _, p := range c.problems {
		p.Pos = v.Pos
		g.loader.problems = append(g.loader.problems, p)
	}
	return v
}

// declared returns the document that v was built from: the one of its kind and name, or, since kustomize can change a name, the
// only one whose name is a part of v's.
func declared(v *Value, docs []*Value) *Value {
	text := func(v *Value) string {
		if v == nil {
			return ""
		}
		return v.Text
	}
	kind, name := text(v.Lookup("kind")), text(v.Lookup("metadata").Lookup("name"))
	var near []*Value
	for _, doc := range docs {
		was := text(doc.Lookup("metadata").Lookup("name"))
		switch {
		case text(doc.Lookup("kind")) != kind:
		case was == name:
			return doc
		case strings.Contains(name, was):
			near = append(near, doc)
		}
	}
	if len(near) == 1 {
		return near[0]
	}
	return nil
}

// replace gives v and everything in it the places of from, which it was built from. What from does not have, because a patch
// added it, stands where the map or list stands that it was added to.
func replace(v, from *Value, inherited Pos) {
	v.Pos = inherited
	if from != nil {
		v.Pos = from.Pos
	}
	for i, item := range v.Items {
		var was *Value
		if from != nil && i < len(from.Items) {
			was = from.Items[i]
		}
		replace(item, was, v.Pos)
	}
	for i, p := range v.Pairs {
		was := from.Lookup(p.Key)
		v.Pairs[i].KeyPos = v.Pos
		if was != nil {
			v.Pairs[i].KeyPos = keyPos(from, p.Key)
		}
		replace(p.Value, was, v.Pairs[i].KeyPos)
	}
}

// guardedFiles is the file system that kustomize reads: it refuses what must not be read, looks into each kustomization file before
// kustomize does, and keeps the places of what was declared.
type guardedFiles struct {
	filesys.FileSystem
	loader   *loader
	dir      string              // the kustomization's folder in the tree
	read     int                 // files so far
	docs     map[string][]*Value // the agentsync documents of each file, by its name in the tree
	problems Problems
}

// ReadFile returns the file as kustomize is to see it. A refusal is kept as a problem, because kustomize hides some of them.
func (g *guardedFiles) ReadFile(abs string) ([]byte, error) {
	name := g.loader.tree.name(abs)
	file := g.loader.source(name).file
	data, err := g.loader.tree.read(name, maxManifest)
	if g.read++; g.read > maxFiles {
		err = Problem{Message: fmt.Sprintf("there are more than %d files", maxFiles)}
	}
	if err != nil {
		p := asProblem(err)
		p.Pos.File = file
		g.problems = append(g.problems, p)
		return nil, p
	}
	nodes, problems := yamlNodes(file, []byte(strings.TrimPrefix(string(data), bom)))
	isKustomization := slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name))
	if !isKustomization && !isManifest(name) && len(problems) > 0 {
		return data, nil // the data of a generator, perhaps
	}
	if len(problems) == 0 && isKustomization {
		nodes, problems = g.kustomizationFile(file, nodes, path.Dir(name) == g.dir)
	} else if len(problems) == 0 {
		if problems = g.resources(name, file, nodes); len(g.docs[name]) == 0 && len(problems) == 0 {
			return data, nil
		}
	}
	g.problems = append(g.problems, problems...)
	switch {
	case len(problems) == 0:
		return encode(nodes)
	case isKustomization:
		return nil, problems
	}
	// Nothing in its place, so that kustomize goes on to the next file and all faults are found.
	return []byte("apiVersion: v1\nkind: List\nitems: []\n"), nil
}

func encode(nodes []*yaml.Node) ([]byte, error) {
	var out strings.Builder
	enc := yaml.NewEncoder(&out)
	for _, n := range nodes {
		if err := enc.Encode(n); err != nil {
			return nil, err
		}
	}
	err := enc.Close()
	return []byte(out.String()), err
}

// resources keeps the agentsync documents of a file and protects their values.
func (g *guardedFiles) resources(name, file string, nodes []*yaml.Node) Problems {
	var problems Problems
	for _, n := range nodes {
		c := &converter{file: file, open: map[*yaml.Node]bool{}}
		v := c.value(n, 0)
		mine := ours(yamlAPIVersion(n))
		if mine || c.stopped {
			problems = append(problems, c.problems...)
		}
		if mine && !c.stopped {
			g.docs[name] = append(g.docs[name], v)
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == "spec" {
					protect(n.Content[i+1])
				}
			}
		}
	}
	return problems
}

// isRemote reports whether kustomize would fetch or clone path. What it takes for a repository only its origins tell.
func isRemote(path string) bool {
	return isURL(path) || new(resource.Origin).Append(path).Repo != ""
}

// unprotect copies a node of kustomize's YAML library, and takes protection off.
func unprotect(n *kyaml.Node) *yaml.Node {
	if n.Kind == kyaml.AliasNode && n.Alias != nil {
		return unprotect(n.Alias)
	}
	out := &yaml.Node{Kind: yaml.Kind(n.Kind), Style: yaml.Style(n.Style), Tag: n.Tag, Value: n.Value}
	if n.Kind == kyaml.DocumentNode && len(n.Content) == 1 {
		return unprotect(n.Content[0])
	}
	for _, child := range n.Content {
		out.Content = append(out.Content, unprotect(child))
	}
	if out.Kind != yaml.ScalarNode {
		return out
	}
	if text, marked := strings.CutPrefix(n.Value, plainMark); marked {
		out.Value, out.Style, out.Tag = text, 0, ""
	} else if plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}).ShortTag(); out.ShortTag() == "!!str" && plain != "!!str" {
		out.Style = yaml.DoubleQuotedStyle
	}
	return out
}
