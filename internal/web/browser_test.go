package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"agentsync.dev/agentsync/internal/status"
)

// openDetails opens what is folded on the page.
const openDetails = `document.querySelectorAll("details").forEach(d => { d.open = true }); document.querySelectorAll("details").length`

func TestBrowserShowsThePages(t *testing.T) {
	b := browse(t, serve(t, sample(120)).Handler)
	b.screen(t, 1280, 900)
	grounds := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(t, scheme)
		b.open(t, "/")
		b.live(t)
		if title := eval[string](t, b, "document.title"); title != "(5) agentsync" {
			t.Errorf("the title is %q", title)
		}
		b.do(t, chromedp.Click(`[id="d-voicy/front-desk"] summary`))
		b.picture(t, "overview-"+scheme)
		grounds[eval[string](t, b, "getComputedStyle(document.body).backgroundColor")] = scheme
		b.open(t, "/agents/voicy/front-desk")
		b.live(t)
		b.picture(t, "agent-"+scheme)
	}
	if len(grounds) != 2 {
		t.Errorf("light and dark have the same ground: %v", grounds)
	}
}

func TestBrowserOnAPhone(t *testing.T) {
	b := browse(t, serve(t, sample(120)).Handler)
	b.screen(t, 360, 780)
	for _, path := range []string{"/", "/agents/voicy/front-desk", "/agents/nova-emea/callback", "/nothing"} {
		b.open(t, path)
		eval[int](t, b, openDetails)
		if w := eval[int](t, b, "document.documentElement.scrollWidth"); w > 360 {
			t.Errorf("%s is %d pixels wide", path, w)
		}
		b.picture(t, "phone"+strings.ReplaceAll(path, "/", "-"))
	}
	b.expect(t, "404")
}

func TestBrowserShowsChangesByItself(t *testing.T) {
	st := sample(30)
	w := serve(t, st)
	b := browse(t, w.Handler)
	b.open(t, "/?provider=voicy")
	b.live(t)
	// What a person has opened, typed, focused and scrolled to stays; a mark on the window tells that nothing was loaded anew.
	b.do(t, chromedp.Click(`[id="d-voicy/front-desk"] summary`), chromedp.SendKeys("#q", "typed"), chromedp.Focus(`[id="d-voicy/front-desk"] summary`))
	eval[bool](t, b, `(window.mark = true, document.activeElement.mark = true, window.scrollTo(0, 300), true)`)

	next := *st
	next.At = st.At.Add(time.Second)
	next.Agents = slices.Clone(st.Agents)
	for i, a := range next.Agents {
		if a.Address == "voicy/line-0007" {
			failed := *a
			failed.State, failed.Reason = status.Failed, "reading failed just now"
			next.Agents[i] = &failed
		}
	}
	w.Board.Publish(&next)
	b.until(t, `document.getElementById("a-voicy/line-0007").innerText.includes("reading failed just now")`)
	b.until(t, `document.title === "(6) agentsync"`)
	if got := eval[string](t, b, `document.getElementById("summary").textContent`); got != "6 of 37 need a person." {
		t.Errorf("the summary says %q", got)
	}
	for what, script := range map[string]string{
		"the page was loaded anew":       `window.mark === true`,
		"an opened part was closed":      `document.getElementById("d-voicy/front-desk").open`,
		"an element was made anew":       `document.activeElement.mark === true`,
		"the focus was lost":             `document.activeElement.closest("details")?.id === "d-voicy/front-desk"`,
		"what was typed is gone":         `document.getElementById("q").value === "typed"`,
		"the page scrolled to its start": `window.scrollY > 100`,
		"an agent is shown twice":        `new Set([...document.querySelectorAll("[id]")].map(e => e.id)).size === document.querySelectorAll("[id]").length`,
		"the agent is in its old group":  `document.getElementById("a-voicy/line-0007").closest("section").id === "group-failed"`,
	} {
		if !eval[bool](t, b, script) {
			t.Error(what)
		}
	}
}

func TestBrowserSaysWhenItIsCutOffAndComesBack(t *testing.T) {
	line, cut := context.WithCancel(t.Context())
	var refused atomic.Bool
	st := sample(1)
	w := serve(t, st)
	b := browse(t, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if line.Err() != nil && refused.CompareAndSwap(false, true) { // the first try after the cut meets a proxy without us behind it
			out.WriteHeader(http.StatusBadGateway)
			return
		}
		if line.Err() == nil {
			r = r.WithContext(line)
		}
		w.Handler.ServeHTTP(out, r)
	}))
	b.open(t, "/")
	b.live(t)
	cut()
	b.until(t, `document.getElementById("live").textContent.startsWith("not updating")`)
	next := *st
	next.At, next.Agents = st.At.Add(time.Second), nil
	w.Board.Publish(&next)
	b.until(t, `document.getElementById("summary").textContent === "No agents yet."`)
	b.live(t)
	b.expect(t, "502")
}

