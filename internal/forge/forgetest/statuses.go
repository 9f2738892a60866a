package forgetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Commit is the one commit that may get statuses.
const Commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e"

// CommitStatus is one status of [Commit]. Ref is GitLab's only.
type CommitStatus struct{ State, Context, Description, TargetURL, Ref string }

// Statuses returns the statuses that were set, the oldest first. At GitHub each is a new one; at GitLab one that has not ended is changed.
func (s *Server) Statuses() []CommitStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statuses)
}

const gitHubMostStatuses = 1000

// gitHubStatus sets a status as docs.github.com/en/rest/commits/statuses says, checked 2026-11-21.
func (s *Server) gitHubStatus(r *http.Request) (int, any, *refusal) {
	sent, refused := statusBody(r, "state", "target_url", "description", "context")
	if refused != nil {
		return 0, nil, refused
	}
	one := CommitStatus{State: sent["state"], Context: sent["context"], Description: sent["description"], TargetURL: sent["target_url"]}
	if one.Context == "" {
		one.Context = "default"
	}
	most := gitHubMostStatuses
	if s.Limit > 0 {
		most = s.Limit
	}
	there := 0
	for _, other := range s.statuses {
		if other.Context == one.Context {
			there++
		}
	}
	switch {
	case r.PathValue("sha") != Commit:
		return 0, nil, message(http.StatusUnprocessableEntity, "No commit found for SHA: "+r.PathValue("sha"))
	case !slices.Contains([]string{"error", "failure", "pending", "success"}, one.State):
		return 0, nil, invalidStatus("state", "state is not included in the list")
	case tooLong(one.Description, 140):
		return 0, nil, invalidStatus("description", "description is too long (maximum is 140 characters)")
	case one.TargetURL != "" && !strings.HasPrefix(one.TargetURL, "http://") && !strings.HasPrefix(one.TargetURL, "https://"):
		return 0, nil, invalidStatus("target_url", "Target url must use http(s) scheme")
	case there >= most:
		return 0, nil, message(http.StatusUnprocessableEntity, "Validation Failed: This SHA and context has reached the maximum number of statuses.")
	}
	s.statuses = append(s.statuses, one)
	return http.StatusCreated, map[string]any{"id": len(s.statuses), "state": one.State, "context": one.Context, "description": one.Description,
		"target_url": one.TargetURL}, nil
}

func invalidStatus(field, text string) *refusal {
	return &refusal{http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed",
		"errors": []any{map[string]string{"resource": "Status", "field": field, "code": "custom", "message": text}}}}
}

// gitLabStatus sets a status as docs.gitlab.com/api/commits says ("Set commit pipeline status", checked 2026-11-21). One of the same name and ref
// that still waits is moved on, and cannot be moved to where it is; one that has ended gets a successor.
func (s *Server) gitLabStatus(r *http.Request, sha string) (int, any, *refusal) {
	sent, refused := statusBody(r, "state", "ref", "name", "context", "target_url", "description")
	if refused != nil {
		return 0, nil, refused
	}
	one := CommitStatus{State: sent["state"], Context: sent["name"] + sent["context"], Description: sent["description"], TargetURL: sent["target_url"],
		Ref: sent["ref"]}
	if one.Context == "" {
		one.Context = "default"
	}
	switch {
	case r.Method != http.MethodPost:
		return 0, nil, &refusal{http.StatusMethodNotAllowed, map[string]string{"error": "405 Not Allowed"}}
	case s.App:
		return 0, nil, message(http.StatusForbidden, "403 Forbidden")
	case !slices.Contains([]string{"pending", "running", "success", "failed", "canceled", "skipped"}, one.State):
		return 0, nil, &refusal{http.StatusBadRequest, map[string]string{"error": "state does not have a valid value"}}
	case sha != Commit:
		return 0, nil, message(http.StatusNotFound, "404 Commit Not Found")
	case tooLong(one.Description, 255) || tooLong(one.TargetURL, 255) || tooLong(one.Ref, 255):
		return 0, nil, message(http.StatusBadRequest, map[string][]string{"description": {"is too long (maximum is 255 characters)"}})
	}
	open := slices.IndexFunc(s.statuses, func(other CommitStatus) bool {
		return other.Context == one.Context && other.Ref == one.Ref && (other.State == "pending" || other.State == "running")
	})
	event := map[string]string{"pending": "enqueue", "running": "run"}[one.State]
	switch {
	case open < 0:
		s.statuses = append(s.statuses, one)
	case s.statuses[open].State == one.State:
		return 0, nil, message(http.StatusBadRequest, fmt.Sprintf(`Cannot transition status via :%s from :%s (Reason(s): Status cannot transition via "%s")`,
			event, one.State, event))
	default:
		s.statuses[open] = one
	}
	return http.StatusCreated, map[string]any{"id": len(s.statuses), "status": one.State, "name": one.Context, "sha": sha}, nil
}

// statusBody reads an object of texts that has no other names than known.
func statusBody(r *http.Request, known ...string) (map[string]string, *refusal) {
	if r.Header.Get("Content-Type") != "application/json" {
		return nil, message(http.StatusUnsupportedMediaType, "the body is not application/json")
	}
	var sent map[string]string
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&sent); err != nil {
		return nil, message(http.StatusBadRequest, "Problems parsing JSON")
	}
	for name := range sent {
		if !slices.Contains(known, name) {
			return nil, message(http.StatusUnprocessableEntity, "unknown field "+name)
		}
	}
	return sent, nil
}
