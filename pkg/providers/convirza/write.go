package convirza

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// maxIDDigits bounds an id: what fits a 64-bit number.
const maxIDDigits = 19

// agentPath is the path of one agent. Ids are positive integers (update-agent, checked 2026-11-21); anything else could reach the
// collection, or another route.
func agentPath(id string) (string, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != id {
		if len(id) > 2*maxIDDigits {
			id = id[:2*maxIDDigits] + "..."
		}
		return "", fmt.Errorf("the agent id %q is not a positive whole number", id)
	}
	return agentsPath + "/" + id, nil
}

// planCreate says how to create an agent: one form with everything that is declared. It is never sent twice.
func planCreate(c providers.Change) providers.Write {
	files := declaredFiles(c)
	body := maps.Clone(c.Desired)
	delete(body, filesField)
	form, fields, findings := encode(body, files)
	request := providers.Request{
		Request: rest.Request{Method: http.MethodPost, Path: agentsPath, Form: form, Once: true}, Fields: fields, Creates: true,
	}
	return finish(providers.Write{Requests: []providers.Request{request}}, findings, checkFiles(files))
}

// planUpdate says how to update an agent: by PUT where nothing can be lost, else by PATCH with what changes, or as the manifest says.
func planUpdate(root *diff.Type, c providers.Change) providers.Write {
	if c.Live.Locked != "" {
		return locked(c.Live)
	}
	path, err := agentPath(cmp.Or(c.ID, c.Live.ID))
	if err != nil {
		return refused(err)
	}
	f := sortFields(root, c)
	w := providers.Write{}
	var findings []providers.Finding
	switch {
	case c.Update == "patch":
		w, findings = patch(root, c, path)
		w.Reason = "PATCH, as `update: patch` asks"
	case c.Update == "put":
		w, findings = put(root, c, f, path)
		w.Reason = "PUT, as `update: put` asks"
		findings = append(findings, lossy(&w, f.atRisk, c.AcceptReset)...)
	case len(f.atRisk) == 0:
		w, findings = put(root, c, f, path)
		w.Reason = "PUT: every writable field is declared, can be carried, or is at its default"
	default:
		w, findings = patch(root, c, path)
		w.Reason = "PATCH: PUT would reset " + describe(f.atRisk)
	}
	return finish(w, findings, checkFiles(declaredFiles(c)))
}

// put builds the full update: the declared fields as desired, the others as they are live.
func put(root *diff.Type, c providers.Change, f fates, path string) (providers.Write, []providers.Finding) {
	whole := c
	whole.Fields = nil
	for name := range c.Desired {
		whole.Fields = append(whole.Fields, diff.Field{Path: diff.Pointer("").Child(name)})
	}
	body, carried := providers.Body(root, whole)
	for _, name := range f.carried {
		body[name] = c.Live.Config[name]
		carried = append(carried, string(diff.Pointer("").Child(name)))
	}
	slices.Sort(carried)
	return update(http.MethodPut, path, body, declaredFiles(c), carried)
}

// patch builds the partial update: the changed fields, and of the files those that are not at the vendor yet.
func patch(root *diff.Type, c providers.Change, path string) (providers.Write, []providers.Finding) {
	body, carried := providers.Body(root, c)
	files, findings := uploads(c)
	w, more := update(http.MethodPatch, path, body, files, carried)
	findings = append(findings, more...)
	for _, name := range inOrder(diff.Keys(body)) {
		if unreadable(c.Live, name) {
			findings = append(findings, providers.NewBlocking(providers.CodeUnreadable,
				name+": the live value cannot be decoded and would be overwritten", ""))
		}
	}
	return w, findings
}

// update makes the request. One with files is not repeated: nothing says that a second upload replaces the first
// (update-agent, checked 2026-11-21).
func update(method, path string, body diff.Object, files []providers.File, carried []string) (providers.Write, []providers.Finding) {
	body = maps.Clone(body)
	delete(body, filesField)
	form, fields, findings := encode(body, files)
	w := providers.Write{Carried: carried}
	if len(form) > 0 {
		w.Requests = []providers.Request{{
			Request: rest.Request{Method: method, Path: path, Form: form, Once: len(files) > 0}, Fields: fields,
		}}
	}
	return w, findings
}

// lossy records what a PUT that was asked for would reset, and blocks it unless the manifest accepts each loss.
func lossy(w *providers.Write, atRisk []risk, accept []diff.Pointer) []providers.Finding {
	w.Reset = pointers(atRisk)
	if len(atRisk) > 0 {
		w.Reason += "; it resets " + describe(atRisk)
	}
	if refused := unaccepted(atRisk, accept); len(refused) > 0 {
		return []providers.Finding{providers.NewBlocking(providers.CodeLossyPut, "PUT would reset "+describe(refused), "")}
	}
	return nil
}

// planDelete says how to delete an agent. Nothing is known of what becomes of its phone number, so an agent that has one stays.
func planDelete(l providers.Live) providers.Write {
	if l.Locked != "" {
		return locked(l)
	}
	path, err := agentPath(l.ID)
	if err != nil {
		return refused(err)
	}
	if number := l.Config[phoneField]; !diff.IsEmpty(number) || unreadable(l, phoneField) {
		text := "agent " + l.ID + " has a phone number"
		if number != nil {
			text += fmt.Sprintf(", %v", number)
		}
		return finish(providers.Write{}, []providers.Finding{providers.NewBlocking(providers.CodeInUse, text, "")})
	}
	return providers.Write{Requests: []providers.Request{{Request: rest.Request{Method: http.MethodDelete, Path: path}}}}
}

func locked(l providers.Live) providers.Write {
	return finish(providers.Write{}, []providers.Finding{
		providers.NewBlocking(providers.CodeLocked, fmt.Sprintf("agent %s %s", l.ID, l.Locked), "")})
}

func refused(err error) providers.Write {
	return finish(providers.Write{}, []providers.Finding{
		providers.NewBlocking(providers.CodeCannot, err.Error(), "correct the id with spec.id or `agentsync state bind`")})
}

// finish adds findings to w, and takes the requests out where one of them blocks.
func finish(w providers.Write, findings ...[]providers.Finding) providers.Write {
	w.Findings = slices.Concat(findings...)
	if slices.ContainsFunc(w.Findings, func(f providers.Finding) bool { return f.Severity == providers.Blocking }) {
		w.Requests = nil
	}
	return w
}
