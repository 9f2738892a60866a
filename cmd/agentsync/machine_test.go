package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// faulty has an error and a warning beside an agent that is well.
const faulty = `apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: wrong}
spec: {provider: voicy, config: {agent_nam: X}}
---
apiVersion: agentsync.dev/v1
kind: Provider
metadata: {name: emea}
spec: {type: nova, orgID: o, auth: {apiKey: "literal-key-0123"}}
---
apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: well}
spec: {provider: voicy, config: {agent_name: X, general_prompt: Y}}
`

// TestMachineSchemas: what validate, apply and undo print as JSON agrees with the published schemas, and a document that lacks something
// does not.
func TestMachineSchemas(t *testing.T) {
	t.Parallel()
	dir, _, env := world(t, varied)
	if err := os.WriteFile(filepath.Join(dir, "faulty.yaml"), []byte(faulty), 0o644); err != nil {
		t.Fatal(err)
	}
	finding := schemaFrom(t, dir, "finding")
	for _, test := range []struct {
		file string
		code int
		want string // the end of the document's head
	}{
		{"faulty.yaml", exitError, `"valid": false`}, {"agents.yaml", exitOK, `"valid": true`}, {"none.yaml", exitError, `"agents": 0`},
	} {
		out, code := agentsync(t, dir, env, "validate", "-o", "json", test.file)
		if code != test.code || !bytes.Contains(out, []byte(test.want)) {
			t.Errorf("%s: exit status %d, want %d and %s in\n%s", test.file, code, test.code, test.want, out)
		}
		conforms(t, finding, out)
		if bytes.Contains(out, []byte("literal-key")) {
			t.Errorf("a key is shown:\n%s", out)
		}
	}
	result := schemaFrom(t, dir, "result")
	report, code := agentsync(t, dir, env, "apply", "-o", "json", "--auto-approve", "--adopt", "--on-drift", "overwrite", "agents.yaml")
	if code != exitPartial {
		t.Errorf("exit status %d, want %d", code, exitPartial)
	}
	conforms(t, result, report)
	var run string
	if err := json.Unmarshal(partOf(t, report, "run"), &run); err != nil {
		t.Fatal(err)
	}
	undone, _ := agentsync(t, dir, env, "undo", "-o", "json", "--auto-approve", run)
	conforms(t, result, undone)
	for _, part := range []string{"plan", "summary", "results"} {
		var doc map[string]any
		if err := json.Unmarshal(report, &doc); err != nil {
			t.Fatal(err)
		}
		delete(doc, part)
		if result.Validate(doc) == nil {
			t.Errorf("a result without %s agrees with its schema", part)
		}
	}
}

// TestSameExit: the exit status is the same in every output format.
func TestSameExit(t *testing.T) {
	t.Parallel()
	dir, _, env := world(t, varied)
	if err := os.WriteFile(filepath.Join(dir, "faulty.yaml"), []byte(faulty), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		code    int
		formats []string
		args    []string
	}{
		{exitOK, []string{"text", "json", "junit", "sarif"}, []string{"validate", "agents.yaml"}},
		{exitError, []string{"text", "json", "junit", "sarif"}, []string{"validate", "faulty.yaml"}},
		{exitUsage, []string{"text", "json", "junit", "sarif"}, []string{"validate", "--target", "voicy/none", "agents.yaml"}},
		{exitRefused, []string{"text", "json", "markdown", "junit"}, []string{"plan", "agents.yaml"}},
		{exitChanges, []string{"text", "json", "markdown", "junit"}, []string{"plan", "--detailed-exitcode", "--target", "voicy/new", "agents.yaml"}},
		{exitError, []string{"text", "json", "markdown", "junit"}, []string{"plan", "faulty.yaml"}},
		{exitError, []string{"text", "json"}, []string{"render", "faulty.yaml"}},
		{exitUsage, []string{"text", "json"}, []string{"providers", "nobody"}},
	} {
		for _, format := range test.formats {
			if _, code := agentsync(t, dir, env, append(test.args, "-o", format)...); code != test.code {
				t.Errorf("%q as %s: exit status %d, want %d", test.args, format, code, test.code)
			}
		}
	}
}
