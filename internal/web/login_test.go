package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/web"
)

const form = "application/x-www-form-urlencoded"

// signIn posts the form and returns the answer's cookie, nil for none.
func (w *world) signIn(token, next string, headers ...string) (int, string, *http.Cookie) {
	got := w.do("POST", "/login", url.Values{"token": {token}, "next": {next}}.Encode(), append([]string{"Content-Type", form}, headers...)...)
	for _, c := range got.Result().Cookies() {
		return got.Code, got.Header().Get("Location"), c
	}
	return got.Code, got.Header().Get("Location"), nil
}

func TestSigningIn(t *testing.T) {
	now := sampled
	w := serve(t, sample(1), withToken, func(o *web.Options) { o.Now = func() time.Time { return now } })
	got := w.do("GET", "/agents/voicy/front-desk?x=1", "", "Accept", "text/html")
	if got.Code != 303 || got.Header().Get("Location") != "/login?next=%2Fagents%2Fvoicy%2Ffront-desk%3Fx%3D1" {
		t.Fatalf("%d %v", got.Code, got.Header())
	}
	if page := w.do("GET", got.Header().Get("Location"), "", "Accept", "text/html"); page.Code != 200 || !strings.Contains(page.Body.String(), `value="/agents/voicy/front-desk?x=1"`) {
		t.Errorf("%d %s", page.Code, page.Body)
	}
	code, _, cookie := w.signIn("wrong", "/")
	if code != 401 || cookie != nil {
		t.Errorf("a wrong token: %d %v", code, cookie)
	}
	code, location, cookie := w.signIn("right", "/agents/voicy/front-desk")
	if code != 303 || location != "/agents/voicy/front-desk" || cookie == nil {
		t.Fatalf("the right token: %d %q %v", code, location, cookie)
	}
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || strings.Contains(cookie.Value, "right") || cookie.MaxAge != 12*3600 {
		t.Errorf("on loopback: %+v", cookie)
	}
	with := func(value string) int {
		return w.do("GET", "/", "", "Cookie", cookie.Name+"="+value).Code
	}
	if got := with(cookie.Value); got != 200 {
		t.Errorf("signed in: %d", got)
	}
	later, _, _ := strings.Cut(cookie.Value, ".")
	for name, forged := range map[string]string{"nothing": "", "no proof": later + ".", "a later end": "9" + cookie.Value, "half a proof": cookie.Value[:len(cookie.Value)-1]} {
		if got := with(forged); got != 401 {
			t.Errorf("%s: %d", name, got)
		}
	}
	now = now.Add(12 * time.Hour)
	if got := with(cookie.Value); got != 401 {
		t.Errorf("twelve hours later: %d", got)
	}
	other := serve(t, sample(1), func(o *web.Options) { o.Token = "another" })
	if got := other.do("GET", "/", "", "Cookie", cookie.Name+"="+cookie.Value); got.Code != 401 {
		t.Errorf("after the token was changed: %d", got.Code)
	}
}

func TestTheCookieIsForHTTPSBeyondLoopback(t *testing.T) {
	w := serve(t, sample(1), withToken)
	if code, _, cookie := w.signIn("right", "/", "Host", "agents.example.com", "Origin", "https://agents.example.com", "Sec-Fetch-Site", "same-origin"); code != 303 || !cookie.Secure {
		t.Errorf("behind https: %d %+v", code, cookie)
	}
	if code, _, cookie := w.signIn("right", "/", "Host", "10.0.0.1:8080", "Origin", "http://10.0.0.1:8080"); code != 403 || cookie != nil {
		t.Errorf("over plain http: %d %+v", code, cookie)
	}
}

func TestSigningInLeadsNowhereElse(t *testing.T) {
	w := serve(t, sample(1), withToken)
	for _, next := range []string{"https://evil.example.com", "//evil.example.com", `/\evil.example.com`, "evil", "", "/\t/evil.example.com", "/\r\nX: y"} {
		if _, location, _ := w.signIn("right", next); location != "/" {
			t.Errorf("%q leads to %q", next, location)
		}
	}
}

func TestSigningInFromAnotherSite(t *testing.T) {
	w := serve(t, sample(1), withToken)
	if code, _, cookie := w.signIn("right", "/", "Sec-Fetch-Site", "cross-site"); code != 403 || cookie != nil {
		t.Errorf("%d %v", code, cookie)
	}
}

func TestSigningOut(t *testing.T) {
	w := serve(t, sample(1), withToken)
	got := w.do("POST", "/logout", "")
	if c := got.Result().Cookies(); got.Code != 303 || len(c) != 1 || c[0].MaxAge != -1 {
		t.Errorf("%d %v", got.Code, c)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	w := serve(t, sample(1), withToken)
	for range 10 {
		w.signIn("wrong", "/")
	}
	if code, _, cookie := w.signIn("right", "/"); code != 429 || cookie != nil {
		t.Errorf("%d %v", code, cookie)
	}
}

func TestNoLoginWithoutAToken(t *testing.T) {
	if got := serve(t, sample(1)).do("GET", "/login", ""); got.Code != 404 {
		t.Errorf("%d", got.Code)
	}
}
