package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSeeds(t *testing.T) {
	b := seeded(t, Quirks{})
	for _, store := range []string{Convirza, Nova, Centerfy, Voicy, VoicyFunctions} {
		agents := b.Agents(store)
		if len(agents) < 2 {
			t.Errorf("%s: %d agents", store, len(agents))
		}
		defaults := b.stores[store].defaults()
		for _, agent := range agents {
			for name := range agent {
				_, known := defaults[name]
				if !known && !strings.HasPrefix(name, "_") && name != b.stores[store].idField && !strings.HasSuffix(name, "_at") && !strings.HasSuffix(name, "_on") {
					t.Errorf("%s: %v has an unknown field %s", store, agent[b.stores[store].idField], name)
				}
			}
		}
	}
}

// What the seeds hold could have been written through the API.
func TestSeedsAreValid(t *testing.T) {
	b := seeded(t, Quirks{})
	for store, fields := range map[string]map[string]field{
		Nova: novaFields(), Centerfy: centerfyFields(), Voicy: voicyFields(), VoicyFunctions: voicyFunctionsFields(),
	} {
		for _, agent := range b.Agents(store) {
			for name, value := range agent {
				if _, writable := fields[name]; !writable || value == nil {
					continue
				}
				data, err := json.Marshal(map[string]any{name: value})
				if err != nil {
					t.Fatal(err)
				}
				in := &request{body: data, header: http.Header{"Content-Type": {"application/json"}}}
				o, err := in.object()
				if wrong := checkObject("", fields, o, nil, false); err != nil || len(wrong) > 0 {
					t.Errorf("%s: %v %v", store, wrong, err)
				}
			}
		}
	}
}

