package apply_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// world is simulated vendors, a state and a clock that never waits.
type world struct {
	t      testing.TB
	server *sandbox.Server
	store  state.Store
	// transport stands between the accounts and the vendors; tests put a killer there.
	transport http.RoundTripper
	accounts  map[string]*plan.Account
	mask      *rest.Masker
	logs      *bytes.Buffer
	runs      int
	timeout   time.Duration // of one request; 0 is the vendor's default
	// limits, if not nil, hold on the real clock; the vendors' own where they are zero.
	limits *spec.Limits
	calls  atomic.Int64
	ticks  atomic.Int64
}

// vendorCase is one API generation as these tests meet it.
type vendorCase struct {
	provider string // the name in manifests
	vendor   string
	api      string
	store    string // the sandbox's name
	nameAt   string
	idAt     string
	create   string // a config that a create takes
	edits    []string
	// undeclared is a writable field that the config leaves out, with a value for a dashboard edit.
	undeclared string
	value      any
}

func cases() []vendorCase {
	return []vendorCase{
		{provider: "voicy", vendor: "voicy", api: "v1", store: sandbox.Voicy, nameAt: "agent_name", idAt: "agent_id",
			create:     "agent_name: NAME\ngeneral_prompt: |\n  Be kind.\n  Be brief.\nlanguage: en\nbegin_message: Hello\nvars_provided:\n- {name: first, type: string}\n- {name: last, type: string}\n",
			edits:      []string{"begin_message: Good day", "language: no", "vars_provided: [{name: last, type: string}, {name: city, type: string}]", "response_delay_ms: 2e2"},
			undeclared: "begin_message_mode", value: "dynamic"},
		{provider: "voicy-c", vendor: "voicy", api: "functions-v1", store: sandbox.VoicyFunctions, nameAt: "name", idAt: "agent_id",
			create:     "name: NAME\nprompt: Be kind.\nwelcome_message: Hello\nvariables_extracted:\n- {name: city, required: true}\nvariables_provided:\n- {name: first, default: you}\n",
			edits:      []string{"welcome_message: null", "prompt: Be brief.", "variables_extracted: [{name: city, required: false}]", "variables_provided: []"},
			undeclared: "language", value: "en"},
		{provider: "nova", vendor: "nova", store: sandbox.Nova, nameAt: "name", idAt: "id",
			create:     "name: NAME\ntype: voice\nprompt_template: Be kind.\ngreeting_config:\n  greeting: Hello\n  agent_speaks_first: true\nvad_config:\n  activation_threshold: 0.50\n",
			edits:      []string{"greeting_config: {greeting: Good day}", "prompt_template: Be brief.", "goodbye_config: {enabled: true, message: Bye}", "default_functions: [hangup]"},
			undeclared: "extra_config", value: map[string]any{"min_words": 3.0, "allow_interruptions": true, "unknown_key": "kept"}},
		{provider: "centerfy", vendor: "centerfy", store: sandbox.Centerfy, nameAt: "name", idAt: "id",
			create: "name: NAME\nvoice_id: Aria\nmax_duration: 30\ntemperature: 0.7\nsilence_timeout: 10\nvoice_activity_timeout: 500\nllm_model: gpt-4o\nlanguage: en-US\n" +
				"background_noise: true\nbackground_type: call_center\nvoicemail_detection: false\nbackcchanneling: true\nis_active: true\nwebhook: true\n" +
				"webhook_url: https://hooks.example.com/a?token=verysecrettoken\nrecording: false\n" +
				"organization_id: " + sandbox.CenterfyOrg + "\nsub_account_id: " + sandbox.CenterfyAccount + "\n",
			edits:      []string{"temperature: 0.50", "background_noise: false", "voicemail_detection: true\nvoicemail_type: hangup", "webhook_url: https://hooks.example.com/b"},
			undeclared: "", value: nil},
		{provider: "convirza", vendor: "convirza", store: sandbox.Convirza, nameAt: "voiceagent_name", idAt: "id",
			create: "voiceagent_name: NAME\ndirection: inbound\norg_unit_id: 1001\nvoice_id: 5\ngreetings: Hello\nprompt: Be kind.\nmax_call_duration: 300\n" +
				"config: {background_noise: true, volume: 0.90}\nurls: [https://a.example.com, https://b.example.com]\n",
			edits:      []string{"greetings: Good day", "config: {volume: 0.5}", "industry_id: 7", "urls: [https://c.example.com]"},
			undeclared: "more_information", value: "Edited."},
	}
}

func newWorld(t testing.TB, quirks sandbox.Quirks) *world {
	t.Helper()
	server, err := sandbox.New(sandbox.Options{Quirks: quirks})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server, store: &state.Memory{}, transport: server.Transport(), logs: &bytes.Buffer{}}
	w.open()
	return w
}

// now is a clock of its own: every look is a millisecond later, and sleeping moves it.
func (w *world) now() time.Time {
	return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).Add(time.Duration(w.ticks.Add(1)) * time.Millisecond)
}

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.ticks.Add(d.Milliseconds())
	return ctx.Err()
}

