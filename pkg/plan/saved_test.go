package plan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

func sample() *Plan {
	p := &Plan{FormatVersion: FormatVersion, CreatedAt: "2026-11-21T12:00:00Z", Source: Source{Commit: "abc", Paths: []string{"agents"}},
		Changes: []Change{{Address: "voicy/front-desk", Provider: "voicy", Action: Update, ID: "1", Manifest: "a.yaml:1",
			Fields:   []Field{{Path: "/begin_message", Op: diff.Replace, Before: "Hi <b>", After: "Hello & good day", Origin: diff.FromManifest}},
			Requests: []Request{{Method: "PATCH", Path: "/update-agent/1", Fields: []string{"begin_message"}}},
			Carried:  []string{}, Reset: []string{}, Findings: []providers.Finding{}, Precondition: Precondition{Live: "sha256:1", Desired: "sha256:2"}}},
		Orphans: []Orphan{}, Reads: Reads{Requests: 3}}
	p.summarize()
	p.Digest = p.digest()
	return p
}

func TestReadTakesWhatMarshalWrote(t *testing.T) {
	p := sample()
	data, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(data), "plan.json")
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		t.Errorf("written again it is\n%s\nnot\n%s", again, data)
	}
	if strings.Contains(string(data), `\u003c`) {
		t.Error("HTML is escaped")
	}
}

// TestMarshalIsEncodingJSON: that it writes one change after the other does not show.
func TestMarshalIsEncodingJSON(t *testing.T) {
	one, many, none := sample(), sample(), sample()
	one.Source.Paths = []string{"\n  \"changes\": []", `"changes": []`}
	many.Changes = append(append(many.Changes, many.Changes...), Change{Reason: "<a>\n  ]"})
	none.Changes = []Change{}
	for _, p := range []*Plan{one, many, none, {}} {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(p); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Marshal(); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%v\n%s\nnot\n%s", err, got, want.Bytes())
		}
	}
}

func TestDigestIsOfWhatWillHappen(t *testing.T) {
	p := sample()
	p.CreatedAt, p.Reads = "2030-01-01T00:00:00Z", Reads{Requests: 99}
	if p.digest() != p.Digest {
		t.Error("the digest depends on the time or on the number of reads")
	}
	p.Changes[0].Precondition.Live = "sha256:3"
	if p.digest() == p.Digest {
		t.Error("the digest does not cover the precondition")
	}
}

func TestReadRefuses(t *testing.T) {
	good, err := sample().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"another JSON":    `{"kind": "Pod"}`,
		"a list":          `[]`,
		"a newer format":  strings.Replace(string(good), `"1.0"`, `"2.0"`, 1),
		"a changed field": strings.Replace(string(good), "good day", "bad day", 1),
		"a changed path":  strings.Replace(string(good), "/update-agent/1", "/update-agent/2", 1),
		"a field more":    strings.Replace(string(good), `"orphans"`, `"extra": 1, "orphans"`, 1),
		"cut short":       string(good[:len(good)/2]),
		"two":             string(good) + string(good),
	} {
		if _, err := Read(strings.NewReader(text), "plan.json"); err == nil || !strings.HasPrefix(err.Error(), "plan.json: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is read as a plan is what was written as one: its digest agrees, and it is written as the same bytes again.
func FuzzRead(f *testing.F) {
	good, err := sample().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"formatVersion": "1.0"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(bytes.NewReader(data), "plan.json")
		if err != nil {
			return
		}
		if p.Digest != p.digest() {
			t.Fatal("the digest does not agree")
		}
		if _, err := p.Marshal(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLimits(t *testing.T) {
	changes := func(updates, deletes, none int) []Change {
		var list []Change
		for action, n := range map[Action]int{Update: updates, Delete: deletes, None: none} {
			for range n {
				list = append(list, Change{Action: action})
			}
		}
		return list
	}
	tests := []struct {
		name      string
		limits    Limits
		changes   []Change
		blocked   int
		elsewhere Elsewhere
	}{
		{"one delete", DefaultLimits(), changes(0, 1, 5), 0, Elsewhere{}},
		{"two deletes", DefaultLimits(), changes(0, 2, 5), 2, Elsewhere{}},
		{"two deletes allowed", Limits{MaxDeletes: 2, MaxChangedPercent: 50, MinAgents: 10}, changes(0, 2, 5), 0, Elsewhere{}},
		{"few agents may all change", DefaultLimits(), changes(9, 0, 0), 0, Elsewhere{}},
		{"half of many may change", DefaultLimits(), changes(5, 0, 5), 0, Elsewhere{}},
		{"more than half may not", DefaultLimits(), changes(6, 0, 4), 6, Elsewhere{}},
		{"deletes count as changes", Limits{MaxDeletes: 9, MaxChangedPercent: 50, MinAgents: 10}, changes(3, 3, 4), 6, Elsewhere{}},
		{"no limit", Limits{MaxDeletes: -1, MaxChangedPercent: -1}, changes(10, 10, 0), 0, Elsewhere{}},
		{"others change too much", DefaultLimits(), changes(4, 0, 0), 4, Elsewhere{Agents: 8, Changed: 3}},
		{"others are many and change little", DefaultLimits(), changes(4, 0, 0), 0, Elsewhere{Agents: 8, Changed: 2}},
		{"others delete", DefaultLimits(), changes(0, 1, 0), 1, Elsewhere{Agents: 3, Changed: 1, Deletes: 1}},
	}
	for _, test := range tests {
		test.limits.hold(test.changes, 0, test.elsewhere)
		blocked := 0
		for i := range test.changes {
			if test.changes[i].Blocked() {
				blocked++
			}
		}
		if blocked != test.blocked {
			t.Errorf("%s: %d blocked, want %d", test.name, blocked, test.blocked)
		}
	}
}

// A secret is hidden where it is the value, part of the value, or what the value is part of.
func TestSecretsAreHidden(t *testing.T) {
	secret := []diff.Pointer{"/hook/headers", "/list/0/token", "/url"}
	for p, want := range map[diff.Pointer]bool{"/url": true, "/hook": true, "/hook/headers/X": true, "/list": true, "/name": false, "/urls": false, "/hook/url": false} {
		if got := hides(secret, p); got != want {
			t.Errorf("hides(%s) = %v", p, got)
		}
	}
	d := &decider{target: &target{address: "nova/a"}, work: &Work{Secret: secret, Fields: []diff.Field{
		{Path: "/url", Before: "canary-one", After: "canary-two", Base: "canary-three", HasBase: true, Origin: diff.Conflict},
		{Path: "/name", Before: "copied canary-env here", After: "b", Origin: diff.FromManifest}}},
		opt: Options{Mask: strings.NewReplacer("canary-env", Hidden).Replace}}
	data, err := json.Marshal(d.show())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "canary") {
		t.Errorf("a secret is shown: %s", data)
	}
	sealed := seal("nova/a", diff.Object{"url": "canary-one", "list": []any{diff.Object{"token": "canary-two"}}}, secret)
	if strings.Contains(string(diff.Canonical(sealed)), "canary") {
		t.Errorf("a fingerprint is made of a secret: %s", diff.Canonical(sealed))
	}
}
