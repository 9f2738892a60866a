package apply_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/providers"
)

// readings are the possibilities that the vendors' pages leave open, each by itself.
func readings() map[string]sandbox.Quirks {
	all := map[string]sandbox.Quirks{
		"trimmed texts":   {TrimText: true},
		"numbers as text": {NumbersAsText: true},
		"stale reads":     {StaleReads: 2},
	}
	nova := func(name string, q sandbox.NovaQuirks) { all["nova: "+name] = sandbox.Quirks{Nova: q} }
	for _, encoding := range []string{"text", "base64", "bytes"} {
		for _, unset := range []string{"", "missing", "text", "list"} {
			nova(encoding+" "+unset, sandbox.NovaQuirks{Encoding: encoding, Unset: unset})
			nova(encoding+" "+unset+" merged", sandbox.NovaQuirks{Encoding: encoding, Unset: unset, Merge: true})
		}
	}
	nova("merge", sandbox.NovaQuirks{Merge: true})
	nova("empty create", sandbox.NovaQuirks{EmptyCreate: true})
	nova("whole items, no meta", sandbox.NovaQuirks{WholeItems: true, NoMeta: true})
	nova("pages from zero", sandbox.NovaQuirks{PagesFromZero: true})
	nova("no content, 422", sandbox.NovaQuirks{NoContent: true, InvalidStatus: 422})
	centerfy := func(name string, q sandbox.CenterfyQuirks) { all["centerfy: "+name] = sandbox.Quirks{Centerfy: q} }
	centerfy("archived are shown", sandbox.CenterfyQuirks{ShowArchived: true})
	centerfy("merged rules", sandbox.CenterfyQuirks{MergedRules: true})
	centerfy("dependents cleared", sandbox.CenterfyQuirks{ClearDependents: true})
	centerfy("all required, 200, agent_id", sandbox.CenterfyQuirks{RequireAll: true, CreateOK: true, CreateAgentID: true})
	centerfy("fixed spelling", sandbox.CenterfyQuirks{FixedSpelling: true, TextErrors: true})
	convirza := func(name string, q sandbox.ConvirzaQuirks) { all["convirza: "+name] = sandbox.Quirks{Convirza: q} }
	convirza("bare list", sandbox.ConvirzaQuirks{BareList: true, WholeItems: true})
	convirza("paging ignored", sandbox.ConvirzaQuirks{IgnorePaging: true})
	convirza("create answers id", sandbox.ConvirzaQuirks{CreateAnswer: "id", Created: true})
	convirza("create answers all", sandbox.ConvirzaQuirks{CreateAnswer: "whole"})
	convirza("config merged", sandbox.ConvirzaQuirks{MergeConfig: true})
	convirza("soft delete", sandbox.ConvirzaQuirks{SoftDelete: true, NoContent: true})
	convirza("failures in the body", sandbox.ConvirzaQuirks{FailInBody: true})
	convirza("expiry in seconds", sandbox.ConvirzaQuirks{ExpirySeconds: true})
	voicy := func(name string, q sandbox.VoicyQuirks) { all["voicy: "+name] = sandbox.Quirks{Voicy: q} }
	voicy("all shown, sorted", sandbox.VoicyQuirks{ShowAll: true, SortVariables: true})
	voicy("empty variables in the list", sandbox.VoicyQuirks{EmptyListVariables: true})
	voicy("other errors, 200", sandbox.VoicyQuirks{OtherErrors: true, CreateOK: true})
	return all
}

// concerns reports whether a reading is about a vendor.
func concerns(reading, provider string) bool {
	vendor, _, tied := strings.Cut(reading, ": ")
	return !tied || strings.HasPrefix(provider, vendor)
}

// TestEveryReadingConverges: whatever a vendor does where its pages are silent, a create and each change end in an empty plan.
func TestEveryReadingConverges(t *testing.T) {
	for name, quirks := range readings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range cases() {
				if concerns(name, c.provider) {
					t.Run(c.provider, func(t *testing.T) { converges(t, quirks, c) })
				}
			}
		})
	}
}

