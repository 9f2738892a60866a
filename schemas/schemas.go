// Package schemas holds the published JSON Schemas of the documents that agentsync writes.
package schemas

import _ "embed"

//go:embed plan.schema.json
var plan []byte

// Plan returns the JSON Schema of the plan document: `plan -o json`, `plan --out`, and the field plan of a report.
func Plan() []byte { return plan }
