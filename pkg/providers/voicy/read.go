package voicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// flowType is the agent_type of an agent that is built in the dashboard's flow editor (models/agent, checked 2026-11-21).
const flowType = "conversationalFlow"

// decodeAgent reads the answer of get: one agent.
func (d dialect) decodeAgent(a *rest.Answer) (providers.Live, error) {
	var raw map[string]any
	if err := rest.DecodeJSON(a, &raw); err != nil {
		return providers.Live{}, err
	}
	l, err := d.live(raw)
	if err != nil {
		return providers.Live{}, a.Odd("%w", err)
	}
	l.Whole = true
	return l, nil
}

// decodeAgents reads the answer of list: a bare array without paging (agent-list and list-agents, checked 2026-11-21).
func (d dialect) decodeAgents(a *rest.Answer) ([]providers.Live, error) {
	var raws []map[string]any
	if err := rest.DecodeJSON(a, &raws); err != nil {
		return nil, err
	}
	if raws == nil {
		return nil, a.Odd("null where the list of agents should be")
	}
	agents := make([]providers.Live, 0, len(raws))
	seen := map[string]bool{}
	for i, raw := range raws {
		l, err := d.live(raw)
		if err != nil {
			return nil, a.Odd("agent %d of the list: %w", i+1, err)
		}
		if seen[l.ID] {
			return nil, a.Odd("agent %s is in the list twice", l.ID)
		}
		seen[l.ID] = true
		l.Whole = d.listsVariables && hasAll(raw, d.variables)
		raws[i] = nil // two of each agent would be there at once
		agents = append(agents, l)
	}
	return agents, nil
}

// live reads one agent object. Fields it does not know are kept.
func (d dialect) live(raw map[string]any) (providers.Live, error) {
	_, own := raw[d.nameField]
	if _, foreign := raw[d.foreignName]; foreign && !own {
		return providers.Live{}, fmt.Errorf("%q instead of %q: this account speaks the other API generation: set `api: %s` in the Provider document",
			d.foreignName, d.nameField, d.other)
	}
	id, _ := raw["agent_id"].(string)
	if id == "" {
		return providers.Live{}, errors.New("no agent_id")
	}
	config, _ := diff.Normalize(d.schema().Type(), raw).(diff.Object)
	l := providers.Live{ID: id, Config: config, Locked: d.locked(raw)}
	l.Name, _ = raw[d.nameField].(string)
	l.Revision, _ = raw["updated_at"].(string)
	for _, field := range d.variables {
		if why := unreadable(raw[field]); why != "" {
			if l.Unreadable == nil {
				l.Unreadable = map[diff.Pointer]string{}
			}
			l.Unreadable[diff.Pointer("").Child(field)] = why
			delete(l.Config, field)
		}
	}
	return l, nil
}

// locked says why an agent cannot be written. agent-modify answers 422 for a flow agent; and the v1 pages once described agents
// with agent_prompt, for which no update was ever documented (get-agent, checked 2026-11-21).
func (d dialect) locked(raw map[string]any) string {
	if raw["agent_type"] == flowType {
		return "is a flow agent: Voicy changes flow agents in its dashboard only"
	}
	_, interim := raw["agent_prompt"]
	if _, general := raw["general_prompt"]; interim && !general && d.name == "v1" {
		return "has agent_prompt instead of general_prompt: Voicy documents no update for agents of this form"
	}
	return ""
}

// unreadable says why a list of variables cannot be compared: its items are told apart by their names. "" if it can.
func unreadable(list any) string {
	if list == nil {
		return ""
	}
	items, ok := list.([]any)
	if !ok {
		return "not a list"
	}
	seen := map[string]bool{}
	for i, item := range items {
		object, _ := item.(map[string]any)
		name, _ := object["name"].(string)
		if name == "" {
			return fmt.Sprintf("item %d has no name", i+1)
		}
		if seen[name] {
			return fmt.Sprintf("two items are named %q", name)
		}
		seen[name] = true
	}
	return ""
}

// decodeCreated reads the id out of the answer to a create, which the vendor documents as the new agent.
func decodeCreated(a *rest.Answer) (string, error) {
	var raw map[string]any
	if err := rest.DecodeJSON(a, &raw); err != nil {
		return "", err
	}
	id, _ := raw["agent_id"].(string)
	if id == "" {
		return "", a.Odd("the answer to a create has no agent_id")
	}
	return id, nil
}

// message finds the vendor's text in an error answer. Two shapes are documented: {"error": text} (error-handling, rate-limits) and
// {"status": "error", "message": text} (overview), checked 2026-11-21. Anything else is not Voicy speaking.
func message(_ int, body []byte) (text, requestID string, ok bool) {
	var raw map[string]any
	if json.Unmarshal(body, &raw) != nil {
		return "", "", false
	}
	if text, ok = raw["error"].(string); ok {
		return text, "", true
	}
	if raw["status"] == "error" {
		text, ok = raw["message"].(string)
	}
	return text, "", ok
}

// maxReset is the longest wait that a rate header is believed: the documented windows are one minute long.
const maxReset = 2 * time.Minute

// maxLimit is the largest limit that a rate header is believed, ten times that of the largest plan on record.
const maxLimit = 6000

// pace reads X-RateLimit-Limit, which differs by plan, X-RateLimit-Remaining, and X-RateLimit-Reset, which is in Unix seconds (rate-limits,
// checked 2026-11-21).
func pace(h http.Header, now time.Time) (rate rest.Rate, ok bool) {
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if err != nil || remaining < 0 {
		return rest.Rate{}, false
	}
	seconds, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return rest.Rate{}, false
	}
	rate = rest.Rate{Remaining: remaining, Reset: time.Unix(seconds, 0)}
	if rate.Reset.After(now.Add(maxReset)) {
		return rest.Rate{}, false
	}
	if limit, err := strconv.Atoi(h.Get("X-RateLimit-Limit")); err == nil && limit > 0 && limit <= maxLimit {
		rate.Limit = limit
	}
	return rate, true
}

func hasAll(raw map[string]any, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		_, ok := raw[name]
		return !ok
	})
}
