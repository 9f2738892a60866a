package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/internal/status"
)

// patience bounds each wait of the tests with real processes. It is generous: what is tested does not depend on it.
const patience = 2 * time.Minute

// arena is where real watchers run: simulated vendors behind a real server, one door to them for each watcher.
type arena struct {
	t      *testing.T
	vendor *sandbox.Server
	dir    string
	binary string
	env    []string

	mu     sync.Mutex
	writes []write
	before func(door, method, path string) // called before a request is answered; may be nil
}

// write is a request that changed something at a vendor.
type write struct{ door, method, path string }

func newArena(t *testing.T) *arena {
	t.Helper()
	vendor, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &arena{t: t, vendor: vendor, dir: t.TempDir()}
	// The test's own binary is the command when it goes by the command's name (see TestMain).
	w.binary = filepath.Join(t.TempDir(), "agentsync")
	if err := os.Symlink(self, w.binary); err != nil {
		t.Fatal(err)
	}
	return w
}

// door serves the vendors under a name of its own, so that it is known who sent what.
func (w *arena) door(name string) (env []string) {
	handler := w.vendor.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		before := w.before
		w.mu.Unlock()
		if before != nil {
			before(name, r.Method, r.URL.Path)
		}
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/token") {
			w.mu.Lock()
			w.writes = append(w.writes, write{name, r.Method, r.URL.Path})
			w.mu.Unlock()
		}
		handler.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(server.Close)
	for key, value := range w.vendor.Env(server.URL) {
		env = append(env, key+"="+value)
	}
	return env
}

// sent are the writes that came through a door, "" for all of them.
func (w *arena) sent(door string) []write {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []write
	for _, one := range w.writes {
		if door == "" || one.door == door {
			list = append(list, one)
		}
	}
	return list
}

func (w *arena) onRequest(f func(door, method, path string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = f
}

// manifest is an agent at Voicy whose account has no pace to wait for.
func manifest(name, prompt, drift string) string {
	return fmt.Sprintf("apiVersion: agentsync.dev/v1\nkind: Agent\nmetadata: {name: %s}\nspec:\n  provider: voicy\n  drift: %s\n  config:\n    agent_name: %s\n    language: en\n    general_prompt: %q\n",
		name, drift, name, prompt)
}

const account = "apiVersion: agentsync.dev/v1\nkind: Provider\nmetadata: {name: voicy}\nspec: {type: voicy, limits: {requestsPerMinute: 100000}}\n"

// prompt is the live prompt of an agent at Voicy, "" if there is none.
func (w *arena) prompt(name string) string {
	found := ""
	for _, a := range w.vendor.Agents("voicy") {
		if a["agent_name"] == name {
			found, _ = a["general_prompt"].(string)
		}
	}
	return found
}

// edit changes a live prompt as somebody in the dashboard would.
func (w *arena) edit(name, prompt string) {
	w.t.Helper()
	for _, a := range w.vendor.Agents("voicy") {
		if a["agent_name"] != name {
			continue
		}
		if err := w.vendor.Edit("voicy", a["agent_id"].(string), func(agent map[string]any) { agent["general_prompt"] = prompt }); err != nil {
			w.t.Fatal(err)
		}
	}
}

// watcher is a running `agentsync watch`.
type watcher struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	url  string
	log  *logged
	over chan struct{}
	err  error // how it ended
}

// logged is what a process wrote to standard error.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// watch starts a watcher and waits until it serves.
func (w *arena) watch(name string, env []string, args ...string) *watcher {
	w.t.Helper()
	p := &watcher{t: w.t, name: name, log: &logged{}, over: make(chan struct{})}
	p.cmd = exec.Command(w.binary, append([]string{"watch", "--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Dir = w.dir
	p.cmd.Env = append([]string{"HOME=" + w.t.TempDir(), "PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}, append(w.env, env...)...)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.over)
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
		_ = p.cmd.Process.Kill()
		<-p.over
		if w.t.Failed() {
			w.t.Logf("%s wrote:\n%s", name, p.log)
		}
	})
	address := regexp.MustCompile(`address"?[=:]"?(http://[^\s"]+)`)
	w.until(name+" serves", func() bool {
		found := address.FindStringSubmatch(p.log.String())
		if found == nil {
			select {
			case <-p.over:
				w.t.Fatalf("%s ended: %v\n%s", name, p.err, p.log)
			default:
			}
			return false
		}
		p.url = found[1]
		return p.get("/healthz", nil) == http.StatusOK
	})
	return p
}

// until polls for what has to come.
func (w *arena) until(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("in %s it did not come to this: %s", patience, what)
		}
	}
}

// get asks for a path and decodes JSON into v, if it is not nil. It returns the status, 0 if no answer came.
func (p *watcher) get(path string, v any) int {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(p.url + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if v != nil && resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
			return 0
		}
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func (p *watcher) status() status.Status {
	var s status.Status
	p.get("/api/v1/status", &s)
	return s
}

func (p *watcher) leads() bool { return p.status().Lease.Role == status.Leader }

// synced reports whether all of the agents, and so many, are in sync.
func (p *watcher) synced(n int) bool {
	s := p.status()
	for _, a := range s.Agents {
		if a.State != status.Synced {
			return false
		}
	}
	return len(s.Agents) == n
}

func (p *watcher) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process as the system's killer would.
func (p *watcher) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	<-p.over
}

// stop ends the process as a supervisor does; it has to end well.
func (p *watcher) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.over:
	case <-time.After(patience):
		p.t.Fatalf("%s does not stop", p.name)
	}
	if p.err != nil {
		p.t.Errorf("%s ended with %v", p.name, p.err)
	}
}

// cable is a TCP connection to a server that can be cut.
type cable struct {
	address string
	mu      sync.Mutex
	cut     bool
	open    map[net.Conn]bool
}

// newCable listens on loopback and passes everything on to a server.
func newCable(t *testing.T, to string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{address: listener.Addr().String(), open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil || !c.add(in, out) {
				_ = in.Close()
				continue
			}
			all.Go(func() { c.pass(in, out) })
			all.Go(func() { c.pass(out, in) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); c.set(true); all.Wait() })
	return c
}

func (c *cable) add(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.cut {
			_ = conn.Close()
			continue
		}
		c.open[conn] = true
	}
	return !c.cut
}

func (c *cable) pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = from.Close()
	_ = to.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, from)
	delete(c.open, to)
}

// set cuts the cable, or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.open {
			_ = conn.Close()
		}
	}
}
