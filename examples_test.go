package agentsync_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// summary counts what a plan would do.
type summary struct{ Create, Update, Delete, Adopt, None, Blocked, Orphaned int }

type change struct {
	Address, Action string
	Fields          []struct{ Path, Op, Origin string }
	Requests        []struct{ Method string }
	Carried         []string
}

type planned struct {
	Summary summary
	Changes []change
}

type reported struct {
	Results []struct {
		Address, Outcome string
		Requests         int
	}
}

// decode runs the command with -o json, checks its exit status, and reads its answer.
func decode[T any](t *testing.T, dir string, wantStatus int, args ...string) T {
	t.Helper()
	out, status := agentsync(t, dir, append(args, "-o", "json")...)
	if status != wantStatus {
		t.Fatalf("agentsync %q: exit status %d, want %d\n%s", args, status, wantStatus, out)
	}
	var answer T
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("agentsync %q: %v\n%s", args, err, out)
	}
	return answer
}

// TestExamplesShowEveryKind holds the examples to what they are there to show.
func TestExamplesShowEveryKind(t *testing.T) {
	plan := decode[planned](t, workspace(t), 2, "plan", "--sandbox", "--detailed-exitcode", "examples/agents")
	if want := (summary{Create: 1, Update: 5, None: 6}); plan.Summary != want {
		t.Errorf("summary %+v, want %+v", plan.Summary, want)
	}
	byAddress := map[string]change{}
	for _, c := range plan.Changes {
		byAddress[c.Address] = c
	}
	for address, want := range map[string]struct{ action, path, origin, method string }{
		"voicy/front-desk":           {"update", "/general_prompt", "manifest", "PATCH"},
		"voicy/after-hours":          {"update", "/response_delay_ms", "drift", "PATCH"},
		"centerfy/new-patient-line":  {"update", "/voicemail_message", "manifest", "PUT"},
		"convirza/implant-campaign":  {"update", "/more_information", "manifest", "PUT"},
		"convirza/main-line":         {"update", "/max_call_duration", "manifest", "PATCH"},
		"nova/whitening-follow-up":   {"create", "/llm_config/model", "manifest", "POST"},
		"voicy/recall-calls":         {action: "none"},
		"voicy-c/waiting-list":       {action: "none"},
		"nova/appointment-reminders": {action: "none"},
	} {
		c := byAddress[address]
		if c.Action != want.action {
			t.Errorf("%s: action %q, want %q", address, c.Action, want.action)
		}
		if want.path != "" && (len(c.Fields) == 0 || c.Fields[0].Path != want.path || c.Fields[0].Origin != want.origin) {
			t.Errorf("%s: fields %v, want first %s (%s)", address, c.Fields, want.path, want.origin)
		}
		if want.method != "" && (len(c.Requests) == 0 || c.Requests[0].Method != want.method) {
			t.Errorf("%s: requests %v, want %s", address, c.Requests, want.method)
		}
	}
	if carried := byAddress["convirza/implant-campaign"].Carried; len(carried) == 0 {
		t.Error("the full update carries nothing")
	}
}

// TestExamplesApply carries the examples out: the plan after it is empty, and a second apply sends nothing.
func TestExamplesApply(t *testing.T) {
	dir := workspace(t)
	for _, r := range decode[reported](t, dir, 0, "apply", "--sandbox", "--auto-approve", "examples/agents").Results {
		if r.Outcome != "applied" && r.Outcome != "unchanged" {
			t.Errorf("%s: %s", r.Address, r.Outcome)
		}
	}
	before := contents(t, filepath.Join(dir, ".agentsync"))
	if plan := decode[planned](t, dir, 0, "plan", "--sandbox", "--detailed-exitcode", "examples/agents"); plan.Summary != (summary{None: 12}) {
		t.Errorf("after the apply: %+v", plan.Summary)
	}
	for _, r := range decode[reported](t, dir, 0, "apply", "--sandbox", "--auto-approve", "examples/agents").Results {
		if r.Outcome != "unchanged" || r.Requests != 0 {
			t.Errorf("the second apply of %s: %s, %d requests", r.Address, r.Outcome, r.Requests)
		}
	}
	if after := contents(t, filepath.Join(dir, ".agentsync")); !reflect.DeepEqual(before, after) {
		t.Error("the second apply wrote something")
	}
}

// contents reads all files below dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("%s is empty", dir)
	}
	return files
}

// TestOverlays holds the overlays to be different agents at one account, so that one state can hold both.
func TestOverlays(t *testing.T) {
	dir := workspace(t)
	seen := map[string]string{}
	for _, overlay := range []string{"staging", "prod"} {
		plan := decode[planned](t, dir, 0, "plan", "--sandbox", "-k", "examples/overlays/"+overlay)
		if want := (summary{Create: 2}); plan.Summary != want {
			t.Errorf("%s: %+v, want %+v", overlay, plan.Summary, want)
		}
		for _, c := range plan.Changes {
			if other := seen[c.Address]; other != "" || !strings.Contains(c.Address, overlay) {
				t.Errorf("%s: address %s, also in %q", overlay, c.Address, other)
			}
			seen[c.Address] = overlay
		}
	}
}
