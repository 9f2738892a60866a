package plan

import (
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

// Behind returns the agents, by address, whose manifests say something else than what was applied last, as far as the state can tell without
// a request: secrets, files and agents that the state does not know are left out. It estimates how much of a repository a plan is going to
// change.
func Behind(agents []*Agent, entries map[string]state.Entry) []string {
	var list []string
	for _, a := range agents {
		entry, known := entries[a.Address()]
		if known && entry.Record.ID != "" && len(entry.Record.Applied) > 0 && a.behind(entry.Record.Applied) {
			list = append(list, a.Address())
		}
	}
	return list
}

func (a *Agent) behind(applied diff.Object) bool {
	secret := map[string]bool{}
	for _, p := range a.Config.Sensitive {
		name, _, _ := strings.Cut(strings.TrimPrefix(string(p), "/"), "/")
		secret[name] = true
	}
	types := a.Account.Generation.Schema().Type()
	desired := diff.Without(a.Config.Object, pointers(a.Ignore))
	for name, value := range desired {
		field := types.Field(name)
		if field == nil || field.Sensitive || field.CreateOnly || secret[name] {
			continue
		}
		if !diff.Equal(field, applied[name], value) {
			return true
		}
	}
	return false
}