func TestBrowserWithoutJavaScript(t *testing.T) {
	w := serve(t, sample(120))
	b := browse(t, w.Handler)
	call(t, b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(t, "/")
	read := func() string {
		text, err := chromedp.Run(b, chromedp.TextContent("body"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(text), " ")
	}
	if got := read(); !strings.Contains(got, "5 of 127 need a person.") || !strings.Contains(got, "Reload the page") {
		t.Errorf("the overview: %s", got)
	}
	b.do(t, chromedp.SendKeys("#q", "front\n"), chromedp.WaitVisible(`a[href="/"]:not(.brand)`))
	if got := read(); !strings.Contains(got, "voicy/front-desk") || strings.Contains(got, "voicy/concierge drifted") {
		t.Errorf("filtered: %s", got)
	}
	b.do(t, chromedp.Click("#look"), chromedp.WaitVisible("#asked"))
	if asked, fetched := w.orders(); len(asked) != 1 || fetched != 1 {
		t.Errorf("the button asked for %v, %d fetches", asked, fetched)
	}
	b.do(t, chromedp.Click(`[id="a-voicy/front-desk"] h3 a`), chromedp.WaitVisible("#h-diff"))
	if got := read(); !strings.Contains(got, "Never give medical advice") {
		t.Errorf("the agent's page: %s", got)
	}
}

func TestBrowserRunsNothingThatIsInAPrompt(t *testing.T) {
	st := sample(3)
	spoil(reflect.ValueOf(st), hostile+strings.Repeat(" and on it goes", 8000))
	w := serve(t, st)
	b := browse(t, w.Handler)
	b.screen(t, 360, 780)
	address := st.Agents[6].Address
	provider, name, _ := strings.Cut(address, "/")
	for _, path := range []string{"/", "/agents/" + url.PathEscape(provider) + "/" + url.PathEscape(name)} {
		b.open(t, path)
		b.live(t)
		eval[int](t, b, openDetails)
		if got := eval[int](t, b, `document.querySelectorAll("main script, main img, [onerror], [onfocus]").length`); got != 0 {
			t.Errorf("%d elements of theirs", got)
		}
		if got := eval[string](t, b, "document.title"); got == "owned" {
			t.Error("their script ran")
		}
		if w := eval[int](t, b, "document.documentElement.scrollWidth"); w > 360 {
			t.Errorf("the page is %d pixels wide", w)
		}
	}
	// Were there a script of theirs after all, the policy would stop it; and this test would hear of it.
	eval[bool](t, b, `(s => { s.textContent = "document.title='owned'"; document.body.append(s); return true })(document.createElement("script"))`)
	if got := eval[string](t, b, "document.title"); got == "owned" {
		t.Error("the policy lets an inline script run")
	}
	b.expect(t, "Content Security Policy")
}

func TestBrowserByKeyboard(t *testing.T) {
	b := browse(t, serve(t, sample(2)).Handler)
	b.open(t, "/")
	b.live(t)
	var order []string
	for range 40 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		at := eval[string](t, b, `(e => e.id || e.className || e.getAttribute("href") || e.textContent)(document.activeElement)`)
		order = append(order, at)
		if at == "" || eval[bool](t, b, `document.activeElement === document.body`) {
			break
		}
		if !eval[bool](t, b, `(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))`) {
			t.Errorf("the focus on %s is not seen", at)
		}
		if !eval[bool](t, b, `(r => r.width > 0 && r.height > 0 && r.bottom > 0)(document.activeElement.getBoundingClientRect())`) {
			t.Errorf("%s is focused out of sight", at)
		}
	}
	last := -1
	for _, want := range []string{"skip", "look", "q", "state", "provider", "/agents/nova-emea/callback", "/agents/voicy/front-desk", "/agents/voicy/line-0001"} {
		i := slices.Index(order, want)
		if i <= last {
			t.Errorf("%s is not reached in order: %q", want, order)
		}
		last = max(i, last)
	}
}

// axNode is what assistive technology learns of an element.
type axNode struct{ role, name string }

func (b *browser) accessible(t *testing.T) []axNode {
	t.Helper()
	var list []axNode
	for _, n := range call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		value := func(v *accessibility.Value) (s string) {
			if v != nil {
				_ = json.Unmarshal(v.Value, &s)
			}
			return s
		}
		list = append(list, axNode{value(n.Role), value(n.Name)})
	}
	return list
}

