package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

const renameBody = `{"agent_name": "Renamed"}`

// sockets runs a test in this process and over a real socket.
func sockets(t *testing.T, test func(t *testing.T, b *bench, socket bool)) {
	t.Run("transport", func(t *testing.T) { test(t, seeded(t, Quirks{}).voicy(), false) })
	t.Run("socket", func(t *testing.T) {
		b := seeded(t, Quirks{}).voicy()
		server := httptest.NewUnstartedServer(b.Handler())
		server.Config.ErrorLog = nil
		server.Start()
		t.Cleanup(server.Close)
		b.rt = toServer{server}
		test(t, b, true)
	})
}

// toServer sends what is for any host to one server.
type toServer struct{ *httptest.Server }

func (s toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(s.URL, "http://")
	return s.Client().Transport.RoundTrip(r)
}

func (b *bench) renamed() bool { return b.stored(Voicy, frontDesk)["agent_name"] == "Renamed" }

func TestFaultsThatBreak(t *testing.T) {
	for name, c := range map[string]struct {
		fault  Fault
		kept   bool  // the vendor carried out the call
		inside error // the error without a socket
	}{
		"reset":       {Fault{Kind: FaultReset}, false, syscall.ECONNRESET},
		"reset after": {Fault{Kind: FaultReset, After: true}, true, syscall.ECONNRESET},
		"refuse":      {Fault{Kind: FaultRefuse}, false, syscall.ECONNREFUSED},
		"truncate":    {Fault{Kind: FaultTruncate}, true, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			sockets(t, func(t *testing.T, b *bench, socket bool) {
				c.fault.Times = 1
				b.Fault(c.fault)
				_, err := b.with("Content-Type", "application/json").send("PATCH", pathUpdate+frontDesk, strings.NewReader(renameBody))
				if err == nil || !socket && !errors.Is(err, c.inside) {
					t.Errorf("error %v, want %v", err, c.inside)
				}
				if b.renamed() != c.kept {
					t.Errorf("carried out: %v", b.renamed())
				}
				if log := b.Log(); len(log) != 1 || c.fault.Kind != FaultTruncate && log[0].Status != 0 {
					t.Errorf("log %v", log)
				}
				b.do("PATCH", pathUpdate+frontDesk, renameBody).want(t, 200, "Renamed")
			})
		})
	}
}

func TestFaultsThatAnswer(t *testing.T) {
	retry := http.Header{"Retry-After": {"7"}}
	for name, c := range map[string]struct {
		fault  Fault
		kept   bool
		status int
		says   string
		header string // name=value
	}{
		"429":            {Fault{Kind: FaultStatus, Status: 429, Header: retry}, false, 429, `{"error":"simulated fault"}`, "Retry-After=7"},
		"500":            {Fault{Kind: FaultStatus, Status: 500}, false, 500, `{"error":`, "Content-Type=application/json"},
		"500 after":      {Fault{Kind: FaultStatus, Status: 500, After: true}, true, 500, `{"error":`, ""},
		"502":            {Fault{Kind: FaultStatus, Status: 502}, false, 502, "<html>", "Content-Type=text/html"},
		"404 of a proxy": {Fault{Kind: FaultStatus, Status: 404, Body: "<h1>Not Found</h1>"}, false, 404, "<h1>", "Content-Type=text/html"},
		"a body":         {Fault{Kind: FaultStatus, Status: 503, Body: `{"a":1}`}, false, 503, `{"a":1}`, "Content-Type=application/json"},
		"garbage":        {Fault{Kind: FaultGarbage}, true, 200, "<<<", "Content-Type=application/json"},
		"redirect":       {Fault{Kind: FaultRedirect}, false, 307, "", "Location=https://elsewhere.example" + pathUpdate + frontDesk},
		"expire":         {Fault{Kind: FaultExpire}, false, 401, "expired", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sockets(t, func(t *testing.T, b *bench, _ bool) {
				b.Fault(c.fault)
				got := b.do("PATCH", pathUpdate+frontDesk, renameBody).want(t, c.status, c.says)
				if name, value, ok := strings.Cut(c.header, "="); ok && got.header.Get(name) != value {
					t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
				}
				if b.renamed() != c.kept || b.Log()[0].Status != c.status {
					t.Errorf("carried out: %v, logged %d", b.renamed(), b.Log()[0].Status)
				}
				b.ClearFaults()
				b.do("GET", prefixVoicy+"/list-agents", "").want(t, 200, "")
			})
		})
	}
}

