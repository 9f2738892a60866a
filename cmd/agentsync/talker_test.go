package main

import (
	"bytes"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/plan"
)

func TestALongReadingIsAnnounced(t *testing.T) {
	long := plan.Forecast{Account: "centerfy", Agents: 1000, Requests: 1000, Time: 1162 * time.Second, PerMinute: 50}
	for _, tc := range []struct {
		name  string
		quiet bool
		f     plan.Forecast
		want  string
	}{
		{"long", false, long, "agentsync: centerfy: reading 1000 agents, about 19 min at 50 requests a minute\n"},
		{"quiet", true, long, ""},
		{"short", false, plan.Forecast{Account: "nova", Agents: 3, Requests: 3, Time: 300 * time.Millisecond, PerMinute: 300}, ""},
		{"no limit", false, plan.Forecast{Account: "nova", Agents: 1, Requests: 1, Time: time.Minute}, "agentsync: nova: reading 1 agent, about 60 s\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			talk := &talker{out: &out, quiet: tc.quiet, perVendor: map[string]*tally{}, stop: func() {}}
			end := talk.phase("reading")
			talk.reading(tc.f)
			end()
			if got := out.String(); got != tc.want {
				t.Errorf("said %q, want %q", got, tc.want)
			}
		})
	}
}
