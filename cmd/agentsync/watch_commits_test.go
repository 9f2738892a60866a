package main

import (
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"

	"agentsync.dev/agentsync/internal/forge/forgetest"
	"agentsync.dev/agentsync/internal/gittest"
)

func TestWatchSetsStatusesOfCommits(t *testing.T) {
	w := newArena(t)
	repo := gittest.New(t)
	forge := &forgetest.Server{Token: "ghp_status-token"}
	handler := forge.GitHub()
	var mu sync.Mutex
	last := map[string]string{} // state, by commit
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		sha := path.Base(r.URL.Path)
		r.URL.Path = path.Join(path.Dir(r.URL.Path), forgetest.Commit) // the only commit that it knows
		handler.ServeHTTP(rw, r)
		mu.Lock()
		defer mu.Unlock()
		if all := forge.Statuses(); len(all) > 0 {
			last[sha] = all[len(all)-1].State + " " + all[len(all)-1].Description
		}
	}))
	t.Cleanup(api.Close)
	says := func(commit, what string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.HasPrefix(last[commit], what)
		}
	}

	first := repo.Push("first", map[string]string{"account.yaml": account, "a.yaml": manifest("a", "one", "refuse")})
	p := w.watch("watcher", append(w.door("watcher"), "GITHUB_API_URL="+api.URL, "GITHUB_REPOSITORY=lumen/agents", "GITHUB_TOKEN=ghp_status-token"),
		"--git", repo.Bare, "--branch", "main", "--git-interval", "1s", "--interval", "1s", "--commit-status", "github")
	w.until("the first commit is a success", says(first, "success 1 synced"))
	w.edit("a", "theirs")
	w.until("drift is a failure", says(first, "failure 1 drifted"))
	broken := repo.Push("broken", map[string]string{"a.yaml": "apiVersion: agentsync.dev/v1\nkind: Agent\n"})
	w.until("a broken commit is an error", says(broken, "error not taken"))
	p.stop()
	if strings.Contains(p.log.String(), "ghp_status-token") {
		t.Error("the token is in the log")
	}
}
