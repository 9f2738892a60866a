package schema

import (
	"reflect"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/pkg/diff"
)

// Whatever the manifest holds: decoding ends, says the same each time, and what it takes without an error is valid and in normal form.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{name: a, prompt: "x \n", mode: off, temperature: 1.0, delay_ms: 1e3, active: yes, extra: {a: [1.0, no, ~]}}`,
		`{vars: [{name: a, default: null}, {name: b}], tags: [a, b], hook: {headers: {a: {$env: b}}, body: {x: {y: 0x1F}}}}`,
		`{nam: a, agent_id: b, name: null, webhook: true, mode: loud, steps: [], weight: 0123, voice: [a], vars: [{}, {name: 3}, {name: 3}]}`,
		`{either: [1], number: 2026-01-01, files: [{$file: a}], window: {from: a}}`, `[]`, `null`, `{"": {"~1": "\u0000"}}`, `a: !!int "3"`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	s := phone(f)
	oracle := standard(s.JSON())
	f.Fuzz(func(t *testing.T, data []byte, allowUnknown bool) {
		var doc yaml.Node
		if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 || aliased(&doc) {
			return
		}
		v := fromNode(doc.Content[0])
		config, problems := s.Decode(v, allowUnknown)
		again, problemsAgain := s.Decode(v, allowUnknown)
		if !reflect.DeepEqual(config, again) || !slices.Equal(problems, problemsAgain) {
			t.Errorf("decoded differently: %v and %v, %v and %v", config, again, problems, problemsAgain)
		}
		if got := diff.Normalize(s.Type(), config.Object); !reflect.DeepEqual(got, config.Object) {
			t.Errorf("not in normal form: %v, which is %v", config.Object, got)
		}
		for _, p := range problems {
			if p.Message == "" || p.Hint == "" {
				t.Errorf("a problem without words: %+v", p)
			}
		}
		if problems.Err() != nil {
			return
		}
		plain, ok := withoutNulls(config.Object).(diff.Object)
		if err := oracle.Validate(plain); ok && !allowUnknown && err != nil {
			t.Errorf("no problem, but not valid: %v: %v", config.Object, err)
		}
	})
}

func aliased(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, aliased)
}

// withoutNulls leaves out nulls that clear: they are not what the schema describes.
func withoutNulls(v any) any {
	object, ok := v.(diff.Object)
	if !ok {
		return v
	}
	out := diff.Object{}
	for name, value := range object {
		if value != nil && name != "vars" {
			out[name] = withoutNulls(value)
		}
	}
	return out
}
