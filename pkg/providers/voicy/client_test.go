package voicy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/providertest"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const testKey = "voicy_sk_live_0123456789012345678901234567"

// answers is a transport with one answer, which remembers the last request.
type answers struct {
	status int
	body   string
	header http.Header

	request *http.Request
	sent    string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.request, a.sent = r, ""
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.sent = string(text)
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func openAccount(t *testing.T, api string, a *answers) *account {
	t.Helper()
	p, err := open(providers.Settings{
		Account: "voicy", Generation: dialectOf(t, api).generation(), Values: map[string]string{fieldKey: testKey},
		Rest: rest.Shared{Transport: a, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*account)
}

func TestOpenFaults(t *testing.T) {
	_, err := open(providers.Settings{Generation: providers.Generation{Name: "v9"}, Values: map[string]string{fieldBaseURL: "http://api.voicy.co/v1"}})
	if err == nil {
		t.Fatal("open succeeds")
	}
	for _, want := range []string{"VOICY_API_KEY", "auth.apiKey", "VOICY_BASE_URL", "baseURL", `"v9"`, "functions-v1"} {
		if !strings.Contains(providertest.Said(err), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	if !errors.Is(err, rest.ErrAuth) {
		t.Errorf("a missing key is not ErrAuth: %v", err)
	}
}

// TestRoutes holds what goes over the wire, for both generations: method, address, credentials, body.
func TestRoutes(t *testing.T) {
	ctx := context.Background()
	type call func(*account) error
	get := func(a *account) error { _, err := a.Get(ctx, "a"); return err }
	list := func(a *account) error { _, err := a.List(ctx); return err }
	send := func(plan func(*account) providers.Write) call {
		return func(a *account) error { _, err := a.Send(ctx, plan(a).Requests[0]); return err }
	}
	live := providers.Live{ID: "a"}
	updated := func(field string) call {
		return send(func(a *account) providers.Write {
			return a.Update(providers.Change{Live: live, Desired: diff.Object{field: "<B>"}, Fields: []diff.Field{{Path: diff.Pointer("").Child(field)}}})
		})
	}
	created := func(field string) call {
		return send(func(a *account) providers.Write { return a.Create(providers.Change{Desired: diff.Object{field: "B"}}) })
	}
	deleted := send(func(a *account) providers.Write { return a.Delete(live) })
	for _, tc := range []struct {
		api, body string
		do        call
		want      string
	}{
		{"v1", `{"agent_id": "a", "agent_name": "A"}`, get, "GET https://api.voicy.co/v1/get-agent/a "},
		{"v1", `[]`, list, "GET https://api.voicy.co/v1/list-agents "},
		{"v1", `{"agent_id": "a"}`, created("agent_name"), `POST https://api.voicy.co/v1/create-agent {"agent_name":"B"}`},
		{"v1", `{}`, updated("agent_name"), `PATCH https://api.voicy.co/v1/update-agent/a {"agent_name":"<B>"}`},
		{"v1", ``, deleted, "DELETE https://api.voicy.co/v1/delete-agent/a "},
		{"functions-v1", `{"agent_id": "a", "name": "A"}`, get, "GET https://api.voicy.co/functions/v1/agent-get/a "},
		{"functions-v1", `[]`, list, "GET https://api.voicy.co/functions/v1/agent-list "},
		{"functions-v1", `{"agent_id": "a"}`, created("name"), `POST https://api.voicy.co/functions/v1/agent-create {"name":"B"}`},
		{"functions-v1", `{}`, updated("name"), `PATCH https://api.voicy.co/functions/v1/agent-modify/a {"name":"<B>"}`},
	} {
		wire := &answers{status: 200, body: tc.body}
		if err := tc.do(openAccount(t, tc.api, wire)); err != nil {
			t.Errorf("%s: %v", tc.want, err)
			continue
		}
		if got := wire.request.Method + " " + wire.request.URL.String() + " " + wire.sent; got != tc.want {
			t.Errorf("sent %s\nwant %s", got, tc.want)
		}
		if got := wire.request.Header.Get("Authorization"); got != "Bearer "+testKey {
			t.Errorf("%s: Authorization is %q", tc.want, got)
		}
		if got := wire.request.Header.Get("Content-Type"); wire.sent != "" && got != "application/json" {
			t.Errorf("%s: Content-Type is %q", tc.want, got)
		}
	}
}

func TestListWithoutRoute(t *testing.T) {
	for _, body := range []string{`{"error": "Not found"}`, `{"code": "NOT_FOUND", "message": "Requested function was not found"}`, `<html>`} {
		agents, err := openAccount(t, "v1", &answers{status: 404, body: body}).List(context.Background())
		if err == nil || errors.Is(err, rest.ErrNotFound) || !errors.Is(err, rest.ErrOddAnswer) || !strings.Contains(err.Error(), "generation v1 is gone") {
			t.Errorf("%s: %v, %v", body, agents, err)
		}
	}
}

func TestGetFaults(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		kind   error
	}{
		{404, `{"error": "Agent not found"}`, rest.ErrNotFound},
		{404, `{"status": "error", "message": "Agent not found"}`, rest.ErrNotFound},
		{403, `{"error": "Access denied"}`, rest.ErrAuth},
		{200, `{"agent_id": "b", "agent_name": "A"}`, rest.ErrOddAnswer},
		{200, `{"agent_id": "a", "name": "A"}`, rest.ErrOddAnswer},
	} {
		_, err := openAccount(t, "v1", &answers{status: tc.status, body: tc.body}).Get(context.Background(), "a")
		if !errors.Is(err, tc.kind) || (tc.kind != rest.ErrNotFound && errors.Is(err, rest.ErrNotFound)) {
			t.Errorf("%d %s: %v, want %v", tc.status, tc.body, err, tc.kind)
		}
	}
}

// TestGetTakesIDsInAnyCase: the vendor's ids are UUIDs, which people also write in capitals.
func TestGetTakesIDsInAnyCase(t *testing.T) {
	l, err := openAccount(t, "v1", &answers{status: 200, body: `{"agent_id": "ab", "agent_name": "A"}`}).Get(context.Background(), "AB")
	if err != nil || l.ID != "ab" {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestRefusedDelete holds that the vendor's reason for refusing a delete reaches the person.
func TestRefusedDelete(t *testing.T) {
	a := openAccount(t, "v1", &answers{status: 409, body: `{"error": "Agent is assigned to a phone number"}`})
	_, err := a.Send(context.Background(), a.Delete(providers.Live{ID: "a"}).Requests[0])
	if !errors.Is(err, rest.ErrRejected) || !strings.Contains(err.Error(), "assigned to a phone number") {
		t.Errorf("got %v", err)
	}
}

// TestPaceIsFollowed holds that an account with nothing left waits for the reset that the vendor names.
func TestPaceIsFollowed(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var waited time.Duration
	wire := &answers{status: 200, body: `[]`, header: http.Header{
		"X-Ratelimit-Limit": {"60"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1800000042"}}}
	p, err := open(providers.Settings{
		Account: "voicy", Generation: dialectOf(t, "v1").generation(), Values: map[string]string{fieldKey: testKey},
		Rest: rest.Shared{
			Transport: wire,
			Now:       func() time.Time { return now },
			Sleep: func(ctx context.Context, d time.Duration) error {
				waited, now = waited+d, now.Add(d)
				return ctx.Err()
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	lister := p.(providers.Lister)
	for i, want := range []time.Duration{0, 42 * time.Second} {
		if _, err := lister.List(context.Background()); err != nil || waited != want {
			t.Errorf("list %d: waited %s, want %s: %v", i+1, waited, want, err)
		}
	}
}