func TestFaultMatching(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	statuses := func(n int) (all []int) {
		for range n {
			all = append(all, b.do("GET", prefixVoicy+"/get-agent/"+frontDesk, "").status)
		}
		return all
	}
	for name, c := range map[string]struct {
		fault Fault
		want  []int
	}{
		"every":        {Fault{}, []int{503, 503, 503, 503}},
		"first two":    {Fault{Times: 2}, []int{503, 503, 200, 200}},
		"third":        {Fault{Nth: 3}, []int{200, 200, 503, 200}},
		"second and 3": {Fault{Nth: 2, Times: 2}, []int{200, 503, 503, 200}},
		"path":         {Fault{Path: prefixVoicy + "/get-agent/*"}, []int{503, 503, 503, 503}},
		"below":        {Fault{Path: "/voicy/**"}, []int{503, 503, 503, 503}},
		"not below":    {Fault{Path: "/nova/**"}, []int{200, 200, 200, 200}},
		"other path":   {Fault{Path: prefixVoicy + "/*"}, []int{200, 200, 200, 200}},
		"other method": {Fault{Method: "PATCH"}, []int{200, 200, 200, 200}},
		"other vendor": {Fault{Vendor: VoicyFunctions}, []int{200, 200, 200, 200}},
		"vendor":       {Fault{Vendor: Voicy, Method: "GET", Times: 1}, []int{503, 200, 200, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			b.ClearFaults()
			c.fault.Kind, c.fault.Status = FaultStatus, 503
			b.Fault(c.fault)
			if got := statuses(4); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// A racing edit can come between a read and a write.
func TestFaultHook(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	edit := func() {
		if err := b.Edit(Voicy, frontDesk, func(agent map[string]any) { agent["language"] = "fr" }); err != nil {
			t.Error(err)
		}
	}
	b.Fault(Fault{Method: "GET", Kind: FaultHook, After: true, Times: 1, Hook: edit})
	b.do("GET", prefixVoicy+"/get-agent/"+frontDesk, "").want(t, 200, `"language":"en"`)
	b.do("GET", prefixVoicy+"/get-agent/"+frontDesk, "").want(t, 200, `"language":"fr"`)
}

func TestFaultSlow(t *testing.T) {
	sockets(t, func(t *testing.T, b *bench, _ bool) {
		for _, after := range []bool{false, true} {
			b.ClearFaults()
			reached := make(chan struct{})
			b.Fault(Fault{Kind: FaultHook, After: after, Times: 1, Hook: func() { close(reached) }})
			b.Fault(Fault{Kind: FaultSlow, After: after, Times: 1})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-reached; cancel() }()
			r, _ := http.NewRequestWithContext(ctx, "PATCH", "https://vendor.example"+pathUpdate+frontDesk, strings.NewReader(renameBody))
			r.Header = b.header.Clone()
			r.Header.Set("Content-Type", "application/json")
			if _, err := b.rt.RoundTrip(r); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if after && !b.renamed() {
				t.Error("not carried out")
			}
		}
	})
}

func TestFaultExpireEndsTokens(t *testing.T) {
	b := seeded(t, Quirks{})
	login := `{"email": "` + ConvirzaEmail + `", "password": "` + ConvirzaPassword + `"}`
	tokens := b.do("POST", prefixOAuth+"/oauth/token", login).want(t, 200, "").object(t)
	c := b.with("Authorization", "Bearer "+tokens["access_token"].(string))
	b.Fault(Fault{Path: prefixConvirza + "/*/*", Kind: FaultExpire, Times: 1})
	c.do("GET", mainLine, "").want(t, 401, "expired")
	c.do("GET", mainLine, "").want(t, 401, "Unauthorized")
	tokens = b.do("POST", prefixOAuth+"/oauth/refresh-token", `{"refresh_token": "`+tokens["refresh_token"].(string)+`"}`).want(t, 200, "").object(t)
	b.with("Authorization", "Bearer "+tokens["access_token"].(string)).do("GET", mainLine, "").want(t, 200, "")
}

func TestFaultLists(t *testing.T) {
	names := map[string]string{Voicy: prefixVoicy + "/list-agents", Nova: novaAgents, Convirza: voiceAgents, VoicyFunctions: prefixFunctions + "/agent-list"}
	count := func(b *bench, store, query string) int {
		got := b.do("GET", names[store]+query, "").want(t, 200, "")
		switch store {
		case Nova:
			return len(got.object(t)["data"].([]any))
		case Convirza:
			return len(got.data(t)["agents"].([]any))
		}
		return len(got.list(t))
	}
	for store := range names {
		b := seeded(t, Quirks{}).nova().with("Authorization", "Bearer "+VoicyKey)
		if store == Convirza {
			b = b.convirza()
		}
		all := count(b, store, "")
		b.Fault(Fault{Kind: FaultRepeat, Times: 1})
		if got := count(b, store, ""); got != all+1 {
			t.Errorf("%s: repeat: %d of %d", store, got, all)
		}
		b.Fault(Fault{Kind: FaultSkip, Times: 1})
		if got := count(b, store, ""); got != all-1 {
			t.Errorf("%s: skip: %d of %d", store, got, all)
		}
	}
	b := seeded(t, Quirks{}).nova()
	b.Fault(Fault{Kind: FaultEndless})
	if got := count(b, Nova, "?page=9"); got != 2 {
		t.Errorf("nova: page 9 has %d", got)
	}
	if got := count(b.convirza(), Convirza, "?offset=900&limit=1"); got != 1 {
		t.Errorf("convirza: offset 900 has %d", got)
	}
}

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"PATCH /voicy/v1/update-agent/* 500 times=2":                    {Method: "PATCH", Path: "/voicy/v1/update-agent/*", Kind: FaultStatus, Status: 500, Times: 2},
		"post /convirza/v3/ai-voice-agents reset-after nth=1":           {Method: "POST", Path: "/convirza/v3/ai-voice-agents", Kind: FaultReset, After: true, Nth: 1},
		"GET * 429 retry-after=2":                                       {Method: "GET", Kind: FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"2"}}},
		"* /nova/api/org/*/agents slow for=2s":                          {Path: "/nova/api/org/*/agents", Kind: FaultSlow, For: 2 * time.Second},
		"/voicy/** 503":                                                 {Path: "/voicy/**", Kind: FaultStatus, Status: 503},
		"* * garbage":                                                   {Kind: FaultGarbage},
		"PUT /centerfy/functions/v1/crm-api/update-agent/* 502-after  ": {Method: "PUT", Path: "/centerfy/functions/v1/crm-api/update-agent/*", Kind: FaultStatus, Status: 502, After: true},
	} {
		if got, err := ParseFault(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v %v\nwant %+v", text, got, err, want)
		}
	}
	for text, says := range map[string]string{
		"":                     "want [METHOD] PATH KIND",
		"GET /x":               "want [METHOD] PATH KIND",
		"GET [ 500":            "syntax error in pattern",
		"GET * hook":           `unknown kind "hook"`,
		"GET * 99":             "want 200 to 599",
		"GET * 500 times=0":    "want a number from 1",
		"GET * 500 nth=x":      "want a number from 1",
		"GET * 500 often=2":    `unknown name "often": want one of ["for" "nth" "retry-after" "times"]`,
		"GET * slow for=a day": "invalid duration",
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}
