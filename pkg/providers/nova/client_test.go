package nova

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	authorized := func(h http.Header) bool { return h.Get("X-API-Key") == testKey && h.Get("Authorization") == "" }
	return server{providertest.NewServer(t, replies, authorized, func(message string) string { return `{"status":false,"message":"` + message + `"}` })}
}

func (s server) account(t *testing.T) *account {
	t.Helper()
	p, err := open(settings(map[string]string{fieldKey: testKey, fieldOrg: "o/1", fieldBaseURL: s.URL + "/api"}))
	if err != nil {
		t.Fatal(err)
	}
	return p.(*account)
}

func settings(values map[string]string) providers.Settings {
	return providers.Settings{Account: "nova-test", Generation: Vendor().Generations[0], Values: values,
		Rest: rest.Shared{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}}
}

func TestOpenFaults(t *testing.T) {
	_, err := open(settings(map[string]string{fieldBaseURL: "http://nova.example/api", fieldKey: " "}))
	if err == nil || !errors.Is(err, rest.ErrAuth) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"NOVA_API_KEY", "auth.apiKey", "NOVA_ORG_ID", "orgID", "NOVA_BASE_URL", "baseURL"} {
		if !strings.Contains(providertest.Said(err), part) {
			t.Errorf("%q is not in %q", part, err)
		}
	}
	if _, err := open(settings(map[string]string{fieldKey: testKey, fieldOrg: ".."})); err == nil || !strings.Contains(providertest.Said(err), "NOVA_ORG_ID") {
		t.Errorf("got %v", err)
	}
	if _, err := open(settings(map[string]string{fieldKey: testKey, fieldOrg: "o"})); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestGet(t *testing.T) {
	s := newServer(t, map[string]string{
		"GET /api/org/o%2F1/agents/a%2F1":  `200 {"id": "a/1", "name": "Desk", "plugins": "W10="}`,
		"GET /api/org/o%2F1/agents/gone":   `404 {"status":false,"message":"agent not found","error":null,"data":null}`,
		"GET /api/org/o%2F1/agents/proxy":  `404 page not found`,
		"GET /api/org/o%2F1/agents/other":  `200 {"id": "a2"}`,
		"GET /api/org/o%2F1/agents/html":   `200 <html>`,
		"GET /api/org/o%2F1/agents/list":   `200 []`,
		"GET /api/org/o%2F1/agents/denied": `403 {"message":"no"}`,
	})
	a := s.account(t)
	l, err := a.Get(t.Context(), "a/1")
	if err != nil || l.ID != "a/1" || l.Name != "Desk" || !l.Whole || string(diff.Canonical(l.Config["plugins"])) != "[]" {
		t.Errorf("got %+v, %v", l, err)
	}
	for id, want := range map[string]error{"gone": rest.ErrNotFound, "proxy": rest.ErrOddAnswer, "other": rest.ErrOddAnswer,
		"html": rest.ErrOddAnswer, "list": rest.ErrOddAnswer, "denied": rest.ErrAuth} {
		_, err := a.Get(t.Context(), id)
		if !errors.Is(err, want) || errors.Is(err, rest.ErrNotFound) != (id == "gone") {
			t.Errorf("%s: got %v", id, err)
		}
	}
	sent := len(s.Sent())
	for _, id := range []string{"", "."} {
		if _, err := a.Get(t.Context(), id); err == nil || errors.Is(err, rest.ErrNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
	}
	if len(s.Sent()) != sent {
		t.Errorf("sent %q", s.Sent()[sent:])
	}
}

func TestList(t *testing.T) {
	const uri = "GET /api/org/o%%2F1/agents?page=%d&size=50"
	endless := map[string]string{}
	for i := 1; i <= maxPages; i++ {
		endless[fmt.Sprintf(uri, i)] = fmt.Sprintf(`200 {"data":[{"id":"a%d"}]}`, i)
	}
	cases := []struct {
		name    string
		replies map[string]string
		want    string
		kind    error
		part    string
	}{
		{"pages", map[string]string{
			fmt.Sprintf(uri, 1): `200 {"data":[{"id":"a","name":"A","updated_at":"t"}],"meta":{"total":2,"total_pages":2}}`,
			fmt.Sprintf(uri, 2): `200 {"data":[{"id":"b","name":"B"}],"meta":{"total":2,"total_pages":2}}`,
		}, "a:A b:B", nil, ""},
		{"no meta", map[string]string{
			fmt.Sprintf(uri, 1): `200 {"data":[{"id":"a"}]}`,
			fmt.Sprintf(uri, 2): `200 {"data":[{"id":"a"}]}`,
			fmt.Sprintf(uri, 0): `400 {"message":"page starts at 1"}`,
		}, "a:", nil, ""},
		{"pages from 0", map[string]string{
			fmt.Sprintf(uri, 1): `200 {"data":[{"id":"b"}],"meta":{"total":2,"total_pages":2}}`,
			fmt.Sprintf(uri, 2): `200 {"data":[],"meta":{"total":2,"total_pages":2}}`,
			fmt.Sprintf(uri, 0): `200 {"data":[{"id":"a"}],"meta":{"total":2,"total_pages":2}}`,
		}, "b: a:", nil, ""},
		{"pages from 0, no meta", map[string]string{
			fmt.Sprintf(uri, 1): `200 {"data":[]}`,
			fmt.Sprintf(uri, 0): `200 {"data":[{"id":"a"}]}`,
		}, "a:", nil, ""},
		{"odd page 0", map[string]string{
			fmt.Sprintf(uri, 1): `200 {"data":[]}`,
			fmt.Sprintf(uri, 0): `200 {"status":true}`,
		}, "", rest.ErrOddAnswer, "no list of agents"},
		{"too few", map[string]string{
			fmt.Sprintf(uri, 1): `200 {"data":[{"id":"a"}],"meta":{"total":2,"total_pages":1}}`,
			fmt.Sprintf(uri, 0): `422 {"message":"page starts at 1"}`,
		}, "", rest.ErrOddAnswer, "says that there are 2"},
		{"odd page", map[string]string{fmt.Sprintf(uri, 1): `200 {"status":true}`}, "", rest.ErrOddAnswer, "no list of agents"},
		{"no such organisation", map[string]string{fmt.Sprintf(uri, 1): `404 {"message":"organization not found"}`}, "", rest.ErrOddAnswer, "NOVA_ORG_ID"},
		{"denied", map[string]string{fmt.Sprintf(uri, 1): `401 {"message":"no"}`}, "", rest.ErrAuth, ""},
		{"no end", endless, "", rest.ErrOddAnswer, "does not end"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newServer(t, c.replies).account(t)
			if c.name == "no end" {
				a = unpaced(t, c.replies)
			}
			agents, err := a.List(t.Context())
			var got []string
			for _, l := range agents {
				if l.Whole {
					t.Errorf("%s is a summary", l.ID)
				}
				got = append(got, l.ID+":"+l.Name)
			}
			if strings.Join(got, " ") != c.want || !errors.Is(err, c.kind) || errors.Is(err, rest.ErrNotFound) {
				t.Errorf("got %q, %v", got, err)
			}
			if c.part != "" && !strings.Contains(fmt.Sprint(err), c.part) {
				t.Errorf("%q is not in %v", c.part, err)
			}
		})
	}
}

