package apply_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// TestPlansPredictHowLongTheyTake runs plan and apply at the vendors' own limits, which the vendors enforce, and holds what the plan says
// against the bubble's clock: within a tenth, or two seconds.
func TestPlansPredictHowLongTheyTake(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.provider, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := c.quick()
				w, manifests := timed(t, c, sandbox.Options{Limits: true, Latency: latency}, spec.Limits{})
				server := w.server
				for _, k := range []int{1, 100} {
					time.Sleep(2 * time.Minute)
					for i := range k {
						manifests[i] = c.manifest(manifests[i].name, c.edits[0], fmt.Sprintf("%s: edited-%d", c.nameAt, k))
					}
					w.open() // another process: nothing is known of what was sent before
					began := time.Now()
					p, book, err := w.tryPlan(manifests, options{seen: true})
					if err != nil {
						t.Fatal(err)
					}
					near(t, "plan", p.Reads.Seconds, time.Since(began))
					began = time.Now()
					before := len(server.Log())
					report := w.carryOut(p, book, options{seen: true})
					near(t, fmt.Sprintf("apply of %d", k), p.Reads.Apply.Seconds, time.Since(began))
					if sent := len(server.Log()) - before; sent != p.Reads.Apply.Requests || report.Summary.Applied != k {
						t.Errorf("apply of %d: %d requests, predicted %+v; %+v", k, sent, p.Reads.Apply, report.Summary)
					}
				}
				for _, call := range server.Log() {
					if call.Status == http.StatusTooManyRequests {
						t.Fatalf("%s %s went beyond the vendor's limit", call.Method, call.Path)
					}
				}
			})
		})
	}
}

const latency = 50 * time.Millisecond

// timed is a world on the bubble's clock, with a fleet of c that is in sync.
func timed(t *testing.T, c vendorCase, o sandbox.Options, limits spec.Limits) (*world, []manifest) {
	t.Helper()
	o.Now = time.Now
	server, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server, store: &state.Memory{}, transport: server.Transport(), logs: &bytes.Buffer{}, limits: &limits}
	w.open()
	var manifests []manifest
	for i := range fleet {
		manifests = append(manifests, c.manifest(fmt.Sprintf("desk-%03d", i)))
	}
	w.mustApply(apply.Applied, manifests, options{})
	return w, manifests
}

// TestRequestsInFlightAreUsed: where no limit tells, plan and apply keep as many requests under way as the account may have.
func TestRequestsInFlightAreUsed(t *testing.T) {
	for _, c := range cases() {
		for _, inFlight := range []int{8, 20} {
			t.Run(fmt.Sprint(c.provider, inFlight), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := c.quick()
					w, manifests := timed(t, c, sandbox.Options{Latency: latency}, spec.Limits{RequestsPerMinute: 10_000_000, MaxInFlight: inFlight})
					during := func(what string, do func()) {
						w.server.ResetLog()
						began := time.Now()
						do()
						requests := len(w.server.Log())
						bound := time.Duration((requests+inFlight-1)/inFlight) * latency * 12 / 10
						if took := time.Since(began); took > bound {
							t.Errorf("%s: %d requests took %s, more than %s", what, requests, took, bound)
						}
					}
					during("plan", func() { w.plan(manifests, options{}) })
					p, book, err := w.tryPlan(c.edited(manifests, fleet), options{})
					if err != nil {
						t.Fatal(err)
					}
					during("apply", func() { w.carryOut(p, book, options{seen: true}) })
					if c.provider != "centerfy" { // it has no list to look in
						w.store = newStore()
						during("looking for all by name", func() { w.plan(manifests, options{}) })
					}
				})
			})
		}
	}
}

func near(t *testing.T, what string, predicted int, took time.Duration) {
	t.Helper()
	if off := (time.Duration(predicted)*time.Second - took).Abs(); off > max(took/10, 2*time.Second) {
		t.Errorf("%s took %s, predicted %d s", what, took, predicted)
	}
}

// TestForecasts: before an account is read, whoever asks is told what that takes.
func TestForecasts(t *testing.T) {
	for _, c := range cases() {
		w := newWorld(t, sandbox.Quirks{})
		w.limits = &spec.Limits{}
		w.open()
		var manifests []manifest
		for i := range 1000 {
			manifests = append(manifests, c.manifest(fmt.Sprintf("desk-%d", i)))
		}
		agents := w.decode(manifests)
		entries := map[string]state.Entry{}
		for _, a := range agents {
			entries[a.Address()] = state.Entry{Record: state.Record{ID: a.Name, Address: a.Address(), Type: a.Account.Type()}}
		}
		var said []string
		ctx, cancel := context.WithCancel(t.Context())
		_, err := plan.Build(ctx, plan.Input{Agents: agents, Accounts: w.accounts, Entries: entries, Requests: func() int { return 0 },
			Reading: func(f plan.Forecast) {
				said = append(said, fmt.Sprintf("%s: %d agents, %d requests, %s at %d", f.Account, f.Agents, f.Requests, f.Time.Round(time.Second), f.PerMinute))
				cancel() // nothing needs to be read
			}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.provider, err)
		}
		want := map[string]string{
			"voicy":    "voicy: 1000 agents, 1 requests, 0s at 60",
			"voicy-c":  "voicy-c: 1000 agents, 1000 requests, 16m17s at 60",
			"nova":     "nova: 1000 agents, 1000 requests, 3m23s at 300",
			"centerfy": "centerfy: 1000 agents, 1000 requests, 19m22s at 50",
			"convirza": "convirza: 1000 agents, 1010 requests, 3m25s at 300",
		}[c.provider]
		if len(said) != 1 || said[0] != want {
			t.Errorf("said %q, want %q", said, want)
		}
	}
}
