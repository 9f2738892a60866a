package convirza

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	login   = "POST /oauth/token"
	refresh = "POST /oauth/refresh-token"
)

func withLogin() map[string]string {
	return map[string]string{fieldEmail: "a@example.com", fieldPassword: "the-password"}
}

// platform plays the two hosts: the API takes one access token only.
type platform struct {
	vendor
	good    sync.Map // access tokens that the API takes
	login   func() (int, string, error)
	refresh func() (int, string, error)
}

func newPlatform(t *testing.T) *platform {
	p := &platform{}
	p.answer = func(r *http.Request) (int, string, error) {
		switch r.URL.Host + r.URL.Path {
		case "platform-oauth.convirza.com/oauth/token":
			var body map[string]string
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body["email"] != "a@example.com" || body["password"] != "the-password" {
				t.Errorf("login with %v, %v", body, err)
			}
			return p.login()
		case "platform-oauth.convirza.com/oauth/refresh-token":
			return p.refresh()
		}
		if _, good := p.good.Load(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); !good {
			return 401, `{"code": 401, "message": "Unauthorized", "requestId": "r-401"}`, nil
		}
		return 200, readFile(t, "agent.json"), nil
	}
	return p
}

// gets reads the agent n times at once and returns the errors.
func gets(t *testing.T, a *account, n int) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { _, errs[i] = a.Get(t.Context(), "101") })
	}
	group.Wait()
	return errs
}

func TestOneLoginForAll(t *testing.T) {
	p := newPlatform(t)
	p.good.Store("access-1", true)
	p.login = func() (int, string, error) {
		return 200, loginAnswer(t, "access-1", "refresh-1", "2026-04-10T12:00:00.000Z"), nil
	}
	a, mask := opened(t, &p.vendor, withLogin())
	for _, err := range gets(t, a, 32) {
		if err != nil {
			t.Error(err)
		}
	}
	if n := p.count(login); n != 1 {
		t.Errorf("%d logins", n)
	}
	for _, secret := range []string{"the-password", "access-1", "refresh-1", "frontend-access-1"} {
		if got := mask.Mask("x" + secret + "y"); strings.Contains(got, secret) {
			t.Errorf("%s is not masked: %s", secret, got)
		}
	}
}

// All requests get their 401 before any of them may renew.
func TestOneRenewalForAll(t *testing.T) {
	const n = 16
	p := newPlatform(t)
	p.good.Store("access-2", true)
	p.login = func() (int, string, error) { return 200, loginAnswer(t, "access-1", "refresh-1", nil), nil }
	p.refresh = func() (int, string, error) { return 200, loginAnswer(t, "access-2", "refresh-2", nil), nil }
	var refused sync.WaitGroup
	refused.Add(n)
	answer := p.answer
	p.answer = func(r *http.Request) (int, string, error) {
		if r.Header.Get("Authorization") == "Bearer access-1" {
			refused.Done()
			refused.Wait()
		}
		return answer(r)
	}
	a, _ := opened(t, &p.vendor, withLogin())
	for _, err := range gets(t, a, n) {
		if err != nil {
			t.Error(err)
		}
	}
	if logins, refreshes := p.count(login), p.count(refresh); logins != 1 || refreshes != 1 {
		t.Errorf("%d logins, %d refreshes", logins, refreshes)
	}
}

// A refresh that fails in any way is followed by one login, and never sent again.
func TestRefreshFails(t *testing.T) {
	for name, answer := range map[string]func() (int, string, error){
		"no answer": func() (int, string, error) { return 0, "", errors.New("connection reset") },
		"spent":     func() (int, string, error) { return 401, `{"code": 401, "message": "spent"}`, nil },
		"fault":     func() (int, string, error) { return 500, `{}`, nil },
		"odd":       func() (int, string, error) { return 200, `{"code": 200, "data": {}}`, nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			p.refresh = answer
			p.login = func() (int, string, error) {
				if p.count(login) == 1 {
					return 200, loginAnswer(t, "access-1", "refresh-1", nil), nil
				}
				p.good.Store("access-2", true)
				return 200, loginAnswer(t, "access-2", "refresh-2", nil), nil
			}
			a, _ := opened(t, &p.vendor, withLogin())
			if _, err := a.Get(t.Context(), "101"); err != nil {
				t.Error(err)
			}
			if logins, refreshes := p.count(login), p.count(refresh); logins != 2 || refreshes != 1 {
				t.Errorf("%d logins, %d refreshes", logins, refreshes)
			}
		})
	}
}

