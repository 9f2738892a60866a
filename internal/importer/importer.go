package importer

import (
	"maps"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// Account is where the agents come from.
type Account struct {
	// Provider is the name that spec.provider uses; Title is the vendor's name for people.
	Provider, Title string
	Generation      providers.Generation
	// Dir is an absolute folder that exists. Nothing in it is read.
	Dir string
	// Used are the names of variables that drafts of this account ask for already. Write adds those of its own.
	Used map[string]bool
}

// Draft is one agent, ready to be written.
type Draft struct {
	Name     string
	Manifest []byte
	// Prompts are the texts that the manifest takes from files, in order of their paths.
	Prompts []Prompt
	// Variables are the environment variables that the manifest takes secrets from, in its order.
	Variables []Variable
	// Notes say what is not declared and why, one line each, as the manifest's comments do.
	Notes []string
	// Applied is the base of the next comparison, in plain; Secret are the pointers of what must be sealed in it.
	Applied diff.Object
	Secret  []diff.Pointer
}

// Prompt is a file beside a manifest. Path is relative to the manifest's folder, with slashes.
type Prompt struct {
	Path string
	Text []byte
}

// Variable is an environment variable that has to hold a live secret.
type Variable struct {
	Name string
	// Field is the value's place in the config.
	Field diff.Pointer
}

// Write drafts the manifest of a live agent that was read whole. Values that a manifest cannot say are left out; it fails only where
// even what remains does not decode.
func Write(a Account, name string, live providers.Live) (Draft, error) {
	left := map[diff.Pointer]string{}
	for {
		w := newWriter(a, name, live, left)
		w.config()
		config, faults, err := w.check()
		if err != nil {
			return Draft{}, err
		}
		if len(faults) > 0 {
			at, why, err := w.culprit(faults)
			if err != nil {
				return Draft{}, err
			}
			left[at] = why
			continue
		}
		desired := diff.Complete(w.root, live.Config, config)
		differ := diff.Compare(w.root, nil, live.Config, desired, diff.Options{Skip: createOnly(w.root)})
		if len(differ) == 0 {
			return w.draft(desired), nil
		}
		for _, f := range differ {
			left[f.Path] = "its value does not survive being written down"
		}
	}
}

// createOnly are the fields that only a create takes.
func createOnly(t *diff.Type) []diff.Pointer {
	var list []diff.Pointer
	for name, field := range t.Fields {
		if field.CreateOnly {
			list = append(list, diff.Pointer("").Child(name))
		}
	}
	return list
}

// draft finishes what was checked. desired is what the manifest decodes to.
func (w *writer) draft(desired diff.Object) Draft {
	d := Draft{Name: w.name, Manifest: w.manifest(false), Variables: w.variables, Notes: w.notes}
	for _, path := range slices.Sorted(maps.Keys(w.files)) {
		d.Prompts = append(d.Prompts, Prompt{path, []byte(w.files[path] + "\n")})
	}
	d.Applied = diff.Project(w.root, w.live.Config, desired)
	d.Secret = diff.Sensitive(w.root, d.Applied)
	for _, v := range w.variables {
		w.account.Used[v.Name] = true
		d.Secret = append(d.Secret, v.Field)
	}
	slices.Sort(d.Secret)
	d.Secret = slices.Compact(d.Secret)
	return d
}
