package spec

import (
	"cmp"
	"math"
	"path"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// originAnnotation is where kustomize writes the file that a resource came from.
const originAnnotation = "config.kubernetes.io/origin"

// document decodes one document, found in folder dir of the tree, into the set.
func (l *loader) document(dir string, root *Value) {
	d := &decoder{loader: l, dir: originDir(dir, root), at: map[string]Pos{}}
	version := root.Lookup("apiVersion")
	if version == nil {
		version = &Value{Pos: root.Pos}
	}
	if version.Text != APIVersion {
		d.fault(version.Pos, "write apiVersion: "+APIVersion, "unknown apiVersion %q", version.Text)
		return
	}
	kind := root.Lookup("kind")
	if kind == nil {
		kind = &Value{Kind: Null, Pos: root.Pos}
	}
	kinds := map[string]func(*Value){"Agent": d.agent, "Provider": d.provider, "Config": d.config}
	decode, known := kinds[kind.Text]
	switch {
	case kind.Kind == Null:
		d.fault(root.Pos, "write kind: Agent, Provider or Config", "missing kind")
	case kind.Kind != Plain && kind.Kind != Text:
		d.wrong("kind", kind, "text")
	case !known:
		d.fault(kind.Pos, didYouMean(kind.Text, []string{"Agent", "Config", "Provider"}), "unknown kind %q", kind.Text)
	default:
		decode(root)
	}
}

// originDir returns the folder that a document's paths are relative to: that of the file it came from, where kustomize says.
func originDir(dir string, root *Value) string {
	if origin := originOf(root); origin != "" {
		return path.Join(dir, path.Dir(origin))
	}
	return dir
}

// originOf returns the file that kustomize says a document came from, "" if it says nothing.
func originOf(root *Value) string {
	note := root.Lookup("metadata").Lookup("annotations").Lookup(originAnnotation)
	if note == nil {
		return ""
	}
	var origin struct {
		Path         string `yaml:"path"`
		ConfiguredIn string `yaml:"configuredIn"`
	}
	if err := yaml.Unmarshal([]byte(note.Text), &origin); err != nil {
		return ""
	}
	return cmp.Or(origin.Path, origin.ConfiguredIn)
}

// envelope reads what all kinds have, with spec reading the rest.
func (d *decoder) envelope(root *Value, name *string, labels *map[string]string, spec func(string, *Value), specMissing string) {
	skip := func(string, *Value) {}
	d.object("", root,
		field{name: "apiVersion", read: skip},
		field{name: "kind", read: skip},
		field{name: "metadata", missing: "write metadata: {name: ...}", read: func(path string, v *Value) {
			d.object(path, v,
				field{name: "name", read: d.name(name), missing: "give it a name: metadata: {name: ...}"},
				field{name: "labels", read: d.labels(labels)},
				field{name: "annotations", read: skip})
		}},
		field{name: "spec", read: spec, missing: specMissing})
}

func (d *decoder) labels(into *map[string]string) func(string, *Value) {
	return func(path string, v *Value) {
		if v.Kind != Map {
			d.wrong(path, v, "a map of texts")
			return
		}
		labels := map[string]string{}
		for _, p := range v.Pairs {
			if p.Value.Kind != Plain && p.Value.Kind != Text {
				d.wrong(below(path, p.Key), p.Value, "text")
				continue
			}
			labels[p.Key] = p.Value.Text
		}
		*into = labels
	}
}

// once reports a thing that is declared a second time, with both places, and whether it is the first.
func (d *decoder) once(key, what string, pos Pos, hint string) bool {
	first, again := d.seen[key]
	if again {
		d.fault(pos, hint, "%s is declared twice: also at %s", what, first)
		return false
	}
	d.seen[key] = pos
	return true
}

// firstLine returns the place of a document: a whole line.
func firstLine(root *Value) Pos { return Pos{File: root.Pos.File, Line: root.Pos.Line} }

func (d *decoder) agent(root *Value) {
	a := &Agent{Pos: firstLine(root), Update: "auto"}
	d.envelope(root, &a.Name, &a.Labels, func(path string, v *Value) {
		d.object(path, v,
			field{name: "provider", read: d.name(&a.Provider), missing: "name a Provider document or a built-in type: provider: ..."},
			field{name: "id", read: d.text(&a.ID)},
			field{name: "config", missing: "declare the fields to manage, or config: {} for none", read: func(path string, v *Value) {
				d.values.resolve(v, d.dir, false)
				if a.Config = v; v.Kind != Map {
					d.wrong(path, v, "a map")
				}
			}},
			field{name: "ignore", read: d.pointers(&a.Ignore)},
			field{name: "acceptReset", read: d.pointers(&a.AcceptReset)},
			field{name: "drift", read: oneOf(d, &a.Drift, DriftRefuse, DriftOverwrite, DriftIgnore)},
			field{name: "update", read: oneOf(d, &a.Update, "auto", "put", "patch")},
			field{name: "protect", read: d.boolean(&a.Protect)},
			field{name: "allowUnknownFields", read: d.boolean(&a.AllowUnknownFields)},
			field{name: "suspend", read: func(path string, v *Value) {
				a.Suspend = &Suspend{}
				d.object(path, v,
					field{name: "reason", read: d.text(&a.Suspend.Reason)},
					field{name: "until", read: d.time(&a.Suspend.Until)})
			}})
	}, "write spec: {provider: ..., config: {...}}")
	a.IDPos, a.ProviderPos = d.at["spec.id"], d.at["spec.provider"]
	if a.Provider == "" {
		return // reported, and without a vendor nothing more can be checked
	}
	if a.Name == "" || d.once(a.Address(), "agent "+a.Address(), a.Pos, "keep one of them; a kustomize base with its overlays is read with -k DIR") {
		d.set.Agents = append(d.set.Agents, a)
	}
}

func (d *decoder) config(root *Value) {
	c := &Config{Dir: d.abs(d.dir), Pos: firstLine(root)}
	if !filepath.IsLocal(filepath.FromSlash(d.dir)) {
		c.Dir = d.abs(".") // an origin out of the tree says nothing
	}
	var name string
	var labels map[string]string
	d.envelope(root, &name, &labels, func(path string, v *Value) {
		d.object(path, v,
			field{name: "state", read: d.text(&c.State)},
			field{name: "drift", read: oneOf(d, &c.Drift, DriftRefuse, DriftOverwrite, DriftIgnore)},
			field{name: "limits", read: func(path string, v *Value) {
				d.object(path, v,
					field{name: "maxDeletes", read: d.optional(&c.MaxDeletes, math.MaxInt32)},
					field{name: "maxChangedPercent", read: d.optional(&c.MaxChangedPercent, 100)},
					field{name: "minAgents", read: d.optional(&c.MinAgents, math.MaxInt32)})
			}},
			field{name: "freeze", read: d.freezes(&c.Freeze)})
	}, "")
	if d.once("kind Config", "a Config document", c.Pos, "a repository has one Config document") {
		d.set.Config = c
	}
}
