package spec

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// source is one file to read.
type source struct {
	name   string // in the tree; "" for standard input
	file   string // as a Pos names it
	dir    string // the folder its paths are relative to
	inputs []int  // the inputs that it was found by
}

// sources lists what the inputs name, each file once, in the order of the inputs and below each in that of the names.
func (l *loader) sources() []source {
	var sources []source
	index := map[string]int{}
	add := func(in int, s source) {
		at, ok := index[s.name]
		if !ok {
			at = len(sources)
			index[s.name] = at
			sources = append(sources, s)
		}
		sources[at].inputs = append(sources[at].inputs, in)
	}
	for i, in := range l.inputs {
		name := l.tree.name(in.abs)
		switch {
		case in.missing:
		case in.stdin:
			add(i, source{file: stdinName, dir: name})
		case in.folder:
			for _, found := range l.walk(i, name) {
				add(i, l.source(found))
			}
		default:
			add(i, l.source(name))
		}
	}
	if len(sources) > maxFiles {
		l.problems = append(l.problems, Problem{Pos: Pos{File: sources[maxFiles].file},
			Message: fmt.Sprintf("there are more than %d manifest files", maxFiles), Hint: "name the folders that hold manifests"})
		sources = sources[:maxFiles]
	}
	return sources
}

func (l *loader) source(name string) source {
	return source{name: name, file: l.display(l.abs(name)), dir: path.Dir(name)}
}

// walk returns the manifest files below folder, without hidden ones.
func (l *loader) walk(in int, folder string) []string {
	var found []string
	fault := func(name, message, hint string, warning bool) {
		l.inputs[in].found = l.inputs[in].found || !warning
		l.problems = append(l.problems, Problem{Pos: Pos{File: l.source(name).file}, Message: message, Hint: hint, Warning: warning})
	}
	err := fs.WalkDir(l.tree.root.FS(), folder, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			p := l.tree.refusal(name, err)
			fault(name, p.Message, p.Hint, false)
			return nil
		case name == folder:
			return nil
		case strings.HasPrefix(e.Name(), ".") && e.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(e.Name(), "."), e.IsDir():
			return nil
		case isManifest(e.Name()):
			found = append(found, name)
		case e.Type()&fs.ModeSymlink != 0:
			if info, err := l.tree.root.Stat(filepath.FromSlash(name)); err == nil && info.IsDir() {
				fault(name, "a symbolic link to a folder is not followed", "name the folder it leads to as a path of its own", true)
			}
		}
		if len(found) > maxFiles {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		p := l.tree.refusal(folder, err)
		fault(folder, p.Message, p.Hint, false)
	}
	return found
}

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name))
}

// read returns the bytes of s.
func (l *loader) read(s source) ([]byte, Problems) {
	var data []byte
	var err error
	if s.name == "" {
		data, err = readAll(l.in.Stdin, 0, maxManifest)
	} else {
		data, err = l.tree.read(s.name, maxManifest)
	}
	if err != nil {
		p := asProblem(err)
		p.Pos.File = s.file
		return nil, Problems{p}
	}
	return data, nil
}
