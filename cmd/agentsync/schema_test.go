package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"agentsync.dev/agentsync/internal/sandbox"
)

// agentsync runs the real command in dir against server, and returns its standard output and exit status.
func agentsync(t *testing.T, dir string, env map[string]string, args ...string) (stdout []byte, code int) {
	t.Helper()
	cmd := command(t, dir, env, args...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if complaints.Len() > 0 {
		t.Logf("agentsync %q: %s", args, complaints.String())
	}
	return out.Bytes(), cmd.ProcessState.ExitCode()
}

// command is the real command, not started yet.
func command(t *testing.T, dir string, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("agentsync") // TestMain put it there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GORACE=atexit_sleep_ms=0"}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	return cmd
}

// world is a folder with manifests and simulated vendors for a test in Go.
func world(t *testing.T, manifests string) (dir string, server *sandbox.Server, env map[string]string) {
	t.Helper()
	server, err := sandbox.New(sandbox.Options{Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "agents.yaml"), []byte(manifests), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, server, server.Env(web.URL)
}

// varied has a create, an update with unknown origin, an adoption, a sensitive field and an agent that is not there.
const varied = `
apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: new}
spec: {provider: voicy, config: {agent_name: New, general_prompt: You answer.}}
---
apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: main}
spec: {provider: convirza, id: "101", config: {max_call_duration: 400}}
---
apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: adopted}
spec: {provider: voicy, config: {agent_name: Recall calls, begin_message: Hello}}
---
apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: line}
spec: {provider: centerfy, id: d8f2a229-2f5c-42ba-ac65-402f2c25fee2, config: {webhook: true, webhook_url: https://example.com/other}}
---
apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: gone}
spec: {provider: nova, id: 9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0cff, config: {name: Gone}}
`

// TestSchemas: each published schema is one, and real plans and the manifests they were made from agree with theirs.
func TestSchemas(t *testing.T) {
	t.Parallel()
	dir, _, env := world(t, varied)
	for _, args := range [][]string{{}, {"agent"}, {"provider"}, {"config"}, {"plan"}, {"agent", "--provider", "voicy"},
		{"agent", "--provider", "voicy/functions-v1"}, {"--provider", "convirza"}, {"--provider", "nova"}, {"--provider", "centerfy"}} {
		schemaFrom(t, dir, args...)
	}
	schema := schemaFrom(t, dir, "plan")
	plan, code := agentsync(t, dir, env, "plan", "-o", "json", "agents.yaml")
	if code != exitRefused {
		t.Errorf("exit status %d, want %d", code, exitRefused)
	}
	conforms(t, schema, plan)
	again, _ := agentsync(t, dir, env, "plan", "-o", "json", "agents.yaml")
	if first, second := partOf(t, plan, "digest"), partOf(t, again, "digest"); !bytes.Equal(first, second) {
		t.Errorf("the same plan has the digests %s and %s", first, second)
	}
	drift, _ := agentsync(t, dir, env, "drift", "-o", "json", "agents.yaml")
	conforms(t, schema, drift)
	report, code := agentsync(t, dir, env, "apply", "-o", "json", "--auto-approve", "--adopt", "--on-drift", "overwrite", "agents.yaml")
	if code != exitPartial {
		t.Errorf("exit status %d, want %d", code, exitPartial)
	}
	conforms(t, schema, partOf(t, report, "plan"))
	changed, _ := agentsync(t, dir, env, "plan", "-o", "json", "--refresh", "changed", "agents.yaml")
	conforms(t, schema, changed)
	if reads := string(partOf(t, changed, "reads")); !strings.Contains(reads, `"notes"`) {
		t.Errorf("reads: %s", reads)
	}
}

// schemaFrom compiles what `agentsync schema` prints.
func schemaFrom(t *testing.T, dir string, args ...string) *jsonschema.Schema {
	t.Helper()
	out, code := agentsync(t, dir, nil, append([]string{"schema"}, args...)...)
	if code != exitOK {
		t.Fatalf("schema %q: exit status %d", args, code)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	if err != nil {
		t.Fatalf("schema %q: %v", args, err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("test.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("test.json")
	if err != nil {
		t.Fatalf("schema %q: %v", args, err)
	}
	return schema
}

func conforms(t *testing.T, schema *jsonschema.Schema, document []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatalf("%v:\n%s", err, document)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%v\nin %s", err, document)
	}
}

func partOf(t *testing.T, document []byte, name string) []byte {
	t.Helper()
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(document, &parts); err != nil {
		t.Fatal(err)
	}
	return parts[name]
}
