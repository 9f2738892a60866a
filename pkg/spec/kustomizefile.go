package spec

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// kustomizationFile checks that a kustomization file runs and fetches nothing, and, in the top one, has the origin of each
// resource noted. Kustomize matches its fields without regard to case.
func (g *guardedFiles) kustomizationFile(file string, nodes []*yaml.Node, top bool) ([]*yaml.Node, Problems) {
	if len(nodes) != 1 || nodes[0].Kind != yaml.MappingNode {
		return nil, Problems{{Pos: Pos{File: file}, Message: "a kustomization file holds one document, a map"}}
	}
	c := &converter{file: file, open: map[*yaml.Node]bool{}}
	for _, p := range c.value(nodes[0], 0).Pairs {
		switch strings.ToLower(p.Key) {
		case "generators", "transformers", "validators", "helmcharts", "helmchartinflationgenerator", "helmglobals":
			c.problems = append(c.problems, Problem{Pos: p.KeyPos, Message: "kustomization field " + p.Key + " is not supported",
				Hint: "plugins, functions and charts are not run: render them first and pipe the result in (`agentsync plan -`)"})
		case "commonannotations", "commonlabels", "labels", "metadata":
		case "resources", "bases", "components":
			c.local(p.Value, isRemote)
		default:
			c.local(p.Value, isURL)
		}
	}
	if top {
		noteOrigins(nodes[0])
	}
	return nodes, c.problems
}

// local reports each text in v that is remote.
func (c *converter) local(v *Value, remote func(string) bool) {
	_, argument, _ := strings.Cut(v.Text, "=") // a generator's file may be given as key=path
	if remote(v.Text) || isURL(argument) {
		c.problems = append(c.problems, Problem{Pos: v.Pos, Message: "a kustomization may not name anything remote",
			Hint: "nothing is fetched: copy it into the repository"})
	}
	for _, item := range v.Items {
		c.local(item, remote)
	}
	for _, p := range v.Pairs {
		if !strings.EqualFold(p.Key, "patch") && !strings.EqualFold(p.Key, "literals") {
			c.local(p.Value, remote)
		}
	}
}

// isURL reports whether kustomize would fetch path instead of reading it.
func isURL(path string) bool {
	u, err := url.Parse(path)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// noteOrigins asks for origin annotations in a kustomization, beside what it asks for itself.
func noteOrigins(n *yaml.Node) {
	origins := &yaml.Node{Kind: yaml.ScalarNode, Value: "originAnnotations"}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, "buildMetadata") && n.Content[i+1].Kind == yaml.SequenceNode {
			n.Content[i+1].Content = append(n.Content[i+1].Content, origins)
			return
		}
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "buildMetadata"},
		&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{origins}})
}

// plainMark begins a quoted text that stands for an unquoted scalar. Kustomize turns a document into JSON and back for some
// patches, which makes 83 of 0123, 1000 of 1e3 and "no" of no; a quoted text comes through as it is.
const plainMark = "agentsync.dev/plain:"

// protect puts the scalars of n into a form that kustomize cannot change.
func protect(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Kind == yaml.ScalarNode && k.ShortTag() != "!!merge" && (k.ShortTag() != "!!str" || isTrap(k)) {
				k.Style, k.Tag = yaml.DoubleQuotedStyle, "!!str"
			}
		}
	}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			protect(child)
		}
	}
	const blocks = yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.ShortTag() == "!!null":
		n.Value, n.Style, n.Tag = "null", 0, "!!null" // a patched map loses a null that is written as nothing
	case n.Style&blocks != 0:
		n.Style = yaml.DoubleQuotedStyle
	case isTrap(n):
		n.Value, n.Style, n.Tag = plainMark+n.Value, yaml.DoubleQuotedStyle, "!!str"
	}
}

// isTrap reports whether an unquoted scalar could come back from JSON as another text.
func isTrap(n *yaml.Node) bool {
	const quotes = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if n.Style&quotes != 0 || n.Value == "" {
		return false
	}
	switch n.ShortTag() {
	case "!!bool":
		return n.Value != "true" && n.Value != "false"
	case "!!int":
		i, err := strconv.ParseInt(n.Value, 10, 64)
		return err != nil || strconv.FormatInt(i, 10) != n.Value || len(n.Value) > 15
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		return err != nil || strconv.FormatFloat(f, 'f', -1, 64) != n.Value
	case "!!str":
		words := []string{"y", "n", "yes", "no", "on", "off"} // YAML 1.1 booleans
		return strings.ContainsAny(n.Value[:1], "0123456789+-.") || slices.Contains(words, strings.ToLower(n.Value))
	}
	return true
}
