package sandbox

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// convirzaMaxLimit and convirzaLimit are those of the sibling lists (docs.convirza.com/list-users-31381268e0).
const (
	convirzaMaxLimit = 200
	convirzaLimit    = 100
)

// convirza follows the page docs.convirza.com/update-agent-31106395e0 and, where the pages of the other operations could not be
// read, their siblings. Checked 2026-11-21.
type convirza struct {
	s  *Server
	st *store
}

// convirzaHidden can be written but are in no answer.
func convirzaHidden() []string {
	return []string{"integrations", "created_by", "ext_org_unit_id", "industry_id", "knowledge_base"}
}

// convirzaDefaults are what a full update resets to. The page does not give them; these are plausible ones.
func convirzaDefaults() map[string]any {
	return map[string]any{
		"voiceagent_name": "Agent", "direction": "inbound", "org_unit_id": float64(ConvirzaOrgUnit), "voice_id": 3.0,
		"greetings": "Hello.", "prompt": "You are a helpful assistant.",
		"inherited_prompt_id": nil, "max_call_duration": 600.0, "notification_time": 60.0, "notification_message": "", "more_information": "",
		"urls": []any{}, "config": map[string]any{"background_noise": false, "volume": 1.0, "block_non_intelliquent_number": false},
		"integrations": []any{}, "created_by": nil, "ext_org_unit_id": nil, "industry_id": nil, "knowledge_base": "",
		"voiceagent_type_id": 1.0, "type": "conversational", "status": "active", "primary_phone_number": nil,
		"knowledgebase_urls": []any{}, "_files": []any{},
	}
}

func (c convirza) quirks() ConvirzaQuirks { return c.s.opts.Quirks.Convirza }

func (c convirza) fail(status int, message string) answer {
	body := map[string]any{"code": status, "message": message, "requestId": countedUUID(c.s.answers), "timestamp": c.st.stamp(c.s.now())}
	return answer{status: status, body: body}
}

// done is an answer in the vendor's envelope.
func (c convirza) done(status int, data any) answer {
	return answer{status: status, body: map[string]any{"code": status, "message": "Success", "data": data,
		"request_id": countedUUID(c.s.answers), "timestamp": c.st.stamp(c.s.now())}}
}

func (c convirza) serve(in *request) answer {
	out := c.carryOut(in)
	if out.status >= http.StatusBadRequest && c.quirks().FailInBody {
		out.status = http.StatusOK
	}
	return out
}

func (c convirza) carryOut(in *request) answer {
	if !c.s.sessions.allows(in.bearer(), c.s.now()) {
		return in.failed(http.StatusUnauthorized, "Unauthorized")
	}
	const agents = "/ai-voice-agents"
	list := cmp.Or(c.quirks().ListPath, agents)
	return in.dispatch(http.StatusMethodNotAllowed, []route{
		{http.MethodGet, list, []string{"limit", "offset"}, func(string) answer { return c.list(in) }},
		{http.MethodPost, agents, nil, func(string) answer { return c.create(in) }},
		{http.MethodGet, agents + "/{id}", nil, func(id string) answer { return c.get(in, id) }},
		{http.MethodPut, agents + "/{id}", nil, func(id string) answer { return c.update(in, id, true) }},
		{http.MethodPatch, agents + "/{id}", nil, func(id string) answer { return c.update(in, id, false) }},
		{http.MethodDelete, agents + "/{id}", nil, func(id string) answer { return c.remove(in, id) }},
	})
}

func (c convirza) find(in *request, id string, look func(string) (map[string]any, bool)) (agent map[string]any, out answer, ok bool) {
	if n, err := strconv.ParseUint(id, 10, 32); err != nil || n == 0 || strings.HasPrefix(id, "0") {
		return nil, in.failed(http.StatusBadRequest, "id must be a positive integer"), false
	}
	agent, ok = look(id)
	if !ok {
		return nil, in.failed(http.StatusNotFound, "AI voice agent not found"), false
	}
	if agent["_foreign"] == true {
		return nil, in.failed(cmp.Or(c.quirks().ForeignStatus, http.StatusNotFound), "AI voice agent not found"), false
	}
	return agent, answer{}, true
}

// voiceName is the name of a voice. There is no catalogue; the page's example has alloy for 3.
func voiceName(agent map[string]any) string {
	names := []string{"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse"}
	id, _ := agent["voice_id"].(float64)
	return names[(int(id)+5)%len(names)]
}

func (c convirza) show(agent map[string]any) map[string]any {
	body := shown(agent, convirzaHidden()...)
	body["voice"] = voiceName(agent)
	names := []any{}
	files, _ := agent["_files"].([]any)
	for _, file := range files {
		name := file.(map[string]any)["name"].(string)
		if c.quirks().RenameFiles {
			name = "1763750000-" + name
		}
		names = append(names, name)
	}
	body["knowledgebase_files"] = names
	c.s.numbers(body)
	return body
}

func (c convirza) list(in *request) answer {
	limit, ok1 := in.number("limit", convirzaLimit, 1, convirzaMaxLimit)
	offset, ok2 := in.number("offset", 0, 0, 1<<30)
	if !ok1 || !ok2 {
		return in.failed(http.StatusBadRequest, "limit must be 1 to 200 and offset 0 or more")
	}
	if c.s.opts.PageSize > 0 {
		limit = min(limit, c.s.opts.PageSize)
	}
	var all []any
	for _, agent := range c.st.sorted() {
		if agent["_foreign"] != true {
			all = append(all, c.row(agent))
		}
	}
	if in.endless() && offset >= len(all) {
		offset = max(len(all)-limit, 0)
	}
	rows := slice(all, offset, limit)
	if c.quirks().IgnorePaging {
		rows = slice(all, 0, len(all))
	}
	rows = in.rows(rows)
	if c.quirks().BareList {
		return c.done(http.StatusOK, rows)
	}
	return c.done(http.StatusOK, map[string]any{"agents": rows, "total": len(all)})
}

