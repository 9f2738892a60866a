package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
)

// What the server answers beside the vendors' APIs.
const (
	countsPath = "/bench/counts" // GET: requests by verb since the last GET
	rowsPath   = "/bench/rows"   // GET ?page=N: the bare program's list, whole agents
)

// server is the sandbox with what a benchmark needs of it: it counts, it takes its time, and it answers a read that it has answered before
// without doing the work again, so that its own cost does not count against those who ask.
type server struct {
	vendors *sandbox.Server
	handler http.Handler
	latency time.Duration
	rows    [][]byte // the bare program's pages

	mu     sync.Mutex
	counts map[string]int
	known  map[string]*recorded // answers since the last write, by URL
}

// recorded is an answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header                { return r.header }
func (r *recorded) WriteHeader(status int)             { r.status = status }
func (r *recorded) Write(data []byte) (n int, e error) { return r.body.Write(data) }

func (r *recorded) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // the client may be gone
}

// serve serves until the process is ended, and prints the variables that point agentsync at it.
func serve(o options) error {
	vendors, err := sandbox.New(sandbox.Options{PageSize: o.page})
	if err != nil {
		return err
	}
	s := &server{vendors: vendors, handler: vendors.Handler(), latency: o.latency, counts: map[string]int{}, known: map[string]*recorded{},
		rows: pages(o)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env := vendors.Env("http://" + listener.Addr().String())
	env["CONVIRZA_ACCESS_TOKEN"] = sandbox.ConvirzaToken
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Printf("%s=%s\n", name, env[name])
	}
	fmt.Printf("%s=http://%s\n\n", baseVariable, listener.Addr())
	return http.Serve(listener, s)
}

// pages are the agents as manifests declare them, as pages of a list.
func pages(o options) [][]byte {
	var all [][]byte
	v := vendors()[o.vendor]
	for from := 0; from < o.agents; from += o.page {
		rows := []any{}
		for i := from; i < min(from+o.page, o.agents); i++ {
			rows = append(rows, map[string]any{"name": agentName(i), "config": v.config(agentName(i), prompt(i, 0))})
		}
		data, err := json.Marshal(rows)
		if err != nil {
			panic(err) // texts and numbers
		}
		all = append(all, data)
	}
	return append(all, []byte("[]"))
}

// ServeHTTP implements [http.Handler].
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == countsPath {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.counts)
		s.counts = map[string]int{}
		return
	}
	s.mu.Lock()
	s.counts[r.Method]++
	known := s.known[r.URL.String()]
	if r.Method != http.MethodGet {
		s.known = map[string]*recorded{}
	}
	s.mu.Unlock()
	wait(r, s.latency)
	switch {
	case r.URL.Path == rowsPath:
		page, err := strconv.Atoi(r.URL.Query().Get("page"))
		if err != nil || page < 0 || page >= len(s.rows) {
			http.Error(w, "no such page", http.StatusNotFound)
			return
		}
		_, _ = w.Write(s.rows[page])
	case r.Method == http.MethodGet && known != nil:
		known.write(w)
	default:
		out := &recorded{header: http.Header{}, status: http.StatusOK}
		s.handler.ServeHTTP(out, r)
		if r.Method == http.MethodGet && out.status == http.StatusOK {
			s.mu.Lock()
			s.known[r.URL.String()] = out
			s.mu.Unlock()
		}
		out.write(w)
	}
}

func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}
