package web_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/web"
)

func withToken(o *web.Options) { o.Token = "right" }

func TestProbes(t *testing.T) {
	ready := func() *status.Status {
		return &status.Status{At: ago(time.Minute), Source: status.Source{Digest: "sha256:1"}, Lease: status.Lease{Role: status.Leader},
			Accounts: []*status.Account{{Name: "voicy", Breaker: status.Closed, LookedAt: ago(time.Minute)}}}
	}
	for _, c := range []struct {
		name, path string
		change     func(*status.Status)
		want       int
		says       string
	}{
		{"alive", "/healthz", func(s *status.Status) {}, 200, "ok"},
		{"stuck", "/healthz", func(s *status.Status) { s.At = ago(16 * time.Minute) }, 503, "16m0s"},
		{"not published yet", "/healthz", func(s *status.Status) { s.At = time.Time{} }, 200, "ok"},
		{"ready", "/readyz", func(s *status.Status) {}, 200, "ok"},
		{"no revision", "/readyz", func(s *status.Status) {
			s.Source.Digest, s.Source.Errors = "", []status.Problem{{Message: "agents/secret-name.yaml: no"}}
		}, 503, "no revision"},
		{"role unknown", "/readyz", func(s *status.Status) { s.Lease.Role = "" }, 503, "not known"},
		{"first look not made", "/readyz", func(s *status.Status) { s.Accounts[0].LookedAt = time.Time{} }, 503, "1 of 1 accounts"},
		{"a broken vendor holds nobody up", "/readyz", func(s *status.Status) {
			s.Accounts[0].LookedAt, s.Accounts[0].Breaker = time.Time{}, status.Open
		}, 200, "ok"},
		{"standby alone", "/readyz", func(s *status.Status) { s.Lease.Role = status.Standby }, 503, "nobody holds the lease"},
		{"standby", "/readyz", func(s *status.Status) {
			s.Lease, s.Accounts[0].LookedAt = status.Lease{Role: status.Standby, Holder: "a"}, time.Time{}
		}, 200, "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := ready()
			c.change(st)
			// Neither a token nor an unknown host name stands in a probe's way.
			got := serve(t, st, withToken, func(o *web.Options) { o.Hosts = []string{"agents.example.com"} }).do("GET", c.path, "", "Host", "10.1.2.3:8080")
			if got.Code != c.want || !strings.Contains(got.Body.String(), c.says) || strings.Contains(got.Body.String(), "secret-name") {
				t.Errorf("%d %s", got.Code, got.Body)
			}
		})
	}
}

func TestHealthBeforeTheFirstStatusAges(t *testing.T) {
	now := sampled
	w := serve(t, nil, func(o *web.Options) {
		o.StaleAfter = time.Minute
		o.Now = func() time.Time { return now }
	})
	if got := w.do("GET", "/healthz", ""); got.Code != 200 {
		t.Errorf("at the start: %d", got.Code)
	}
	now = now.Add(2 * time.Minute)
	if got := w.do("GET", "/healthz", ""); got.Code != 503 {
		t.Errorf("after two minutes without a status: %d", got.Code)
	}
}

