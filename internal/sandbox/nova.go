package sandbox

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Nova's pages. Those of agents are not documented; the sibling voices start at 1, with 50 by default and at most 100.
const (
	novaPageSize    = 50
	novaMaxPageSize = 100
)

// nova follows the page "Update agent" (docs.cozmox.ai/api-reference/agents), "Create agent", and for the rest the vendor's
// generated SDKs. Checked 2026-11-21.
type nova struct {
	s  *Server
	st *store
}

func (n nova) quirks() NovaQuirks { return n.s.opts.Quirks.Nova }

func (n nova) fail(status int, message string) answer {
	return answer{status: status, body: map[string]any{"status": false, "message": message, "error": http.StatusText(status), "data": nil}}
}

// refuse is a body that fails: 415 for its type, else the status for what fails validation.
func (n nova) refuse(in *request, err error) answer {
	if errors.Is(err, errContentType) {
		return in.failed(http.StatusUnsupportedMediaType, err.Error())
	}
	return in.failed(http.StatusBadRequest, err.Error())
}

func (n nova) invalid(in *request, wrong []string) answer {
	return in.invalid(cmp.Or(n.quirks().InvalidStatus, http.StatusBadRequest), wrong)
}

func (n nova) serve(in *request) answer {
	if in.header.Get("X-Api-Key") != NovaKey {
		return in.failed(http.StatusUnauthorized, "invalid or missing API key")
	}
	const agents = "/org/" + NovaOrg + "/agents"
	if parts := strings.Split(in.path, "/"); len(parts) > 2 && parts[1] == "org" && parts[2] != NovaOrg {
		return in.failed(http.StatusForbidden, "the API key has no access to this organization")
	}
	return in.dispatch(http.StatusMethodNotAllowed, []route{
		{http.MethodGet, agents, []string{"page", "size", "search", "type"}, func(string) answer { return n.list(in) }},
		{http.MethodPost, agents, nil, func(string) answer { return n.create(in) }},
		{http.MethodGet, agents + "/{id}", nil, func(id string) answer { return n.get(in, id) }},
		{http.MethodPatch, agents + "/{id}", nil, func(id string) answer { return n.update(in, id) }},
		{http.MethodDelete, agents + "/{id}", nil, func(id string) answer { return n.remove(in, id) }},
	})
}

func (n nova) find(in *request, id string, look func(string) (map[string]any, bool)) (agent map[string]any, out answer, ok bool) {
	agent, ok = look(id)
	if !ok || agent["_foreign"] == true {
		return nil, in.failed(http.StatusNotFound, "agent not found"), false
	}
	return agent, answer{}, true
}

// show is the agent as an answer has it.
func (n nova) show(agent map[string]any) map[string]any {
	body := shown(agent)
	if hook, ok := body["precall_webhook"].(map[string]any); ok {
		headers, _ := hook["headers"].(map[string]any)
		switch n.quirks().Headers {
		case "dropped":
			delete(hook, "headers")
		case "masked":
			for name := range headers {
				headers[name] = "********"
			}
		}
	}
	n.s.numbers(body)
	for _, name := range novaConfigs() {
		body[name] = n.encode(body[name])
		if body[name] == nil && n.quirks().Unset == "missing" {
			delete(body, name)
		}
	}
	return body
}

// encode is one of the shapes that a field documented as integer[] may have.
func (n nova) encode(v any) any {
	if v == nil {
		switch n.quirks().Unset {
		case "text":
			return ""
		case "list":
			return []any{}
		}
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // stored values are JSON
	}
	switch n.quirks().Encoding {
	case "text":
		return string(data)
	case "base64":
		return base64.StdEncoding.EncodeToString(data)
	case "bytes":
		values := make([]any, len(data))
		for i, b := range data {
			values[i] = float64(b)
		}
		return values
	}
	return v
}

func (n nova) list(in *request) answer {
	first := 1
	if n.quirks().PagesFromZero {
		first = 0
	}
	page, ok1 := in.number("page", first, first, 1<<30)
	size, ok2 := in.number("size", novaPageSize, 1, novaMaxPageSize)
	kind := in.query.Get("type")
	if !ok1 || !ok2 || kind != "" && !slices.Contains([]string{"voice", "chat", "video"}, kind) {
		return n.invalid(in, []string{"page, size or type is not valid"})
	}
	if n.s.opts.PageSize > 0 {
		size = min(size, n.s.opts.PageSize)
	}
	var all []any
	for _, agent := range n.st.sorted() {
		name, _ := agent["name"].(string)
		if agent["_foreign"] == true || kind != "" && agent["type"] != kind ||
			!strings.Contains(strings.ToLower(name), strings.ToLower(in.query.Get("search"))) {
			continue
		}
		all = append(all, n.row(agent))
	}
	pages := (len(all) + size - 1) / size
	at := page - first
	if in.endless() {
		pages, at = page+1, min(at, max(pages-1, 0))
	}
	body := map[string]any{"data": in.rows(slice(all, at*size, size))}
	if !n.quirks().NoMeta {
		body["meta"] = map[string]any{"page": page, "size": size, "total": len(all), "total_pages": pages}
	}
	return answer{status: http.StatusOK, body: body}
}