func TestEditAndAdd(t *testing.T) {
	b := seeded(t, Quirks{}).centerfy()
	before := b.stored(Centerfy, centerfyAgent)
	if err := b.Edit(Centerfy, centerfyAgent, func(agent map[string]any) { agent["max_duration"] = 45 }); err != nil {
		t.Fatal(err)
	}
	after := b.stored(Centerfy, centerfyAgent)
	if after["max_duration"] != 45.0 || after["updated_at"] == before["updated_at"] || after["created_at"] != before["created_at"] {
		t.Errorf("got %v", after)
	}
	after["name"] = "a copy"
	if b.stored(Centerfy, centerfyAgent)["name"] == "a copy" {
		t.Error("Agents gives the stored objects away")
	}
	id, err := b.Add(Centerfy, map[string]any{"name": "Added"})
	if err != nil {
		t.Fatal(err)
	}
	b.do("GET", prefixCenterfy+"/get-agent/"+id, "").want(t, 200, "Added")

	for what, err := range map[string]error{
		"no store":  b.Edit("vapi", "1", nil),
		"no agent":  b.Edit(Centerfy, centerfyNone, nil),
		"another":   b.Edit(Centerfy, centerfyAgent, func(agent map[string]any) { agent["id"] = centerfyNone }),
		"no JSON":   b.Edit(Centerfy, centerfyAgent, func(agent map[string]any) { agent["name"] = func() {} }),
		"add twice": second(b.Add(Centerfy, map[string]any{"id": centerfyAgent})),
		"add there": second(b.Add("vapi", nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if b.Agents("vapi") != nil {
		t.Error("agents of an unknown store")
	}
}

func second[T any](_ T, err error) error { return err }

func TestPersistence(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sandbox")
	open := func() *bench { return newBench(t, Options{Dir: dir, Seed: true}).voicy() }
	b := open()
	b.do("GET", prefixVoicy+"/list-agents", "").want(t, 200, "Front desk")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("a read wrote something: %v", err)
	}
	made := b.do("POST", prefixFunctions+"/agent-create", `{"name": "Kept", "prompt": "שלום <b>"}`).want(t, 201, "").object(t)
	b.do("DELETE", prefixVoicy+"/delete-agent/"+recall, "").want(t, 204, "")

	again := open()
	for _, store := range []string{Convirza, Nova, Centerfy, Voicy, VoicyFunctions} {
		if !reflect.DeepEqual(b.Agents(store), again.Agents(store)) {
			t.Errorf("%s: not what was kept", store)
		}
	}
	next := again.do("POST", prefixFunctions+"/agent-create", `{"name": "Next", "prompt": "p"}`).want(t, 201, "").object(t)
	if next["agent_id"] == made["agent_id"] || next["created_at"] == made["created_at"] {
		t.Errorf("ids or times start again: %v", next)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 || files[0].Name() != "voicy-functions-v1.json" || files[1].Name() != "voicy.json" {
		t.Errorf("files %v %v", files, err)
	}
}

func TestPersistenceFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "voicy.json")
	for text, says := range map[string]string{"{": "delete the file", `{"version": 9}`: "version 9, want 1"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := New(Options{Dir: filepath.Join(file, "below")}); err == nil {
		t.Error("no error for a folder that cannot be")
	}
}

// What cannot be kept is not done.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, Options{Dir: filepath.Join(dir, "data"), Seed: true}).voicy()
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	before := b.Agents(Voicy)
	b.do("PATCH", pathUpdate+frontDesk, renameBody).want(t, 500, "data")
	b.do("DELETE", prefixVoicy+"/delete-agent/"+recall, "").want(t, 500, "data")
	b.do("POST", prefixVoicy+"/create-agent", renameBody).want(t, 500, "data")
	if !reflect.DeepEqual(before, b.Agents(Voicy)) {
		t.Error("a write that was not kept is there")
	}
}

func TestStaleReads(t *testing.T) {
	b := seeded(t, Quirks{StaleReads: 2}).voicy()
	b.do("PATCH", pathUpdate+frontDesk, renameBody).want(t, 200, "Renamed")
	for _, want := range []string{"Front desk", "Front desk", "Renamed", "Renamed"} {
		b.do("GET", prefixVoicy+"/get-agent/"+frontDesk, "").want(t, 200, `"agent_name":"`+want+`"`)
	}
}

func TestLog(t *testing.T) {
	b := seeded(t, Quirks{}).voicy()
	b.with("X-Api-Key", NovaKey).do("PATCH", pathUpdate+frontDesk+"?x=1", renameBody).want(t, 400, "")
	b.form("PATCH", mainLine, part{name: "prompt", text: "p"}, part{name: "files", file: "a.pdf", text: "x"})
	b.do("GET", "/elsewhere", "").want(t, 404, "no vendor has this path")
	log := b.Log()
	first := log[0]
	if first.Vendor != Voicy || first.Method != "PATCH" || first.Host != "vendor.example" || first.Path != pathUpdate+frontDesk ||
		first.Query.Get("x") != "1" || first.Status != 400 || !reflect.DeepEqual(first.Fields, []string{"agent_name"}) || string(first.Body) != renameBody {
		t.Errorf("got %+v", first)
	}
	if second := log[1]; !reflect.DeepEqual(second.Fields, []string{"files", "prompt"}) || second.Parts[1].FileName != "a.pdf" ||
		second.Parts[1].Size != 1 || second.Parts[0].Text != "p" || second.Vendor != Convirza {
		t.Errorf("got %+v", second)
	}
	if log[2].Vendor != "" || log[2].Status != 404 {
		t.Errorf("got %+v", log[2])
	}
	if text := fmt.Sprintf("%+v", log); strings.Contains(text, VoicyKey) || strings.Contains(text, NovaKey) {
		t.Error("the log holds a key")
	}
	b.ResetLog()
	if len(b.Log()) != 0 {
		t.Error("the log is not empty")
	}
}

func TestEnv(t *testing.T) {
	env := newBench(t, Options{}).Env("http://127.0.0.1:8080")
	for name, want := range map[string]string{
		"VOICY_BASE_URL": "http://127.0.0.1:8080/voicy/v1", "NOVA_BASE_URL": "http://127.0.0.1:8080/nova/api",
		"CENTERFY_BASE_URL": "http://127.0.0.1:8080/centerfy/functions/v1/crm-api", "CONVIRZA_BASE_URL": "http://127.0.0.1:8080/convirza/v3",
		"CONVIRZA_OAUTH_URL": "http://127.0.0.1:8080/convirza-oauth", "NOVA_ORG_ID": NovaOrg, "VOICY_API_KEY": VoicyKey,
		"NOVA_API_KEY": NovaKey, "CENTERFY_API_KEY": CenterfyKey, "CONVIRZA_EMAIL": ConvirzaEmail, "CONVIRZA_PASSWORD": ConvirzaPassword,
	} {
		if env[name] != want {
			t.Errorf("%s=%s, want %s", name, env[name], want)
		}
	}
}

// The vendors' own addresses work through the transport.
func TestTransportHosts(t *testing.T) {
	b := seeded(t, Quirks{}).nova().with("Authorization", "Bearer "+VoicyKey)
	for address, says := range map[string]string{
		"https://api.voicy.co/v1/list-agents":                         "Front desk",
		"https://api.voicy.co/functions/v1/agent-list":                "Insurance desk",
		"https://v2-nova-api.prod.czmx.in/api/org/org_lumen/agents":   "Web chat",
		"https://platform-api.convirza.com/v3/ai-voice-agents":        "Unauthorized",
		"https://platform-oauth.convirza.com/oauth/token":             "is not allowed",
		"https://crmwebhook.com/functions/v1/crm-api/get-agent/x%2Fy": "invalid or missing API key",
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = b.header.Clone()
		res, err := b.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		_, _ = text.ReadFrom(res.Body)
		_ = res.Body.Close()
		if !strings.Contains(text.String(), says) {
			t.Errorf("%s: %s", address, text.String())
		}
	}
}

func TestLimits(t *testing.T) {
	if _, err := New(Options{Limits: true}); err == nil {
		t.Error("limits without a clock")
	}
	now := start
	b := newBench(t, Options{Seed: true, Limits: true, Now: func() time.Time { return now }})
	list, get := prefixVoicy+"/list-agents", prefixCenterfy+"/get-agent/"+centerfyAgent
	first := b.voicy().do("GET", list, "").want(t, 200, "")
	if h := first.header; h.Get("X-RateLimit-Limit") != "60" || h.Get("X-RateLimit-Remaining") != "59" || h.Get("X-RateLimit-Reset") != "1793606460" {
		t.Errorf("headers %v", h)
	}
	now = now.Add(20 * time.Second)
	for range 59 {
		b.voicy().do("GET", prefixFunctions+"/agent-list", "").want(t, 200, "")
	}
	over := b.voicy().do("GET", list, "").want(t, 429, "wait 41 seconds")
	if over.header.Get("X-RateLimit-Remaining") != "0" || over.header.Get("Retry-After") != "" {
		t.Errorf("headers %v", over.header)
	}
	for range 60 {
		b.centerfy().do("GET", get, "").want(t, 200, "")
	}
	b.centerfy().do("GET", get, "").want(t, 429, "rate limit")
	for range 10 {
		b.do("POST", prefixOAuth+"/oauth/token", `{"email": "a", "password": "b"}`).want(t, 401, "")
	}
	b.do("POST", prefixOAuth+"/oauth/token", `{"email": "a", "password": "b"}`).want(t, 429, "login")
	b.nova().do("GET", novaAgents, "").want(t, 200, "")
	now = now.Add(40 * time.Second)
	b.voicy().do("GET", list, "").want(t, 200, "")
	b.voicy().do("GET", list, "").want(t, 429, "")
}

func TestParallel(t *testing.T) {
	b := newBench(t, Options{Seed: true, Dir: t.TempDir(), Quirks: Quirks{StaleReads: 1}}).voicy()
	b.Fault(Fault{Kind: FaultStatus, Status: 503, Nth: 5, Times: 10})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b := b.with("Content-Type", "application/json")
			for range 5 {
				_, _ = b.send("PATCH", pathUpdate+frontDesk, strings.NewReader(fmt.Sprintf(`{"response_delay_ms": %d}`, i)))
				_, _ = b.send("POST", prefixVoicy+"/create-agent", strings.NewReader(`{"agent_name": "x"}`))
				_, _ = b.send("GET", prefixVoicy+"/list-agents", strings.NewReader(""))
				_ = b.Agents(Voicy)
				_ = b.Log()
				_ = b.Edit(Voicy, recall, func(agent map[string]any) { agent["language"] = "en" })
			}
		})
	}
	wg.Wait()
	created := 0
	for _, c := range b.Log() {
		if c.Method == "POST" && c.Status == 201 {
			created++
		}
	}
	if got := len(b.Agents(Voicy)); got != 3+created || len(b.Log()) != 120 {
		t.Errorf("%d agents, %d created, %d calls", got, created, len(b.Log()))
	}
}