func TestWhoMayCome(t *testing.T) {
	proxy := func(o *web.Options) {
		o.ProxyHeader, o.ProxyFrom = "X-Forwarded-User", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	}
	both := func(o *web.Options) { withToken(o); proxy(o) }
	none := func(*web.Options) {}
	hosts := func(o *web.Options) { withToken(o); o.Hosts = []string{"agents.example.com"} }
	bearer := []string{"Authorization", "Bearer right"}
	for _, c := range []struct {
		name    string
		options func(*web.Options)
		headers []string
		want    int
	}{
		{"loopback", none, nil, 200},
		{"loopback in capitals", none, []string{"Host", "LocalHost."}, 200},
		{"loopback by number", none, []string{"Host", "127.8.0.1:8080"}, 200},
		{"loopback by number, IPv6", none, []string{"Host", "[::1]:8080"}, 200},
		{"rebinding", none, []string{"Host", "evil.example.com:8080"}, 421},
		{"no token", withToken, nil, 401},
		{"wrong token", withToken, []string{"Authorization", "Bearer wrong"}, 401},
		{"half a token", withToken, []string{"Authorization", "Bearer righ"}, 401},
		{"token without a scheme", withToken, []string{"Authorization", "right"}, 401},
		{"token", withToken, bearer, 200},
		{"token under any name", withToken, append([]string{"Host", "agents.example.com"}, bearer...), 200},
		{"token under a name that is ours", hosts, append([]string{"Host", "Agents.Example.com:443"}, bearer...), 200},
		{"token under a name that is not", hosts, append([]string{"Host", "evil.example.com"}, bearer...), 421},
		{"proxy", proxy, []string{"From", "10.1.1.1:999", "X-Forwarded-User", "ann"}, 200},
		{"proxy, mapped address", proxy, []string{"From", "[::ffff:10.1.1.1]:999", "X-Forwarded-User", "ann"}, 200},
		{"proxy without a user", proxy, []string{"From", "10.1.1.1:999"}, 401},
		{"proxy with two users", proxy, []string{"From", "10.1.1.1:999", "X-Forwarded-User", "ann", "X-Forwarded-User", "eve"}, 401},
		{"a stranger with the header", proxy, []string{"From", "192.0.2.1:999", "X-Forwarded-User", "ann"}, 401},
		{"loopback is no proxy by itself", proxy, []string{"X-Forwarded-User", "ann"}, 401},
		{"proxy or token: token", both, append([]string{"From", "192.0.2.1:999", "X-Forwarded-User", "eve"}, bearer...), 200},
		{"proxy or token: proxy", both, []string{"From", "10.1.1.1:999", "X-Forwarded-User", "ann"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(t, sample(1), c.options)
			for _, path := range []string{"/", "/agents/voicy/front-desk", "/api/v1/status", "/api/v1/agents/voicy/front-desk", "/nothing"} {
				want := c.want
				if path == "/nothing" && want == 200 {
					want = 404
				}
				got := w.do("GET", path, "", c.headers...)
				if got.Code != want {
					t.Errorf("%s: %d, not %d: %s", path, got.Code, want, got.Body)
				}
				if c.want != 200 && strings.Contains(got.Body.String(), "front-desk") {
					t.Errorf("%s names an agent: %s", path, got.Body)
				}
			}
		})
	}
}

func TestWrongTokensAreSlowedDown(t *testing.T) {
	now := sampled
	w := serve(t, sample(0), withToken, func(o *web.Options) { o.Now = func() time.Time { return now } })
	try := func(token, from string) int {
		return w.do("GET", "/api/v1/status", "", "Authorization", "Bearer "+token, "From", from).Code
	}
	for i := range 10 {
		if got := try("wrong", "192.0.2.1:1"); got != 401 {
			t.Fatalf("try %d: %d", i, got)
		}
	}
	if got := try("right", "192.0.2.1:2"); got != 429 {
		t.Errorf("after ten wrong tokens the right one gets %d", got)
	}
	if got := try("right", "192.0.2.2:1"); got != 200 {
		t.Errorf("another address gets %d", got)
	}
	now = now.Add(time.Minute)
	if got := try("right", "192.0.2.1:3"); got != 200 {
		t.Errorf("a minute later: %d", got)
	}
	if log := w.logged(); strings.Contains(log, "token=") || strings.Contains(log, "Bearer") || !strings.Contains(log, "192.0.2.1") {
		t.Errorf("the log: %s", log)
	}
}

func TestEveryAnswerIsHardened(t *testing.T) {
	w := serve(t, sample(1), withToken)
	for _, path := range []string{"/", "/login", "/healthz", "/api/v1/status", "/assets/style.css", "/webhooks/github", "/nothing"} {
		h := w.do("GET", path, "").Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", path, p)
		}
	}
}

func TestAnAssetMayBeKeptUnderItsDigest(t *testing.T) {
	w := serve(t, sample(1))
	page := w.do("GET", "/", "").Body.String()
	for _, name := range []string{"style.css", "script.js", "favicon.svg"} {
		_, rest, ok := strings.Cut(page, `"/assets/`+name)
		digest, _, _ := strings.Cut(rest, `"`)
		got := w.do("GET", "/assets/"+name+digest, "")
		if !ok || got.Code != 200 || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") || got.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", name+digest, got.Code, got.Header())
		}
	}
	if got := w.do("GET", "/assets/..%2fweb.go", ""); got.Code != 404 {
		t.Errorf("a file outside: %d", got.Code)
	}
}

