package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/gittest"
	"agentsync.dev/agentsync/internal/status"
)

// watchFolder starts a watcher on the arena's folder, with its state beside.
func (w *arena) watchFolder(name string, args ...string) *watcher {
	w.t.Helper()
	return w.watch(name, w.door(name), append(args, "agents")...)
}

func newFolder(t *testing.T) *arena {
	w := newArena(t)
	w.put("account.yaml", account)
	w.put("a.yaml", manifest("a", "one", "overwrite"))
	return w
}

func TestWatchAFolder(t *testing.T) {
	w := newFolder(t)
	p := w.watchFolder("watcher", "--log-format", "json")
	w.until("the agent is made", func() bool { return w.prompt("a") == "one" && p.synced(1) })
	w.until("it is ready", func() bool { return p.get("/readyz", nil) == http.StatusOK })

	w.put("a.yaml", manifest("a", "two", "overwrite"))
	w.put("b.yaml", manifest("b", "one", "refuse"))
	w.until("what changed is carried out", func() bool { return w.prompt("a") == "two" && w.prompt("b") == "one" && p.synced(2) })

	w.put("a.yaml", strings.Replace(manifest("a", "three", "overwrite"), "general_prompt", "general_promt", 1))
	w.until("the typing mistake is told", func() bool {
		errors := p.status().Source.Errors
		return len(errors) == 1 && strings.Contains(errors[0].Message, `agents/a.yaml:10:5: voicy: unknown field "general_promt"`) &&
			strings.Contains(errors[0].Hint, `did you mean "general_prompt"?`)
	})
	w.put("a.yaml", manifest("a", "three", "overwrite"))
	w.until("the mended manifest is followed", func() bool { return w.prompt("a") == "three" && len(p.status().Source.Errors) == 0 })

	// A hang-up looks at everything, long before the interval.
	w.edit("a", "theirs")
	p.signal(syscall.SIGHUP)
	w.until("what somebody changed is put back", func() bool { return w.prompt("a") == "three" })
	w.edit("b", "theirs")
	p.signal(syscall.SIGHUP)
	var b status.Agent
	w.until("drift is refused", func() bool {
		return p.get("/api/v1/agents/voicy/b", &struct{ *status.Agent }{&b}) == http.StatusOK && b.State == status.Drifted
	})
	p.stop()
	if w.prompt("b") != "theirs" {
		t.Error("a live value that nobody has seen was overwritten")
	}
	wantLog(t, p.log.String())
}

// wantLog makes sure that each line is JSON, and that a write's line says who and why.
func wantLog(t *testing.T, text string) {
	t.Helper()
	found := false
	for line := range strings.Lines(text) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			if !strings.HasPrefix(line, "agentsync: stopping") {
				t.Errorf("not JSON: %s", line)
			}
			continue
		}
		if entry["msg"] == "request" && entry["method"] == "PATCH" {
			found = true
			if entry["run"] == nil || entry["agent"] != "voicy/a" || entry["account"] != "voicy" {
				t.Errorf("a write's line: %s", line)
			}
		}
	}
	if !found {
		t.Error("no line tells of the write")
	}
}

