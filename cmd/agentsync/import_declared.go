package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"agentsync.dev/agentsync/internal/importer"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
)

// declarations are what the manifests and the state say already.
type declarations struct {
	// byID are the manifests bound to a live agent of this vendor; byName those of this account that are bound to none, by the
	// display name they declare.
	byID, byName map[string]*spec.Agent
	// bound are the names that the state gives to live agents without a manifest, by id; taken are all names of this account.
	bound map[string]string
	taken map[string]bool
}

// declared gathers them.
func (i *importing) declared() declarations {
	d := declarations{byID: map[string]*spec.Agent{}, byName: map[string]*spec.Agent{}, bound: map[string]string{}, taken: map[string]bool{}}
	declared := map[string]bool{}
	for _, a := range i.set.Agents {
		declared[a.Address()] = true
		account := i.accounts[a.Provider]
		if a.Name == "" || account == nil || account.Vendor.Name != i.account.Vendor.Name {
			continue
		}
		own := a.Provider == i.account.Name
		if own {
			d.taken[a.Name] = true
		}
		id := a.ID
		if id == "" {
			id = i.entries[a.Address()].Record.ID
		}
		if id != "" {
			d.byID[id] = a
		} else if name := a.Config.Lookup(i.account.Generation.NameField); own && name != nil {
			d.byName[name.Text] = a
		}
	}
	for address, entry := range i.entries {
		provider, name, _ := strings.Cut(address, "/")
		if provider != i.account.Name {
			continue
		}
		d.taken[name] = true
		if !declared[address] && entry.Record.ID != "" && entry.Record.Type == i.account.Type() {
			d.bound[entry.Record.ID] = name
		}
	}
	return d
}

// names gives the agents their names.
func (i *importing) names(lives []providers.Live) map[string]string {
	bound := map[string]string{}
	for id, name := range i.index.bound {
		bound[id] = name
	}
	for id, a := range i.index.byID { // with --force
		bound[id] = a.Name
	}
	return importer.Names(lives, bound, i.index.taken)
}

// skips says why a live agent is not imported, "" if it is.
func (i *importing) skips(live providers.Live) (reason string, by *spec.Agent) {
	if a := i.index.byID[live.ID]; a != nil {
		switch {
		case !i.f.force:
			return "already imported", a
		case a.Provider != i.account.Name:
			return "already imported through another account", a
		case !i.alone(a):
			return "already imported, and its manifest shares a file with others", a
		}
		return "", nil
	}
	if a := i.index.byName[live.Name]; a != nil {
		return fmt.Sprintf("a manifest declares an agent of this name and is not bound: write `id: %q` into it, or apply it with --adopt", live.ID), a
	}
	switch {
	case live.Gone:
		return "is archived or deleted at " + i.account.Vendor.Title, nil
	case live.Locked != "":
		return live.Locked, nil
	}
	return "", nil
}

// alone reports whether a manifest has a file to itself.
func (i *importing) alone(a *spec.Agent) bool {
	documents := 0
	for _, other := range i.set.Agents {
		if other.Pos.File == a.Pos.File {
			documents++
		}
	}
	for _, doc := range i.set.Providers {
		if doc.Pos.File == a.Pos.File {
			documents++
		}
	}
	if i.set.Config != nil && i.set.Config.Pos.File == a.Pos.File {
		documents++
	}
	return documents == 1 && path.Ext(a.Pos.File) != ".json"
}

// glob is a pattern of --match.
type glob struct {
	text    string
	pattern *regexp.Regexp
}

// globs compiles the patterns of --match: * stands for any text, ? for one character, everything else for itself.
func globs(texts []string) ([]glob, error) {
	var all []glob
	for _, text := range texts {
		if text == "" {
			return nil, usageError{fmt.Errorf("--match: an empty pattern matches nothing"), `for example --match "Clinic *"`}
		}
		quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(text))
		all = append(all, glob{text, regexp.MustCompile(`(?s)^` + quoted + `$`)})
	}
	return all, nil
}
