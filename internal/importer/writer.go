package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
)

// writer writes one manifest, once.
type writer struct {
	account Account
	name    string
	live    providers.Live
	root    *diff.Type
	// left says why a value is not declared, by its pointer: what earlier attempts found out.
	left map[diff.Pointer]string

	tree      *yaml.Node // spec.config
	leaves    []diff.Pointer
	files     map[string]string // by path
	secrets   map[string]string // the live value by variable
	variables []Variable
	notes     []string
	unknown   []string // fields that the schema does not have
	// directives are the nodes that take a text from a file, with its path.
	directives map[*yaml.Node]string
}

func newWriter(a Account, name string, live providers.Live, left map[diff.Pointer]string) *writer {
	return &writer{account: a, name: name, live: live, left: left, root: a.Generation.Schema().Type(),
		files: map[string]string{}, secrets: map[string]string{}, directives: map[*yaml.Node]string{}}
}

// config builds spec.config and the notes.
func (w *writer) config() {
	doc, _ := w.account.Generation.Schema().Lookup("")
	w.tree = w.object(w.root, doc, "", w.live.Config)
	for _, p := range slices.Sorted(pointers(w.live.Unreadable)) {
		w.note(p, "cannot be read: "+w.live.Unreadable[p])
	}
	if len(w.unknown) > 0 {
		w.notes = append(w.notes, "fields that agentsync does not know: "+strings.Join(w.unknown, ", "))
	}
}

func (w *writer) note(at diff.Pointer, why string) {
	w.notes = append(w.notes, people(at)+": "+oneLine(why))
}

// object writes the fields of an object that is declared field by field, in the order of the schema.
func (w *writer) object(t *diff.Type, doc schema.FieldDoc, at diff.Pointer, live diff.Object) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fieldsOf(doc, live) {
		field, p := t.Field(f.name), at.Child(f.name)
		value, comment := w.field(field, f.doc, p, live[f.name])
		if value == nil {
			continue
		}
		head := key(f.name)
		head.HeadComment = comment
		node.Content = append(node.Content, head, value)
	}
	return node
}

// namedField is a field of an object with what the schema says of it.
type namedField struct {
	name string
	doc  schema.FieldDoc
}

// fieldsOf lists the fields that the schema describes, in its order, and then those that only live has.
func fieldsOf(doc schema.FieldDoc, live diff.Object) []namedField {
	var fields []namedField
	known := map[string]bool{}
	for _, child := range doc.Children {
		name := child.Path[strings.LastIndexByte(child.Path, '.')+1:]
		if known[name] = true; name != "*" {
			fields = append(fields, namedField{name, child})
		}
	}
	for _, name := range diff.Keys(live) {
		if !known[name] {
			fields = append(fields, namedField{name: name})
		}
	}
	return fields
}

// field writes one field, or notes why it does not. A comment goes above what it writes.
func (w *writer) field(t *diff.Type, doc schema.FieldDoc, at diff.Pointer, live any) (value *yaml.Node, comment string) {
	switch {
	case t == nil:
		w.unknown = append(w.unknown, people(at))
		return nil, ""
	case t.ReadOnly || t.CreateOnly:
		return nil, ""
	case t.WriteOnly:
		w.note(at, w.unseen(t, live))
		return nil, ""
	case diff.IsEmpty(live):
		return nil, ""
	}
	if nested, isObject := live.(diff.Object); isObject && !t.Whole && t.Kind == diff.Map {
		if value = w.object(t, doc, at, nested); len(value.Content) == 0 {
			return nil, ""
		}
		return value, ""
	}
	if why := w.refusal(t, at, live); why != "" {
		w.note(at, why)
		return nil, ""
	}
	w.leaves = append(w.leaves, at)
	return w.value(t, doc, at, live, false), w.comment(t, at, live)
}

// refusal says why a readable value is not declared, "" if it is.
func (w *writer) refusal(t *diff.Type, at diff.Pointer, live any) string {
	if why := w.left[at]; why != "" {
		return why
	}
	if isMasked(live, t.Sensitive) {
		return fmt.Sprintf("%s shows a mask instead of the value; to manage it, declare {$env: %s}", w.account.Title, w.variable(at))
	}
	if t.Toggle != "" && at.Parent() == "" && !diff.On(w.root, t.Toggle, nil, w.live.Config) {
		why := "means nothing while " + t.Toggle + " is off"
		if s, isText := live.(string); isText && !t.Sensitive {
			why += "; it is " + shown(s)
		}
		return why
	}
	return ""
}

// unseen says what is known of a field that the vendor does not show reliably.
func (w *writer) unseen(t *diff.Type, live any) string {
	title := w.account.Title
	if t.Items != nil && t.Items.File {
		why := "contents of files cannot be read back; to manage them, list the paths of all of them"
		if names, _ := w.live.Config[w.account.Generation.FilesShownAs].([]any); len(names) > 0 {
			why += ". Uploaded at " + title + ": " + list(names)
		}
		return why
	}
	why := "cannot be read back from " + title + "; declare it to manage it"
	if t.Sensitive {
		why += ", with {$env: NAME} in the place of each secret"
	}
	if object, isObject := live.(diff.Object); isObject && len(object) > 0 {
		var names []any
		for _, name := range diff.Keys(object) {
			names = append(names, name)
		}
		why += ". Now there: " + list(names)
	}
	return why
}

