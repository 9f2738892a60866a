package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/format"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
)

func (a *app) fmtCommand() *cobra.Command {
	var checkOnly bool
	c := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Lay manifests out in one way",
		Long: `fmt puts the keys of manifests in order (apiVersion, kind, metadata, spec; in a config, the order of the vendor's schema) and indents by two
spaces for each level. It moves lines and changes their indentation and nothing else: comments, quotes, block scalars, anchors and empty
lines stay as they are written, and so do the insides of flow maps and lists. Whether the dashes of a list stand below its key or two
spaces in is left as it is. In a document with anchors the keys keep their order.

Documents of other programs and JSON files are never touched. What a file says never changes: the result is read again before it is
written, and a file for which that cannot be held is refused. A file is written whole or not at all, and only if it changes. The names
of changed files are printed; - formats standard input to standard output.

Exit status: 0; 1 where a file cannot be formatted and, with --check, where a file would change.`,
		Example: `  agentsync fmt
  agentsync fmt agents/
  agentsync fmt --check agents/    in a pipeline: lists what would change and writes nothing`,
		RunE: func(_ *cobra.Command, paths []string) error {
			if slices.Contains(paths, "-") {
				if len(paths) > 1 {
					return usageError{errors.New("- stands alone"), "format standard input or files"}
				}
				return a.formatStdin(checkOnly)
			}
			return a.formatFiles(paths, checkOnly)
		},
	}
	c.Flags().BoolVar(&checkOnly, "check", false, "list the files that would change, write nothing, and exit 1 if there are any")
	return c
}

func (a *app) formatStdin(checkOnly bool) error {
	data, err := io.ReadAll(a.stdin)
	if err != nil {
		return err
	}
	formatted, err := format.Source("<stdin>", data, a.fieldsOf(nil))
	switch {
	case err != nil:
		return err
	case !checkOnly:
		_, err = a.stdout.Write(formatted)
		return err
	case !bytes.Equal(data, formatted):
		fmt.Fprintln(a.stdout, "<stdin>")
		return exitWith(exitError)
	}
	return nil
}

// formatFiles formats what can be formatted and reports everything that cannot.
func (a *app) formatFiles(paths []string, checkOnly bool) error {
	files, faults := a.yamlFiles(paths)
	fields := a.fieldsOf(paths)
	changed := false
	for _, name := range files {
		data, err := os.ReadFile(a.path(name))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, bare(err)))
			continue
		}
		formatted, err := format.Source(name, data, fields)
		if err == nil && !bytes.Equal(data, formatted) {
			if changed = true; !checkOnly {
				err = overwrite(a.path(name), formatted)
			}
			if err == nil {
				fmt.Fprintln(a.stdout, name)
			}
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if changed && checkOnly {
		return exitWith(exitError)
	}
	return nil
}

// path is a name of the command line as the process can open it.
func (a *app) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.dir, name)
}

// yamlFiles lists the YAML files that paths name, below folders without hidden ones, in order.
func (a *app) yamlFiles(paths []string) (files []string, faults []error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, path := range paths {
		root, err := filepath.EvalSymlinks(a.path(path))
		if err == nil {
			err = filepath.WalkDir(root, a.collect(path, root, &files))
		}
		if err != nil {
			faults = append(faults, hinted{fmt.Errorf("%s: %w", path, bare(err)), "check the path; it is relative to the working directory"})
		}
	}
	slices.Sort(files)
	return slices.Compact(files), faults
}

// collect adds the YAML files below root, which a person calls path.
func (a *app) collect(path, root string, files *[]string) fs.WalkDirFunc {
	return func(name string, entry fs.DirEntry, err error) error {
		shown, given := filepath.Join(path, strings.TrimPrefix(name, root)), name == root
		switch {
		case err != nil:
			return err
		case !given && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir():
		case slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)), given && filepath.Ext(name) != ".json":
			*files = append(*files, filepath.ToSlash(shown))
		case given:
			fmt.Fprintf(a.stderr, "agentsync: warning: %s: JSON is left as it is\n", shown)
		}
		return nil
	}
}

// overwrite replaces a file, whole or not at all, and keeps its permissions. A symbolic link stays one.
func overwrite(name string, data []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".fmt-*")
	if err != nil {
		return hinted{fmt.Errorf("%s: %w", name, bare(err)), "its folder must be writable"}
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(info.Mode().Perm()), file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	return err
}

// fieldsOf knows the config fields of the accounts that the manifests declare, those of the working directory among them, and of the vendors'
// own. Faults are none of its concern.
func (a *app) fieldsOf(paths []string) format.Fields {
	set, _ := spec.Load(spec.Input{Paths: append(slices.Clone(paths), "."), Dir: a.dir, Getenv: func(string) (string, bool) { return "", true }})
	return func(provider string) []schema.FieldDoc {
		var doc *spec.Provider
		if set != nil {
			if i := slices.IndexFunc(set.Providers, func(p *spec.Provider) bool { return p.Name == provider }); i >= 0 {
				doc = set.Providers[i]
			}
		}
		_, generation, problem := providers.Resolve(all.Vendors(), provider, doc)
		if problem != nil {
			return nil
		}
		whole, _ := generation.Schema().Lookup("")
		return whole.Children
	}
}
