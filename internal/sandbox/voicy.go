package sandbox

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// voicy is the v1 API, after docs.voicy.co/api-reference (update-agent, list-agents, get-agent, delete-agent). The page of its
// create could not be found: it takes the fields of the update, with the name required. Checked 2026-11-21.
type voicy struct {
	s  *Server
	st *store
}

func voicyFields() map[string]field {
	text := field{kind: kindText}
	name := field{kind: kindText, required: true, filled: true}
	return map[string]field{
		"agent_name":            {kind: kindText, required: true, filled: true},
		"voice_id":              text,
		"language":              text,
		"general_prompt":        text,
		"begin_message":         text,
		"begin_message_mode":    {kind: kindText, enum: []string{"static", "dynamic", "off"}},
		"response_delay_ms":     {kind: kindInteger},
		"prompt_text_direction": {kind: kindText, enum: []string{"rtl", "ltr"}},
		"vars_provided": {kind: kindArray, unique: "name", items: &field{kind: kindObject, fields: map[string]field{
			"name": name, "type": text, "default_value": {kind: kindText, null: true}, "description": text}}},
		"vars_extracted": {kind: kindArray, unique: "name", items: &field{kind: kindObject, fields: map[string]field{
			"name": name, "type": text, "description": text, "required": {kind: kindBoolean}}}},
	}
}

func voicyDefaults() map[string]any {
	return map[string]any{
		"agent_name": "Agent", "voice_id": "pNInz6obpgDQGcFmaJgB", "language": "he", "general_prompt": "", "begin_message": "",
		"begin_message_mode": "static", "response_delay_ms": 0.0, "prompt_text_direction": "ltr",
		"vars_provided": []any{}, "vars_extracted": []any{},
	}
}

// voicyError is an error in the shape of one generation or the other: the older pages have error alone.
func (s *Server) voicyError(older bool, status int, message string) answer {
	if older != s.opts.Quirks.Voicy.OtherErrors {
		return answer{status: status, body: map[string]any{"error": message}}
	}
	return answer{status: status, body: map[string]any{"status": "error", "message": message}}
}

func (v voicy) fail(status int, message string) answer { return v.s.voicyError(true, status, message) }

func (v voicy) serve(in *request) answer {
	if in.bearer() != VoicyKey {
		return in.failed(http.StatusUnauthorized, "Invalid or missing API key")
	}
	return in.dispatch(http.StatusNotFound, []route{
		{http.MethodGet, "/list-agents", nil, func(string) answer { return v.list(in) }},
		{http.MethodGet, "/get-agent/{id}", nil, func(id string) answer { return v.get(in, id) }},
		{http.MethodPost, "/create-agent", nil, func(string) answer { return v.create(in) }},
		{http.MethodPatch, "/update-agent/{id}", nil, func(id string) answer { return v.update(in, id) }},
		{http.MethodDelete, "/delete-agent/{id}", nil, func(id string) answer { return v.remove(in, id) }},
	})
}

// findVoicy returns the agent of either generation, or the refusal.
func (s *Server) findVoicy(in *request, id string, look func(string) (map[string]any, bool)) (agent map[string]any, out answer, ok bool) {
	if !isUUID(id) {
		return nil, in.failed(http.StatusBadRequest, "agent_id must be a UUID"), false
	}
	agent, ok = look(id)
	if !ok {
		return nil, in.failed(http.StatusNotFound, "Agent not found"), false
	}
	if agent["_foreign"] == true {
		return nil, in.failed(cmp.Or(s.opts.Quirks.Voicy.ForeignStatus, http.StatusForbidden), "Access denied"), false
	}
	return agent, answer{}, true
}

func (v voicy) show(agent map[string]any) any {
	body := shown(agent)
	if v.s.opts.Quirks.Voicy.SortVariables {
		sortVariables(body, "vars_provided", "vars_extracted")
	}
	return v.s.numbers(body)
}

func sortVariables(agent map[string]any, names ...string) {
	for _, name := range names {
		items, _ := agent[name].([]any)
		slices.SortStableFunc(items, func(a, b any) int { return strings.Compare(variableName(a), variableName(b)) })
	}
}

func variableName(item any) string {
	o, _ := item.(map[string]any)
	name, _ := o["name"].(string)
	return name
}

func (v voicy) list(in *request) answer {
	rows := []any{}
	for _, agent := range v.st.sorted() {
		if agent["_foreign"] != true {
			rows = append(rows, v.show(agent))
		}
	}
	return answer{status: http.StatusOK, body: in.rows(rows)}
}

func (v voicy) get(in *request, id string) answer {
	agent, out, ok := v.s.findVoicy(in, id, v.st.see)
	if !ok {
		return out
	}
	return answer{status: http.StatusOK, body: v.show(agent)}
}

func (v voicy) create(in *request) answer {
	body, err := in.object()
	if err != nil {
		return in.failed(http.StatusBadRequest, err.Error())
	}
	if wrong := checkObject("", voicyFields(), body, nil, true); len(wrong) > 0 {
		return in.invalid(http.StatusBadRequest, wrong)
	}
	return v.s.createVoicy(in, v.st, body, v.show)
}

// createVoicy stores a new agent of either generation.
func (s *Server) createVoicy(in *request, st *store, body map[string]any, show func(map[string]any) any) answer {
	id := st.newID().(string)
	agent := st.defaults()
	maps.Copy(agent, s.plain(body).(map[string]any))
	agent["agent_id"] = id
	if out, ok := s.write(in, st, id, agent); !ok {
		return out
	}
	status := http.StatusCreated
	if s.opts.Quirks.Voicy.CreateOK {
		status = http.StatusOK
	}
	agent, _ = st.get(id)
	return answer{status: status, body: show(agent)}
}

func (v voicy) update(in *request, id string) answer {
	stored, out, ok := v.s.findVoicy(in, id, v.st.get)
	if !ok {
		return out
	}
	return v.s.updateVoicy(in, v.st, id, stored, voicyFields(), v.show)
}

// updateVoicy changes what the body names, in either generation. Variables are replaced as a whole.
func (s *Server) updateVoicy(in *request, st *store, id string, stored map[string]any, fields map[string]field,
	show func(map[string]any) any,
) answer {
	body, err := in.object()
	if err != nil {
		return in.failed(http.StatusBadRequest, err.Error())
	}
	if len(body) == 0 {
		return in.failed(http.StatusBadRequest, "no fields to update")
	}
	if wrong := checkObject("", fields, body, nil, false); len(wrong) > 0 {
		return in.invalid(http.StatusBadRequest, wrong)
	}
	agent := copyObject(stored)
	maps.Copy(agent, s.plain(body).(map[string]any))
	if out, ok := s.write(in, st, id, agent); !ok {
		return out
	}
	agent, _ = st.get(id)
	return answer{status: http.StatusOK, body: show(agent)}
}

func (v voicy) remove(in *request, id string) answer {
	agent, out, ok := v.s.findVoicy(in, id, v.st.get)
	if !ok {
		return out
	}
	if numbers, _ := agent["_numbers"].([]any); len(numbers) > 0 {
		return in.failed(cmp.Or(v.s.opts.Quirks.Voicy.InUseStatus, http.StatusBadRequest), "Cannot delete an agent that is assigned to a phone number")
	}
	v.s.tick(v.st)
	if err := v.st.remove(id); err != nil {
		return in.failed(http.StatusInternalServerError, err.Error())
	}
	return answer{status: http.StatusNoContent}
}
