package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/spec"
)

// Manifest returns the JSON Schema of all documents that agentsync reads, told apart by their kind. configs are schemas as
// [Schema.Published] returns them, by vendor type; another API generation of a vendor is "type/generation".
func Manifest(configs map[string][]byte) []byte {
	defs := agentDefs(configs)
	defs.set("agent", agent(configs))
	defs.set("provider", providerDocument(types(configs)))
	defs.set("config", configDocument())
	var cases []any
	kinds := []string{"Agent", "Provider", "Config"}
	for _, kind := range kinds {
		cases = append(cases, when("kind", constant(kind), newObject("$ref", "#/$defs/"+strings.ToLower(kind))))
	}
	return encodeJSON(newObject("$schema", draft, "$id", "https://agentsync.dev/schemas/manifest.json", "title", "agentsync manifest",
		"type", "object",
		"properties", newObject("apiVersion", constant(spec.APIVersion), "kind", newObject("enum", list(kinds))),
		"required", list([]string{"apiVersion", "kind"}),
		"allOf", cases, "$defs", defs))
}

// AgentManifest returns the JSON Schema of Agent documents; for configs see [Manifest].
func AgentManifest(configs map[string][]byte) []byte {
	return standalone("agent", agent(configs), agentDefs(configs))
}

// ProviderManifest returns the JSON Schema of Provider documents for the given vendor types.
func ProviderManifest(types []string) []byte {
	return standalone("provider", providerDocument(types), directives())
}

// ConfigManifest returns the JSON Schema of Config documents.
func ConfigManifest() []byte {
	return standalone("config", configDocument(), directives())
}

func standalone(name string, document, defs *object) []byte {
	out := newObject("$schema", draft, "$id", "https://agentsync.dev/schemas/"+name+".json")
	for _, key := range document.keys {
		out.set(key, document.values[key])
	}
	out.set("$defs", defs)
	return encodeJSON(out)
}

// agentDefs are the definitions an agent document refers to: the directives and each config.
func agentDefs(configs map[string][]byte) *object {
	defs := directives()
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		value, err := decodeJSON(configs[name])
		doc, ok := value.(*object)
		if err != nil || !ok {
			panic(fmt.Sprintf("schema: the config of %s is not a published schema: %v", name, err))
		}
		doc = doc.clone()
		for _, key := range identity() {
			doc.remove(key)
		}
		defs.set(configName(name), doc)
	}
	return defs
}

func configName(name string) string { return "config-" + strings.ReplaceAll(name, "/", "-") }

// types are the vendor types among the names of configs.
func types(configs map[string][]byte) []string {
	var out []string
	for name := range configs {
		vendor, _, _ := strings.Cut(name, "/")
		out = append(out, vendor)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// agent describes an Agent document. A built-in provider's name decides what config holds; a Provider document's name can stand for any
// vendor.
func agent(configs map[string][]byte) *object {
	all := slices.Sorted(maps.Keys(configs))
	var cases []any
	for _, vendor := range types(configs) {
		of := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
			return name != vendor && !strings.HasPrefix(name, vendor+"/")
		})
		cases = append(cases, when("provider", constant(vendor), newObject("properties", newObject("config", oneOfConfigs(of)))))
	}
	other := newObject("not", newObject("enum", list(types(configs))))
	cases = append(cases, when("provider", other, newObject("properties", newObject("config", oneOfConfigs(all)))))
	body := agentSpec()
	if len(all) > 0 {
		strict := when("allowUnknownFields", constant(true), newObject())
		strict.set("else", newObject("allOf", cases))
		body.set("allOf", []any{strict})
	}
	return envelope("Agent", "one agent", body, "spec")
}

func oneOfConfigs(names []string) *object {
	var refs []any
	for _, name := range names {
		refs = append(refs, newObject("$ref", "#/$defs/"+configName(name)))
	}
	if len(refs) == 1 {
		return refs[0].(*object)
	}
	return newObject("anyOf", refs)
}

// when returns a schema that demands then of objects whose field is as wanted.
func when(field string, wanted, then *object) *object {
	return newObject("if", newObject("properties", newObject(field, wanted), "required", []any{field}), "then", then)
}

func constant(value any) *object { return newObject("const", value) }

func list(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}
