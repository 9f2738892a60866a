package report

import (
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/spec"
)

// The rules of a SARIF log. Their ids never change their meaning.
const (
	ruleManifest = "agentsync/manifest"
	ruleUnknown  = "agentsync/unknown-field"
	ruleAdvice   = "agentsync/advice"
)

func ruleOf(p spec.Problem) string {
	switch {
	case p.Warning:
		return ruleAdvice
	case p.Field != "":
		return ruleUnknown
	}
	return ruleManifest
}

func rules() []sarifRule {
	rule := func(id, level, short, full string) sarifRule {
		return sarifRule{ID: id, Name: ruleName(id), Short: sarifText{short}, Full: sarifText{full},
			Help: sarifText{"Each result says how to mend it."}, Default: sarifLevel{level}}
	}
	return []sarifRule{
		rule(ruleManifest, "error", "A manifest is not valid",
			"The form of a manifest, a value, a file or a variable it names is wrong. Nothing is planned or applied before it is mended."),
		rule(ruleUnknown, "error", "A config field is not known",
			"The vendor's schema has no field of this name. `agentsync explain TYPE` lists the fields; spec.allowUnknownFields lets unknown ones through."),
		rule(ruleAdvice, "warning", "A manifest deserves a look",
			"Nothing is wrong enough to stop a plan, but a person should know of it."),
	}
}

// ruleName is the id as one word, which is what viewers show as a name.
func ruleName(id string) string {
	name := ""
	for part := range strings.FieldsFuncSeq(id, func(r rune) bool { return r == '/' || r == '-' }) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

// The parts of SARIF 2.1.0 (OASIS Standard, 27 March 2020) that agentsync writes.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Name    string     `json:"name"`
		Short   sarifText  `json:"shortDescription"`
		Full    sarifText  `json:"fullDescription"`
		Help    sarifText  `json:"help"`
		Default sarifLevel `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// SARIF writes a validation as a SARIF 2.1.0 log, for annotations in a pull request. A problem of a whole file stands at its first
// line, since forges show nothing without one.
func SARIF(w io.Writer, version string, v Validation) error {
	known := rules()
	results := []sarifResult{}
	for _, p := range v.Problems {
		text := p.Message
		if p.Hint != "" {
			text += "\n" + p.Hint
		}
		region := sarifRegion{StartLine: max(p.Line, 1), StartColumn: p.Column}
		results = append(results, sarifResult{RuleID: p.rule, Level: p.Severity, Message: sarifText{text},
			RuleIndex: slices.IndexFunc(known, func(r sarifRule) bool { return r.ID == p.rule }),
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{uri(p.File)}, region}}}})
	}
	return JSON(w, sarifLog{Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{Tool: sarifTool{sarifDriver{"agentsync", version, known}}, ColumnKind: "unicodeCodePoints", Results: results}}})
}

// uri is a file as a reference: relative where the file is.
func uri(file string) string {
	switch {
	case path.IsAbs(file):
		return (&url.URL{Scheme: "file", Path: file}).String()
	case file == "":
		return "." // the working directory: what is wrong is none of its files
	}
	return (&url.URL{Path: file}).String()
}
