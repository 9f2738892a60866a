package voicy

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// planCreate says how to create an agent. agent-create takes the fields of the agent (checked 2026-11-21); for v1 the same is assumed.
func (d dialect) planCreate(c providers.Change) providers.Write {
	w := providers.Write{Requests: []providers.Request{{
		Request: rest.Request{Method: http.MethodPost, Path: d.create, JSON: d.withoutNulls(c.Desired), Once: true},
		Fields:  diff.Keys(c.Desired),
		Creates: true,
	}}}
	if d.deploys {
		w.Findings = append(w.Findings, providers.NewWarning(providers.CodeDeploys, "the create deploys the agent at once", ""))
	}
	return w
}

// planUpdate says how to update an agent: one PATCH with the changed fields (update-agent, agent-modify, checked 2026-11-21). A list
// of variables in it replaces the live one, so it is the manifest's, whole.
func (d dialect) planUpdate(c providers.Change) providers.Write {
	if c.Live.Locked != "" {
		return locked(c.Live)
	}
	body, carried := providers.Body(d.schema().Type(), c)
	w := providers.Write{Carried: carried}
	// An empty PATCH is undocumented.
	if len(body) == 0 {
		return w
	}
	w.Requests = []providers.Request{{
		Request: rest.Request{Method: http.MethodPatch, Path: agentPath(d.update, c.Live.ID), JSON: d.withoutNulls(body)},
		Fields:  diff.Keys(body),
	}}
	for _, field := range d.variables {
		if _, sent := body[field]; sent && d.hidesItems(field, c) {
			w.Findings = append(w.Findings, providers.NewWarning(providers.CodeUnseenItems,
				fmt.Sprintf("%s: the live items may hold values that Voicy does not show, and this first write replaces them", field), ""))
		}
	}
	if d.deploys {
		w.Findings = append(w.Findings, providers.NewWarning(providers.CodeDeploys,
			"the write deploys at once, with dashboard edits of this agent that are not deployed yet", ""))
	}
	return w
}

// withoutNulls returns body without the null fields of variables: the vendor shows them, and does not document sending them.
func (d dialect) withoutNulls(body diff.Object) diff.Object {
	clean := maps.Clone(body)
	for _, field := range d.variables {
		items, ok := body[field].([]any)
		if !ok {
			continue
		}
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = item
			if object, ok := item.(diff.Object); ok {
				object = maps.Clone(object)
				maps.DeleteFunc(object, func(_ string, v any) bool { return v == nil })
				list[i] = object
			}
		}
		clean[field] = list
	}
	return clean
}

// hidesItems reports whether agentsync never wrote the list of variables and the vendor may have left something out of its live
// items.
func (d dialect) hidesItems(field string, c providers.Change) bool {
	if _, written := c.Base[field]; written {
		return false
	}
	items, _ := c.Live.Config[field].([]any)
	for _, item := range items {
		object, _ := item.(diff.Object)
		for name, t := range d.schema().Type().Field(field).Items.Fields {
			if _, shown := object[name]; t.ReadMaybe && !shown {
				return true
			}
		}
	}
	return false
}

// planDelete says how to delete an agent, which only v1 documents (delete-agent, checked 2026-11-21).
func (d dialect) planDelete(l providers.Live) providers.Write {
	if d.remove == "" {
		return providers.Write{Findings: []providers.Finding{providers.NewBlocking(providers.CodeNotDeleted,
			"Voicy's API generation "+d.name+" has no delete", "")}}
	}
	if l.Locked != "" {
		return locked(l)
	}
	return providers.Write{Requests: []providers.Request{{
		Request: rest.Request{Method: http.MethodDelete, Path: agentPath(d.remove, l.ID)},
	}}}
}

func locked(l providers.Live) providers.Write {
	return providers.Write{Findings: []providers.Finding{
		providers.NewBlocking(providers.CodeLocked, fmt.Sprintf("agent %s %s", l.ID, l.Locked), ""),
	}}
}

// agentPath is the path of a route for one agent.
func agentPath(route, id string) string { return route + "/" + url.PathEscape(id) }
