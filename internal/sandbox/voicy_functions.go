package sandbox

import "net/http"

// voicyFunctions is the functions/v1 API, after docs.voicy.co/api-reference (agent-list, agent-get, agent-create, agent-modify,
// models/agent). Checked 2026-11-21.
type voicyFunctions struct {
	s  *Server
	st *store
}

func voicyFunctionsFields() map[string]field {
	text := field{kind: kindText}
	name := field{kind: kindText, required: true, filled: true}
	voices := []string{"Keren", "Karmit", "Kobi", "Kfir", "Dana", "Dafna", "Dorin", "Dan", "Dor", "David", "Sapir", "Steve"}
	return map[string]field{
		"name":            {kind: kindText, required: true, filled: true},
		"prompt":          {kind: kindText, required: true, filled: true},
		"language":        text,
		"voice":           {kind: kindText, enum: voices},
		"welcome_message": text,
		"variables_provided": {kind: kindArray, unique: "name", items: &field{kind: kindObject, fields: map[string]field{
			"name": name, "description": text, "default": text}}},
		"variables_extracted": {kind: kindArray, unique: "name", items: &field{kind: kindObject, fields: map[string]field{
			"name": name, "description": text, "required": {kind: kindBoolean}}}},
	}
}

func voicyFunctionsDefaults() map[string]any {
	return map[string]any{
		"name": "Agent", "prompt": "", "language": "he", "voice": "Keren", "welcome_message": "", "agent_type": "singlePrompt", "active": true,
		"variables_provided": []any{}, "variables_extracted": []any{},
	}
}

func (v voicyFunctions) fail(status int, message string) answer {
	return v.s.voicyError(false, status, message)
}

func (v voicyFunctions) serve(in *request) answer {
	if in.bearer() != VoicyKey {
		return in.failed(http.StatusUnauthorized, "Invalid or missing API key")
	}
	return in.dispatch(http.StatusNotFound, []route{
		{http.MethodGet, "/agent-list", nil, func(string) answer { return v.list(in) }},
		{http.MethodGet, "/agent-get/{id}", nil, func(id string) answer { return v.get(in, id) }},
		{http.MethodPost, "/agent-create", nil, func(string) answer { return v.create(in) }},
		{http.MethodPatch, "/agent-modify/{id}", nil, func(id string) answer { return v.update(in, id) }},
	})
}

func isFlow(agent map[string]any) bool { return agent["agent_type"] == "conversationalFlow" }

// show leaves out what the page's answers do: required and default of variables, and the prompt of a flow.
func (v voicyFunctions) show(agent map[string]any) any {
	body := shown(agent)
	if isFlow(agent) {
		delete(body, "prompt")
		delete(body, "welcome_message")
	}
	for _, name := range []string{"variables_provided", "variables_extracted"} {
		items, _ := body[name].([]any)
		for _, item := range items {
			if o, ok := item.(map[string]any); ok && !v.s.opts.Quirks.Voicy.ShowAll {
				delete(o, "required")
				delete(o, "default")
			}
		}
	}
	if v.s.opts.Quirks.Voicy.SortVariables {
		sortVariables(body, "variables_provided", "variables_extracted")
	}
	return v.s.numbers(body)
}

func (v voicyFunctions) list(in *request) answer {
	rows := []any{}
	for _, agent := range v.st.sorted() {
		if agent["_foreign"] == true {
			continue
		}
		row := v.show(agent).(map[string]any)
		for _, name := range []string{"variables_provided", "variables_extracted"} {
			delete(row, name)
			if v.s.opts.Quirks.Voicy.EmptyListVariables {
				row[name] = []any{}
			}
		}
		rows = append(rows, row)
	}
	return answer{status: http.StatusOK, body: in.rows(rows)}
}

func (v voicyFunctions) get(in *request, id string) answer {
	agent, out, ok := v.s.findVoicy(in, id, v.st.see)
	if !ok {
		return out
	}
	return answer{status: http.StatusOK, body: v.show(agent)}
}

func (v voicyFunctions) create(in *request) answer {
	body, err := in.object()
	if err != nil {
		return in.failed(http.StatusBadRequest, err.Error())
	}
	if wrong := checkObject("", voicyFunctionsFields(), body, nil, true); len(wrong) > 0 {
		return in.invalid(http.StatusBadRequest, wrong)
	}
	return v.s.createVoicy(in, v.st, body, v.show)
}

func (v voicyFunctions) update(in *request, id string) answer {
	stored, out, ok := v.s.findVoicy(in, id, v.st.get)
	if !ok {
		return out
	}
	if isFlow(stored) {
		return in.failed(http.StatusUnprocessableEntity, "conversationalFlow agents cannot be modified through the API")
	}
	return v.s.updateVoicy(in, v.st, id, stored, voicyFunctionsFields(), v.show)
}
