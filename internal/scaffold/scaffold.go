// Package scaffold holds the files of a config repository to start from. It says what they are and writes nothing.
package scaffold

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"

	"agentsync.dev/agentsync/pkg/providers"
)

// Options choose what a repository begins with.
type Options struct {
	// Vendors get an example manifest each, and their settings are named in the pipeline. At least one.
	Vendors []providers.Vendor
	// CI is the pipeline: one of [Pipelines].
	CI string
	// Version is what the pipeline installs: a released version, or latest.
	Version string
}

// The pipelines.
const (
	GitHub = "github"
	GitLab = "gitlab"
	None   = "none"
)

// Pipelines lists what Options.CI takes, the default first.
func Pipelines() []string { return []string{GitHub, GitLab, None} }

// File is one file of the repository. Name is relative to its root, with slashes.
type File struct {
	Name string
	Data []byte
}

//go:embed templates
var templates embed.FS

// Files returns the files, in order of their names.
func Files(o Options) ([]File, error) {
	sources := map[string]string{"README.md": "README.md", ".gitignore": "gitignore", "agentsync.yaml": "agentsync.yaml"}
	switch o.CI {
	case GitHub:
		sources[".github/workflows/agentsync.yaml"] = "github.yaml"
	case GitLab:
		sources[".gitlab-ci.yml"] = "gitlab.yaml"
	case None:
	default:
		return nil, fmt.Errorf("unknown pipeline %q: the pipelines are %s", o.CI, strings.Join(Pipelines(), ", "))
	}
	for _, v := range o.Vendors {
		if err := examples(v.Name, sources); err != nil {
			return nil, err
		}
	}
	var files []File
	for name, source := range sources {
		data, err := render(source, data{o, settings(o.Vendors), o.Vendors[0].Generations[0].Can.List == "none"})
		if err != nil {
			return nil, err
		}
		files = append(files, File{name, data})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// examples adds the example of a vendor.
func examples(vendor string, sources map[string]string) error {
	folder := path.Join("agents", vendor)
	return fs.WalkDir(templates, path.Join("templates", folder), func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			source := strings.TrimPrefix(name, "templates/")
			sources[source] = source
		}
		return err
	})
}

// data is what the templates say of the choice.
type data struct {
	Options
	Settings []setting
	// NoList says that the first vendor cannot list its agents.
	NoList bool
}

// setting is a variable of the pipeline. Secret ones are stored as secrets.
type setting struct {
	Env, About, Vendor string
	Secret             bool
}

// settings are the variables that the vendors' accounts take and a pipeline must be given.
func settings(vendors []providers.Vendor) []setting {
	var list []setting
	for _, v := range vendors {
		for _, s := range v.Settings {
			if s.Env != "" && (s.Required || strings.HasPrefix(s.Field, "auth.")) {
				list = append(list, setting{s.Env, s.About, v.Title, s.Secret})
			}
		}
	}
	return list
}

// render fills a template. Its actions stand between [[ and ]], for pipelines have braces of their own.
func render(source string, d data) ([]byte, error) {
	text, err := templates.ReadFile(path.Join("templates", source))
	if err != nil {
		return nil, err
	}
	t, err := template.New(source).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