// unpaced is an account with a pace that no list reaches.
func unpaced(t *testing.T, replies map[string]string) *account {
	t.Helper()
	s := settings(map[string]string{fieldKey: testKey, fieldOrg: "o/1", fieldBaseURL: newServer(t, replies).URL + "/api"})
	s.RequestsPerMinute = 1_000_000_000
	p, err := open(s)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*account)
}

func TestSend(t *testing.T) {
	const create = `POST /api/org/o%2F1/agents {"name":"Desk","prompt_template":"Hi","type":"voice"}`
	desired := `{"name":"Desk","prompt_template":"Hi","type":"voice"}`
	cases := []struct {
		name, reply, id string
		kind            error
		unknown         bool
	}{
		{"created", `201 {"id":"a1","name":"Desk","llm_config":null}`, "a1", nil, false},
		{"no id", `201 {"status":true,"message":"ok"}`, "", rest.ErrOddAnswer, true},
		{"no answer", `200 `, "", rest.ErrOddAnswer, true},
		{"server error", `500 {"message":"x"}`, "", rest.ErrUnavailable, true},
		{"rejected", `422 {"message":"prompt_template is required"}`, "", rest.ErrRejected, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, map[string]string{create: c.reply})
			a := s.account(t)
			w := a.Create(changeOf(t, "", desired, ""))
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

func TestSendUpdateAndDelete(t *testing.T) {
	s := newServer(t, map[string]string{
		`PATCH /api/org/o%2F1/agents/a1 {"greeting_config":{"greeting":"<b>","min":1}}`: `200 {"id":"a1"}`,
		`DELETE /api/org/o%2F1/agents/a1`:                                               `204 `,
		`DELETE /api/org/o%2F1/agents/a2`:                                               `200 {"message":"deleted"}`,
	})
	a := s.account(t)
	c := changeOf(t, `{"id":"a1","greeting_config":[123,34,109,105,110,34,58,49,125]}`, `{"greeting_config":{"greeting":"<b>"}}`, "")
	writes := []providers.Write{a.Update(c), a.Delete(providers.Live{ID: "a1"}), a.Delete(providers.Live{ID: "a2"})}
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
	echo, err := json.Marshal(map[string]string{"message": "bad key " + testKey})
	if err != nil {
		t.Fatal(err)
	}
	a := newServer(t, map[string]string{"GET /api/org/o%2F1/agents/a1": "400 " + string(echo)}).account(t)
	_, err = a.Get(t.Context(), "a1")
	if err == nil || strings.Contains(err.Error(), testKey) {
		t.Errorf("got %v", err)
	}
}
