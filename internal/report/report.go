// Package report writes what validate and plan found in the formats that pipelines read: JUnit and SARIF.
package report

import (
	"encoding/json"
	"io"

	"agentsync.dev/agentsync/pkg/spec"
)

// FormatVersion is the version of the [Validation] document.
const FormatVersion = "1.0"

// Validation is the document that `validate -o json` prints. Its schema is schemas/finding.schema.json.
type Validation struct {
	FormatVersion string    `json:"formatVersion"`
	Valid         bool      `json:"valid"`
	Agents        int       `json:"agents"`
	Files         int       `json:"files"`
	Problems      []Problem `json:"problems"` // in order of their places
	// Manifests are the files that hold agentsync documents, in order.
	Manifests []string `json:"-"`
}

// Problem is one fault of a manifest. Line and Column count from 1 and are 0 where they are not known.
type Problem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"` // error or warning
	Message  string `json:"message"`
	Hint     string `json:"hint"`
	rule     string
}

const (
	severityError   = "error"
	severityWarning = "warning"
)

// Validated gathers what validate found. It is valid where no problem is an error.
func Validated(agents, files int, manifests []string, problems spec.Problems) Validation {
	v := Validation{FormatVersion: FormatVersion, Valid: true, Agents: agents, Files: files, Manifests: manifests, Problems: []Problem{}}
	for _, p := range problems.Sorted() {
		one := Problem{File: p.Pos.File, Line: p.Pos.Line, Column: p.Pos.Column, Severity: severityError, Message: p.Message, Hint: p.Hint, rule: ruleOf(p)}
		if p.Warning {
			one.Severity = severityWarning
		} else {
			v.Valid = false
		}
		v.Problems = append(v.Problems, one)
	}
	return v
}

// JSON writes a document as all of agentsync's are written: two spaces, no HTML escapes, a newline at the end.
func JSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}
