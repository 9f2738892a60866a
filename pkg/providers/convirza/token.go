package convirza

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	// expiryMargin is how long before its stated end a token is renewed.
	expiryMargin = time.Minute
	// refusalLasts is how long a refused login is not tried again: logins are limited to 10 a minute per address
	// (get-access-token, checked 2026-11-21).
	refusalLasts = time.Minute
)

// tokens keeps an account's access token: a ready one, or one from a login with e-mail and password. Whoever needs a new one
// at the same time shares one renewal: a refresh token is good for one use (refresh-access-token, checked 2026-11-21).
type tokens struct {
	logins          *rest.Client // of the OAuth host, within its limit
	refreshes       *rest.Client // of the OAuth host
	email, password string
	mask            *rest.Masker
	now             func() time.Time // nil: the stated end of a token is not looked at
	renewals        singleflight.Group

	mu      sync.Mutex
	current pair
	// refused is what the last login failed with for good, at refusedAt.
	refused   error
	refusedAt time.Time
}

// pair is what a login returns.
type pair struct {
	access, refresh string
	// ends is zero where it is not known.
	ends time.Time
}

// canLogIn reports whether there is anything to renew a token with.
func (t *tokens) canLogIn() bool { return t.email != "" && t.password != "" }

// bearerKey finds, in the context of a call, the token that its latest attempt carried. Each attempt is a new request without
// the credentials of the one before, so a refused token is known only from here.
type bearerKey struct{}

// remembering returns the context for one call.
func remembering(ctx context.Context) context.Context {
	return context.WithValue(ctx, bearerKey{}, new(string))
}

// authorize implements rest.Options.Authorize. On the repeat after a 401 it replaces the token that was refused, unless another call
// has done so meanwhile.
func (t *tokens) authorize(ctx context.Context, r *http.Request, renew bool) error {
	latest, _ := ctx.Value(bearerKey{}).(*string)
	if latest == nil {
		latest = new(string)
	}
	var refused string
	if renew {
		refused = *latest
	}
	access, err := t.access(ctx, refused)
	if err != nil {
		return err
	}
	*latest = access
	r.Header.Set("Authorization", "Bearer "+access)
	return nil
}

// access returns a token other than the refused one.
func (t *tokens) access(ctx context.Context, refused string) (string, error) {
	if access, ok := t.usable(refused); ok {
		return access, nil
	}
	// The renewal serves all who wait for it, so it does not end with the first of them.
	renewal := t.renewals.DoChan("", func() (any, error) {
		if access, ok := t.usable(refused); ok {
			return access, nil
		}
		return t.renew(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case done := <-renewal:
		access, _ := done.Val.(string)
		return access, done.Err
	}
}

// usable returns the current token if it is not the refused one and not at its end.
func (t *tokens) usable(refused string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.current
	over := t.now != nil && !p.ends.IsZero() && t.canLogIn() && !t.now().Add(expiryMargin).Before(p.ends)
	return p.access, p.access != "" && p.access != refused && !over
}

// renew gets a new token: by the refresh token if there is one, else, and whenever that fails, by a login. A refresh is never sent twice:
// one that got no answer may have spent the refresh token (refresh-access-token, checked 2026-11-21).
func (t *tokens) renew(ctx context.Context) (string, error) {
	t.mu.Lock()
	refresh, refused, since := t.current.refresh, t.refused, t.refusedAt
	t.current.refresh = ""
	t.mu.Unlock()
	if refresh != "" {
		access, err := t.request(ctx, t.refreshes, rest.Request{
			Method: http.MethodPost, Path: "/oauth/refresh-token", JSON: map[string]any{"refresh_token": refresh}, Once: true,
		})
		if err == nil {
			return access, nil
		}
	}
	if refused != nil && (t.now == nil || t.now().Sub(since) < refusalLasts) {
		return "", refused
	}
	// The names of the two members were not readable (get-access-token, checked 2026-11-21).
	access, err := t.request(ctx, t.logins, rest.Request{
		Method: http.MethodPost, Path: "/oauth/token", JSON: map[string]any{"email": t.email, "password": t.password},
	})
	if err != nil {
		return "", t.loginError(err)
	}
	return access, nil
}

// request sends a login or a refresh, and keeps the pair it returns.
func (t *tokens) request(ctx context.Context, client *rest.Client, r rest.Request) (string, error) {
	answer, err := client.Do(ctx, r)
	if err != nil {
		return "", err
	}
	p, err := decoded(answer, t.decodePair)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.refused = p, nil
	return p.access, nil
}

// loginError says why a login failed, and remembers a refusal. Of what the login's own request matches, only what holds for the request it
// was for is kept: a login that is not found, or may have happened, says nothing of an agent.
func (t *tokens) loginError(err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		return err
	}
	login := *e
	login.Kinds = slices.DeleteFunc(slices.Clone(e.Kinds), func(kind error) bool {
		return kind != rest.ErrUnavailable && kind != rest.ErrOddAnswer
	})
	if login.Status == http.StatusTooManyRequests {
		return fmt.Errorf("the login failed: %w; logins are limited to 10 a minute for all users behind one address: try again later", &login)
	}
	err = fmt.Errorf("the login failed: %w; check CONVIRZA_EMAIL, CONVIRZA_PASSWORD and CONVIRZA_OAUTH_URL", &login)
	if login.Status >= 400 && login.Status < 500 {
		login.Kinds = []error{rest.ErrAuth}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.refused = err
		if t.now != nil {
			t.refusedAt = t.now()
		}
	}
	return err
}

// decodePair reads the flat answer of a login or a refresh (quick-start, refresh-access-token, checked 2026-11-21). Every token in
// it is a secret from here on.
func (t *tokens) decodePair(doc any) (pair, error) {
	raw, ok := doc.(map[string]any)
	if !ok {
		return pair{}, errors.New("it is no object with an access_token")
	}
	var p pair
	p.access, _ = raw["access_token"].(string)
	p.refresh, _ = raw["refresh_token"].(string)
	frontend, _ := raw["frontend_token"].(string)
	t.mask.Add(p.access, p.refresh, frontend)
	if p.access == "" {
		return pair{}, errors.New("it has no access_token")
	}
	var now time.Time
	if t.now != nil {
		now = t.now()
	}
	p.ends = end(raw["expires_in"], now)
	return p, nil
}

// end reads expires_in, which is a time here and not a number of seconds (quick-start, checked 2026-11-21); a number is taken for
// seconds. An end that is past already says that one of the two clocks is wrong: it is not believed.
func end(v any, now time.Time) time.Time {
	var ends time.Time
	if seconds, ok := wholeNumber(v); ok && !now.IsZero() && seconds < int64(maxLife/time.Second) {
		ends = now.Add(time.Duration(seconds) * time.Second)
	} else if text, isText := v.(string); isText {
		ends, _ = time.Parse(time.RFC3339, text)
	}
	if !ends.After(now.Add(expiryMargin)) {
		return time.Time{}
	}
	return ends
}

// maxLife bounds a life in seconds; tokens live for 7 days (get-access-token, checked 2026-11-21).
const maxLife = 10 * 365 * 24 * time.Hour
