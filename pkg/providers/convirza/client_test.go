package convirza

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/providertest"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// vendor is a network made of a function: what it returns is the answer, what it fails with is the lack of one. It writes down the
// requests.
type vendor struct {
	answer func(r *http.Request) (status int, body string, err error)
	mu     sync.Mutex
	asked  []string
}

func (v *vendor) RoundTrip(r *http.Request) (*http.Response, error) {
	v.mu.Lock()
	v.asked = append(v.asked, r.Method+" "+r.URL.Path)
	v.mu.Unlock()
	status, body, err := v.answer(r)
	if r.Body != nil {
		r.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
	return w.Result(), nil
}

// count says how often a request was sent.
func (v *vendor) count(request string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, asked := range v.asked {
		if asked == request {
			n++
		}
	}
	return n
}

// opened is an account on v that waits for nothing.
func opened(t *testing.T, v *vendor, values map[string]string) (*account, *rest.Masker) {
	t.Helper()
	mask := new(rest.Masker)
	p, err := Vendor().Open(providers.Settings{
		Account: "convirza", Generation: Vendor().Generations[0], Values: values, RequestsPerMinute: 100_000, MaxInFlight: 64,
		Rest: rest.Shared{Transport: v, Mask: mask, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*account), mask
}

func withToken() map[string]string { return map[string]string{fieldToken: "ready-token"} }

func answering(status int, body string) *vendor {
	return &vendor{answer: func(*http.Request) (int, string, error) { return status, body, nil }}
}

func TestOpenFaults(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values map[string]string
		want   []string // parts of the error; none where there is no fault
	}{
		{"token", withToken(), nil},
		{"login", map[string]string{fieldEmail: "a@example.com", fieldPassword: "secret"}, nil},
		{"nothing", nil, []string{"CONVIRZA_ACCESS_TOKEN", "CONVIRZA_EMAIL", "CONVIRZA_PASSWORD"}},
		{"no password", map[string]string{fieldEmail: "a@example.com"}, []string{"CONVIRZA_PASSWORD"}},
		{"no e-mail", map[string]string{fieldPassword: "hunter2-secret"}, []string{"CONVIRZA_EMAIL"}},
		{"everything at once", map[string]string{fieldBaseURL: "http://a.example", fieldOAuthURL: "ftp://b.example", fieldListPath: "list?x=1"},
			[]string{"CONVIRZA_ACCESS_TOKEN", "CONVIRZA_BASE_URL", "CONVIRZA_OAUTH_URL", "CONVIRZA_LIST_PATH", "https"}},
	} {
		_, err := Vendor().Open(providers.Settings{Account: "convirza", Values: tc.values})
		if (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v", tc.name, err)
		}
		for _, part := range tc.want {
			if !strings.Contains(providertest.Said(err), part) {
				t.Errorf("%s: %q does not name %s", tc.name, err, part)
			}
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the password is in the error", tc.name)
		}
	}
}

func TestSettingsHaveTheirNames(t *testing.T) {
	var got []string
	for _, s := range Vendor().Settings {
		got = append(got, s.Env+" "+s.Field)
	}
	want := []string{
		"CONVIRZA_ACCESS_TOKEN auth.accessToken", "CONVIRZA_EMAIL auth.email", "CONVIRZA_PASSWORD auth.password",
		"CONVIRZA_BASE_URL baseURL", "CONVIRZA_OAUTH_URL oauthURL", "CONVIRZA_LIST_PATH listPath",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestGet(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   error // nil for success
		part   string
	}{
		{"found", 200, readFile(t, "agent.json"), nil, ""},
		{"not there", 404, `{"code": 404, "message": "Agent not found", "requestId": "r-1"}`, rest.ErrNotFound, "r-1"},
		{"a proxy's 404", 404, `<html>no</html>`, rest.ErrOddAnswer, ""},
		{"404 of another route", 404, `{"statusCode": 404, "message": "Cannot GET"}`, rest.ErrOddAnswer, ""},
		{"404 inside 200", 200, `{"code": 404, "message": "Agent not found", "data": null}`, rest.ErrOddAnswer, "Agent not found"},
		{"no data", 200, `{"code": 200}`, rest.ErrOddAnswer, ""},
		{"no JSON", 200, `<html>`, rest.ErrOddAnswer, ""},
		{"another agent", 200, `{"code": 200, "data": {"id": 102}}`, rest.ErrOddAnswer, "agent 102"},
		{"refused", 401, `{"code": 401, "message": "no"}`, rest.ErrAuth, "CONVIRZA_ACCESS_TOKEN"},
		{"forbidden", 403, `{"code": 403, "message": "no"}`, rest.ErrAuth, "organisation"},
		{"bad request", 400, `{"code": 400, "message": "bad id"}`, rest.ErrRejected, "bad id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := answering(tc.status, tc.body)
			a, _ := opened(t, v, withToken())
			l, err := a.Get(t.Context(), "101")
			if !errors.Is(err, tc.want) || (err != nil && !strings.Contains(err.Error(), tc.part)) {
				t.Errorf("got %v", err)
			}
			if err == nil && l.ID != "101" {
				t.Errorf("got %+v", l)
			}
			if tc.want != rest.ErrNotFound && errors.Is(err, rest.ErrNotFound) {
				t.Errorf("reads as a missing agent: %v", err)
			}
			if n := v.count("GET /v3/ai-voice-agents/101"); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

func TestGetRefusesOddIDs(t *testing.T) {
	v := answering(200, readFile(t, "agent.json"))
	a, _ := opened(t, v, withToken())
	for _, id := range []string{"", "0", "list", "1/../2"} {
		if _, err := a.Get(t.Context(), id); err == nil || errors.Is(err, rest.ErrNotFound) || !strings.Contains(err.Error(), fmt.Sprintf("%q", id)) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if len(v.asked) > 0 {
		t.Errorf("sent %q", v.asked)
	}
}

func TestList(t *testing.T) {
	var offsets []string
	v := &vendor{answer: func(r *http.Request) (int, string, error) {
		q := r.URL.Query()
		offsets = append(offsets, q.Get("limit")+"@"+q.Get("offset"))
		switch q.Get("offset") {
		case "0":
			return 200, `{"code": 200, "data": {"agents": ` + rows(1, 100) + `, "total": 101}}`, nil
		case "100":
			return 200, `{"code": 200, "data": {"agents": ` + rows(101, 1) + `, "total": 101}}`, nil
		}
		return 400, `{"code": 400, "message": "offset"}`, nil
	}}
	values := withToken()
	values[fieldListPath] = "/ai-voice-agents/list"
	a, _ := opened(t, v, values)
	agents, err := a.List(t.Context())
	if err != nil || len(agents) != 101 || agents[100].ID != "101" || agents[100].Name != "agent 101" || agents[100].Whole {
		t.Fatalf("%d agents, %v", len(agents), err)
	}
	if !slices.Equal(offsets, []string{"100@0", "100@100"}) || v.count("GET /v3/ai-voice-agents/list") != 2 {
		t.Errorf("asked %q %q", v.asked, offsets)
	}
}

func TestListFaults(t *testing.T) {
	a, _ := opened(t, answering(404, `{"code": 404, "message": "no route", "requestId": "r"}`), withToken())
	if _, err := a.List(t.Context()); err == nil || errors.Is(err, rest.ErrNotFound) || !strings.Contains(err.Error(), "CONVIRZA_LIST_PATH") {
		t.Errorf("404: %v", err)
	}
	next := 0
	endless := &vendor{answer: func(*http.Request) (int, string, error) {
		next++
		return 200, `{"code": 200, "data": {"agents": ` + rows(next, 1) + `, "total": 1000000}}`, nil
	}}
	a, _ = opened(t, endless, withToken())
	if _, err := a.List(t.Context()); !errors.Is(err, rest.ErrOddAnswer) || len(endless.asked) != maxPages {
		t.Errorf("endless: %v after %d pages", err, len(endless.asked))
	}
}

func TestSend(t *testing.T) {
	create := planCreate(providers.Change{Desired: diff.Object{"voiceagent_name": "a"}}).Requests[0]
	remove := planDelete(providers.Live{ID: "101"}).Requests[0]
	put := providers.Request{Request: rest.Request{Method: "PUT", Path: "/ai-voice-agents/101", Form: create.Form}}
	for _, tc := range []struct {
		name    string
		request providers.Request
		status  int
		body    string
		id      string
		want    error
		unknown bool
	}{
		{"created", create, 201, `{"code": 201, "data": {"id": 5}}`, "5", nil, false},
		{"created, sibling's answer", create, 200, `{"code": 200, "data": {"agentId": "5"}}`, "5", nil, false},
		{"created, no id", create, 200, `{"code": 200, "data": {}}`, "", rest.ErrOddAnswer, true},
		{"created, failing code", create, 200, `{"code": 500, "data": {"id": 5}}`, "", rest.ErrOddAnswer, true},
		{"created, empty", create, 201, ``, "", rest.ErrOddAnswer, true},
		{"create accepted for later", create, 202, `{"data": {"id": 5}}`, "", rest.ErrOddAnswer, true},
		{"create refused", create, 400, `{"code": 400, "message": "direction is required"}`, "", rest.ErrRejected, false},
		{"create, server fault", create, 500, `{"code": 500, "message": "oops"}`, "", rest.ErrUnavailable, true},
		{"put", put, 200, readFile(t, "agent.json"), "", nil, false},
		{"put, failing code", put, 200, `{"code": 400, "message": "no"}`, "", rest.ErrOddAnswer, true},
		{"put, a login page", put, 200, `<html>`, "", rest.ErrOddAnswer, true},
		{"put, nothing said", put, 204, ``, "", nil, false},
		{"put, gone", put, 404, `{"code": 404, "message": "no"}`, "", rest.ErrNotFound, false},
		{"deleted", remove, 200, `{"code": 200, "message": "Success", "data": null}`, "", nil, false},
		{"delete accepted", remove, 202, ``, "", nil, false},
		{"delete, no content", remove, 204, ``, "", nil, false},
		{"delete, odd status", remove, 206, ``, "", rest.ErrOddAnswer, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := answering(tc.status, tc.body)
			a, _ := opened(t, v, withToken())
			id, err := a.Send(t.Context(), tc.request)
			if id != tc.id || !errors.Is(err, tc.want) || errors.Is(err, rest.ErrUnknownOutcome) != tc.unknown {
				t.Errorf("got %q, %v", id, err)
			}
			if tc.request.Creates && len(v.asked) != 1 {
				t.Errorf("a create was sent %d times", len(v.asked))
			}
		})
	}
}

// What goes over the wire: multipart/form-data with the parts in order, text as it is, files streamed, and no empty files part.
func TestBodyOnTheWire(t *testing.T) {
	var parts []string
	v := &vendor{answer: func(r *http.Request) (int, string, error) {
		if got := r.Header.Get("Authorization"); got != "Bearer ready-token" {
			return 401, `{}`, nil
		}
		form, err := r.MultipartReader()
		if err != nil {
			return 400, "", err
		}
		for {
			part, err := form.NextPart()
			if err == io.EOF {
				return 200, readFile(t, "agent.json"), nil
			}
			if err != nil {
				return 400, "", err
			}
			text, err := io.ReadAll(part)
			if err != nil {
				return 400, "", err
			}
			parts = append(parts, strings.TrimSpace(part.FormName()+" "+part.FileName())+"="+string(text))
		}
	}}
	a, _ := opened(t, v, withToken())
	l := vendorAgent(t, `{"knowledgebase_files": []}`)
	c := change(t, l, object(t, created), object(t, `{"urls": ["https://a.example", "https://b.example"], "prompt": "Zeile ä\nzwei \"q\"", "config": {"volume": 1.50}}`),
		file("a.pdf", "%PDF", false))
	if _, err := a.Send(t.Context(), a.Update(c).Requests[0]); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"voiceagent_name=Sales Assistant — Inbound Leads", "direction=inbound", "org_unit_id=1001", "inherited_prompt_id=12", "voice_id=3",
		"greetings=Thank you for calling Convirza! How can I assist you today?", "prompt=Zeile ä\nzwei \"q\"",
		`config={"background_noise":false,"block_non_intelliquent_number":true,"volume":1.5}`, "max_call_duration=300",
		"notification_time=60", "notification_message=This call will end in 1 minute.", "urls=https://a.example", "urls=https://b.example",
		"more_information=Prioritize callers who mention pricing or demo requests. Escalate to a human if the caller expresses frustration.",
		"files a.pdf=%PDF",
	}
	if !slices.Equal(parts, want) {
		t.Errorf("got  %q\nwant %q", parts, want)
	}
}

// A form with files goes out once, whatever becomes of it; one without is repeated.
func TestUploadsAreNotRepeated(t *testing.T) {
	for _, upload := range []bool{true, false} {
		v := &vendor{answer: func(*http.Request) (int, string, error) { return 0, "", errors.New("connection reset") }}
		a, _ := opened(t, v, withToken())
		c := change(t, vendorAgent(t, `{"knowledgebase_files": []}`), object(t, created), object(t, `{"voice_id": 4}`))
		if upload {
			c = change(t, c.Live, c.Base, c.Desired, file("a.pdf", "%PDF", false))
		}
		_, err := a.Send(t.Context(), a.Update(c).Requests[0])
		if n := v.count("PUT /v3/ai-voice-agents/101"); !errors.Is(err, rest.ErrUnknownOutcome) || (n == 1) != upload {
			t.Errorf("upload %t: sent %d times, %v", upload, n, err)
		}
	}
}

func loginAnswer(t testing.TB, access, refresh string, expires any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"access_token": access, "refresh_token": refresh, "frontend_token": "frontend-" + access, "token_type": "Bearer", "expires_in": expires,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
