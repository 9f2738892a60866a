package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// centerfy follows the page "Update Agent" and setup.centerfy.ai/api (overview, create-agent, get-agent, delete-agent). Checked
// 2026-11-21.
type centerfy struct {
	s  *Server
	st *store
}

// centerfyFields are the fields of create. Those whose required mark could not be read on the page are optional, except the two
// ids: nothing else could give them.
func centerfyFields() map[string]field {
	boolean := field{kind: kindBoolean, required: true}
	number := field{kind: kindNumber, required: true}
	unmarked := field{kind: kindBoolean}
	return map[string]field{
		"name":                   {kind: kindText, required: true, filled: true},
		"voice_id":               {kind: kindText, required: true, filled: true},
		"max_duration":           number,
		"temperature":            {kind: kindNumber, required: true, between: &[2]float64{0, 1}},
		"silence_timeout":        number,
		"voice_activity_timeout": number,
		"llm_model":              {kind: kindText, required: true, filled: true},
		"language":               {kind: kindText, required: true, filled: true},
		"background_noise":       boolean,
		"background_type":        {kind: kindText},
		"voicemail_detection":    boolean,
		"voicemail_type":         {kind: kindText, enum: []string{"leave_message", "hangup"}},
		"voicemail_message":      {kind: kindText},
		"backcchanneling":        unmarked,
		"is_active":              unmarked,
		"webhook":                unmarked,
		"webhook_url":            {kind: kindText},
		"recording":              unmarked,
		"organization_id":        {kind: kindText, required: true},
		"sub_account_id":         {kind: kindText, required: true},
	}
}

func centerfyDefaults() map[string]any {
	agent := map[string]any{
		"organization_id": CenterfyOrg, "sub_account_id": CenterfyAccount,
		"name": "Agent", "voice_id": "Sulafat", "llm_model": "gpt-4o-mini", "language": "en-US",
		"max_duration": 30.0, "temperature": 0.7, "silence_timeout": 10.0, "voice_activity_timeout": 500.0,
		"background_noise": false, "voicemail_detection": false, "backcchanneling": false, "is_active": true,
		"webhook": false, "recording": false,
	}
	for _, name := range []string{"background_type", "voicemail_type", "voicemail_message", "webhook_url"} {
		agent[name] = nil
	}
	return agent
}

func (c centerfy) quirks() CenterfyQuirks { return c.s.opts.Quirks.Centerfy }

func (c centerfy) fail(status int, message string) answer {
	body := map[string]any{"error": true, "message": message}
	if c.quirks().TextErrors {
		body = map[string]any{"error": message}
	}
	return answer{status: status, body: body}
}

func (c centerfy) serve(in *request) answer {
	key := in.header.Get("X-Api-Key")
	if key == "" {
		key = in.bearer()
	}
	if key != CenterfyKey {
		return in.failed(http.StatusUnauthorized, "Unauthorized: invalid or missing API key")
	}
	return in.dispatch(http.StatusNotFound, []route{
		{http.MethodGet, "/get-agent/{id}", nil, func(id string) answer { return c.get(in, id) }},
		{http.MethodPost, "/create-agent", nil, func(string) answer { return c.create(in) }},
		{http.MethodPut, "/update-agent/{id}", nil, func(id string) answer { return c.update(in, id) }},
		{http.MethodPost, "/archive-agent", nil, func(string) answer { return c.archive(in) }},
	})
}

// find returns the agent, or the refusal. Archived ones are found.
func (c centerfy) find(in *request, id string, look func(string) (map[string]any, bool)) (agent map[string]any, out answer, ok bool) {
	if !isUUID(id) {
		return nil, in.failed(http.StatusBadRequest, "agent id must be a UUID"), false
	}
	agent, ok = look(id)
	if !ok {
		return nil, in.failed(http.StatusNotFound, "Agent not found"), false
	}
	if agent["_foreign"] == true {
		return nil, in.failed(http.StatusForbidden, "Organization/sub-account mismatch with API key scope"), false
	}
	return agent, answer{}, true
}

func (c centerfy) get(in *request, id string) answer {
	agent, out, ok := c.find(in, id, c.st.see)
	if !ok {
		return out
	}
	body := shown(agent)
	if at := agent["_deleted"]; at != nil {
		if !c.quirks().ShowArchived {
			return in.failed(http.StatusNotFound, "Agent not found")
		}
		body["archived_at"] = at
	}
	if c.quirks().FixedSpelling {
		body["backchanneling"] = body["backcchanneling"]
		delete(body, "backcchanneling")
	}
	return answer{status: http.StatusOK, body: c.s.numbers(body)}
}

