package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"agentsync.dev/agentsync/internal/importer"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
)

// importReport is what import prints as JSON.
type importReport struct {
	FormatVersion string           `json:"formatVersion"`
	Provider      string           `json:"provider"`
	DryRun        bool             `json:"dryRun"`
	Written       []importedAgent  `json:"written"`   // in order of address
	Skipped       []skippedAgent   `json:"skipped"`   // in order of id
	Variables     []neededVariable `json:"variables"` // in order of name
	Failed        []failedAgent    `json:"failed"`    // in order of id
}

// importedAgent is an agent whose manifest is written, or would be.
type importedAgent struct {
	Address  string   `json:"address"`
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Manifest string   `json:"manifest"`
	Files    []string `json:"files"` // those that changed, the manifest last
	Notes    []string `json:"notes"` // what is not declared, and why
}

// skippedAgent is an agent that was not imported, and need not or cannot be.
type skippedAgent struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Reason   string `json:"reason"`
	Manifest string `json:"manifest"` // file:line of the manifest that declares it, "" for none
}

// neededVariable is an environment variable that a manifest takes a secret from.
type neededVariable struct {
	Name    string       `json:"name"`
	Address string       `json:"address"`
	Path    diff.Pointer `json:"path"`
}

// failedAgent is an agent that could not be imported.
type failedAgent struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Error string `json:"error"`
	Hint  string `json:"hint"`
}

// shown names a file of the repository as a person in the current folder would.
func (i *importing) shown(name string) string {
	here, err := filepath.EvalSymlinks(i.app.dir)
	if err != nil {
		return name
	}
	rel, err := filepath.Rel(here, filepath.Join(i.set.Root, filepath.FromSlash(name)))
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

func (i *importing) wrote(live providers.Live, draft importer.Draft, manifest string, changed []string) {
	address := i.account.Name + "/" + draft.Name
	entry := importedAgent{Address: address, ID: live.ID, Name: live.Name, Manifest: i.shown(manifest), Files: []string{}, Notes: draft.Notes}
	for _, name := range changed {
		entry.Files = append(entry.Files, i.shown(name))
	}
	if entry.Notes == nil {
		entry.Notes = []string{}
	}
	i.report.Written = append(i.report.Written, entry)
	for _, v := range draft.Variables {
		i.report.Variables = append(i.report.Variables, neededVariable{v.Name, address, v.Field})
	}
}

func (i *importing) skip(live providers.Live, reason string, by *spec.Agent) {
	entry := skippedAgent{ID: live.ID, Name: live.Name, Reason: reason}
	if by != nil {
		entry.Manifest = by.Pos.String()
	}
	i.report.Skipped = append(i.report.Skipped, entry)
}

// fail reports an agent that was not imported. What was said of it as written is taken back.
func (i *importing) fail(id, name string, err error) {
	r := &i.report
	r.Skipped = slices.DeleteFunc(r.Skipped, func(s skippedAgent) bool { return s.ID == id })
	r.Written = slices.DeleteFunc(r.Written, func(w importedAgent) bool {
		if w.ID == id {
			r.Variables = slices.DeleteFunc(r.Variables, func(v neededVariable) bool { return v.Address == w.Address })
		}
		return w.ID == id
	})
	i.codes = append(i.codes, i.code(err))
	r.Failed = append(r.Failed, failedAgent{ID: id, Name: name, Error: i.mask.Mask(err.Error()), Hint: hintOf(err)})
}

// show prints the report.
func (i *importing) show() error {
	r := &i.report
	slices.SortFunc(r.Written, func(a, b importedAgent) int { return cmp.Compare(a.Address, b.Address) })
	slices.SortFunc(r.Skipped, func(a, b skippedAgent) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Variables, func(a, b neededVariable) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Failed, func(a, b failedAgent) int { return cmp.Compare(a.ID, b.ID) })
	var out bytes.Buffer
	if i.f.output == "json" {
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(r); err != nil {
			return err
		}
	} else {
		r.text(&out)
	}
	_, err := i.app.stdout.Write(out.Bytes())
	return err
}

// text writes the report for people: a line for each file, what was left out, and what to do next.
func (r *importReport) text(w io.Writer) {
	verb, done := "wrote", "written"
	if r.DryRun {
		verb, done = "would write", "to write"
	}
	for _, agent := range r.Written {
		for _, file := range agent.Files {
			line := verb + " " + file
			if file == agent.Manifest && len(agent.Notes) > 0 {
				line += fmt.Sprintf("  (%s for you in its comments)", count(len(agent.Notes), "note"))
			}
			fmt.Fprintln(w, line)
		}
	}
	for _, agent := range r.Skipped {
		line := fmt.Sprintf("skipped %s: %s", who(agent.ID, agent.Name), agent.Reason)
		if agent.Manifest != "" {
			line += " (" + agent.Manifest + ")"
		}
		fmt.Fprintln(w, oneLine(line))
	}
	for _, agent := range r.Failed {
		fmt.Fprintln(w, oneLine(fmt.Sprintf("failed %s: %s", who(agent.ID, agent.Name), agent.Error)))
		if agent.Hint != "" {
			fmt.Fprintln(w, oneLine("  "+agent.Hint))
		}
	}
	fmt.Fprintf(w, "\nImport of %s: %d %s, %d skipped, %d failed\n", r.Provider, len(r.Written), done, len(r.Skipped), len(r.Failed))
	if len(r.Variables) == 0 {
		return
	}
	fmt.Fprintf(w, "\nBefore the next plan, set to the values that are live:\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range r.Variables {
		fmt.Fprintf(table, "  %s\t%s %s\n", v.Name, v.Address, v.Path)
	}
	_ = table.Flush() // a buffer takes everything
}

// who names a live agent.
func who(id, name string) string {
	if name == "" {
		return id
	}
	return fmt.Sprintf("%q (%s)", name, id)
}
