package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one documented operation. A path may hold {id} for one segment.
type route struct {
	method, path string
	query        []string // parameters that the page documents
	handle       func(id string) answer
}

// dispatch finds the operation. Paths that no route has are 404; other methods of a known path are wrongMethod.
func (in *request) dispatch(wrongMethod int, routes []route) answer {
	var allowed []string
	for _, r := range routes {
		id, ok := matchPath(r.path, in.path)
		if !ok {
			continue
		}
		if r.method != in.method {
			allowed = append(allowed, r.method)
			continue
		}
		if unknown := in.unknownQuery(r.query); unknown != "" {
			return in.failed(http.StatusBadRequest, fmt.Sprintf("unknown query parameter %q", unknown))
		}
		if (r.method == http.MethodGet || r.method == http.MethodDelete) && (len(in.body) > 0 || in.form != nil) {
			return in.failed(http.StatusBadRequest, "no body is expected")
		}
		return r.handle(id)
	}
	if allowed == nil {
		return in.failed(http.StatusNotFound, fmt.Sprintf("no route for %s %s", in.method, in.path))
	}
	out := in.failed(wrongMethod, fmt.Sprintf("method %s is not allowed", in.method))
	if wrongMethod == http.StatusMethodNotAllowed {
		slices.Sort(allowed)
		out.header.Set("Allow", strings.Join(allowed, ", "))
	}
	return out
}

// matchPath compares segment by segment, before anything is unescaped, and returns what stands for {id}.
func matchPath(pattern, path string) (id string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return "", false
	}
	for i := range want {
		if want[i] != "{id}" {
			if want[i] != got[i] {
				return "", false
			}
			continue
		}
		unescaped, err := url.PathUnescape(got[i])
		if err != nil || unescaped == "" {
			return "", false
		}
		id = unescaped
	}
	return id, true
}

func (in *request) unknownQuery(known []string) string {
	for _, name := range slices.Sorted(maps.Keys(in.query)) {
		if !slices.Contains(known, name) {
			return name
		}
	}
	return ""
}

// bearer returns the token of the Authorization header.
func (in *request) bearer() string {
	token, ok := strings.CutPrefix(in.header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// invalid is a refusal that names all that is wrong.
func (in *request) invalid(status int, wrong []string) answer {
	return in.failed(status, strings.Join(wrong, "; "))
}

// rows shows a list as its faults have it: a row twice, or the last one missing.
func (in *request) rows(rows []any) []any {
	if len(rows) > 0 && slices.Contains(in.odd, FaultRepeat) {
		rows = append([]any{rows[0]}, rows...)
	}
	if len(rows) > 0 && slices.Contains(in.odd, FaultSkip) {
		rows = rows[:len(rows)-1]
	}
	return rows
}

// endless says that the pages of a list never end.
func (in *request) endless() bool { return slices.Contains(in.odd, FaultEndless) }

// write stores an agent that a call changes and returns the refusal if that fails.
func (s *Server) write(in *request, st *store, id string, agent map[string]any) (answer, bool) {
	st.fade(id, s.opts.Quirks.StaleReads)
	if err := s.keep(st, id, agent); err != nil {
		return in.failed(http.StatusInternalServerError, err.Error()), false
	}
	return answer{}, true
}
