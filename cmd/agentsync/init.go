package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/scaffold"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/spec"
)

// initFlags are init's own.
type initFlags struct {
	providers []string
	ci        string
	force     bool
}

func (a *app) initCommand() *cobra.Command {
	f := &initFlags{}
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a config repository to start from",
		Long: `init writes a repository to start from: an example manifest with its prompt for each --provider, a Config document, .gitignore, a README with
the next commands, and a pipeline that plans pull requests and applies what was reviewed. It passes validate and plan --sandbox as it is.

Files that are there already with other content are listed, and nothing is written, unless --force overwrites them.

Exit status: 0 written, or nothing to do; 5 files are in the way; 1 any other error.`,
		Example: `  agentsync init
  agentsync init voice-agents --provider nova --provider voicy --ci gitlab`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf(c, "ci", f.ci, scaffold.Pipelines()...); err != nil {
				return err
			}
			return a.initRepository(f, strings.Join(args, ""))
		},
	}
	c.Flags().StringSliceVar(&f.providers, "provider", []string{"voicy"}, "vendor's type to begin with (may be repeated)")
	c.Flags().StringVar(&f.ci, "ci", scaffold.GitHub, "pipeline: "+strings.Join(scaffold.Pipelines(), ", "))
	c.Flags().BoolVar(&f.force, "force", false, "overwrite files")
	return c
}

func (a *app) initRepository(f *initFlags, dir string) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	files, err := scaffold.Files(options)
	if err != nil {
		return err
	}
	shown := dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(a.dir, dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := openFiles(dir)
	if err != nil {
		return err
	}
	defer root.close()
	return a.writeRepository(f, root, files, shown)
}

// options checks the choice.
func (f *initFlags) options() (scaffold.Options, error) {
	o := scaffold.Options{CI: f.ci, Version: released(version())}
	var faults []error
	for _, name := range f.providers {
		vendor, ok := all.Lookup(name)
		if !ok {
			var names []string
			for _, v := range all.Vendors() {
				names = append(names, v.Name)
			}
			hint := "the types are " + strings.Join(names, ", ")
			if near := spec.Nearest(name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q? ", near) + hint
			}
			faults = append(faults, usageError{fmt.Errorf("--provider: unknown type %q", name), hint})
			continue
		}
		o.Vendors = append(o.Vendors, vendor)
	}
	if len(f.providers) == 0 {
		faults = append(faults, usageError{errors.New("--provider: no type"), "`agentsync providers` lists them"})
	}
	return o, errors.Join(faults...)
}

// released is what a pipeline can install: a version with a tag, else the latest.
func released(version string) string {
	if strings.HasPrefix(version, "v") && !strings.Contains(version, "+") && strings.Count(version, "-") == 0 {
		return version
	}
	return "latest"
}

// writeRepository writes the files that are not there, or says what is in the way.
func (a *app) writeRepository(f *initFlags, root newFiles, files []scaffold.File, dir string) error {
	var todo []scaffold.File
	var inWay []string
	for _, file := range files {
		change, err := root.change(file.Name, file.Data)
		if err != nil {
			return err
		}
		if change != unchanged {
			todo = append(todo, file)
		}
		if change == replaced {
			inWay = append(inWay, filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(file.Name))))
		}
	}
	if len(inWay) > 0 && !f.force {
		var faults []error
		for _, name := range inWay {
			faults = append(faults, inTheWay{name})
		}
		complain(a.stderr, errors.Join(faults...))
		return exitWith(exitRefused)
	}
	if len(todo) == 0 {
		_, err := fmt.Fprintf(a.stdout, "nothing to do: all %d files are as init writes them\n", len(files))
		return err
	}
	for _, file := range todo {
		if err := root.write(file.Name, file.Data); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "wrote %s\n", filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(file.Name))))
	}
	_, err := fmt.Fprintf(a.stdout, "\nNext: agentsync plan --sandbox, and then the README\n")
	return err
}