// A token that is refused even when it is new ends the call: 401 is also the word for a missing role.
func TestNoRenewalLoop(t *testing.T) {
	p := newPlatform(t)
	p.login = func() (int, string, error) { return 200, loginAnswer(t, "access-1", "refresh-1", nil), nil }
	p.refresh = func() (int, string, error) { return 200, loginAnswer(t, "access-2", "refresh-2", nil), nil }
	a, _ := opened(t, &p.vendor, withLogin())
	_, err := a.Get(t.Context(), "101")
	if !errors.Is(err, rest.ErrAuth) || !strings.Contains(err.Error(), "role") || !strings.Contains(err.Error(), "r-401") {
		t.Errorf("got %v", err)
	}
	if len(p.asked) != 4 {
		t.Errorf("sent %q", p.asked)
	}
}

func TestReadyToken(t *testing.T) {
	p := newPlatform(t)
	a, _ := opened(t, &p.vendor, withToken())
	_, err := a.Get(t.Context(), "101")
	if !errors.Is(err, rest.ErrAuth) || !strings.Contains(err.Error(), "cannot be renewed: set a new CONVIRZA_ACCESS_TOKEN") || strings.Contains(err.Error(), "ready-token") {
		t.Errorf("got %v", err)
	}
	if len(p.asked) != 1 {
		t.Errorf("sent %q", p.asked)
	}

	p.login = func() (int, string, error) { return 200, loginAnswer(t, "access-1", "", nil), nil }
	p.good.Store("access-1", true)
	both := withLogin()
	both[fieldToken] = "ready-token"
	a, _ = opened(t, &p.vendor, both)
	if _, err := a.Get(t.Context(), "101"); err != nil || p.count(login) != 1 || p.count(refresh) != 0 {
		t.Errorf("with a login beside it: %v, sent %q", err, p.asked)
	}
}

// Whatever the login says, it says nothing of the agent, and no secret.
func TestLoginFails(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   error
		part   string
		logins int // for two calls, one after the other
	}{
		{"wrong password", 401, `{"code": 401, "message": "bad the-password", "requestId": "r"}`, rest.ErrAuth, "CONVIRZA_PASSWORD", 1},
		{"unknown members", 400, `{"code": 400, "message": "username is required"}`, rest.ErrAuth, "username is required", 1},
		{"wrong host", 404, `{"code": 404, "message": "no route", "requestId": "r"}`, rest.ErrAuth, "CONVIRZA_OAUTH_URL", 1},
		{"too many", 429, `{"code": 429, "message": "slow down"}`, rest.ErrUnavailable, "10 a minute", 10},
		{"fault", 500, `{"code": 500, "message": "oops"}`, rest.ErrUnavailable, "oops", 10},
		{"no token", 200, `{"access_token": ""}`, rest.ErrOddAnswer, "no access_token", 2},
		{"an envelope", 200, `{"code": 200, "data": {"access_token": "secret-access"}}`, rest.ErrOddAnswer, "no access_token", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPlatform(t)
			p.login = func() (int, string, error) { return tc.status, tc.body, nil }
			a, _ := opened(t, &p.vendor, withLogin())
			for range 2 {
				_, err := a.Get(t.Context(), "101")
				if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.part) {
					t.Errorf("got %v", err)
				}
				for _, never := range []error{rest.ErrNotFound, rest.ErrUnknownOutcome, rest.ErrRejected} {
					if errors.Is(err, never) {
						t.Errorf("%v matches %v", err, never)
					}
				}
				if strings.Contains(err.Error(), "the-password") || strings.Contains(err.Error(), "secret-access") {
					t.Errorf("a secret is in %v", err)
				}
			}
			if n := p.count(login); n != tc.logins || p.count("GET /v3/ai-voice-agents/101") != 0 {
				t.Errorf("%d logins, sent %q", n, p.asked)
			}
		})
	}
}