// comment says what a person should know about a value that is declared.
func (w *writer) comment(t *diff.Type, at diff.Pointer, live any) string {
	for _, v := range w.variables {
		if at.Covers(v.Field) {
			return "A secret: set " + v.Name + " to the value that is live."
		}
	}
	items, isList := live.([]any)
	if !isList || t.Items == nil {
		return ""
	}
	var hidden []string
	for _, name := range diff.Keys(types(t.Items.Fields)) {
		missing := func(item any) bool {
			object, isObject := item.(diff.Object)
			return isObject && object[name] == nil
		}
		if t.Items.Fields[name].ReadMaybe && slices.ContainsFunc(items, missing) {
			hidden = append(hidden, name)
		}
	}
	if len(hidden) == 0 {
		return ""
	}
	return fmt.Sprintf("%s may not show %s of an item, and a change sends the whole list: complete it before you change it.",
		w.account.Title, strings.Join(hidden, " and "))
}

func types(fields map[string]*diff.Type) diff.Object {
	object := diff.Object{}
	for name := range fields {
		object[name] = nil
	}
	return object
}

// value writes a value as it is. inside says that it is a part of a list or of an object that counts as one value: then also what is
// empty is kept.
func (w *writer) value(t *diff.Type, doc schema.FieldDoc, at diff.Pointer, live any, inside bool) *yaml.Node {
	switch v := live.(type) {
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range fieldsOf(doc, v) {
			if field := t.Field(f.name); v[f.name] != nil && (field == nil || !field.ReadOnly) {
				node.Content = append(node.Content, key(f.name), w.value(field, f.doc, at.Child(f.name), v[f.name], true))
			}
		}
		return flowIfEmpty(node)
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for i, item := range v {
			node.Content = append(node.Content, w.value(items(t), doc, at.Item(i), item, true))
		}
		return flowIfEmpty(node)
	}
	if t != nil && t.Sensitive && live != nil {
		return w.secret(at, live)
	}
	switch v := live.(type) {
	case string:
		if !inside && t.Kind == diff.String && ownFile(v, t.Text) {
			return w.file(at, v)
		}
		return text(v)
	case json.Number:
		return word(v.String())
	case bool:
		return word(fmt.Sprint(v))
	}
	return word("null")
}

func items(t *diff.Type) *diff.Type {
	if t == nil {
		return nil
	}
	return t.Items
}

func flowIfEmpty(n *yaml.Node) *yaml.Node {
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// directive writes {$file: argument} and the like.
func directive(name, argument string) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Value: name}, {Kind: yaml.ScalarNode, Value: argument}}}
}

func (w *writer) secret(at diff.Pointer, live any) *yaml.Node {
	name := w.variable(at)
	w.secrets[name] = fmt.Sprint(live)
	w.variables = append(w.variables, Variable{name, at})
	return directive("$env", name)
}

func (w *writer) file(at diff.Pointer, s string) *yaml.Node {
	stem := "prompts/" + w.name + "-" + strings.Map(fileRune, strings.Join(at.Tokens(), "."))
	path := stem + ".md"
	for n := 2; w.files[path] != ""; n++ {
		path = fmt.Sprintf("%s_%d.md", stem, n)
	}
	w.files[path] = s
	node := directive("$file", path)
	w.directives[node] = path
	return node
}

// fileRune keeps a field's name recognisable in a file's. A dash would leave open where the agent's name ends.
func fileRune(r rune) rune {
	if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '_') {
		return r
	}
	return '_'
}

// variable names the environment variable for the value at a place.
func (w *writer) variable(at diff.Pointer) string {
	words := w.account.Provider + "_" + w.name + "_" + strings.Join(at.Tokens(), "_")
	stem := strings.ToUpper(strings.ReplaceAll(slugged(words), "-", "_"))
	name := stem
	for n := 2; w.account.Used[name] || w.secrets[name] != ""; n++ {
		name = fmt.Sprintf("%s_%d", stem, n)
	}
	return name
}

// manifest returns the manifest's bytes. For a check, its texts come from the environment, under the paths of their files.
func (w *writer) manifest(check bool) []byte {
	for node := range w.directives {
		node.Content[0].Value = "$file"
		if check {
			node.Content[0].Value = "$env"
		}
	}
	metadata := mapping("name", text(w.name))
	body := mapping("provider", text(w.account.Provider), "id", text(w.live.ID), "config", flowIfEmpty(w.tree))
	if len(w.notes) > 0 {
		body.Content[len(body.Content)-2].HeadComment = "Not declared, and so left as it is at " + w.account.Title + ":\n- " + strings.Join(w.notes, "\n- ")
	}
	document := mapping("apiVersion", text(spec.APIVersion), "kind", text("Agent"), "metadata", metadata, "spec", body)
	document.Content[0].HeadComment = fmt.Sprintf("Imported from %s: %s. What is not declared here is never touched.", w.account.Title, shown(w.live.Name))
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(document); err != nil {
		panic(fmt.Sprintf("importer: %v", err)) // the nodes are our own
	}
	return unescape(out.Bytes())
}

// mapping makes a map of alternating keys and values.
func mapping(pairs ...any) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		node.Content = append(node.Content, key(pairs[i].(string)), pairs[i+1].(*yaml.Node))
	}
	return node
}