// TestWatchAConfigMap mounts manifests as Kubernetes does: files are links into ..data, which is swapped as a whole.
func TestWatchAConfigMap(t *testing.T) {
	w := newArena(t)
	mount := filepath.Join(w.dir, "agents")
	publish := func(version, prompt string) {
		folder := filepath.Join(mount, "..2026_"+version)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"account.yaml": account, "a.yaml": manifest("a", prompt, "overwrite")} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			_ = os.Symlink(filepath.Join("..data", name), filepath.Join(mount, name))
		}
		if err := os.Symlink("..2026_"+version, filepath.Join(mount, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	publish("1", "one")
	p := w.watchFolder("watcher")
	w.until("the agent is made", func() bool { return w.prompt("a") == "one" })
	publish("2", "two")
	w.until("the new version is followed", func() bool { return w.prompt("a") == "two" })
	p.stop()
}

func TestWatchGit(t *testing.T) {
	w := newArena(t)
	repo := gittest.New(t)
	key, public := gittest.SSHKey(t, "")
	signers := filepath.Join(t.TempDir(), "allowed_signers")
	if err := os.WriteFile(signers, []byte("release@example.com "+public+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	repo.SignWith(key)
	first := repo.Push("first", map[string]string{"voice/account.yaml": account, "voice/a.yaml": manifest("a", "one", "overwrite"), "elsewhere/x.yaml": "not: ours\n"})
	server := gittest.Serve(t, repo)
	const secret = "hook-secret-0123456789"
	args := []string{"--git", server.URL, "--branch", "main", "--git-interval", "1h", "--verify-signatures", signers, "--github-webhook-secret", secret, "voice"}
	p := w.watch("watcher", append(w.door("watcher"), "AGENTSYNC_GIT_TOKEN="+server.Token), args...)
	w.until("the first commit is followed", func() bool { return w.prompt("a") == "one" && p.status().Source.InForce == first })

	// A webhook fetches; nothing else would for an hour.
	second := repo.Push("second", map[string]string{"voice/a.yaml": manifest("a", "two", "overwrite")})
	hook(t, p, secret)
	w.until("the second commit is followed", func() bool { return w.prompt("a") == "two" && p.status().Source.InForce == second })

	repo.SignWith("")
	third := repo.Push("third, unsigned", map[string]string{"voice/a.yaml": manifest("a", "three", "overwrite")})
	hook(t, p, secret)
	w.until("the unsigned commit is refused", func() bool {
		s := p.status().Source
		return s.Commit == third && s.InForce == second && len(s.Errors) == 1
	})
	repo.SignWith(key)
	repo.ForcePush("", "rewritten", map[string]string{"voice/account.yaml": account, "voice/a.yaml": manifest("a", "four", "overwrite")})
	hook(t, p, secret)
	w.until("the rewritten branch is refused", func() bool {
		s := p.status().Source
		return s.InForce == second && len(s.Errors) == 1 && strings.Contains(s.Errors[0].Message, second[:7])
	})
	if w.prompt("a") != "two" {
		t.Errorf("live is %q", w.prompt("a"))
	}
	p.stop()
	if strings.Contains(p.log.String(), server.Token) || strings.Contains(p.log.String(), secret) {
		t.Error("a secret is in the log")
	}
	if _, err := os.Stat(filepath.Join(w.dir, ".agentsync", "state", "voicy", "a.json")); err != nil {
		t.Errorf("the state is not in the current folder: %v", err)
	}
}

// hook calls the watcher as GitHub does after a push.
func hook(t *testing.T, p *watcher, secret string) {
	t.Helper()
	body := []byte(`{"ref":"refs/heads/main"}`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, p.url+"/webhooks/github", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("the webhook answers %d", resp.StatusCode)
	}
}

func TestWatchTellsPeople(t *testing.T) {
	w := newFolder(t)
	var mu sync.Mutex
	var told []string
	slack := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told = append(told, string(body))
	}))
	t.Cleanup(slack.Close)
	w.put("b.yaml", manifest("b", "one", "refuse"))
	url := slack.URL + "/services/T000/B000/secret-part-of-the-url"
	p := w.watch("watcher", append(w.door("watcher"), "AGENTSYNC_NOTIFY_SLACK="+url, "AGENTSYNC_NOTIFY_AFTER=1s"), "--interval", "1s", "agents")
	w.until("all is in sync", func() bool { return p.synced(2) })
	tells := func(what string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(strings.Join(told, "\n"), what)
		}
	}
	w.edit("b", "theirs")
	w.until("the drift is told", tells("voicy/b"))
	w.edit("b", "one")
	w.until("its end is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) >= 2 })
	p.stop()
	if strings.Contains(p.log.String(), "secret-part") {
		t.Error("the webhook's URL is in the log")
	}
}

