package format

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// Hidden stands for a value that is not shown.
const Hidden = "(sensitive)"

// Resolved is an agent whose values are resolved, with what is not to be shown of it.
type Resolved struct {
	*spec.Agent
	// Config is the decoded config, in normal form.
	Config diff.Object
	// Secret are the pointers of sensitive values.
	Secret []diff.Pointer
	// Mask removes known secrets from text.
	Mask func(string) string
}

// Origin is the place of a value in a manifest.
type Origin struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Value is one value of a config with where it comes from: its place, and what a directive made it from ("file prompts/a.md", "env NAME",
// "" for none). A secret reads as [Hidden].
type Value struct {
	Address string       `json:"address"`
	Path    diff.Pointer `json:"path"`
	Value   any          `json:"value"`
	Origin  Origin       `json:"origin"`
	From    string       `json:"from"`
}

// Values lists the values of an agent's config, in the order of the manifest: each scalar, and each list or map that is empty.
func Values(r Resolved) []Value {
	var values []Value
	r.walk("", r.Agent.Config, func(at diff.Pointer, v *spec.Value) {
		shown, known := at.Get(r.Config)
		switch text, isText := shown.(string); {
		case r.hides(at, v):
			shown = Hidden
		case !known:
			shown = r.Mask(v.Text)
		case isText:
			shown = r.Mask(text)
		}
		values = append(values, Value{r.Address(), at, shown, Origin(v.Pos), r.Mask(v.From)})
	})
	return values
}

// walk visits the leaves below v.
func (r Resolved) walk(at diff.Pointer, v *spec.Value, visit func(diff.Pointer, *spec.Value)) {
	if len(v.Items)+len(v.Pairs) == 0 && at != "" {
		visit(at, v)
	}
	for i, item := range v.Items {
		r.walk(at.Item(i), item, visit)
	}
	for _, p := range v.Pairs {
		r.walk(at.Child(p.Key), p.Value, visit)
	}
}

// hides reports whether the value at a pointer is, or is inside, a secret.
func (r Resolved) hides(at diff.Pointer, v *spec.Value) bool {
	for _, secret := range r.Secret {
		if secret.Covers(at) {
			return true
		}
	}
	return v.Sensitive
}

// Render writes agents as YAML documents, each value with a comment that says where it comes from. What is written is a manifest again,
// but for its secrets.
func Render(w io.Writer, agents []Resolved) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	for _, r := range agents {
		document := r.document()
		document.HeadComment = comment(r.Address() + ", declared at " + r.Pos.String())
		if err := encoder.Encode(document); err != nil {
			return fmt.Errorf("%s: %w", r.Address(), err)
		}
	}
	if len(agents) == 0 {
		return nil
	}
	return encoder.Close()
}

func (r Resolved) document() *yaml.Node {
	metadata := mapping("name", plain(r.Name))
	if labels := mapping(); len(r.Labels) > 0 {
		for _, name := range diff.Keys(anyValues(r.Labels)) {
			labels.Content = append(labels.Content, plain(name), plain(r.Mask(r.Labels[name])))
		}
		metadata.Content = append(metadata.Content, plain("labels"), labels)
	}
	body := mapping("provider", plain(r.Provider))
	add := func(when bool, name string, value *yaml.Node) {
		if when {
			body.Content = append(body.Content, plain(name), value)
		}
	}
	add(r.ID != "", "id", plain(r.ID))
	add(true, "config", r.node("", r.Agent.Config))
	add(len(r.Ignore) > 0, "ignore", list(r.Ignore))
	add(r.Drift != "", "drift", plain(string(r.Drift)))
	add(r.Update != "auto", "update", plain(r.Update))
	add(len(r.AcceptReset) > 0, "acceptReset", list(r.AcceptReset))
	add(r.Protect, "protect", word("true"))
	if r.Suspend != nil {
		suspend := mapping()
		if r.Suspend.Reason != "" {
			suspend.Content = append(suspend.Content, plain("reason"), plain(r.Mask(r.Suspend.Reason)))
		}
		if !r.Suspend.Until.IsZero() {
			suspend.Content = append(suspend.Content, plain("until"), word(r.Suspend.Until.Format(time.RFC3339Nano)))
		}
		add(true, "suspend", flowIfEmpty(suspend))
	}
	add(r.AllowUnknownFields, "allowUnknownFields", word("true"))
	return mapping("apiVersion", word(spec.APIVersion), "kind", word("Agent"), "metadata", metadata, "spec", body)
}

// node writes a resolved value.
func (r Resolved) node(at diff.Pointer, v *spec.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	switch {
	case r.hides(at, v):
		n = word(Hidden)
	case v.Kind == spec.Map:
		for _, p := range v.Pairs {
			n.Content = append(n.Content, plain(p.Key), r.node(at.Child(p.Key), p.Value))
		}
	case v.Kind == spec.List:
		n.Kind = yaml.SequenceNode
		for i, item := range v.Items {
			n.Content = append(n.Content, r.node(at.Item(i), item))
		}
	case v.Kind == spec.Null:
		n = word("null")
	case v.Kind == spec.Plain && !strings.Contains(v.Text, "\n"):
		n = word(r.Mask(v.Text))
	default:
		n = quoted(r.Mask(v.Text))
	}
	if len(n.Content) == 0 && at != "" {
		n.LineComment = comment(origin(v, r.Mask))
	}
	return flowIfEmpty(n)
}

// origin says where a value comes from.
func origin(v *spec.Value, mask func(string) string) string {
	place := v.Pos
	place.Column = 0
	if v.From == "" {
		return place.String()
	}
	return place.String() + ", from " + mask(strings.ReplaceAll(v.From, "file ", ""))
}

func comment(text string) string {
	return "# " + strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
}

func anyValues(labels map[string]string) diff.Object {
	object := diff.Object{}
	for name, value := range labels {
		object[name] = value
	}
	return object
}

// mapping makes a map of alternating names and nodes.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		n.Content = append(n.Content, plain(pairs[i].(string)), pairs[i+1].(*yaml.Node))
	}
	return n
}

func list(texts []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, text := range texts {
		n.Content = append(n.Content, plain(text))
	}
	return n
}

func flowIfEmpty(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.ScalarNode && len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// plain is a text, in quotes only where a reader would take it for something else.
func plain(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// word is a scalar as a manifest has it without quotes.
func word(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

// quoted is a text: as a block where it has several lines and a reader makes the same of it, else in quotes.
func quoted(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: yaml.DoubleQuotedStyle}
	if !strings.Contains(text, "\n") {
		return n
	}
	block := *n
	block.Style = yaml.LiteralStyle
	block.LineComment = "# from"
	data, err := yaml.Marshal(mapping("k", &block))
	var back map[string]string
	if err == nil && yaml.Unmarshal(data, &back) == nil && back["k"] == text {
		n.Style = yaml.LiteralStyle
	}
	return n
}
