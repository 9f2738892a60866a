package main

import (
	"strings"
	"sync"
	"syscall"
	"testing"

	"agentsync.dev/agentsync/internal/gittest"
)

// A webhook that reaches the standby makes the leader fetch; nothing else would for an hour.
func TestReplicasPassAWebhookOn(t *testing.T) {
	r := newReplicas(t)
	repo := gittest.New(t)
	repo.Push("first", map[string]string{"agents/account.yaml": account, "agents/a.yaml": manifest("a", "one", "overwrite")})
	server := gittest.Serve(t, repo)
	const secret = "hook-secret-0123456789"
	args := []string{"--git", server.URL, "--git-token", server.Token, "--branch", "main", "--git-interval", "1h", "--github-webhook-secret", secret}
	leader, standby := r.roles(r.startWith("first", args...), r.startWith("second", args...))
	r.until("the first commit is followed", func() bool { return r.prompt("a") == "one" && leader.synced(1) })
	second := repo.Push("second", map[string]string{"agents/a.yaml": manifest("a", "two", "overwrite")})
	hook(t, standby, secret)
	r.until("both follow the second commit", func() bool {
		return r.prompt("a") == "two" && leader.status().Source.InForce == second && standby.status().Source.InForce == second
	})
	if sent := r.sent(standby.name); len(sent) > 0 {
		t.Errorf("the standby wrote %v", sent)
	}
	leader.stop()
	r.until("the other leads", standby.leads)
	standby.stop()
}

// The leader is stopped while the vendor carries out its create, before it can record the id: whoever follows finds the agent and makes no other,
// and the late one changes nothing.
func TestReplicasSettleACreateOfOneThatIsPaused(t *testing.T) {
	r := newReplicas(t)
	leader, standby := r.roles(r.start("first"), r.start("second"))
	var once sync.Once
	stopped := make(chan struct{})
	r.onRequest(func(door, method, path string) {
		if door == leader.name && method == "POST" && strings.Contains(path, "create") {
			once.Do(func() {
				leader.signal(syscall.SIGSTOP)
				close(stopped)
			})
		}
	})
	r.put("a.yaml", manifest("a", "one", "overwrite"))
	<-stopped
	r.until("the other takes over and is in sync", func() bool { return standby.leads() && standby.synced(1) })
	leader.signal(syscall.SIGCONT)
	epoch := standby.status().Lease.Epoch
	r.until("the late one sees that it leads no more", func() bool {
		s := leader.status()
		return s.Lease.Role == "standby" && s.Lease.Epoch == epoch && len(s.Runs) > 0
	})
	r.put("a.yaml", manifest("a", "two", "overwrite"))
	r.until("the next change comes through", func() bool { return r.prompt("a") == "two" && standby.synced(1) })
	if n := len(r.vendor.Agents("voicy")); n != 1 {
		t.Errorf("%d agents: it was made twice", n)
	}
	if late := r.sent(leader.name); len(late) != 1 {
		t.Errorf("the late one wrote %v, want its create alone", late)
	}
	leader.stop()
	standby.stop()
}
