package centerfy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/providertest"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const testKey = "key-for-tests"

// server is the vendor, as far as a test says what it answers.
type server struct{ *providertest.Server }

func newServer(t *testing.T, replies map[string]string) server {
	authorized := func(h http.Header) bool { return h.Get("x-api-key") == testKey && h.Get("Authorization") == "" }
	return server{providertest.NewServer(t, replies, authorized, func(message string) string { return `{"error":true,"message":"` + message + `"}` })}
}

func (s server) account(t *testing.T) *account {
	t.Helper()
	p, err := open(settings(map[string]string{fieldKey: testKey, fieldBaseURL: s.URL + "/crm-api"}))
	if err != nil {
		t.Fatal(err)
	}
	return p.(*account)
}

func settings(values map[string]string) providers.Settings {
	return providers.Settings{Account: "centerfy-test", Generation: Vendor().Generations[0], Values: values,
		Rest: rest.Shared{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}}
}

func TestOpenFaults(t *testing.T) {
	_, err := open(settings(map[string]string{fieldBaseURL: "http://centerfy.example", fieldKey: " "}))
	if err == nil || !errors.Is(err, rest.ErrAuth) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"CENTERFY_API_KEY", "auth.apiKey", "CENTERFY_BASE_URL", "baseURL"} {
		if !strings.Contains(providertest.Said(err), part) {
			t.Errorf("%q is not in %q", part, err)
		}
	}
	p, err := open(settings(map[string]string{fieldKey: testKey}))
	if err != nil {
		t.Fatal(err)
	}
	if _, lists := p.(providers.Lister); lists {
		t.Error("there is no list")
	}
}

func TestGet(t *testing.T) {
	s := newServer(t, map[string]string{
		"GET /crm-api/get-agent/d8f2":    `200 {"id": "D8F2", "name": "Desk", "temperature": "0.5"}`,
		"GET /crm-api/get-agent/a%20b":   `200 {"id": "a b", "archived_at": "2026-01-01T00:00:00Z"}`,
		"GET /crm-api/get-agent/gone":    `404 {"error": true, "message": "Agent not found"}`,
		"GET /crm-api/get-agent/gateway": `404 {"code": "NOT_FOUND", "message": "Requested function was not found"}`,
		"GET /crm-api/get-agent/other":   `200 {"id": "a2"}`,
		"GET /crm-api/get-agent/empty":   `200 {}`,
		"GET /crm-api/get-agent/null":    `200 null`,
		"GET /crm-api/get-agent/denied":  `403 {"error": true, "message": "no"}`,
	})
	a := s.account(t)
	l, err := a.Get(t.Context(), "d8f2")
	if err != nil || l.ID != "D8F2" || l.Name != "Desk" || !l.Whole || string(diff.Canonical(l.Config["temperature"])) != "0.5" {
		t.Errorf("got %+v, %v", l, err)
	}
	if l, err := a.Get(t.Context(), "a b"); err != nil || !l.Gone {
		t.Errorf("got %+v, %v", l, err)
	}
	for id, want := range map[string]error{"gone": rest.ErrNotFound, "gateway": rest.ErrOddAnswer, "other": rest.ErrOddAnswer,
		"empty": rest.ErrOddAnswer, "null": rest.ErrOddAnswer, "denied": rest.ErrAuth} {
		_, err := a.Get(t.Context(), id)
		if !errors.Is(err, want) || errors.Is(err, rest.ErrNotFound) != (id == "gone") {
			t.Errorf("%s: got %v", id, err)
		}
	}
	sent := len(s.Sent())
	for _, id := range []string{"", ".."} {
		if _, err := a.Get(t.Context(), id); err == nil || errors.Is(err, rest.ErrNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
	}
	if len(s.Sent()) != sent {
		t.Errorf("sent %q", s.Sent()[sent:])
	}
}

func TestSendCreate(t *testing.T) {
	const create = `POST /crm-api/create-agent {"name":"Desk","temperature":0.5}`
	cases := []struct {
		name, reply, id string
		kind            error
		unknown         bool
	}{
		{"201", `201 {"id":"a1","name":"Desk"}`, "a1", nil, false},
		{"200 with agent_id", `200 {"agent_id":"a1"}`, "a1", nil, false},
		{"no id", `201 {"success":true}`, "", rest.ErrOddAnswer, true},
		{"no JSON", `201 created`, "", rest.ErrOddAnswer, true},
		{"upstream", `502 {"error":true,"message":"upstream unavailable"}`, "", rest.ErrUnavailable, true},
		{"rejected", `400 {"error":true,"message":"voice_id is required"}`, "", rest.ErrRejected, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, map[string]string{create: c.reply})
			a := s.account(t)
			w := a.Create(changeOf(t, "", `{"name":"Desk","temperature":0.50}`, ""))
			id, err := a.Send(t.Context(), w.Requests[0])
			if id != c.id || !errors.Is(err, c.kind) || errors.Is(err, rest.ErrUnknownOutcome) != c.unknown {
				t.Errorf("got %q, %v", id, err)
			}
			if len(s.Sent()) != 1 {
				t.Errorf("sent %q", s.Sent())
			}
		})
	}
}

func TestSendUpdateAndArchive(t *testing.T) {
	s := newServer(t, map[string]string{
		`PUT /crm-api/update-agent/d8f2a229 {"voice_id":"Aria"}`: `200 {"id":"d8f2a229","name":"Desk","is_active":true,"updated_at":"x"}`,
		`POST /crm-api/archive-agent {"agent_id":"d8f2a229"}`:    `200 {"agent_id":"d8f2a229","archived_at":"x"}`,
	})
	a := s.account(t)
	writes := []providers.Write{a.Update(changeOf(t, liveAgent, `{"voice_id":"Aria"}`, "")), a.Delete(providers.Live{ID: "d8f2a229"})}
	for _, w := range writes {
		if id, err := a.Send(t.Context(), w.Requests[0]); id != "" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
	}
	if len(s.Sent()) != len(writes) {
		t.Errorf("sent %q", s.Sent())
	}
}

func TestErrorsHoldNoKey(t *testing.T) {
	a := newServer(t, map[string]string{"GET /crm-api/get-agent/a1": `400 {"error":true,"message":"bad key ` + testKey + `"}`}).account(t)
	_, err := a.Get(t.Context(), "a1")
	if err == nil || strings.Contains(err.Error(), testKey) {
		t.Errorf("got %v", err)
	}
}