func TestMethods(t *testing.T) {
	w := serve(t, sample(1), func(o *web.Options) { o.Metrics = http.NotFoundHandler() })
	for path, allow := range map[string]string{"/": "GET, HEAD", "/healthz": "GET, HEAD", "/readyz": "GET, HEAD", "/metrics": "GET, HEAD", "/events": "GET, HEAD",
		"/api/v1/status": "GET, HEAD", "/api/v1/agents/voicy/front-desk": "GET, HEAD", "/agents/voicy/front-desk": "GET, HEAD",
		"/api/v1/reconcile": "POST", "/look": "POST", "/logout": "POST", "/webhooks/github": "POST", "/webhooks/gitlab": "POST"} {
		if got := w.do("DELETE", path, ""); got.Code != 405 || got.Header().Get("Allow") != allow {
			t.Errorf("%s: %d, Allow %q", path, got.Code, got.Header().Get("Allow"))
		}
	}
	if got := w.do("HEAD", "/api/v1/status", ""); got.Code != 200 {
		t.Errorf("HEAD: %d", got.Code)
	}
}

func TestMetricsAreOpen(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("up 1\n")) })
	w := serve(t, sample(1), withToken, func(o *web.Options) { o.Metrics = metrics })
	if got := w.do("GET", "/metrics", "", "Host", "10.0.0.1"); got.Code != 200 || got.Body.String() != "up 1\n" {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := serve(t, sample(1)).do("GET", "/metrics", ""); got.Code != 404 {
		t.Errorf("without metrics: %d", got.Code)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	if _, err := web.New(web.Options{}); err == nil {
		t.Error("no board is taken")
	}
	if _, err := web.New(options(func(o *web.Options) { o.ProxyHeader = "X-User" })); err == nil || !strings.Contains(err.Error(), "addresses") {
		t.Errorf("a proxy header from anywhere: %v", err)
	}
}

func TestCheckExposure(t *testing.T) {
	token, proxy := web.Options{Token: "x"}, web.Options{ProxyHeader: "X-User"}
	for _, c := range []struct {
		addr string
		o    web.Options
		ok   bool
	}{
		{"127.0.0.1:8080", web.Options{}, true}, {"localhost:8080", web.Options{}, true}, {"[::1]:8080", web.Options{}, true}, {"127.9.9.9:0", web.Options{}, true},
		{":8080", web.Options{}, false}, {"0.0.0.0:8080", web.Options{}, false}, {"[::]:8080", web.Options{}, false}, {"10.0.0.1:8080", web.Options{}, false},
		{"agents.example.com:8080", web.Options{}, false}, {":8080", token, true}, {":8080", proxy, true}, {"8080", token, false}, {"", token, false},
	} {
		err := web.CheckExposure(c.addr, c.o)
		if (err == nil) != c.ok {
			t.Errorf("%q: %v", c.addr, err)
		}
		if err != nil && !strings.Contains(err.Error(), "127.0.0.1:") {
			t.Errorf("%q: no cure in %q", c.addr, err)
		}
	}
}

// fault is the body of an answer that is none.
type fault struct{ Error, Hint string }

func faultOf(t *testing.T, body []byte) fault {
	t.Helper()
	var f fault
	if err := json.Unmarshal(body, &f); err != nil || f.Error == "" || f.Hint == "" {
		t.Errorf("no error with a hint: %s", body)
	}
	return f
}

func TestTheStatusAsJSON(t *testing.T) {
	st := sample(3)
	got := serve(t, st).do("GET", "/api/v1/status", "")
	var back status.Status
	if err := json.Unmarshal(got.Body.Bytes(), &back); err != nil || len(back.Agents) != len(st.Agents) || back.Source.InForce != st.Source.InForce {
		t.Errorf("%v: %s", err, got.Body)
	}
	if kind := got.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("content type %q", kind)
	}
	if got := serve(t, nil).do("GET", "/api/v1/status", ""); got.Code != 200 {
		t.Errorf("before the first status: %d", got.Code)
	}
}

func TestAnAgentAsJSON(t *testing.T) {
	w := serve(t, sample(1))
	got := w.do("GET", "/api/v1/agents/voicy/front-desk", "")
	var a struct {
		Address, State string
		Fields         []any
		Runs           []status.Run
	}
	if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil || a.Address != "voicy/front-desk" || a.State != "drifted" || len(a.Fields) != 3 {
		t.Errorf("%v: %s", err, got.Body)
	}
	if len(a.Runs) != 1 || len(a.Runs[0].Results) != 1 || a.Runs[0].Results[0].Address != "voicy/front-desk" {
		t.Errorf("its runs: %+v", a.Runs)
	}
	got = w.do("GET", "/api/v1/agents/voicy/nobody", "")
	if f := faultOf(t, got.Body.Bytes()); got.Code != 404 || !strings.Contains(f.Error, "voicy/nobody") {
		t.Errorf("%d %+v", got.Code, f)
	}
}

