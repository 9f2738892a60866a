package centerfy

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// planCreate says how to create an agent: every declared field in one request (create-agent, checked 2026-11-21).
func planCreate(c providers.Change) providers.Write {
	root := agentSchema().Type()
	body := maps.Clone(c.Desired)
	maps.DeleteFunc(body, func(name string, _ any) bool {
		t := root.Field(name)
		return t != nil && t.ReadOnly
	})
	create := providers.JSONRequest(http.MethodPost, "/create-agent", body)
	create.Once, create.Creates = true, true
	return providers.Write{Requests: []providers.Request{create}, Findings: incomplete(root, body)}
}

// planUpdate says how to update an agent: one PUT, which changes only the fields in it; one without a field is a 400. Rules between fields
// are checked against the request, so groups travel whole; a toggle that is switched off travels alone. The organisation and
// sub-account are fixed at the creation (update-agent, checked 2026-11-21).
func planUpdate(c providers.Change) providers.Write {
	id := cmp.Or(c.ID, c.Live.ID)
	segment, err := rest.Segment(id)
	if err != nil {
		return refused(providers.CodeUnreadAgent, err.Error())
	}
	if c.Live.Gone {
		return refused(providers.CodeArchived, fmt.Sprintf("agent %s is archived, and what an update of it does is not documented", id))
	}
	root := agentSchema().Type()
	c.Fields = providers.Sendable(root, c.Fields)
	body, carried := providers.Body(root, c)
	w := providers.Write{Carried: carried, Findings: slices.Concat(providers.DropUnreadable(c.Live, body), incomplete(root, body))}
	if len(body) > 0 {
		w.Requests = []providers.Request{providers.JSONRequest(http.MethodPut, "/update-agent/"+segment, body)}
	}
	return w
}

// planDelete says how to archive an agent. The page is marked DELETE, the call is a POST with the id in its body, and repeating
// it is harmless (delete-agent, checked 2026-11-21).
func planDelete(l providers.Live) providers.Write {
	if _, err := rest.Segment(l.ID); err != nil {
		return refused(providers.CodeUnreadAgent, err.Error())
	}
	return providers.Write{Requests: []providers.Request{providers.JSONRequest(http.MethodPost, "/archive-agent", diff.Object{"agent_id": l.ID})}}
}

func refused(code, why string) providers.Write {
	return providers.Write{Findings: []providers.Finding{providers.NewBlocking(code, why, "")}}
}

// incomplete finds the fields that body lacks although a field in it requires them: what a toggle that is on toggles, but a message
// only where one is left (update-agent, checked 2026-11-21). The schema says the same of a manifest, which need not hold them all.
func incomplete(root *diff.Type, body diff.Object) (findings []providers.Finding) {
	for _, name := range slices.Sorted(maps.Keys(root.Fields)) {
		by, value := root.Fields[name].Toggle, any(true)
		if name == "voicemail_message" {
			by, value = "voicemail_type", "leave_message"
		}
		if by != "" && body[by] == value && diff.IsEmpty(body[name]) {
			findings = append(findings, providers.NewBlocking(providers.CodeGroupRequired, fmt.Sprintf("%s is required when %s is %v", name, by, value), ""))
		}
	}
	return findings
}
