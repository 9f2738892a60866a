package providertest

import (
	"encoding/json"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// Manifest turns decoded JSON into a value as a manifest has it. A json.Number may be any plain scalar, such as 1e3 or no.
func Manifest(v any) *spec.Value {
	switch v := v.(type) {
	case nil:
		return &spec.Value{Kind: spec.Null}
	case string:
		return &spec.Value{Kind: spec.Text, Text: v}
	case json.Number:
		return &spec.Value{Kind: spec.Plain, Text: string(v)}
	case []any:
		list := &spec.Value{Kind: spec.List}
		for _, item := range v {
			list.Items = append(list.Items, Manifest(item))
		}
		return list
	case map[string]any:
		object := &spec.Value{Kind: spec.Map}
		for _, key := range diff.Keys(v) {
			object.Pairs = append(object.Pairs, spec.Pair{Key: key, Value: Manifest(v[key])})
		}
		return object
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // decoded JSON
	}
	return &spec.Value{Kind: spec.Plain, Text: string(text)}
}
