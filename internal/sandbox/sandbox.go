// Package sandbox simulates the four vendors' APIs, strictly: what a vendor's page does not allow is refused as that vendor would
// refuse it. It is written from the vendors' pages alone and imports no other agentsync package, so that a mistake of a client
// cannot hide in it.
//
// Where the pages are silent, [Quirks] choose between the possibilities. [Fault] adds what goes wrong on the way.
package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The stores: what Agents, Edit, Add, Call.Vendor and Fault.Vendor name. Voicy's two API generations share nothing.
const (
	Convirza       = "convirza"
	Nova           = "nova"
	Centerfy       = "centerfy"
	Voicy          = "voicy"
	VoicyFunctions = "voicy/functions-v1"
)

// The sandbox's fixed credentials and accounts, the same for every server. They open nothing else.
const (
	VoicyKey         = "voicy_sk_live_sandbox0000000000000000000000"
	NovaKey          = "nova-sandbox-key"
	NovaOrg          = "org_lumen"
	CenterfyKey      = "cfy_sandbox_key"
	CenterfyOrg      = "7d0f3b52-6c1e-4a8e-9f57-2b1c0a4d9e01"
	CenterfyAccount  = "7d0f3b52-6c1e-4a8e-9f57-2b1c0a4d9e02"
	ConvirzaEmail    = "ops@lumen-dental.example"
	ConvirzaPassword = "sandbox-password"
	// ConvirzaToken is a ready access token that does not expire; a login makes others, which do.
	ConvirzaToken   = "sandbox-access-token"
	ConvirzaOrgUnit = 1001
)

// Options set up a Server. The zero value is an empty one, in memory, without limits.
type Options struct {
	// Dir is where the agents are kept between runs, one JSON file for each store, written on each change; "" keeps them in
	// memory. Nothing is written before the first change. One server at a time may use a Dir.
	Dir string
	// Seed puts the live agents of an example company into each store that has no file in Dir yet.
	Seed bool
	// Now is the clock; nil is a fixed start plus one second for each write, so that the same calls give the same answers.
	Now func() time.Time
	// Latency is how long each answer takes.
	Latency time.Duration
	// PageSize caps the pages of paged lists; 0 leaves them to the vendor.
	PageSize int
	// Quirks choose where the vendors' pages are silent.
	Quirks Quirks
	// Limits enforces the documented rate limits. It needs Now: the fixed clock does not move between reads.
	Limits bool
}

// Server is the simulated vendors. All methods may be called from several goroutines.
type Server struct {
	opts   Options
	sites  []*site
	stores map[string]*store

	mu       sync.Mutex // guards all below, and the stores
	log      []*Call
	faults   []*armed
	limiter  limiter
	sessions sessions
	answers  int // counts answers, for request ids
}

// New makes the simulated vendors, with what Dir holds.
func New(o Options) (*Server, error) {
	if o.Limits && o.Now == nil {
		return nil, errors.New("sandbox: limits need a clock: set Options.Now")
	}
	s := &Server{opts: o, stores: map[string]*store{}}
	seeds, err := seeds()
	if err != nil {
		return nil, err
	}
	for _, d := range s.designs() {
		st := newStore(d, o.Dir)
		if err := st.load(); err != nil {
			return nil, err
		}
		if o.Seed && !st.loaded {
			for _, agent := range seeds[d.name] {
				st.agents[st.idOf(agent)] = agent
			}
		}
		s.stores[d.name] = st
	}
	s.sites = s.apis()
	return s, nil
}

// Handler serves all vendors, each under its path prefix: /convirza/v3, /convirza-oauth, /nova/api,
// /centerfy/functions/v1/crm-api, /voicy/v1 and /voicy/functions/v1.
func (s *Server) Handler() http.Handler { return asAbort(s.serve) }

// Transport serves the same without a socket, for any host, by the path's prefix; the vendors' own hosts work too, with their own
// paths. It honours the request's context and streams both ways.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