func (c centerfy) create(in *request) answer {
	body, err := in.object()
	if err != nil {
		return in.failed(http.StatusBadRequest, err.Error())
	}
	fields := centerfyFields()
	if c.quirks().RequireAll {
		for _, name := range []string{"backcchanneling", "is_active", "webhook", "recording"} {
			fields[name] = field{kind: kindBoolean, required: true}
		}
	}
	wrong := append(checkObject("", fields, body, nil, true), dependents(body, body)...)
	if len(wrong) > 0 {
		return in.invalid(http.StatusBadRequest, wrong)
	}
	if body["organization_id"] != CenterfyOrg || body["sub_account_id"] != CenterfyAccount {
		return in.failed(http.StatusForbidden, "Organization/sub-account mismatch with API key scope")
	}
	id := c.st.newID().(string)
	agent := centerfyDefaults()
	maps.Copy(agent, c.s.plain(body).(map[string]any))
	agent["id"] = id
	if out, ok := c.s.write(in, c.st, id, agent); !ok {
		return out
	}
	idName, status := "id", http.StatusCreated
	if c.quirks().CreateAgentID {
		idName = "agent_id"
	}
	if c.quirks().CreateOK {
		status = http.StatusOK
	}
	agent, _ = c.st.get(id)
	return answer{status: status, body: map[string]any{idName: id, "name": agent["name"], "is_active": agent["is_active"],
		"created_at": agent["created_at"]}}
}

func (c centerfy) update(in *request, id string) answer {
	stored, out, ok := c.find(in, id, c.st.get)
	if !ok {
		return out
	}
	if stored["_deleted"] != nil {
		return in.failed(http.StatusNotFound, "Agent not found")
	}
	body, err := in.object()
	if err != nil {
		return in.failed(http.StatusBadRequest, err.Error())
	}
	if len(body) == 0 {
		return in.failed(http.StatusBadRequest, "No updatable fields provided")
	}
	fields := centerfyFields()
	for _, name := range []string{"organization_id", "sub_account_id"} {
		fields[name] = field{why: "cannot be changed"}
	}
	merged := copyObject(stored)
	maps.Copy(merged, body)
	against := body
	if c.quirks().MergedRules {
		against = merged
	}
	wrong := append(checkObject("", fields, body, nil, false), dependents(body, against)...)
	if len(wrong) > 0 {
		return in.invalid(http.StatusBadRequest, wrong)
	}
	agent := copyObject(stored)
	maps.Copy(agent, c.s.plain(body).(map[string]any))
	if c.quirks().ClearDependents {
		clearDependents(agent)
	}
	if out, ok := c.s.write(in, c.st, id, agent); !ok {
		return out
	}
	agent, _ = c.st.get(id)
	return answer{status: http.StatusOK, body: map[string]any{"id": id, "name": agent["name"], "is_active": agent["is_active"],
		"updated_at": agent["updated_at"]}}
}

// dependents are the conditional rules: what the body sets, the values must have.
func dependents(body, values map[string]any) []string {
	var wrong []string
	for _, rule := range []struct {
		name    string
		is      any
		demands string
	}{
		{"background_noise", true, "background_type"},
		{"voicemail_detection", true, "voicemail_type"},
		{"voicemail_type", "leave_message", "voicemail_message"},
		{"webhook", true, "webhook_url"},
	} {
		if text, _ := values[rule.demands].(string); body[rule.name] == rule.is && text == "" {
			wrong = append(wrong, fmt.Sprintf("%s: required when %s=%v", rule.demands, rule.name, rule.is))
		}
	}
	slices.Sort(wrong)
	return wrong
}

func clearDependents(agent map[string]any) {
	if agent["background_noise"] == false {
		agent["background_type"] = nil
	}
	if agent["voicemail_detection"] == false {
		agent["voicemail_type"] = nil
	}
	if agent["voicemail_type"] != "leave_message" {
		agent["voicemail_message"] = nil
	}
	if agent["webhook"] == false {
		agent["webhook_url"] = nil
	}
}

func (c centerfy) archive(in *request) answer {
	body, err := in.object()
	if err != nil {
		return in.failed(http.StatusBadRequest, err.Error())
	}
	fields := map[string]field{"agent_id": {kind: kindText, required: true}}
	if wrong := checkObject("", fields, body, nil, true); len(wrong) > 0 {
		return in.invalid(http.StatusBadRequest, wrong)
	}
	id, _ := body["agent_id"].(string)
	agent, out, ok := c.find(in, id, c.st.get)
	if !ok {
		return out
	}
	if agent["_deleted"] == nil {
		agent = copyObject(agent)
		agent["_deleted"] = c.st.stamp(c.s.now())
		if out, ok := c.s.write(in, c.st, id, agent); !ok {
			return out
		}
	}
	return answer{status: http.StatusOK, body: map[string]any{"agent_id": id, "archived_at": agent["_deleted"]}}
}
