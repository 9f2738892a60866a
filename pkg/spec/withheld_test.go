package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/spec"
)

// TestWithheldVariables: a manifest cannot send the credentials of whoever runs agentsync to a vendor.
func TestWithheldVariables(t *testing.T) {
	dir := t.TempDir()
	const text = `apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: a}
spec:
  provider: voicy
  config:
    general_prompt: {$join: [one, {$env: GITHUB_TOKEN}]}
    begin_message: {$env: OTHER}
---
apiVersion: agentsync.dev/v1
kind: Provider
metadata: {name: voicy-emea}
spec: {type: voicy, auth: {apiKey: {$env: GITHUB_TOKEN}}}
`
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := spec.Load(spec.Input{Dir: dir, Withheld: []string{"GITHUB_TOKEN"}, Getenv: func(string) (string, bool) { return "s3cr3t-value", true }})
	if err == nil || strings.Count(err.Error(), "GITHUB_TOKEN is a credential of agentsync") != 1 || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("error %v", err)
	}
}