func (c convirza) row(agent map[string]any) any {
	body := c.show(agent)
	if c.quirks().WholeItems {
		return body
	}
	row := map[string]any{}
	for _, name := range []string{"id", "voiceagent_name", "org_unit_id", "type", "status", "direction", "created_on", "updated_on"} {
		row[name] = body[name]
	}
	return row
}

func (c convirza) get(in *request, id string) answer {
	agent, out, ok := c.find(in, id, c.st.see)
	if !ok {
		return out
	}
	return c.done(http.StatusOK, c.show(agent))
}

// read takes a form, or refuses.
func (c convirza) read(in *request, whole bool) (v values, out answer, ok bool) {
	switch {
	case in.form == nil:
		return v, in.failed(http.StatusBadRequest, "Content-Type must be multipart/form-data"), false
	case in.bodyErr != nil:
		return v, in.failed(http.StatusBadRequest, in.bodyErr.Error()), false
	case len(in.form.parts) == 0:
		return v, in.failed(http.StatusBadRequest, "the form has no fields"), false
	}
	v = in.form.parse(whole)
	if unit, sent := v.fields["org_unit_id"]; sent && unit != float64(ConvirzaOrgUnit) {
		v.refuse("org_unit_id: not a unit of your organization")
	}
	if len(v.wrong) > 0 {
		return v, in.invalid(http.StatusBadRequest, v.wrong), false
	}
	v.fields = c.s.plain(v.fields).(map[string]any)
	return v, answer{}, true
}

func (c convirza) create(in *request) answer {
	v, out, ok := c.read(in, true)
	if !ok {
		return out
	}
	agent := c.st.defaults()
	maps.Copy(agent, v.fields)
	agent["id"] = c.st.newID()
	if v.files != nil {
		agent["_files"] = v.files
	}
	id := c.st.idOf(agent)
	if out, ok := c.s.write(in, c.st, id, agent); !ok {
		return out
	}
	status := http.StatusOK
	if c.quirks().Created {
		status = http.StatusCreated
	}
	agent, _ = c.st.get(id)
	switch c.quirks().CreateAnswer {
	case "whole":
		return c.done(status, c.show(agent))
	case "id":
		return c.done(status, map[string]any{"id": agent["id"]})
	}
	return c.done(status, map[string]any{"voiceAgentId": agent["id"]})
}

// update is PUT, which resets what it is not sent, or PATCH.
func (c convirza) update(in *request, id string, whole bool) answer {
	stored, out, ok := c.find(in, id, c.st.get)
	if !ok {
		return out
	}
	if stored["status"] == "deleted" {
		return in.failed(http.StatusNotFound, "AI voice agent not found")
	}
	v, out, ok := c.read(in, whole)
	if !ok {
		return out
	}
	agent := copyObject(stored)
	if whole {
		defaults := c.st.defaults()
		for name := range convirzaFields() {
			agent[name] = defaults[name]
		}
	}
	if config, ok := v.fields["config"].(map[string]any); ok && !whole && c.quirks().MergeConfig {
		if was, ok := agent["config"].(map[string]any); ok {
			merge(was, config)
			v.fields["config"] = was
		}
	}
	maps.Copy(agent, v.fields)
	agent["_files"] = c.files(stored, v.files, whole)
	if len(agent["_files"].([]any)) > maxFiles {
		return in.failed(http.StatusBadRequest, "files: an agent has at most 10 files")
	}
	if out, ok := c.s.write(in, c.st, id, agent); !ok {
		return out
	}
	agent, _ = c.st.get(id)
	return c.done(http.StatusOK, c.show(agent))
}

// files is what an agent has after an update.
func (c convirza) files(stored map[string]any, sent []any, whole bool) []any {
	had, _ := stored["_files"].([]any)
	if whole {
		if sent == nil && c.quirks().PutKeepsFiles {
			return had
		}
		return append([]any{}, sent...)
	}
	if sent != nil && c.quirks().PatchReplacesFiles {
		return sent
	}
	all := []any{}
	for _, file := range had {
		name := file.(map[string]any)["name"]
		if !slices.ContainsFunc(sent, func(f any) bool { return f.(map[string]any)["name"] == name }) {
			all = append(all, file)
		}
	}
	return append(all, sent...)
}

func (c convirza) remove(in *request, id string) answer {
	agent, out, ok := c.find(in, id, c.st.get)
	if !ok {
		return out
	}
	if agent["status"] == "deleted" {
		return in.failed(http.StatusNotFound, "AI voice agent not found")
	}
	if c.quirks().SoftDelete {
		agent = copyObject(agent)
		agent["status"], agent["_deleted"] = "deleted", c.st.stamp(c.s.now())
		if out, ok := c.s.write(in, c.st, id, agent); !ok {
			return out
		}
	} else {
		c.s.tick(c.st)
		if err := c.st.remove(id); err != nil {
			return in.failed(http.StatusInternalServerError, err.Error())
		}
	}
	if c.quirks().NoContent {
		return answer{status: http.StatusNoContent}
	}
	return c.done(http.StatusOK, map[string]any{})
}
