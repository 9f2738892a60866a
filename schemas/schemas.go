// Package schemas holds the published JSON Schemas of the documents that agentsync writes.
package schemas

import (
	"bytes"
	_ "embed"
)

var (
	//go:embed plan.schema.json
	plan []byte
	//go:embed result.schema.json
	result []byte
	//go:embed finding.schema.json
	finding []byte
)

// Plan returns the JSON Schema of the plan document: `plan -o json`, `plan --out`, and the field plan of a report.
func Plan() []byte { return plan }

// Finding returns the JSON Schema of what `validate -o json` prints.
func Finding() []byte { return finding }

// Result returns the JSON Schema of what `apply -o json` prints. The schema of its plan, which lies beside it as a file, is in it as a
// definition, so that it refers to nothing outside itself.
func Result() []byte {
	const definitions = "\n  \"$defs\": {\n"
	inner := bytes.ReplaceAll(bytes.TrimSpace(plan), []byte("\n"), []byte("\n    "))
	return bytes.Replace(result, []byte(definitions), append([]byte(definitions+"    \"plan\": "), append(inner, ",\n"...)...), 1)
}
