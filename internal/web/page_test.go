package web_test

import (
	"bytes"
	"html"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/web"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
)

// text is a page as it is read: without tags, blanks put together.
func text(page string) string {
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(html.UnescapeString(page)), " ")
}

func TestTheOverviewSaysItAll(t *testing.T) {
	got := serve(t, sample(2)).do("GET", "/", "").Body.String()
	read := text(got)
	for _, want := range []string{
		"5 of 9 need a person.", "voicy/front-desk drifted", "drifted since 20 min ago · last in sync 3 h ago · last written 2 d ago",
		"AS101 blocks: a live agent has this name", "check that it is the same agent, then run agentsync apply --adopt",
		"3 differences: general_prompt, language, webhook_key", "Opening hours: Monday to Friday, 8: 30 to 17 : 30", "live: en -US + manifest: en", "(sensitive)",
		"GET /org/7/agents/12: 500 Internal Server Error", "failed 4 in a row · next try in 1 min",
		"https://git.example.com/voice/agents.git main", "4ab81c22d3 Front desk: shorter opening hours in winter", "9f2c7d1e4b not taken",
		`unknown field "general_promt"`, "did you mean", "leader, held by watch-7d9c , epoch 4", "Account centerfy is not reachable, since 20 min ago", "401 Unauthorized",
		"1 applied, 1 failed", "422: language is not supported", "manifests changed", "Shown as of 2026-11-21 23:40:00 UTC",
	} {
		if !strings.Contains(read, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(read)
	}
}

func TestTheOverviewWhenAllIsWell(t *testing.T) {
	st := sample(3)
	st.Agents = st.Agents[len(st.Agents)-3:]
	if got := text(serve(t, st).do("GET", "/", "").Body.String()); !strings.Contains(got, "All 3 agents in sync.") {
		t.Error(got)
	}
	if got := text(serve(t, nil).do("GET", "/", "").Body.String()); !strings.Contains(got, "No agents yet.") {
		t.Error(got)
	}
}

func TestAStandbyHasNoButton(t *testing.T) {
	st := sample(1)
	st.Lease = status.Lease{Role: status.Standby, Holder: "watch-a"}
	got := serve(t, st).do("GET", "/", "").Body.String()
	if !strings.Contains(got, "watch-a leads") || strings.Contains(got, "Look now") {
		t.Error(text(got))
	}
	if summary := regexp.MustCompile(`(?s)id="summary".*?</p>`).FindString(got); !strings.Contains(summary, ">Standing by: watch-a leads.<") {
		t.Errorf("it does not say first that it stands by: %s", summary)
	}
	if !strings.Contains(got, "it shows no states") || len(rows(got)) > 0 || strings.Contains(got, "in sync</a>") {
		t.Errorf("it shows states that nobody looked at: %s", text(got))
	}
}

var addressInRow = regexp.MustCompile(`id="a-([^"]*)"`)

func rows(page string) []string {
	var found []string
	for _, m := range addressInRow.FindAllStringSubmatch(page, -1) {
		found = append(found, m[1])
	}
	return found
}

func TestFiltering(t *testing.T) {
	w := serve(t, sample(2))
	for query, want := range map[string][]string{
		"?state=drifted":                {"voicy/front-desk"},
		"?state=attention":              {"nova-emea/callback", "nova-emea/billing", "centerfy/after-hours", "voicy/concierge", "voicy/front-desk"},
		"?q=FRONT":                      {"voicy/front-desk"},
		"?q=as101":                      {"voicy/concierge"},
		"?q=upstream+500":               {"nova-emea/callback"},
		"?provider=nova-emea&q=in":      {"nova-emea/callback", "nova-emea/billing", "nova-emea/winter"},
		"?state=synced&provider=voicy":  {"voicy/line-0000", "voicy/line-0001"},
		"?q=nothing+of+the+kind":        nil,
		"?state=%3Cscript%3E&page=-100": nil,
	} {
		got := w.do("GET", "/"+query, "")
		if found := rows(got.Body.String()); got.Code != 200 || !slices.Equal(found, want) {
			t.Errorf("%s: %d %v", query, got.Code, found)
		}
	}
}

func TestPaging(t *testing.T) {
	w := serve(t, sample(1200))
	var all []string
	page := "/"
	for n := 0; page != "" && n < 50; n++ {
		body := w.do("GET", page, "").Body.String()
		found := rows(body)
		if len(found) > 100 || len(body) > 300<<10 {
			t.Errorf("%s has %d agents in %d bytes", page, len(found), len(body))
		}
		all = append(all, found...)
		page = ""
		if m := regexp.MustCompile(`rel="next" href="([^"]*)"`).FindStringSubmatch(body); m != nil {
			page = html.UnescapeString(m[1])
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 1207 {
		t.Errorf("%d agents on all pages", len(all))
	}
	if got := w.do("GET", "/?page=99999", ""); len(rows(got.Body.String())) == 0 {
		t.Error("a page beyond the last is empty")
	}
}

func TestManyRewrittenPromptsMakeNoHugePage(t *testing.T) {
	st := sample(0)
	st.Agents = nil
	for i := range 300 {
		name := string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		st.Agents = append(st.Agents, &status.Agent{Address: "voicy/" + name, Provider: "voicy", State: status.Drifted, Fields: []plan.Field{
			{Path: "/general_prompt", Op: diff.Replace, Before: strings.Repeat("Say this instead of that. ", 4000), After: strings.Repeat("line\n", 20000), Origin: diff.Drift}}})
	}
	if got := serve(t, st).do("GET", "/", ""); got.Code != 200 || got.Body.Len() > 3<<20 {
		t.Errorf("%d, %d bytes", got.Code, got.Body.Len())
	}
}

const hostile = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> \u202eevil\u2066 \x1b[31m `\" ' onfocus=alert(1) x='\u0000\u200b"

// spoil puts hostile text into every text of a value, but for those that say which of a few things something is.
func spoil(v reflect.Value, with string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), with)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				spoil(v.Field(i), with)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), with)
		}
	case reflect.Interface:
		if v.Elem().Kind() == reflect.String {
			v.Set(reflect.ValueOf(v.Elem().String() + with))
		}
	case reflect.String:
		if k := v.Type(); k.PkgPath() == "" || k == reflect.TypeFor[diff.Pointer]() {
			v.SetString(v.String() + with)
		}
	}
}

// Whatever a vendor, a dashboard or a commit says, the page stays what it is: no tag, no attribute and no hidden character of theirs.
func TestHostileTextIsInert(t *testing.T) {
	st := sample(3)
	st.Freeze = &status.Freeze{Reason: "x"}
	st.Lease.Error = "x"
	spoil(reflect.ValueOf(st), hostile)
	w := serve(t, st)
	pages := []string{"/", "/?q=" + url.QueryEscape(hostile) + "&provider=" + url.QueryEscape(hostile), "/?state=attention&page=" + url.QueryEscape(hostile)}
	for _, a := range st.Agents {
		provider, name, _ := strings.Cut(a.Address, "/")
		pages = append(pages, "/agents/"+url.PathEscape(provider)+"/"+url.PathEscape(name))
	}
	for _, path := range append(pages, "/agents/x/"+url.PathEscape(hostile), "/"+url.PathEscape(hostile)) {
		got := w.do("GET", path, "", "Accept", "text/html").Body.String()
		for _, bad := range []string{"<script>", "<img", "\u202e", "\u2066", "\x1b", "\x00", "\u200b", `onerror="`} {
			if i := strings.Index(got, bad); i >= 0 {
				t.Errorf("%s holds %q: …%q…", path, bad, got[max(i-120, 0):min(i+40, len(got))])
			}
		}
	}
	if !strings.Contains(w.do("GET", "/", "").Body.String(), "&lt;U&#43;202E&gt;") {
		t.Error("the test spoils nothing")
	}
}

func TestTheButton(t *testing.T) {
	w := serve(t, sample(1))
	post := func(values url.Values, headers ...string) (int, string) {
		got := w.do("POST", "/look", values.Encode(), append([]string{"Content-Type", form, "Accept", "text/html"}, headers...)...)
		return got.Code, got.Header().Get("Location")
	}
	if code, to := post(url.Values{"back": {"/?state=drifted"}}); code != 303 || to != "/?state=drifted&asked=1" {
		t.Errorf("%d %q", code, to)
	}
	if code, to := post(url.Values{"target": {"voicy/front-desk"}, "back": {"//evil.example.com"}}); code != 303 || to != "/?asked=1" {
		t.Errorf("%d %q", code, to)
	}
	if code, _ := post(url.Values{"target": {"voicy/nobody"}}); code != 404 {
		t.Errorf("an unknown agent: %d", code)
	}
	if code, _ := post(url.Values{}, "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Errorf("from another site: %d", code)
	}
	asked, fetched := w.orders()
	if len(asked) != 2 || asked[0] != nil || !slices.Equal(asked[1], []string{"voicy/front-desk"}) || fetched != 1 {
		t.Errorf("asked %v, %d fetches", asked, fetched)
	}
	if got := text(w.do("GET", "/?asked=1", "").Body.String()); !strings.Contains(got, "Asked for a look") {
		t.Error("the page does not say that a look was asked for")
	}
}

func TestProblemsArePagesForPeople(t *testing.T) {
	w := serve(t, sample(1))
	if got := w.do("GET", "/nothing", "", "Accept", "text/html"); got.Code != 404 || !strings.Contains(got.Body.String(), "<h1>Not Found</h1>") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := w.do("GET", "/api/v1/nothing", "", "Accept", "text/html"); got.Code != 404 {
		t.Errorf("%d", got.Code)
	} else {
		faultOf(t, got.Body.Bytes())
	}
}

func TestPagesHoldNothingInlineAndNothingFromElsewhere(t *testing.T) {
	w := serve(t, sample(1), withToken)
	for _, path := range []string{"/", "/agents/voicy/front-desk", "/login"} {
		page := w.do("GET", path, "", "Authorization", "Bearer right").Body.String()
		if found := regexp.MustCompile(`<style|<script>|\sstyle=|\son[a-z]+=|(?:src|href|action)="[^/#]`).FindString(page); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
	}
	for _, name := range []string{"script.js", "style.css", "favicon.svg"} {
		data, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.ReplaceAll(data, []byte("http://www.w3.org/2000/svg"), nil)
		if bytes.Contains(data, []byte("://")) {
			t.Errorf("%s names another place", name)
		}
	}
}

func TestPathsOfAgentsThatHaveOddNames(t *testing.T) {
	st := &status.Status{At: sampled, Agents: []*status.Agent{{Address: "voicy/a b?c#d%", Provider: "voicy", State: status.Orphaned}}}
	w := serve(t, st, func(*web.Options) {})
	link := regexp.MustCompile(`href="(/agents/[^"]*)"`).FindStringSubmatch(w.do("GET", "/", "").Body.String())
	if link == nil {
		t.Fatal("no link")
	}
	if got := w.do("GET", html.UnescapeString(link[1]), ""); got.Code != 200 {
		t.Errorf("%s: %d", link[1], got.Code)
	}
}
