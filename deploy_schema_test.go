package agentsync_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// A published module that holds schemas, and the checksum of what must be in it.
type published struct{ path, sum string }

var (
	composeModule  = published{"github.com/compose-spec/compose-go/v2@v2.16.2", "h1:pTp1DqQwJzFd85GzlWsSszKA1ABrV/ySqsClujIcWA8="}
	operatorModule = published{"github.com/prometheus-operator/prometheus-operator@v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="}
)

// file returns a file of the module, which Go fetches once and keeps with all the others. It is no dependency of agentsync.
func (p published) file(t *testing.T, name string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", p.path)
	c.Dir = t.TempDir() // outside of every module
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := c.Output()
	var module struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &module); err != nil || jsonErr != nil || module.Error != "" {
		t.Fatalf("%s: %v %v %s", p.path, err, jsonErr, module.Error)
	}
	if module.Sum != p.sum {
		t.Fatalf("%s has the checksum %s, want %s", p.path, module.Sum, p.sum)
	}
	data, err := os.ReadFile(filepath.Join(module.Dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// kubernetesSchemas are the definitions of Kubernetes' own API that the kustomize library brings along.
var kubernetesSchemas = sync.OnceValues(func() (map[string]any, error) {
	openapi.SchemaForResourceType(kyaml.TypeMeta{APIVersion: "v1", Kind: "Pod"}) // reads them
	data, err := json.Marshal(openapi.Schema())
	if err != nil {
		return nil, err
	}
	var all map[string]any
	return all, json.Unmarshal(data, &all)
})

// kubernetesSchema returns the schema of a kind of Kubernetes' own, nil if it has none of that name.
func kubernetesSchema(t *testing.T, apiVersion, kind string) map[string]any {
	t.Helper()
	all, err := kubernetesSchemas()
	if err != nil {
		t.Fatal(err)
	}
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	definitions, _ := all["definitions"].(map[string]any)
	for name, definition := range definitions {
		kinds, _ := definition.(map[string]any)["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			if k := k.(map[string]any); k["group"] == group && k["version"] == version && k["kind"] == kind {
				return map[string]any{"$ref": "#/definitions/" + name, "definitions": definitions}
			}
		}
	}
	return nil
}

// customSchema returns the schema of a kind of the Prometheus operator.
func customSchema(t *testing.T, apiVersion, kind string) map[string]any {
	t.Helper()
	name := map[string]string{"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"}[kind]
	if apiVersion != "monitoring.coreos.com/v1" || name == "" {
		return nil
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema map[string]any `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(operatorModule.file(t, "example/prometheus-operator-crd/monitoring.coreos.com_"+name+".yaml"), &crd); err != nil {
		t.Fatal(err)
	}
	for _, v := range crd.Spec.Versions {
		if v.Name == "v1" {
			schema := v.Schema.OpenAPIV3Schema
			// Kubernetes knows these of every kind; a definition of a kind says no more than "object".
			delete(schema["properties"].(map[string]any), "metadata")
			schema["properties"].(map[string]any)["metadata"] = true
			return schema
		}
	}
	return nil
}

// strictSchema returns the schema of an object's kind, nil if none is known.
func strictSchema(t *testing.T, o resource) any {
	t.Helper()
	schema := kubernetesSchema(t, o.apiVersion, o.kind)
	if schema == nil {
		schema = customSchema(t, o.apiVersion, o.kind)
	}
	if schema == nil {
		return nil
	}
	closeObjects(schema)
	return schema
}

// closeObjects makes every object in a schema of Kubernetes' refuse what it does not name, and lets integers stand where both are allowed.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if format, _ := s["format"].(string); format == "int-or-string" {
			s["type"] = []any{"integer", "string"}
		}
		_, hasMore := s["additionalProperties"]
		if _, isObject := s["properties"].(map[string]any); isObject && !hasMore && s["x-kubernetes-preserve-unknown-fields"] == nil {
			s["additionalProperties"] = false
		}
		for _, inner := range s {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range s {
			closeObjects(inner)
		}
	}
}

// conform checks a document, as YAML or JSON, against a schema.
func conform(t *testing.T, what string, schema any, document []byte) {
	t.Helper()
	if err := violation(t, schema, document); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// violation says how a document differs from a schema.
func violation(t *testing.T, schema any, document []byte) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", asJSON(t, schema)); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(asJSON(t, parsed(t, document)))
}

// asJSON gives a value the types that the schema library knows.
func asJSON(t *testing.T, value any) any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
