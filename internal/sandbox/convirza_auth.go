package sandbox

import (
	"fmt"
	"net/http"
	"time"
)

// Lifetimes of tokens (docs.convirza.com/get-access-token-31635276e0). Checked 2026-11-21.
const (
	accessLife  = 7 * 24 * time.Hour
	refreshLife = 180 * 24 * time.Hour
)

// sessions are the tokens that were given out, in memory only.
type sessions struct {
	next    int
	access  map[string]time.Time // until when
	refresh map[string]pair
	ended   bool // the ready token has ended too
}

// pair is a refresh token's end, and the access token that goes with it.
type pair struct {
	until  time.Time
	access string
}

// allows says whether a token opens the API; each use renews it.
func (t *sessions) allows(token string, now time.Time) bool {
	if token == ConvirzaToken {
		return !t.ended
	}
	until, ok := t.access[token]
	if !ok || !now.Before(until) {
		return false
	}
	t.access[token] = now.Add(accessLife)
	return true
}

// expire ends all access tokens; refresh tokens stay.
func (t *sessions) expire() {
	t.access = nil
	t.ended = true
}

// give makes a new pair.
func (t *sessions) give(now time.Time) (access, refresh string) {
	t.next++
	if t.access == nil {
		t.access = map[string]time.Time{}
	}
	if t.refresh == nil {
		t.refresh = map[string]pair{}
	}
	access, refresh = fmt.Sprintf("sandbox-access-%04d", t.next), fmt.Sprintf("sandbox-refresh-%04d", t.next)
	t.access[access] = now.Add(accessLife)
	t.refresh[refresh] = pair{now.Add(refreshLife), access}
	return access, refresh
}

func (c convirza) serveOAuth(in *request) answer {
	return in.dispatch(http.StatusMethodNotAllowed, []route{
		{http.MethodPost, "/oauth/token", nil, func(string) answer { return c.login(in) }},
		{http.MethodPost, "/oauth/refresh-token", nil, func(string) answer { return c.renew(in) }},
		{http.MethodPost, "/oauth/revoke-token", nil, func(string) answer { return c.revoke(in) }},
	})
}

// texts reads a JSON body whose fields are texts, all of them required.
func (c convirza) texts(in *request, names ...string) (body map[string]any, out answer, ok bool) {
	body, err := in.object()
	if err != nil {
		return nil, in.failed(http.StatusBadRequest, err.Error()), false
	}
	fields := map[string]field{}
	for _, name := range names {
		fields[name] = field{kind: kindText, required: true, filled: true}
	}
	if wrong := checkObject("", fields, body, nil, true); len(wrong) > 0 {
		return nil, in.invalid(http.StatusBadRequest, wrong), false
	}
	return body, answer{}, true
}

func (c convirza) login(in *request) answer {
	body, out, ok := c.texts(in, "email", "password")
	if !ok {
		return out
	}
	if body["email"] != ConvirzaEmail || body["password"] != ConvirzaPassword {
		return in.failed(http.StatusUnauthorized, "Invalid email or password")
	}
	return c.tokens()
}

// tokens is the flat answer of login and refresh.
func (c convirza) tokens() answer {
	now := c.s.now()
	access, refresh := c.s.sessions.give(now)
	body := map[string]any{
		"access_token": access, "refresh_token": refresh, "frontend_token": fmt.Sprintf("%032d", c.s.sessions.next),
		"token_type": "Bearer",
		"expires_in": c.st.stamp(now.Add(accessLife)), "refresh_expires_in": c.st.stamp(now.Add(refreshLife)),
		"user": map[string]any{"user_id": 2001, "email": ConvirzaEmail, "role_id": 1, "org_unit_id": ConvirzaOrgUnit},
	}
	if c.quirks().ExpirySeconds {
		body["expires_in"], body["refresh_expires_in"] = int(accessLife.Seconds()), int(refreshLife.Seconds())
	}
	return answer{status: http.StatusOK, body: body}
}

// renew takes a refresh token once, and ends the access token that came with it.
func (c convirza) renew(in *request) answer {
	body, out, ok := c.texts(in, "refresh_token")
	if !ok {
		return out
	}
	token, _ := body["refresh_token"].(string)
	old, ok := c.s.sessions.refresh[token]
	delete(c.s.sessions.refresh, token)
	if !ok || !c.s.now().Before(old.until) {
		return in.failed(http.StatusUnauthorized, "Invalid refresh token, log in again")
	}
	delete(c.s.sessions.access, old.access)
	return c.tokens()
}

// revoke ends a token; a dead one is no error.
func (c convirza) revoke(in *request) answer {
	body, out, ok := c.texts(in, "token", "token_type")
	if !ok {
		return out
	}
	token, _ := body["token"].(string)
	switch body["token_type"] {
	case "access":
		delete(c.s.sessions.access, token)
	case "refresh":
		delete(c.s.sessions.refresh, token)
	default:
		return in.failed(http.StatusBadRequest, "token_type: must be one of access, refresh")
	}
	return answer{status: http.StatusOK, body: map[string]any{"code": http.StatusOK, "message": "Token revoked"}}
}