func TestReconcile(t *testing.T) {
	const kind = "application/json"
	standby := sample(1)
	standby.Lease = status.Lease{Role: status.Standby, Holder: "watch-a"}
	for _, c := range []struct {
		name       string
		st         *status.Status
		body, kind string
		headers    []string
		want       int
		says       string
		targets    []string
		fetched    int
	}{
		{"everything", nil, "", "", nil, 202, `"accepted":true`, nil, 1},
		{"everything, said so", nil, `{}`, kind, nil, 202, `"accepted":true`, nil, 1},
		{"single agents", nil, `{"targets":["voicy/front-desk","nova-emea/billing","voicy/front-desk"]}`, kind + "; charset=utf-8", nil, 202, "front-desk",
			[]string{"nova-emea/billing", "voicy/front-desk"}, 0},
		{"unknown", nil, `{"targets":["voicy/front-desk","voicy/nobody"]}`, kind, nil, 404, "voicy/nobody", nil, 0},
		{"standby", standby, "", "", nil, 409, "watch-a leads", nil, 0},
		{"not said to be JSON", nil, `{"targets":[]}`, "text/plain", nil, 415, "application/json", nil, 0},
		{"a form", nil, `targets=voicy/front-desk`, "application/x-www-form-urlencoded", nil, 415, "application/json", nil, 0},
		{"no JSON", nil, `{"targets"`, kind, nil, 400, "targets", nil, 0},
		{"a misspelt field", nil, `{"target":["voicy/front-desk"]}`, kind, nil, 400, "target", nil, 0},
		{"two orders", nil, `{}{}`, kind, nil, 400, "more than one", nil, 0},
		{"too large", nil, `{"targets":["` + strings.Repeat("x", 300<<10) + `"]}`, kind, nil, 413, "larger", nil, 0},
		{"another site", nil, "", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site", nil, 0},
		{"another port of this machine", nil, "", "", []string{"Sec-Fetch-Site", "same-site"}, 403, "another site", nil, 0},
		{"an old browser on another site", nil, "", "", []string{"Origin", "https://evil.example.com"}, 403, "another site", nil, 0},
		{"a sandboxed page", nil, "", "", []string{"Origin", "null"}, 403, "another site", nil, 0},
		{"the page itself", nil, "", "", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}, 202, "true", nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := c.st
			if st == nil {
				st = sample(1)
			}
			w := serve(t, st)
			got := w.do("POST", "/api/v1/reconcile", c.body, append([]string{"Content-Type", c.kind}, c.headers...)...)
			asked, fetched := w.orders()
			if got.Code != c.want || !strings.Contains(got.Body.String(), c.says) || fetched != c.fetched {
				t.Errorf("%d %s (%d fetches)", got.Code, got.Body, fetched)
			}
			if c.want != 202 {
				faultOf(t, got.Body.Bytes())
				if len(asked) != 0 {
					t.Errorf("asked for %v", asked)
				}
				return
			}
			if len(asked) != 1 || !slices.Equal(asked[0], c.targets) {
				t.Errorf("asked for %v", asked)
			}
		})
	}
}

func TestReconcileWhileShuttingDown(t *testing.T) {
	w := serve(t, sample(1))
	w.closed = true
	if got := w.do("POST", "/api/v1/reconcile", ""); got.Code != 503 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestReconcileNeedsTheTokenAndNamesTheUser(t *testing.T) {
	w := serve(t, sample(1), withToken)
	if got := w.do("POST", "/api/v1/reconcile", ""); got.Code != 401 {
		t.Errorf("without the token: %d", got.Code)
	}
	w = serve(t, sample(1), func(o *web.Options) {
		o.ProxyHeader, o.ProxyFrom = "X-Forwarded-User", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	if got := w.do("POST", "/api/v1/reconcile", "", "X-Forwarded-User", "ann"); got.Code != 202 || !strings.Contains(w.logged(), "user=ann") {
		t.Errorf("%d, the log: %s", got.Code, w.logged())
	}
}
