package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/status"
)

// events are n that began.
func events(n int, kind Kind) []Event {
	var all []Event
	for i := range n {
		key := fmt.Sprintf("%s voicy/a%04d /general_prompt", kind, i)
		all = append(all, Event{What: Began, Seconds: 90, Cause: Cause{Key: key, Kind: kind, Severity: Warning, Agent: fmt.Sprintf("voicy/a%04d", i),
			Title: key, Text: "live: " + strings.Repeat("x", 100) + "\nmanifest: " + strings.Repeat("y", 100), Cure: strings.Repeat("z", 100), Since: noon}})
	}
	return all
}

func slackText(t *testing.T, m *Message) string {
	t.Helper()
	var sent map[string]string
	if err := json.Unmarshal(m.slack(), &sent); err != nil || len(sent) != 1 {
		t.Fatalf("not a text: %s", m.slack())
	}
	return sent["text"]
}

func TestTheDocument(t *testing.T) {
	s := healthy(0)
	ended := Event{What: Ended, EndedAt: noon.Add(time.Hour), Seconds: 3600, Cause: Cause{Key: "store", Kind: Store, Severity: Critical, Title: "lost", Since: noon}}
	m := compose(s, noon.Add(time.Hour), "https://watch.example/", 1, append(events(1, Drift), ended))
	m.Events[0].Text, m.Events[0].Cure = "t", "c"
	m.ID = "id"
	const want = `{"formatVersion":"1.0","id":"id","at":"2026-11-21T13:00:00Z",` +
		`"watcher":{"version":"1.0.0","source":"https://git.example/agents","ref":"main","commit":"c1","observe":false},` +
		`"summary":"problems: 1 began, 1 ended; 1 open","link":"https://watch.example/","counts":{"began":1,"ended":1},"open":1,"events":[` +
		`{"event":"began","key":"drift voicy/a0000 /general_prompt","kind":"drift","severity":"warning","agent":"voicy/a0000",` +
		`"title":"drift voicy/a0000 /general_prompt","text":"t","cure":"c","since":"2026-11-21T12:00:00Z","seconds":90},` +
		`{"event":"ended","key":"store","kind":"store","severity":"critical","title":"lost","since":"2026-11-21T12:00:00Z","seconds":3600,` +
		`"endedAt":"2026-11-21T13:00:00Z"}],"omitted":{}}`
	if d := cmp.Diff(want, string(m.document())); d != "" {
		t.Errorf("document (-want +got):\n%s", d)
	}
}

func TestADigest(t *testing.T) {
	m := compose(healthy(0), noon, "", 1000, append(events(900, Drift), events(100, Refusal)...))
	if len(m.Events) != 10 || m.Omitted[Drift] != 890 || m.Omitted[Refusal] != 100 || m.Counts[Began] != 1000 {
		t.Errorf("%d events, %v omitted, %v counted", len(m.Events), m.Omitted, m.Counts)
	}
	if text := slackText(t, m); !strings.HasSuffix(text, "and 990 more: 890 drift, 100 refusal") || strings.Count(text, "🟠") != 10 {
		t.Errorf("text:\n%s", text)
	}
	again := compose(healthy(0), noon, "", 1000, append(events(900, Drift), events(100, Refusal)...))
	if m.ID == "" || m.ID != again.ID || m.ID == compose(healthy(0), noon.Add(time.Second), "", 1, events(1, Drift)).ID {
		t.Error("the id is not the message's")
	}
}

func TestTheTextFits(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for _, kind := range []Kind{Drift, Fight} {
			all := events(n, kind)
			for i := range all {
				all[i].Title = strings.Repeat("🙂&", 50) // two units and five characters each
			}
			text := slackText(t, compose(healthy(0), noon, "https://watch.example/", n, all))
			if !fits(text) || text == "" {
				t.Errorf("%d of %s: %d characters", n, kind, len(text))
			}
			shown := strings.Count(text, "🟠")
			if kind == Fight && strings.Count(text, "`live: ") != shown {
				t.Errorf("a fight without its values:\n%s", text)
			}
			if shown < n && !strings.Contains(text, fmt.Sprintf("and %d more: %d %s", n-shown, n-shown, kind)) {
				t.Errorf("%d of %d are shown, and the rest not counted:\n%s", shown, n, text)
			}
		}
	}
	one := slackText(t, compose(healthy(0), noon, "", 1, events(1, Drift)))
	if !strings.Contains(one, "live: ") || !strings.Contains(one, "→ zzz") {
		t.Errorf("a single event is cut short:\n%s", one)
	}
}

func TestNobodyIsCalledFromOutside(t *testing.T) {
	evil := "<!channel> <@U123> <https://evil.example|ok> @here @everyone @all & `code` **x**\n@channel ＠here"
	s := healthy(1)
	s.Agents[0] = drifted("voicy/a0000", "/@channel<!here>", evil, evil+"2")
	s.Agents[0].Fields[0].Before = evil
	s.Source.Location = "https://git.example/<!channel>@here"
	s.Accounts[0].Breaker, s.Accounts[0].Error = status.Open, evil
	var all []Event
	for _, c := range Causes(s) {
		for _, what := range []What{Began, Changed, Reminder, Ended} {
			all = append(all, Event{What: what, Cause: c})
		}
	}
	m := compose(s, noon, "https://watch.example/?a=1&b=2", 1, all)
	text := m.text(cures, len(m.Events)) + slackText(t, m)
	for _, bad := range []string{"<", ">", "@c", "@h", "@e", "@a", "@U", "＠h", "`code`", "& "} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in:\n%s", bad, text)
		}
	}
	if !strings.Contains(text, "&lt;!channel&gt;") {
		t.Errorf("not escaped:\n%s", text)
	}
}

func TestLines(t *testing.T) {
	cause := Cause{Severity: Critical, Title: "voicy/a: x", Text: "one\ntwo", Cure: "do"}
	for what, want := range map[What]string{
		Began:    "🔴 voicy/a: x|`one`|`two`|→ do",
		Changed:  "🔴 changed: voicy/a: x|`one`|`two`|→ do",
		Reminder: "🔴 still, for 1h0m: voicy/a: x|`one`|`two`|→ do",
	} {
		if got := strings.Join(Event{What: what, Cause: cause, Seconds: 3600}.lines(cures), "|"); got != want {
			t.Errorf("%s reads %s, want %s", what, got, want)
		}
	}
	if got := (Event{What: Ended, Cause: Cause{Title: "x"}, Seconds: 65}).lines(cures); len(got) != 1 || got[0] != "✅ ended after 1m: x" {
		t.Errorf("ended reads %q", got)
	}
}
