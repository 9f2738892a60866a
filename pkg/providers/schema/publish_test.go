package schema

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

const otherVendor = `{
	"type": "object",
	"properties": {"title": {"type": "string"}, "size": {"type": "integer"}},
	"$defs": {"unused": {"type": "string"}}
}`

// accepts compiles a published schema as an editor would and validates YAML with it.
func accepts(t *testing.T, raw []byte) func(document string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, raw)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(sealed{})
	const url = "https://agentsync.dev/schemas/test.json"
	if err := c.AddResource(url, doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(url)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, raw)
	}
	return func(document string) error {
		var value any
		if err := yaml.Unmarshal([]byte(document), &value); err != nil {
			t.Fatal(err)
		}
		return compiled.Validate(value)
	}
}

func check(t *testing.T, raw []byte, good, bad []string) {
	t.Helper()
	validate := accepts(t, raw)
	for _, document := range good {
		if err := validate(document); err != nil {
			t.Errorf("refused:\n%s\n%v", document, err)
		}
	}
	for _, document := range bad {
		if validate(document) == nil {
			t.Errorf("accepted:\n%s", document)
		}
	}
}

func TestPublished(t *testing.T) {
	raw := phone(t).Published("Phone config", "https://agentsync.dev/schemas/phone.json")
	golden(t, "phone.published.json", raw)
	for _, own := range []string{annotationKey, "readOnly", "agent_id", "#/$defs/style"} {
		if bytes.Contains(raw, []byte(own)) {
			t.Errorf("the published schema holds %s", own)
		}
	}
	check(t, raw, []string{
		`{}`,
		`{name: a, temperature: 0.5, active: true, voice: {speed: 1}}`,
		`{prompt: {$file: a.md}, temperature: {$env: T}, name: {$env: N, default: a}, delay_ms: {$env: D, default: 3}}`,
		`{prompt: {$join: [a, {$file: b.md}, {$join: [c]}], separator: "\n"}}`,
		`{prompt: null, tags: null, note: null}`,
		`{extra: {a: [1, null]}, hook: {body: {a: 1}, headers: {a: b, c: {$env: C}}}}`,
		`{vars: [{name: {$env: N}, kind: {$file: kind}}], files: [a, {$env: F}], either: {$env: E}}`,
		`{copy_from: a, region: {$env: R}}`,
		`{webhook: true, webhook_url: {$env: U}}`,
		`{webhook: {$env: W}}`,
	}, []string{
		`[]`, `{nam: a}`, `{name: null}`, `{name: 3}`, `{mode: loud}`, `{temperature: 2}`, `{agent_id: a}`, `{voice: {id: a}}`, `{voice: {sped: 1}}`,
		`{prompt: {$file: 3}}`, `{prompt: {$file: ""}}`, `{prompt: {$fil: a}}`, `{prompt: {$file: a, default: b}}`, `{prompt: {$join: []}}`,
		`{prompt: {$join: [[a]]}}`, `{voice: {$file: a}}`, `{tags: {$env: a}}`, `{name: {$env: "A=B"}}`, `{name: {$env: A, defaul: b}}`,
		`{webhook: true}`, `{copy_from: a, region: us}`, `{vars: [{kind: text}]}`, `{vars: [{name: a, x: b}]}`, `{hook: {headers: {a: 1}}}`,
	})
}

func manifests(t *testing.T) map[string][]byte {
	t.Helper()
	other := Parse("other", []byte(otherVendor))
	generation := Parse("phone", []byte(`{"type": "object", "properties": {"label": {"type": "string"}}}`))
	return map[string][]byte{
		"phone": phone(t).Published("Phone", "https://agentsync.dev/schemas/phone.json"),
		// A generation of its own, with the same definitions.
		"phone/v2": generation.Published("Phone v2", "https://agentsync.dev/schemas/phone-v2.json"),
		"other":    other.Published("Other", "https://agentsync.dev/schemas/other.json"),
	}
}

func agentOf(spec string) string {
	return "{apiVersion: agentsync.dev/v1, kind: Agent, metadata: {name: front-desk}, spec: " + spec + "}"
}

func goodAgents() []string {
	return []string{
		agentOf(`{provider: phone, config: {name: {$env: A}}}`),
		agentOf(`{provider: phone, config: {label: a}}`),
		agentOf(`{provider: other, config: {title: a, size: {$env: S}}}`),
		agentOf(`{provider: other-emea, config: {title: a}}`),
		agentOf(`{provider: phone-emea, config: {name: a}}`),
		agentOf(`{provider: phone, allowUnknownFields: true, config: {nam: a}}`),
		agentOf(`{provider: phone, config: {}, id: 42, ignore: [/a/b~1c], drift: ignore, update: put, acceptReset: [/a], protect: true,
			suspend: {reason: incident 4711, until: "2026-12-01T00:00:00Z"}}`),
		`{apiVersion: agentsync.dev/v1, kind: Agent, metadata: {name: a.b-1, labels: {env: prod, n: 1}, annotations: {config.kubernetes.io/origin: x}},
			spec: {provider: phone, config: {}}}`,
	}
}