// open makes the accounts anew, as a new process would.
func (w *world) open() {
	w.mask = &rest.Masker{}
	w.accounts = map[string]*plan.Account{}
	env := sandbox.Credentials()
	shared := rest.Shared{Transport: w.transport, Mask: w.mask, Now: w.now, Sleep: w.sleep, Observe: func(rest.Event) { w.calls.Add(1) },
		Log: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, c := range cases() {
		doc := &spec.Provider{Name: c.provider, Type: c.vendor}
		if c.vendor == "voicy" {
			doc.API = c.api
		}
		doc.Limits = spec.Limits{RequestsPerMinute: 1_000_000, MaxInFlight: 8}
		if w.limits != nil {
			doc.Limits, shared.Now, shared.Sleep = *w.limits, nil, nil
		}
		vendor, generation, problem := providers.Resolve(all.Vendors(), c.provider, doc)
		if problem != nil {
			w.t.Fatal(problem)
		}
		settings, problems := vendor.SettingsFor(c.provider, generation, doc, providers.Operator{Getenv: func(n string) (string, bool) { v, ok := env[n]; return v, ok }}, shared)
		if len(problems) > 0 {
			w.t.Fatal(problems)
		}
		settings.Timeout = w.timeout
		provider, err := vendor.Open(settings)
		if err != nil {
			w.t.Fatal(err)
		}
		w.accounts[c.provider] = &plan.Account{Name: c.provider, Vendor: vendor, Generation: generation, Provider: provider}
	}
}

// manifest is one declared agent of a test.
type manifest struct {
	provider, name, config string
	change                 func(*spec.Agent)
}

// decode turns manifests into agents. Later lines of a config win over earlier ones of the same key.
func (w *world) decode(manifests []manifest) []*plan.Agent {
	w.t.Helper()
	set := &spec.Set{}
	for i, m := range manifests {
		value, err := spec.DecodeConfig(m.name+".yaml", []byte(lastWins(m.config)))
		if err != nil {
			w.t.Fatalf("%s: %v", m.config, err)
		}
		a := &spec.Agent{Name: m.name, Provider: m.provider, Config: value, Update: "auto", Pos: spec.Pos{File: m.name + ".yaml", Line: i + 1}}
		if m.change != nil {
			m.change(a)
		}
		set.Agents = append(set.Agents, a)
	}
	agents, problems := plan.Decode(set, w.accounts)
	if err := problems.Err(); err != nil {
		w.t.Fatal(err)
	}
	return agents
}

// lastWins keeps the last of top-level keys that occur twice.
func lastWins(config string) string {
	blocks := []string{}
	index := map[string]int{}
	for _, line := range strings.Split(strings.TrimSuffix(config, "\n"), "\n") {
		if line == "" || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "-") {
			blocks[len(blocks)-1] += line + "\n"
			continue
		}
		key, _, _ := strings.Cut(line, ":")
		if i, ok := index[key]; ok {
			blocks[i] = ""
		}
		index[key] = len(blocks)
		blocks = append(blocks, line+"\n")
	}
	return strings.Join(blocks, "")
}

// options of one run.
type options struct {
	seen  bool
	prune bool
	drift spec.DriftPolicy
	adopt bool
	stop  chan struct{}

	selects plan.Select
	refresh plan.Refresh
}

func (w *world) plan(manifests []manifest, o options) *plan.Plan {
	w.t.Helper()
	p, _, err := w.tryPlan(manifests, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) tryPlan(manifests []manifest, o options) (*plan.Plan, *state.Book, error) {
	w.t.Helper()
	book := state.NewBook(w.store)
	entries, err := book.Load(context.Background())
	if err != nil {
		return nil, nil, err
	}
	limits := plan.Limits{MaxDeletes: -1, MaxChangedPercent: -1}
	p, err := plan.Build(context.Background(), plan.Input{Agents: w.decode(manifests), Accounts: w.accounts, Entries: entries,
		Requests: func() int { return int(w.calls.Load()) },
		Options:  plan.Options{Select: o.selects, Refresh: o.refresh, Adopt: o.adopt, Override: o.drift, Prune: o.prune, Limits: limits, Now: w.now(), Mask: w.mask.Mask, Remember: w.mask.Add}})
	return p, book, err
}

func (w *world) apply(manifests []manifest, o options) *apply.Report {
	w.t.Helper()
	p, book, err := w.tryPlan(manifests, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.carryOut(p, book, o)
}

func (w *world) carryOut(p *plan.Plan, book *state.Book, o options) *apply.Report {
	w.runs++
	return apply.Run(context.Background(), p, apply.Options{Run: fmt.Sprintf("20261121T2030%02dZ-%06x", w.runs%60, w.runs), Book: book, Seen: o.seen,
		Stop: o.stop, Now: w.now, Sleep: w.sleep, Mask: w.mask.Mask})
}

// writes counts the writes that reached a vendor since the log was reset.
func (w *world) writes() []string {
	var list []string
	for _, call := range w.server.Log() {
		if call.Method != http.MethodGet && !strings.Contains(call.Path, "oauth") {
			list = append(list, fmt.Sprintf("%s %s %v", call.Method, call.Path, call.Fields))
		}
	}
	return list
}

// find returns the live agents of a name.
func (w *world) find(c vendorCase, name string) []map[string]any {
	var found []map[string]any
	for _, agent := range w.server.Agents(c.store) {
		if agent[c.nameAt] == name && agent["_deleted"] == nil {
			found = append(found, agent)
		}
	}
	return found
}

// quick is c without secrets, whose slow fingerprints would be most of the time of a test with thousands of runs.
func (c vendorCase) quick() vendorCase {
	c.create = strings.Replace(strings.Replace(c.create, "webhook: true\n", "webhook: false\n", 1),
		"webhook_url: https://hooks.example.com/a?token=verysecrettoken\n", "", 1)
	return c
}

func (c vendorCase) manifest(name string, more ...string) manifest {
	config := strings.ReplaceAll(c.create, "NAME", name) + strings.Join(more, "\n") + "\n"
	return manifest{provider: c.provider, name: name, config: config}
}

func outcomes(r *apply.Report) string {
	var list []string
	for _, result := range r.Results {
		text := fmt.Sprintf("%s %s", result.Address, result.Outcome)
		if result.Error != "" {
			text += " (" + result.Error + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func newStore() state.Store { return &state.Memory{} }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
