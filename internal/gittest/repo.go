// Package gittest gives tests real Git repositories, made by the git command, and real servers for them: smart HTTP with a token, and ssh.
// Everything ends with the test that made it.
package gittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repo is a bare repository with a clone to work in. Its branch is main. What fails, fails the test.
type Repo struct {
	// Bare is the folder of the repository that is served, Work that of the clone.
	Bare, Work string

	t      testing.TB
	signer []string // options of git commit and git tag that sign
	home   string
}

// New makes an empty repository.
func New(t testing.TB) *Repo {
	t.Helper()
	dir := t.TempDir()
	r := &Repo{Bare: filepath.Join(dir, "repo.git"), Work: filepath.Join(dir, "work"), t: t, home: dir}
	r.run(dir, "init", "-q", "--bare", "-b", "main", r.Bare)
	r.run(r.Bare, "config", "uploadpack.allowFilter", "true")
	r.run(dir, "init", "-q", "-b", "main", r.Work)
	r.Git("remote", "add", "origin", r.Bare)
	return r
}

// Git runs git in the clone and returns what it printed, without the last newline.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	return r.run(r.Work, args...)
}

// Commit writes files into the clone ("" removes one), commits everything with the subject, and returns the commit's hash. Nothing is pushed.
func (r *Repo) Commit(subject string, files map[string]string) string {
	r.t.Helper()
	for name, text := range files {
		path := filepath.Join(r.Work, filepath.FromSlash(name))
		var err error
		if text == "" {
			err = os.Remove(path)
		} else if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.Git("add", "-A")
	r.Git(append(append([]string{"commit", "-q", "--allow-empty"}, r.signer...), "-m", subject)...)
	return r.Head()
}

// Push commits and pushes the branch that is checked out; it returns the commit's hash.
func (r *Repo) Push(subject string, files map[string]string) string {
	r.t.Helper()
	hash := r.Commit(subject, files)
	r.Git("push", "-q", "origin", "HEAD")
	return hash
}

// ForcePush makes the checked-out branch a commit that does not descend from its head: from is the commit to begin at, "" a history of its
// own. It returns the new head.
func (r *Repo) ForcePush(from, subject string, files map[string]string) string {
	r.t.Helper()
	branch := r.Git("symbolic-ref", "--short", "HEAD")
	if from == "" {
		r.Git("checkout", "-q", "--orphan", "agentsync-orphan")
	} else {
		r.Git("checkout", "-q", "-B", "agentsync-orphan", from)
	}
	hash := r.Commit(subject, files)
	r.Git("branch", "-M", "agentsync-orphan", branch)
	r.Git("push", "-q", "--force", "origin", branch)
	return hash
}

// Tag makes an annotated tag of the clone's head, signed if [Repo.SignWith] was called, and pushes it, also over one of that name.
func (r *Repo) Tag(name, message string) {
	r.t.Helper()
	kind := "-a"
	if len(r.signer) > 0 {
		kind = "-s"
	}
	r.Git("tag", "-f", kind, "-m", message, name)
	r.Git("push", "-q", "--force", "origin", "refs/tags/"+name)
}

// Head returns the hash of the clone's head.
func (r *Repo) Head() string {
	r.t.Helper()
	return r.Git("rev-parse", "HEAD")
}

// SignWith lets git sign what it makes from now on with the ssh key whose private half is in file; "" ends it.
func (r *Repo) SignWith(file string) {
	r.t.Helper()
	r.signer = nil
	if file == "" {
		return
	}
	r.Git("config", "gpg.format", "ssh")
	r.Git("config", "user.signingKey", file)
	r.signer = []string{"-S"}
}

// SSHKey makes an ed25519 key with ssh-keygen, protected by passphrase unless that is "". It returns the private half's file and the
// public half in authorized_keys format.
func SSHKey(t testing.TB, passphrase string) (file, public string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "key")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(data))
}

func (r *Repo) run(dir string, args ...string) string {
	r.t.Helper()
	c := exec.CommandContext(r.t.Context(), "git", args...)
	c.Dir = dir
	c.Env = environment(r.home)
	out, err := c.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// environment is what git may see: nothing of who runs the test.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com"}
}