func (n nova) row(agent map[string]any) any {
	if n.quirks().WholeItems {
		return n.show(agent)
	}
	row := map[string]any{}
	for _, name := range []string{"id", "name", "type", "created_at", "updated_at"} {
		row[name] = agent[name]
	}
	return row
}

// slice returns up to size rows from an offset, never nil.
func slice(rows []any, from, size int) []any {
	from = min(from, len(rows))
	return slices.Clone(append([]any{}, rows[from:min(from+size, len(rows))]...))
}

// number reads a query parameter.
func (in *request) number(name string, missing, least, most int) (int, bool) {
	text := in.query.Get(name)
	if text == "" {
		return missing, !in.query.Has(name)
	}
	v, err := strconv.Atoi(text)
	return v, err == nil && v >= least && v <= most
}

func (n nova) get(in *request, id string) answer {
	agent, out, ok := n.find(in, id, n.st.see)
	if !ok {
		return out
	}
	return answer{status: http.StatusOK, body: n.show(agent)}
}

// create takes the fields of the newer of the two published pages only.
func (n nova) create(in *request) answer {
	body, err := in.object()
	if err != nil {
		return n.refuse(in, err)
	}
	fields := map[string]field{
		"name":               {kind: kindText, required: true, filled: true},
		"type":               {kind: kindText, required: true, enum: []string{"voice", "chat", "video"}},
		"prompt_template":    {kind: kindText},
		"copy_from_agent_id": {kind: kindText, filled: true},
	}
	if wrong := checkObject("", fields, body, nil, true); len(wrong) > 0 {
		return n.invalid(in, wrong)
	}
	agent := n.st.defaults()
	if from, ok := body["copy_from_agent_id"].(string); ok {
		source, out, ok := n.find(in, from, n.st.get)
		if !ok {
			return out
		}
		agent = shown(source, "id", "created_at", "updated_at")
		delete(body, "copy_from_agent_id")
	}
	id := n.st.newID().(string)
	maps.Copy(agent, n.s.plain(body).(map[string]any))
	agent["id"] = id
	if out, ok := n.s.write(in, n.st, id, agent); !ok {
		return out
	}
	agent, _ = n.st.get(id)
	return answer{status: http.StatusCreated, body: n.show(agent)}
}

// update is partial at the top; objects are replaced, or merged, as the quirk says.
func (n nova) update(in *request, id string) answer {
	stored, out, ok := n.find(in, id, n.st.get)
	if !ok {
		return out
	}
	body, err := in.object()
	if err != nil {
		return n.refuse(in, err)
	}
	if len(body) == 0 {
		return n.invalid(in, []string{"no fields to update"})
	}
	fields := novaFields()
	for _, name := range novaReadOnly() {
		fields[name] = field{why: "read-only"}
	}
	fields["copy_from_agent_id"] = field{why: "only for a create"}
	if wrong := checkObject("", fields, body, stored, false); len(wrong) > 0 {
		return n.invalid(in, wrong)
	}
	agent := copyObject(stored)
	for name, value := range n.s.plain(body).(map[string]any) {
		was, _ := agent[name].(map[string]any)
		if is, ok := value.(map[string]any); ok && was != nil && n.quirks().Merge {
			merge(was, is)
			continue
		}
		agent[name] = value
	}
	if out, ok := n.s.write(in, n.st, id, agent); !ok {
		return out
	}
	agent, _ = n.st.get(id)
	return answer{status: http.StatusOK, body: n.show(agent)}
}

// merge lays what is sent over what is there, at every depth.
func merge(was, is map[string]any) {
	for name, value := range is {
		below, ok1 := was[name].(map[string]any)
		above, ok2 := value.(map[string]any)
		if ok1 && ok2 {
			merge(below, above)
			continue
		}
		was[name] = value
	}
}

func (n nova) remove(in *request, id string) answer {
	if _, out, ok := n.find(in, id, n.st.get); !ok {
		return out
	}
	n.s.tick(n.st)
	if err := n.st.remove(id); err != nil {
		return in.failed(http.StatusInternalServerError, err.Error())
	}
	if n.quirks().NoContent {
		return answer{status: http.StatusNoContent}
	}
	return answer{status: http.StatusOK, body: map[string]any{"message": "agent deleted"}}
}