func TestBrowserToAScreenReader(t *testing.T) {
	b := browse(t, serve(t, sample(2), withToken).Handler)
	call(t, b, accessibility.Enable, cdp.Empty{})
	signIn(t, b, "/")
	for _, path := range []string{"/", "/agents/voicy/front-desk", "/login"} {
		b.open(t, path)
		roles := map[string]int{}
		tree := b.accessible(t)
		for _, n := range tree {
			roles[n.role]++
			switch n.role {
			case "link", "button", "textbox", "searchbox", "combobox", "heading", "table", "group", "DisclosureTriangle":
				if n.name == "" && n.role != "group" {
					t.Errorf("%s: a %s without a name", path, n.role)
				}
			}
		}
		want := []string{"banner", "main", "contentinfo"}
		if path != "/login" {
			want = append(want, "status", "complementary")
		}
		for _, role := range want {
			if roles[role] != 1 {
				t.Errorf("%s has %d of role %s", path, roles[role], role)
			}
		}
		for what, script := range map[string]string{
			"has one h1":                   `document.querySelectorAll("h1").length === 1`,
			"has headings in order":        `[...document.querySelectorAll("h1,h2,h3,h4")].map(h => +h.tagName[1]).every((l, i, all) => i === 0 ? l === 1 : l <= all[i - 1] + 1)`,
			"has a caption on each table":  `[...document.querySelectorAll("table")].every(t => t.caption?.textContent.trim())`,
			"has a scope on each th":       `[...document.querySelectorAll("th")].every(h => h.scope)`,
			"has a language":               `document.documentElement.lang === "en"`,
			"has times that machines read": `[...document.querySelectorAll("time")].every(t => !isNaN(Date.parse(t.dateTime)))`,
			"has every id once":            `new Set([...document.querySelectorAll("[id]")].map(e => e.id)).size === document.querySelectorAll("[id]").length`,
			"has what its labels point at": `[...document.querySelectorAll("[aria-labelledby]")].every(e => document.getElementById(e.getAttribute("aria-labelledby")))`,
			"announces the summary only":   `document.querySelectorAll("[aria-live]").length <= 1`,
			"has targets that can be hit":  `[...document.querySelectorAll("button, select, summary, input:not([type=hidden]):not([hidden])")].every(e => e.offsetHeight >= 24)`,
		} {
			if !eval[bool](t, b, script) {
				t.Errorf("%s fails: %s", path, what)
			}
		}
		if path == "/" && !slices.Contains(tree, axNode{"button", "Look now"}) {
			t.Errorf("no button to look: %v", tree)
		}
	}
}

// signIn goes to a page and through the login that is in its way.
func signIn(t *testing.T, b *browser, path string) {
	t.Helper()
	b.open(t, path)
	b.do(t, chromedp.SendKeys("#token", "right\n"), chromedp.WaitVisible("#summary"))
}

func TestBrowserSignsInAndOut(t *testing.T) {
	b := browse(t, serve(t, sample(1), withToken).Handler)
	b.open(t, "/agents/voicy/front-desk")
	b.do(t, chromedp.SendKeys("#token", "wrong\n"), chromedp.WaitVisible(`[role="alert"]`))
	b.picture(t, "login")
	b.expect(t, "401")
	b.do(t, chromedp.SendKeys("#token", "right\n"), chromedp.WaitVisible("#summary"))
	if got := eval[string](t, b, "location.pathname + document.cookie"); got != "/agents/voicy/front-desk" {
		t.Errorf("signed in to %q", got)
	}
	b.live(t)
	b.do(t, chromedp.Click(`form[action="/logout"] button`), chromedp.WaitVisible("#token"))
	b.open(t, "/")
	if got := eval[string](t, b, "location.pathname"); got != "/login" {
		t.Errorf("signed out, the overview leads to %q", got)
	}
}

func TestBrowserShowsAThousandAgents(t *testing.T) {
	b := browse(t, serve(t, sample(1500)).Handler)
	b.open(t, "/")
	b.live(t)
	if n := eval[int](t, b, `document.querySelectorAll("*").length`); n > 3000 {
		t.Errorf("the page has %d elements", n)
	}
	b.do(t, chromedp.Click(`a[rel="next"]`), chromedp.WaitVisible(`a[rel="prev"]`))
}