// A refused login is tried again a minute later: a watcher outlives a password that is set right.
func TestRefusalIsForgotten(t *testing.T) {
	clock := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	p := newPlatform(t)
	p.good.Store("access-1", true)
	p.login = func() (int, string, error) { return 401, `{"code": 401, "message": "no"}`, nil }
	a, err := Vendor().Open(providers.Settings{Account: "convirza", Values: withLogin(), Rest: rest.Shared{
		Transport: &p.vendor, Now: func() time.Time { return clock }, Sleep: sleepless(&clock),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := a.Get(t.Context(), "101"); !errors.Is(err, rest.ErrAuth) {
			t.Fatal(err)
		}
	}
	if n := p.count(login); n != 1 {
		t.Errorf("%d logins within the minute", n)
	}
	clock = clock.Add(2 * refusalLasts)
	p.login = func() (int, string, error) { return 200, loginAnswer(t, "access-1", "", 3600), nil }
	if _, err := a.Get(t.Context(), "101"); err != nil {
		t.Error(err)
	}
}

// A token is renewed shortly before its stated end.
func TestExpiry(t *testing.T) {
	clock := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	p := newPlatform(t)
	p.good.Store("access-1", true)
	p.good.Store("access-2", true)
	p.login = func() (int, string, error) {
		return 200, loginAnswer(t, "access-1", "refresh-1", clock.Add(time.Hour).Format("2006-01-02T15:04:05.000Z")), nil
	}
	p.refresh = func() (int, string, error) { return 200, loginAnswer(t, "access-2", "refresh-2", 7200), nil }
	a, err := Vendor().Open(providers.Settings{Account: "convirza", Values: withLogin(), Rest: rest.Shared{
		Transport: &p.vendor, Now: func() time.Time { return clock }, Sleep: sleepless(&clock),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after             time.Duration
		logins, refreshes int
	}{{0, 1, 0}, {58 * time.Minute, 1, 0}, {61 * time.Second, 1, 1}, {time.Hour, 1, 1}, {time.Hour, 1, 2}} {
		clock = clock.Add(step.after)
		if _, err := a.Get(t.Context(), "101"); err != nil {
			t.Fatal(err)
		}
		if p.count(login) != step.logins || p.count(refresh) != step.refreshes {
			t.Errorf("%s later: %d logins, %d refreshes, want %d, %d", step.after, p.count(login), p.count(refresh), step.logins, step.refreshes)
		}
	}
}

func TestEnd(t *testing.T) {
	now := time.Date(2026, 4, 3, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		v    any
		want time.Time
	}{
		{"a time", "2026-04-10T12:00:00.000Z", now.AddDate(0, 0, 7)},
		{"a time elsewhere", "2026-04-10T14:00:00+02:00", now.AddDate(0, 0, 7)},
		{"seconds", json.Number("604800"), now.AddDate(0, 0, 7)},
		{"seconds in quotes", "604800", now.AddDate(0, 0, 7)},
		{"past", "2026-04-01T12:00:00.000Z", time.Time{}},
		{"no time left", json.Number("30"), time.Time{}},
		{"negative", json.Number("-1"), time.Time{}},
		{"absurd", json.Number("99999999999999"), time.Time{}},
		{"text", "soon", time.Time{}},
		{"absent", nil, time.Time{}},
	} {
		if got := end(tc.v, now); !got.Equal(tc.want) {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

// sleepless moves the clock instead of waiting.
func sleepless(clock *time.Time) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		*clock = clock.Add(d)
		return ctx.Err()
	}
}