func TestWatchRefusesWhatCannotWork(t *testing.T) {
	w := newFolder(t)
	tests := []struct {
		args []string
		env  string
		code int
		says string
	}{
		{[]string{"--listen", "0.0.0.0:0", "agents"}, "", exitUsage, "--auth-token"},
		{[]string{"--branch", "main", "agents"}, "", exitUsage, "--git"},
		{[]string{"--git", "http://git.example.com/a.git"}, "", exitUsage, "https"},
		{[]string{"--interval", "0s", "agents"}, "", exitUsage, "--interval"},
		{[]string{"-"}, "", exitUsage, "standard input"},
		{[]string{"--proxy-header", "X-User", "--listen", "0.0.0.0:0", "agents"}, "", exitUsage, "--trusted-proxy"},
		{[]string{"--commit-status", "github", "agents"}, "", exitUsage, "GITHUB_REPOSITORY"},
		{[]string{"--notify-slack", "http://example.com/hook", "agents"}, "", exitUsage, "https"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			cmd := exec.Command(w.binary, append([]string{"watch"}, test.args...)...)
			cmd.Dir, cmd.Env = w.dir, []string{"HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0", test.env}
			out, err := cmd.CombinedOutput()
			var code int
			if exit, ok := err.(*exec.ExitError); ok {
				code = exit.ExitCode()
			}
			if code != test.code || !strings.Contains(string(out), test.says) || !strings.Contains(string(out), "agentsync: hint: ") {
				t.Errorf("exit status %d, want %d, and %q:\n%s", code, test.code, test.says, out)
			}
		})
	}
}

// TestWatchKeepsSecrets looks for secrets in everything that a watcher shows and writes.
func TestWatchKeepsSecrets(t *testing.T) {
	w := newFolder(t)
	const canary = "canary-4f1f7a9b2c"
	w.put("s.yaml", strings.Replace(manifest("s", "x", "overwrite"), `general_prompt: "x"`, "general_prompt: {$env: PROMPT_SECRET}", 1))
	env := append(w.door("watcher"), "PROMPT_SECRET=before "+canary, "AGENTSYNC_AUTH_TOKEN=token-"+canary)
	p := w.watch("watcher", env, "--interval", "1s", "-v", "agents")
	auth := func(path string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, p.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer token-"+canary)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	w.until("the agent is made", func() bool { return strings.Contains(w.prompt("s"), canary) })
	for _, a := range w.vendor.Agents("voicy") {
		if a["agent_name"] == "s" {
			if err := w.vendor.Edit("voicy", a["agent_id"].(string), func(agent map[string]any) { agent["general_prompt"] = "after " + canary }); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.until("it is put back", func() bool { return strings.HasPrefix(w.prompt("s"), "before") })
	w.until("the board says so", func() bool { _, body := auth("/api/v1/status"); return strings.Contains(body, "voicy/s") })
	if code := p.get("/api/v1/status", nil); code != http.StatusUnauthorized {
		t.Errorf("without the token the API answers %d", code)
	}
	for _, path := range []string{"/", "/agents/voicy/s", "/api/v1/status", "/api/v1/agents/voicy/s", "/metrics"} {
		code, body := auth(path)
		if code != http.StatusOK || strings.Contains(body, canary) {
			t.Errorf("%s answers %d; the secret is in it: %v", path, code, strings.Contains(body, canary))
		}
	}
	p.stop()
	if strings.Contains(p.log.String(), canary) {
		t.Error("the secret is in the log")
	}
	err := filepath.WalkDir(filepath.Join(w.dir, ".agentsync"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(canary)) {
			err = fmt.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestWatchSharesItsStateWithPipelines lets a pipeline apply beside a watcher: neither overwrites the other.
func TestWatchSharesItsStateWithPipelines(t *testing.T) {
	w := newFolder(t)
	env := w.door("watcher")
	p := w.watch("watcher", env, "--interval", "1s", "agents")
	w.until("the agent is made", func() bool { return p.synced(1) })
	for i := range 5 {
		prompt := fmt.Sprintf("prompt %d", i)
		w.put("a.yaml", manifest("a", prompt, "overwrite"))
		w.until("a pipeline applies", func() bool {
			cmd := exec.Command(w.binary, "apply", "--auto-approve", "agents")
			cmd.Dir, cmd.Env = w.dir, append([]string{"HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"}, env...)
			out, err := cmd.CombinedOutput()
			if err != nil && !strings.Contains(string(out), "lock") && !strings.Contains(string(out), "changed") {
				t.Fatalf("%v\n%s", err, out)
			}
			return err == nil
		})
		w.until("both agree", func() bool { return w.prompt("a") == prompt && p.synced(1) })
	}
	time.Sleep(10 * time.Millisecond)
	before := len(w.sent(""))
	looked := p.status().Accounts[0].LookedAt
	w.until("two more looks", func() bool { return p.status().Accounts[0].LookedAt.Sub(looked) > 2*time.Second })
	if idle := w.sent("")[before:]; len(idle) > 0 {
		t.Errorf("written without a cause: %v", idle)
	}
	p.stop()
}
