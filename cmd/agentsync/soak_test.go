package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/gittest"
	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/internal/status"
)

var soakTime = flag.Duration("soak", 20*time.Second, "how long TestSoak lets everything go wrong")
var soakSeed = flag.Uint64("soak-seed", 0, "what TestSoak's accidents are drawn from; 0 takes the time")

// soak is two watchers on a Git remote, and everything that goes wrong around them.
type soak struct {
	*replicas
	rnd     *rand.Rand
	repo    *gittest.Repo
	git     *gittest.Server
	names   []string
	want    map[string]string // prompts, by name, of the last good commit
	edited  map[string]int
	running map[string]*watcher
	counts  map[string]int // what happened
	files   map[string]string
}

// limitless lets a commit change most agents, as many commits do that come while a vendor or the store is away.
const limitless = "apiVersion: agentsync.dev/v1\nkind: Config\nmetadata: {name: default}\nspec: {limits: {maxChangedPercent: 100}}\n"

const (
	soakAgents = 24
	// left is how many agents nobody touches: each is created once and never written again.
	left = 6
)

func (s *soak) start(name string) {
	p := s.replicas.startWith(name, "--git", s.git.URL, "--git-token", s.git.Token, "--branch", "main", "--git-interval", "1s")
	s.running[name] = p
}

// commit changes one agent's prompt, or two.
func (s *soak) commit() {
	for range 1 + s.rnd.IntN(2) {
		name := s.names[left+s.rnd.IntN(len(s.names)-left)]
		prompt := fmt.Sprintf("prompt %d", s.counts["commit"]*10+s.rnd.IntN(10))
		s.want[name], s.files["agents/"+name+".yaml"] = prompt, manifest(name, prompt, "overwrite")
	}
	s.repo.Push("change", s.files)
}

// broken commits something that is no manifest, and mends it with the next commit.
func (s *soak) broken() {
	name := s.names[len(s.names)-1]
	good := s.files["agents/"+name+".yaml"]
	s.repo.Push("break", map[string]string{"agents/" + name + ".yaml": strings.Replace(good, "general_prompt", "general_promt", 1)})
	time.Sleep(time.Duration(s.rnd.IntN(1500)) * time.Millisecond)
	s.repo.Push("mend", map[string]string{"agents/" + name + ".yaml": good})
}

// dashboard changes a live prompt; not so often that it is a fight.
func (s *soak) dashboard() {
	name := s.names[left+s.rnd.IntN(len(s.names)-left)]
	if s.edited[name] < 2 && s.prompt(name) != "" {
		s.edited[name]++
		s.edit(name, "somebody else's")
	}
}

func (s *soak) vendorFault() {
	kinds := []sandbox.Fault{{Kind: sandbox.FaultStatus, Status: 500}, {Kind: sandbox.FaultStatus, Status: 503}, {Kind: sandbox.FaultStatus, Status: 429},
		{Kind: sandbox.FaultReset}, {Kind: sandbox.FaultTruncate}, {Kind: sandbox.FaultGarbage}, {Kind: sandbox.FaultSlow, For: 300 * time.Millisecond}}
	f := kinds[s.rnd.IntN(len(kinds))]
	f.Method = []string{"", "GET", "PATCH", "POST"}[s.rnd.IntN(4)]
	f.After, f.Times = s.rnd.IntN(2) == 0, 1+s.rnd.IntN(4)
	s.vendor.Fault(f)
}

func (s *soak) any() *watcher {
	return s.running[[]string{"first", "second"}[s.rnd.IntN(2)]]
}

func (s *soak) killAndStart() {
	p := s.any()
	p.kill()
	s.start(p.name)
}

func (s *soak) pause() {
	p := s.any()
	p.signal(syscall.SIGSTOP)
	time.Sleep(time.Duration(s.rnd.IntN(6000)) * time.Millisecond)
	p.signal(syscall.SIGCONT)
}

func (s *soak) cutStore() {
	c := s.cables[s.any().name]
	c.set(true)
	time.Sleep(time.Duration(s.rnd.IntN(5000)) * time.Millisecond)
	c.set(false)
}

func (s *soak) gitFault() {
	s.git.Set([]gittest.Fault{gittest.Fail, gittest.Cut}[s.rnd.IntN(2)])
	time.Sleep(time.Duration(s.rnd.IntN(1000)) * time.Millisecond)
	s.git.Set(gittest.None)
}

// gauge is the value of a metric without labels.
func (p *watcher) gauge(name string) float64 {
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		return -1
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		return -1
	}
	lines := bufio.NewScanner(&text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return -1
			}
			return v
		}
	}
	return -1
}