// Env returns the environment variables that point agentsync at a server reached under base, such as http://127.0.0.1:8080,
// without a slash at the end. Voicy's is its v1 API; functions-v1 is at base + "/voicy/functions/v1".
func (s *Server) Env(base string) map[string]string {
	return map[string]string{
		"VOICY_API_KEY":      VoicyKey,
		"VOICY_BASE_URL":     base + prefixVoicy,
		"NOVA_API_KEY":       NovaKey,
		"NOVA_ORG_ID":        NovaOrg,
		"NOVA_BASE_URL":      base + prefixNova,
		"CENTERFY_API_KEY":   CenterfyKey,
		"CENTERFY_BASE_URL":  base + prefixCenterfy,
		"CONVIRZA_EMAIL":     ConvirzaEmail,
		"CONVIRZA_PASSWORD":  ConvirzaPassword,
		"CONVIRZA_BASE_URL":  base + prefixConvirza,
		"CONVIRZA_OAUTH_URL": base + prefixOAuth,
	}
}

// Agents returns copies of what a store holds, in the order of the ids; nil for an unknown store. A stored agent holds also what an
// API never shows: write-only fields, and marks whose names begin with an underscore:
//
//	_foreign   true: it belongs to another account
//	_numbers   phone numbers it answers (a delete is refused)
//	_files     uploaded files: name, size, sha256
//	_deleted   when it was deleted or archived, and is still shown or restorable
//
// Edit and Add may set them.
func (s *Server) Agents(vendor string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stores[vendor]
	if st == nil {
		return nil
	}
	var all []map[string]any
	for _, agent := range st.sorted() {
		all = append(all, copyObject(agent))
	}
	return all
}

// Edit changes an agent as a person does in the vendor's dashboard: no rule is checked, and its time of change moves. f works on a
// copy, which is stored when f returns.
func (s *Server) Edit(vendor, id string, f func(agent map[string]any)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stores[vendor]
	if st == nil {
		return s.unknownStore(vendor)
	}
	agent, ok := st.get(id)
	if !ok {
		return fmt.Errorf("sandbox: %s: no agent %s", vendor, id)
	}
	edited := copyObject(agent)
	f(edited)
	return s.keep(st, id, edited)
}

// Add puts an agent there as if it had been made in the vendor's dashboard: what is missing gets the vendor's defaults, its id too.
func (s *Server) Add(vendor string, agent map[string]any) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stores[vendor]
	if st == nil {
		return "", s.unknownStore(vendor)
	}
	full := st.defaults()
	maps.Copy(full, copyObject(agent))
	if full[st.idField] == nil {
		full[st.idField] = st.newID()
	}
	if full, err = normal(full); err != nil {
		return "", fmt.Errorf("sandbox: %s: %w", vendor, err)
	}
	id = st.idOf(full)
	if _, ok := st.get(id); ok {
		return "", fmt.Errorf("sandbox: %s: agent %s is there already", vendor, id)
	}
	return id, s.keep(st, id, full)
}

func (s *Server) unknownStore(vendor string) error {
	return fmt.Errorf("sandbox: no store %q: have %q", vendor, slices.Sorted(maps.Keys(s.stores)))
}

// keep stores an agent and moves its times. The caller holds the lock.
func (s *Server) keep(st *store, id string, agent map[string]any) error {
	agent, err := normal(agent)
	if err != nil {
		return fmt.Errorf("sandbox: %s: %w", st.name, err)
	}
	if st.idOf(agent) != id {
		return errors.New("sandbox: an agent's id cannot change")
	}
	now := st.stamp(s.tick(st))
	if st.createdField != "" && agent[st.createdField] == nil {
		agent[st.createdField] = now
	}
	if st.updatedField != "" {
		agent[st.updatedField] = now
	}
	return st.put(id, agent)
}

// start is where the clock begins when Options name none.
var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// now tells the time; tick counts a write to st first.
func (s *Server) now() time.Time {
	if s.opts.Now != nil {
		return s.opts.Now()
	}
	writes := 0
	for _, st := range s.stores {
		writes += st.writes
	}
	return start.Add(time.Duration(writes) * time.Second)
}

func (s *Server) tick(st *store) time.Time {
	st.writes++
	return s.now()
}
