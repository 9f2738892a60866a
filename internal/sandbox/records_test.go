package sandbox_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// examples holds the manifests that the records belong to.
const examples = "../../examples/agents"

// loadRecords reads the records as agentsync does.
func loadRecords(t *testing.T) map[string]state.Entry {
	t.Helper()
	store := &state.Memory{}
	for key, data := range sandbox.Records() {
		if _, err := store.Create(t.Context(), key, data); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := state.NewBook(store).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestRecordsAreCanonical(t *testing.T) {
	raw := sandbox.Records()
	entries := loadRecords(t)
	if len(entries) == 0 || len(entries) != len(raw) {
		t.Fatalf("%d entries of %d records", len(entries), len(raw))
	}
	for address, entry := range entries {
		want, err := state.Encode(entry.Record)
		if err != nil {
			t.Fatal(err)
		}
		if got := raw["state/"+address+".json"]; !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", address, got, want)
		}
	}
}

func TestRecordsHoldNoSecret(t *testing.T) {
	secrets := []string{"lumen-precall-secret"}
	for name, value := range sandbox.Credentials() {
		if value != "" && name != "NOVA_ORG_ID" {
			secrets = append(secrets, value)
		}
	}
	for key, data := range sandbox.Records() {
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds a secret", key)
			}
		}
	}
}

// TestRecordsMatchManifests holds the records to the example manifests: every agent but the one that is to be created has one.
func TestRecordsMatchManifests(t *testing.T) {
	dir, err := filepath.Abs(examples)
	if err != nil {
		t.Fatal(err)
	}
	set, err := spec.Load(spec.Input{Dir: dir, Getenv: func(string) (string, bool) { return "value", true }})
	if err != nil {
		t.Fatal(err)
	}
	manifests := map[string]*spec.Agent{}
	for _, agent := range set.Agents {
		manifests[agent.Address()] = agent
	}
	entries := loadRecords(t)
	var create []string
	for address := range manifests {
		if _, ok := entries[address]; !ok {
			create = append(create, address)
		}
	}
	if want := []string{"nova/whitening-follow-up"}; !slices.Equal(create, want) {
		t.Errorf("without a record: %q, want %q", create, want)
	}
	for address, entry := range entries {
		manifest := manifests[address]
		switch {
		case manifest == nil:
			t.Errorf("%s: no manifest in %s", address, examples)
		case manifest.ID != "" && manifest.ID != entry.Record.ID:
			t.Errorf("%s: bound to %s, the manifest says %s", address, entry.Record.ID, manifest.ID)
		case manifest.Protect != entry.Record.Protect:
			t.Errorf("%s: protect is %v, the manifest says %v", address, entry.Record.Protect, manifest.Protect)
		}
	}
}

// TestRecordsMatchSeeds holds the records to the seeded agents: each is bound to one of its own, and what was applied last is what is
// live, but for the drift that the examples show.
func TestRecordsMatchSeeds(t *testing.T) {
	server, err := sandbox.New(sandbox.Options{Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	var moved []string
	bound := map[string]string{}
	for address, entry := range loadRecords(t) {
		record := entry.Record
		live := find(server.Agents(record.Type), record.ID)
		if live == nil {
			t.Errorf("%s: %s has no seed %s", address, record.Type, record.ID)
			continue
		}
		if other := bound[record.Type+" "+record.ID]; other != "" {
			t.Errorf("%s and %s are bound to one agent", address, other)
		}
		bound[record.Type+" "+record.ID] = address
		for _, path := range differences(plain(t, record.Applied), plain(t, live)) {
			moved = append(moved, address+path)
		}
	}
	slices.Sort(moved)
	if want := []string{"voicy/after-hours/response_delay_ms"}; !slices.Equal(moved, want) {
		t.Errorf("moved since the last apply: %q, want %q", moved, want)
	}
}

func find(agents []map[string]any, id string) map[string]any {
	for _, agent := range agents {
		for _, field := range []string{"id", "agent_id"} {
			if value, err := json.Marshal(agent[field]); err == nil && strings.Trim(string(value), `"`) == id {
				return agent
			}
		}
	}
	return nil
}

// plain turns numbers of any type into one.
func plain(t *testing.T, object map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(data, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// differences returns the paths at which live is not as applied, as far as applied says anything. A null is a default.
func differences(applied, live map[string]any) []string {
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(applied)) {
		want, got := applied[name], live[name]
		inner, isObject := want.(map[string]any)
		below, isLive := got.(map[string]any)
		switch {
		case want == nil:
		case isObject && isLive:
			for _, path := range differences(inner, below) {
				paths = append(paths, "/"+name+path)
			}
		case !reflect.DeepEqual(want, got):
			paths = append(paths, "/"+name)
		}
	}
	return paths
}