// settle mends everything and waits until live is what the last good commit says.
func (s *soak) settle() {
	s.t.Helper()
	s.vendor.ClearFaults()
	s.git.Set(gittest.None)
	for _, c := range s.cables {
		c.set(false)
	}
	leader, _ := s.roles(s.running["first"], s.running["second"])
	s.until("live equals Git", func() bool {
		resp, err := http.Post(leader.url+"/api/v1/reconcile", "application/json", nil)
		if err == nil {
			_ = resp.Body.Close()
		}
		time.Sleep(2 * time.Second)
		for name, prompt := range s.want {
			if s.prompt(name) != prompt {
				return false
			}
		}
		return leader.leads() && leader.synced(len(s.names))
	})
}

// TestSoak compresses an hour's accidents into a while: commits, broken commits, dashboard edits, faults of the vendor, of the store and of Git,
// kills and pauses. At the end live equals Git, no agent is there twice, nobody touched what nobody changed, and nothing goes on growing.
//
//	go test ./cmd/agentsync -run TestSoak -soak 10m
func TestSoak(t *testing.T) {
	seed := *soakSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-soak-seed %d", seed)
	s := &soak{replicas: newReplicas(t), rnd: rand.New(rand.NewPCG(seed, 0)), repo: gittest.New(t), want: map[string]string{}, edited: map[string]int{},
		running: map[string]*watcher{}, counts: map[string]int{}, files: map[string]string{"agents/account.yaml": account, "agents/config.yaml": limitless}}
	s.git = gittest.Serve(t, s.repo)
	for i := range soakAgents {
		name := fmt.Sprintf("a%02d", i)
		s.names = append(s.names, name)
		s.want[name], s.files["agents/"+name+".yaml"] = "begin", manifest(name, "begin", "overwrite")
	}
	s.repo.Push("begin", s.files)
	s.start("first")
	s.start("second")
	s.settle()
	leader, standby := s.roles(s.running["first"], s.running["second"])
	goroutines := leader.gauge("go_goroutines") + standby.gauge("go_goroutines")

	accidents := []struct {
		name   string
		weight int
		happen func()
	}{{"commit", 10, s.commit}, {"dashboard edit", 10, s.dashboard}, {"vendor fault", 8, s.vendorFault}, {"broken commit", 2, s.broken},
		{"kill", 1, s.killAndStart}, {"pause", 1, s.pause}, {"store cut off", 1, s.cutStore}, {"Git fault", 2, s.gitFault}}
	var drawn []int
	for i, a := range accidents {
		for range a.weight {
			drawn = append(drawn, i)
		}
	}
	for end := time.Now().Add(*soakTime); time.Now().Before(end); time.Sleep(time.Duration(s.rnd.IntN(400)) * time.Millisecond) {
		a := accidents[drawn[s.rnd.IntN(len(drawn))]]
		s.counts[a.name]++
		a.happen()
	}
	s.settle()
	t.Logf("happened: %v; writes: %d", s.counts, len(s.sent("")))

	live := map[string]int{}
	for _, a := range s.vendor.Agents("voicy") {
		live[a["agent_name"].(string)]++
	}
	for _, name := range s.names {
		if live[name] != 1 {
			t.Errorf("%s is there %d times", name, live[name])
		}
	}
	if len(live) != soakAgents {
		t.Errorf("%d names at the vendor", len(live))
	}
	s.wantUntouched()
	leader, standby = s.roles(s.running["first"], s.running["second"])
	before := len(s.sent(""))
	looked := leader.status().Accounts[0].LookedAt
	s.until("a few more looks", func() bool { return leader.status().Accounts[0].LookedAt.Sub(looked) > 6*time.Second })
	if idle := s.sent("")[before:]; len(idle) > 0 {
		t.Errorf("written without a cause: %v", idle)
	}
	// Each open connection has two or three; beyond their pools nothing may grow.
	if now := leader.gauge("go_goroutines") + standby.gauge("go_goroutines"); now > goroutines+200 {
		t.Errorf("%v goroutines, %v at the beginning", now, goroutines)
	}
	for _, p := range s.running {
		t.Logf("%s: %.0f MiB resident, %.0f MiB heap in use", p.name, p.gauge("process_resident_memory_bytes")/(1<<20), p.gauge("go_memstats_heap_inuse_bytes")/(1<<20))
		for _, a := range p.status().Agents {
			if a.State != status.Synced && p.leads() {
				t.Errorf("%s is %s: %s", a.Address, a.State, a.Reason)
			}
		}
	}
	for _, p := range s.running { // not before: where one stops, another begins to lead
		p.stop()
	}
}

// wantUntouched makes sure that agents which no commit and nobody changed were never updated.
func (s *soak) wantUntouched() {
	s.t.Helper()
	ids := map[string]string{}
	for _, a := range s.vendor.Agents("voicy") {
		ids[a["agent_id"].(string)] = a["agent_name"].(string)
	}
	for _, w := range s.sent("") {
		_, id, _ := strings.Cut(w.path, "/update-agent/")
		for _, name := range s.names[:left] {
			if ids[id] == name {
				s.t.Errorf("%s was written, and nobody had changed it: %v", name, w)
			}
		}
	}
}
