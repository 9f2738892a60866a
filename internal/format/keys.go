package format

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/pkg/providers/schema"
)

// keys is the order of the keys of a map, or of the maps in a list. Keys that it does not name follow in the order they have.
type keys struct {
	names []string
	below map[string]*keys
}

func named(names ...string) *keys { return &keys{names: names, below: map[string]*keys{}} }

// with says how the keys below one of k's are ordered.
func (k *keys) with(name string, below *keys) *keys {
	k.below[name] = below
	return k
}

func (k *keys) rank(name string) int {
	if k == nil {
		return 0
	}
	if i := slices.Index(k.names, name); i >= 0 {
		return i
	}
	return len(k.names)
}

func (k *keys) under(name string) *keys {
	if k == nil {
		return nil
	}
	if below, ok := k.below[name]; ok {
		return below
	}
	return k.below["*"]
}

// documentKeys is the order for one document: that of the published schema of manifests, and for a config that of its vendor's.
func documentKeys(root *yaml.Node, fields Fields) *keys {
	body := child(root, "spec")
	var order *keys
	switch text(root, "kind") {
	case "Agent":
		order = named("provider", "id", "config", "ignore", "drift", "update", "acceptReset", "protect", "suspend", "allowUnknownFields").
			with("suspend", named("reason", "until"))
		if fields != nil {
			order.with("config", fieldKeys(fields(text(body, "provider"))))
		}
	case "Provider":
		order = named("type", "baseURL", "api", "orgID", "auth", "oauthURL", "listPath", "limits", "timeout").
			with("auth", named("apiKey", "email", "password", "accessToken")).
			with("limits", named("requestsPerMinute", "maxInFlight"))
	case "Config":
		order = named("state", "drift", "limits", "freeze").
			with("limits", named("maxDeletes", "maxChangedPercent", "minAgents")).
			with("freeze", named("reason", "from", "to", "days", "timeZone"))
	}
	return named("apiVersion", "kind", "metadata", "spec").with("metadata", named("name", "labels", "annotations")).with("spec", order)
}

// fieldKeys is the order that a schema gives its fields.
func fieldKeys(docs []schema.FieldDoc) *keys {
	if len(docs) == 0 {
		return nil
	}
	order := named()
	for _, doc := range docs {
		name := doc.Path[strings.LastIndexByte(doc.Path, '.')+1:]
		order.names = append(order.names, name)
		order.with(name, fieldKeys(doc.Children))
	}
	return order
}
