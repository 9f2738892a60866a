package spec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// input is one of the paths the caller gave.
type input struct {
	abs     string
	file    string // as a Pos names it
	folder  bool
	stdin   bool
	missing bool
	found   bool // holds something of agentsync, or something that could not be parsed
}

// locate fills l.inputs and l.set.Root.
func (l *loader) locate() error {
	if l.base = gitAncestor(l.dir); l.base == "" {
		l.base = l.dir
	}
	root := ""
	for _, path := range l.set.Paths {
		in, err := l.input(path)
		if err != nil {
			return err
		}
		l.inputs = append(l.inputs, in)
		if in.missing {
			continue
		}
		switch own := l.rootOf(in); {
		case root == "" || within(own, root):
			root = own
		case !within(root, own):
			return Problems{{Pos: Pos{File: in.file}, Message: "lies in another repository than " + l.display(root),
				Hint: "run agentsync once for each repository"}}
		}
	}
	if root == "" {
		root = l.base
	}
	l.set.Root = root
	return nil
}

// input looks at one path; that it does not exist is a problem, not an error.
func (l *loader) input(path string) (input, error) {
	if path == "-" && l.in.Kustomize == "" {
		if l.in.Stdin == nil {
			return input{}, errors.New("there is no standard input to read")
		}
		return input{abs: l.dir, file: stdinName, stdin: true}, nil
	}
	in := input{abs: l.absolute(path)}
	in.file = l.display(in.abs)
	info, err := os.Stat(in.abs)
	if err != nil {
		in.missing = true
		l.problems = append(l.problems, Problem{Pos: Pos{File: in.file}, Message: statFault(err),
			Hint: "check the path; it is relative to the working directory"})
		return in, nil
	}
	in.folder = info.IsDir()
	return in, nil
}

func statFault(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	return cause(err)
}

// cause returns what went wrong without the operation and the path, which the place says already.
func cause(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return err.Error()
}

// absolute returns path without symbolic links on its way, unless it lies in l.base: there a link is left for the tree to judge.
func (l *loader) absolute(path string) string {
	if !filepath.IsAbs(path) {
		return filepath.Join(l.dir, path)
	}
	path = filepath.Clean(path)
	if rel, err := filepath.Rel(filepath.Clean(l.in.Dir), path); err == nil && filepath.IsLocal(rel) {
		return filepath.Join(l.dir, rel)
	}
	if within(l.base, path) {
		return path
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if folder, err := filepath.EvalSymlinks(path); err == nil {
			return folder
		}
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// display names abs as the user would: relative to the working directory where it lies in the same repository.
func (l *loader) display(abs string) string {
	if rel, err := filepath.Rel(l.dir, abs); err == nil && within(l.base, abs) {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(abs)
}

// rootOf returns the folder that in may read from.
func (l *loader) rootOf(in input) string {
	if in.stdin || within(l.base, in.abs) {
		return l.base
	}
	folder := in.abs
	if !in.folder {
		folder = filepath.Dir(folder)
	}
	if git := gitAncestor(folder); git != "" {
		return git
	}
	return folder
}

// gitAncestor returns the nearest folder at or above dir that contains .git, "" if there is none.
func gitAncestor(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// within reports whether path is folder or below it, by name.
func within(folder, path string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

// abs returns the absolute path of a folder of the tree.
func (l *loader) abs(name string) string { return filepath.Join(l.tree.path, filepath.FromSlash(name)) }
