package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/plan"
)

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "about 0 s", 14400 * time.Millisecond: "about 14 s", 99 * time.Second: "about 99 s", 122 * time.Second: "about 2 min",
		1162 * time.Second: "about 19 min", 5 * time.Hour: "about 5 h",
	} {
		if got := Roughly(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestReadsAreShownInEveryText(t *testing.T) {
	for _, tc := range []struct {
		name  string
		reads plan.Reads
		want  []string
	}{
		{"soon done", plan.Reads{Requests: 2, Apply: plan.Cost{Requests: 3, Seconds: 4, Account: "nova", PerMinute: 300}}, nil},
		{"a while", plan.Reads{Requests: 50, Apply: plan.Cost{Requests: 12, Seconds: 14, Account: "centerfy", PerMinute: 50}},
			[]string{"apply: 12 requests, about 14 s (centerfy: 50 a minute)"}},
		{"no limit", plan.Reads{Apply: plan.Cost{Requests: 1000, Seconds: 125, Account: "nova"}}, []string{"apply: 1000 requests, about 2 min"}},
		{"notes", plan.Reads{Notes: []string{"nova: 2 of 3 agents were not read"}}, []string{"nova: 2 of 3 agents were not read"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &plan.Plan{Reads: tc.reads}
			var text, summary, markdown bytes.Buffer
			for out, err := range map[*bytes.Buffer]error{
				&text: Plan(&text, p, Style{}), &summary: Summary(&summary, p, Style{}), &markdown: PlanMarkdown(&markdown, p, Markdown{}),
			} {
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range tc.want {
					if !strings.Contains(out.String(), want) {
						t.Errorf("want %q in:\n%s", want, out)
					}
				}
				if len(tc.want) == 0 && strings.Contains(out.String(), "apply:") {
					t.Errorf("more than there is to say:\n%s", out)
				}
			}
		})
	}
}