func badAgents() []string {
	return []string{
		agentOf(`{provider: phone, config: {title: a}}`), agentOf(`{provider: other, config: {name: a}}`),
		agentOf(`{provider: elsewhere, config: {nothing: a}}`), agentOf(`{provider: phone, allowUnknownFields: false, config: {nam: a}}`),
		agentOf(`{provider: phone}`), agentOf(`{config: {}}`), agentOf(`{provider: phone, config: []}`), agentOf(`{provider: Phone, config: {}}`),
		agentOf(`{provider: phone, config: {}, ignore: [a]}`), agentOf(`{provider: phone, config: {}, drift: maybe}`),
		agentOf(`{provider: phone, config: {}, update: post}`), agentOf(`{provider: phone, config: {}, suspend: {why: a}}`),
		agentOf(`{provider: phone, config: {}, extra: a}`), strings.Replace(agentOf(`{provider: phone, config: {}}`), "front-desk", "Front", 1),
		strings.Replace(agentOf(`{provider: phone, config: {}}`), "front-desk", "a..b", 1),
		strings.Replace(agentOf(`{provider: phone, config: {}}`), "front-desk", strings.Repeat("a", 64), 1),
		`{apiVersion: agentsync.dev/v1, kind: Agent, metadata: {name: a}}`,
		`{apiVersion: agentsync.dev/v2, kind: Agent, metadata: {name: a}, spec: {provider: phone, config: {}}}`,
	}
}

func goodProviders() []string {
	head := `{apiVersion: agentsync.dev/v1, kind: Provider, metadata: {name: phone-emea}, spec: `
	return []string{
		head + `{type: phone}}`,
		head + `{type: other, baseURL: https://example.com/api, api: v1, orgID: {$env: ORG}, auth: {apiKey: {$env: KEY}},
			limits: {requestsPerMinute: 300, maxInFlight: 4}, timeout: 1m30s, oauthURL: https://example.com, listPath: {$env: P}}}`,
	}
}

func badProviders() []string {
	head := `{apiVersion: agentsync.dev/v1, kind: Provider, metadata: {name: phone-emea}, spec: `
	return []string{
		head + `{}}`, head + `{type: elsewhere}}`, head + `{type: phone, auth: {key: a}}}`, head + `{type: phone, auth: {apiKey: {$nv: KEY}}}}`,
		head + `{type: phone, limits: {maxInFlight: -1}}}`, head + `{type: phone, timeout: soon}}`, head + `{type: phone, config: {}}}`,
	}
}

func goodConfigs() []string {
	head := `{apiVersion: agentsync.dev/v1, kind: Config, metadata: {name: default}`
	return []string{head + `}`, head + `, spec: {state: s3://bucket/prefix, drift: refuse, limits: {maxDeletes: 0, maxChangedPercent: 50, minAgents: 10}}}`,
		head + `, spec: {freeze: [{reason: sale, from: "2026-11-26T00:00:00Z", to: "2026-12-01T00:00:00Z"}, {reason: nights, from: "22:00", to: "06:00", days: [fri], timeZone: Europe/Berlin}]}}`}
}

func badConfigs() []string {
	head := `{apiVersion: agentsync.dev/v1, kind: Config, metadata: {name: default}, spec: `
	return []string{head + `{limits: {maxChangedPercent: 101}}}`, head + `{limits: {maxDelete: 1}}}`, head + `{drift: never}}`, head + `{freeze: [{from: "22:00", to: "06:00"}]}}`, head + `{freeze: [{reason: a, from: "22:00", to: "06:00", days: [friday]}]}}`, head + `{provider: phone}}`}
}

func TestManifests(t *testing.T) {
	configs := manifests(t)
	all := Manifest(configs)
	check(t, all, append(append(goodAgents(), goodProviders()...), goodConfigs()...),
		append(append(append(badAgents(), badProviders()...), badConfigs()...), `{apiVersion: agentsync.dev/v1, kind: Agnt}`, `{kind: Config}`, `[]`))
	check(t, AgentManifest(configs), goodAgents(), append(badAgents(), goodConfigs()...))
	check(t, ProviderManifest([]string{"other", "phone"}), goodProviders(), append(badProviders(), goodConfigs()...))
	check(t, ConfigManifest(), goodConfigs(), append(badConfigs(), goodProviders()...))
	if !bytes.Equal(all, Manifest(configs)) {
		t.Error("the manifest schema differs from one time to the next")
	}
	check(t, AgentManifest(nil), []string{agentOf(`{provider: a, config: {b: c}}`)}, []string{agentOf(`{provider: a}`)})
}

func TestManifestOfNoSchema(t *testing.T) {
	if got := panicText(func() { Manifest(map[string][]byte{"phone": []byte("[]")}) }); !strings.HasPrefix(got, "schema: the config of phone") {
		t.Errorf("Manifest panics with %q", got)
	}
}

// What decoding takes, an editor must not complain about.
func TestPublishedAgreesWithDecode(t *testing.T) {
	s := phone(t)
	validate := accepts(t, s.Published("", "https://agentsync.dev/schemas/phone.json"))
	raw, err := os.ReadFile("testdata/agree.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(raw), "\n---\n")
	if len(documents) < 5 {
		t.Fatalf("only %d documents", len(documents))
	}
	for _, document := range documents {
		_, problems := s.Decode(value(t, document), false)
		published := validate(document)
		if (problems.Err() == nil) != (published == nil) {
			t.Errorf("%s\ndecoding says %v, the published schema %v", document, problems, published)
		}
	}
}