func converges(t *testing.T, quirks sandbox.Quirks, c vendorCase) {
	w := newWorld(t, quirks)
	manifests := []manifest{c.manifest("desk")}
	w.mustApply(apply.Applied, manifests, options{})
	w.inSync(manifests)
	for i := range c.edits {
		manifests[0] = c.manifest("desk", c.edits[:i+1]...)
		w.mustApply(apply.Applied, manifests, options{seen: true})
		w.inSync(manifests)
	}
	if c.provider == "voicy-c" {
		return
	}
	if quirks.Convirza.FailInBody {
		// Nothing but a 404 says that an agent is gone, so its delete cannot be confirmed.
		w.mustApply(apply.Failed, nil, options{prune: true})
		return
	}
	w.mustApply(apply.Applied, nil, options{prune: true})
	if found := w.find(c, "desk"); len(found) != 0 {
		t.Errorf("still live: %v", found)
	}
}

// TestSoFarThatItCannotConverge: a server that changes what it is sent is reported, not fought.
func TestSoFarThatItCannotConverge(t *testing.T) {
	w := newWorld(t, sandbox.Quirks{TrimText: true})
	c := cases()[0]
	manifests := []manifest{c.manifest("desk", `begin_message: "  Hello"`)}
	r := w.mustApply(apply.Failed, manifests, options{})
	if f := r.Results[0].Findings; len(f) != 1 || f[0].Code != providers.CodeReadBack || !strings.Contains(f[0].Message, "/begin_message") {
		t.Fatalf("findings %v", f)
	}
	// What the vendor made of it is not the manifest's, so it is not put back unseen, and not created again.
	w.mustApply(apply.Refused, manifests, options{})
	if found := w.find(c, "desk"); len(found) != 1 {
		t.Errorf("%d agents", len(found))
	}
}

// TestRandomRuns lets manifests, dashboards, networks and the state misbehave at random, and then demands that quiet runs converge.
func TestRandomRuns(t *testing.T) {
	seeds := 60
	if *exhaustive {
		seeds = 5000
	}
	each(t, func(t *testing.T, c vendorCase) {
		c = c.quick()
		for seed := range seeds {
			randomRun(t, c, rand.New(rand.NewPCG(uint64(seed), 7)))
		}
	})
}

func randomRun(t *testing.T, c vendorCase, r *rand.Rand) {
	t.Helper()
	var fitting []sandbox.Quirks
	names := []string{}
	for _, name := range sortedKeys(readings()) {
		if concerns(name, c.provider) {
			names, fitting = append(names, name), append(fitting, readings()[name])
		}
	}
	pick := r.IntN(len(fitting))
	w := newWorld(t, fitting[pick])
	story := "reading " + names[pick]
	edits := []string{}
	wanted := func() []manifest { return []manifest{c.manifest("a", edits...), c.manifest("b")} }
	kinds := faults()
	for range 4 {
		switch r.IntN(4) {
		case 0:
			edits = append(edits, c.edits[r.IntN(len(c.edits))])
		case 1:
			if found := w.find(c, "a"); len(found) == 1 && c.undeclared != "" {
				if err := w.server.Edit(c.store, fmt.Sprint(found[0][c.idAt]), func(a map[string]any) { a[c.undeclared] = c.value }); err != nil {
					t.Fatal(err)
				}
			}
		default:
			name := sortedKeys(kinds)[r.IntN(len(kinds))]
			if strings.HasPrefix(name, "slow") {
				continue // real time
			}
			fault := kinds[name]
			fault.Vendor, fault.Nth, fault.Times = c.store, 1+r.IntN(12), 1+r.IntN(7)
			story += fmt.Sprintf("; %s at %d for %d", name, fault.Nth, fault.Times)
			w.server.Fault(fault)
		}
		report := w.apply(wanted(), options{seen: true})
		story += " -> " + outcomes(report)
		w.server.ClearFaults()
		if c.provider == "centerfy" {
			bindByHand(w, c, "a", "b")
		}
	}
	w.open()
	if c.provider == "centerfy" {
		bindByHand(w, c, "a", "b")
	}
	converge(t, w, c, wanted(), story)
}
