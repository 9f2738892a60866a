package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/s3test"
)

// replicas are two real watchers over one real store.
type replicas struct {
	*arena
	store  *s3test.Server
	cables map[string]*cable
	prefix string
}

const leaseTime = 4 * time.Second

func newReplicas(t *testing.T) *replicas {
	r := &replicas{arena: newArena(t), store: s3test.Start(t), cables: map[string]*cable{}, prefix: "voice"}
	r.env = []string{"AWS_ACCESS_KEY_ID=" + s3test.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s3test.SecretKey}
	r.put("account.yaml", account)
	return r
}

func (w *arena) put(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "agents", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

// start starts a replica on the folder, with a door to the vendors and a cable to the store.
func (r *replicas) start(name string) *watcher {
	r.t.Helper()
	return r.startWith(name)
}

func (r *replicas) startWith(name string, args ...string) *watcher {
	r.t.Helper()
	c := newCable(r.t, strings.TrimPrefix(r.store.Endpoint, "http://"))
	r.cables[name] = c
	state := fmt.Sprintf("s3://%s/%s?endpoint=http://%s&region=%s", r.store.Bucket, r.prefix, c.address, s3test.Region)
	return r.watch(name, r.door(name), append(args, "--state", state, "--interval", "2s", "--lease", leaseTime.String(), "agents")...)
}

// roles sorts two replicas into the one that leads and the other.
func (r *replicas) roles(a, b *watcher) (leader, standby *watcher) {
	r.t.Helper()
	r.until("one of two leads", func() bool { return a.leads() != b.leads() })
	if a.leads() {
		return a, b
	}
	return b, a
}

func TestReplicas(t *testing.T) {
	r := newReplicas(t)
	for i := range 3 {
		r.put(fmt.Sprintf("a%d.yaml", i), manifest(fmt.Sprintf("a%d", i), "one", "overwrite"))
	}
	leader, standby := r.roles(r.start("first"), r.start("second"))
	r.until("all agents are made", func() bool { return leader.synced(3) })
	if sent := r.sent(""); len(sent) != 3 || len(r.vendor.Agents("voicy")) != 3 {
		t.Fatalf("writes %v", sent)
	}
	r.until("the standby is ready", func() bool { return standby.get("/readyz", nil) == 200 })

	// The leader is killed: the other takes over and puts back what was changed.
	killed := time.Now()
	leader.kill()
	r.edit("a0", "theirs")
	r.until("the standby takes over", standby.leads)
	t.Logf("taken over after %s of %s", time.Since(killed), leaseTime)
	r.until("the new leader puts back", func() bool { return r.prompt("a0") == "one" })
	if sent := r.sent(leader.name); len(sent) != 3 {
		t.Errorf("the killed one wrote %v", sent)
	}

	// A third comes; the leader is stopped in the middle of a look, right before it would write, and wakes up when another leads.
	leader, standby = standby, r.start("third")
	var once sync.Once
	stopped := make(chan struct{})
	r.onRequest(func(door, method, path string) {
		if door == leader.name && method == "GET" && strings.Contains(path, "/get-agent/") {
			once.Do(func() {
				leader.signal(syscall.SIGSTOP)
				close(stopped)
			})
		}
	})
	before := len(r.sent(leader.name))
	r.put("a1.yaml", manifest("a1", "two", "overwrite"))
	<-stopped
	r.until("the third takes over", standby.leads)
	r.until("the third writes", func() bool { return r.prompt("a1") == "two" })
	r.edit("a2", "theirs")
	r.until("the third puts back", func() bool { return r.prompt("a2") == "one" })
	epoch := standby.status().Lease.Epoch
	leader.signal(syscall.SIGCONT)
	r.until("the late one sees that it leads no more", func() bool {
		s := leader.status()
		return s.Lease.Role == "standby" && s.Lease.Epoch == epoch
	})
	if late := r.sent(leader.name)[before:]; len(late) > 0 {
		t.Errorf("the one that woke up late wrote %v", late)
	}

	// The leader is cut off from the store, and goes on reaching the vendor.
	leader, standby = standby, leader
	before = len(r.sent(leader.name))
	r.cables[leader.name].set(true)
	r.until("the other takes over from one that is cut off", standby.leads)
	r.put("a0.yaml", manifest("a0", "three", "overwrite"))
	r.until("the other writes", func() bool { return r.prompt("a0") == "three" })
	if s := leader.status(); s.Lease.Role != "standby" || s.Lease.Error == "" {
		t.Errorf("the one that is cut off says %+v", s.Lease)
	}
	if late := r.sent(leader.name)[before:]; len(late) > 0 {
		t.Errorf("the one that is cut off wrote %v", late)
	}
	r.cables[leader.name].set(false)
	r.until("it stands by again", func() bool { return leader.status().Lease.Error == "" })

	// A gentle stop hands over at once.
	standby.stop()
	r.until("the other leads", leader.leads)
	r.until("all is in sync", func() bool { return leader.synced(3) })
	leader.stop()
	if n := len(r.vendor.Agents("voicy")); n != 3 {
		t.Errorf("%d agents: one was made twice", n)
	}
}
