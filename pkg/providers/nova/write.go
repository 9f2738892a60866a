package nova

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	webhookField = "precall_webhook"
	headersPath  = diff.Pointer("/precall_webhook/headers")
)

// planCreate says how to create an agent: a POST with what both published schemas of it take (create-agent, js-sdk), then a PATCH with the
// rest; checked 2026-11-21.
func (o org) planCreate(c providers.Change) providers.Write {
	root := agentSchema().Type()
	first, rest := diff.Object{}, diff.Object{}
	for name, value := range c.Desired {
		t := root.Field(name)
		switch {
		case t != nil && t.ReadOnly:
		case slices.Contains(root.RequiredOnCreate, name) || (t != nil && t.CreateOnly):
			first[name] = value
		default:
			rest[name] = value
		}
	}
	create := providers.JSONRequest(http.MethodPost, o.agents(), first)
	create.Once, create.Creates = true, true
	w := providers.Write{Requests: []providers.Request{create}}
	if len(rest) == 0 {
		return w
	}
	w.Requests = append(w.Requests, providers.JSONRequest(http.MethodPatch, o.agents()+"/{id}", rest))
	w.Reason = "a create takes the name, the type and the prompt only; the rest follows as an update"
	// A copy has the objects of its original, which may bring what is required.
	if _, copies := first["copy_from_agent_id"]; !copies {
		w.Findings = incomplete(root, rest)
	}
	return w
}

// planUpdate says how to update an agent: one PATCH with the changed top-level fields, config objects whole (update-agent, checked
// 2026-11-21).
func (o org) planUpdate(c providers.Change) providers.Write {
	path, err := o.agent(cmp.Or(c.ID, c.Live.ID))
	if err != nil {
		return refused(err)
	}
	root := agentSchema().Type()
	c.Fields = providers.Sendable(root, c.Fields)
	body, carried := providers.Body(root, c)
	w := providers.Write{Carried: carried}
	w.Findings = slices.Concat(providers.DropUnreadable(c.Live, body), incomplete(root, body), masked(root, c.Live, carried))
	if hidesHeaders(c, body) {
		if slices.ContainsFunc(c.AcceptReset, func(p diff.Pointer) bool { return p.Covers(headersPath) }) {
			w.Reset = []string{string(headersPath)}
		} else {
			w.Findings = append(w.Findings, providers.NewBlocking(providers.CodeLossyPut,
				"precall_webhook is sent whole, and headers that Nova does not show would be lost",
				"declare precall_webhook.headers (an empty map if there are none), or list "+string(headersPath)+" in spec.acceptReset"))
		}
	}
	if len(body) > 0 {
		w.Requests = []providers.Request{providers.JSONRequest(http.MethodPatch, path, body)}
	}
	return w
}

// planDelete says how to delete an agent (js-sdk, agents.delete, checked 2026-11-21).
func (o org) planDelete(l providers.Live) providers.Write {
	path, err := o.agent(l.ID)
	if err != nil {
		return refused(err)
	}
	return providers.Write{Requests: []providers.Request{providers.JSONRequest(http.MethodDelete, path, nil)}}
}

func refused(err error) providers.Write {
	return providers.Write{Findings: []providers.Finding{providers.NewBlocking(providers.CodeUnreadAgent, err.Error(), "")}}
}

// incomplete finds objects that lack a field which the vendor requires whenever the object is sent (js-sdk, checked 2026-11-21).
func incomplete(root *diff.Type, body diff.Object) (findings []providers.Finding) {
	for _, name := range diff.Keys(body) {
		node, isObject := body[name].(diff.Object)
		t := root.Field(name)
		if !isObject || t == nil {
			continue
		}
		missing := slices.DeleteFunc(slices.Clone(t.Required), func(field string) bool { return !diff.IsEmpty(node[field]) })
		if len(missing) > 0 {
			slices.Sort(missing)
			findings = append(findings, providers.NewBlocking(providers.CodeNodeRequired,
				name+" cannot be sent without "+strings.Join(missing, ", "), ""))
		}
	}
	return findings
}

// masked finds secrets that would be sent back as the mask that the vendor shows.
func masked(root *diff.Type, l providers.Live, carried []string) (findings []providers.Finding) {
	for _, pointer := range carried {
		p := diff.Pointer(pointer)
		if t := root.At(p); t == nil || !t.Sensitive {
			continue
		}
		if value, ok := p.Get(l.Config); ok && looksMasked(value) {
			findings = append(findings, providers.NewBlocking(providers.CodeMasked,
				pointer+" is masked in the vendor's answer and would be overwritten by its mask", ""))
		}
	}
	return findings
}

// looksMasked reports whether a string in v looks like a mask. How, and whether, Nova masks secrets is not documented.
func looksMasked(v any) bool {
	switch v := v.(type) {
	case string:
		s := strings.ToLower(v)
		return slices.ContainsFunc([]string{"***", "•••", "…", "redacted", "masked", "hidden", "xxxx"},
			func(mask string) bool { return strings.Contains(s, mask) })
	case []any:
		return slices.ContainsFunc(v, looksMasked)
	case map[string]any:
		for _, value := range v {
			if looksMasked(value) {
				return true
			}
		}
	}
	return false
}

// hidesHeaders reports whether the webhook is sent without headers although the live one may have some: it is not documented whether
// answers show them. A base with null headers says that there are none.
func hidesHeaders(c providers.Change, body diff.Object) bool {
	node, sent := body[webhookField].(diff.Object)
	if !sent || diff.IsEmpty(c.Live.Config[webhookField]) {
		return false
	}
	_, known := node["headers"]
	value, recorded := headersPath.Get(c.Base)
	return !known && !(recorded && value == nil)
}

// org is an organisation's id as a segment of a path; it is part of every one.
type org string

func (o org) agents() string { return "/org/" + string(o) + "/agents" }

// agent returns the path of one agent. Without an id it would be that of all of them.
func (o org) agent(id string) (string, error) {
	segment, err := rest.Segment(id)
	return o.agents() + "/" + segment, err
}
