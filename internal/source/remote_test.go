package source

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"agentsync.dev/agentsync/internal/gittest"
)

// remote follows a repository, looking often.
func remote(t *testing.T, url string, change func(*RemoteOptions)) (*Remote, *follower) {
	t.Helper()
	noLeak(t)
	o := RemoteOptions{URL: url, Ref: "main", Cache: t.TempDir(), Interval: 20 * time.Millisecond, Least: time.Millisecond, Now: time.Now}
	if change != nil {
		change(&o)
	}
	r, err := NewRemote(o)
	must(t, err)
	return r, follow(t, r)
}

// served is a repository on a server, and the options that reach it.
func served(t *testing.T) (*gittest.Repo, *gittest.Server, func(*RemoteOptions)) {
	t.Helper()
	repo := gittest.New(t)
	server := gittest.Serve(t, repo)
	return repo, server, func(o *RemoteOptions) { o.Password = Secret(server.Token) }
}

func TestRemoteFollows(t *testing.T) {
	repo := gittest.New(t)
	server := gittest.Serve(t, repo)
	key, public := gittest.SSHKey(t, "correct horse")
	sshServer := gittest.ServeSSH(t, repo, public)
	repo.Push("zero", map[string]string{"agents/a.yaml": "zero\n"})
	for name, way := range map[string]struct {
		url    string
		change func(*RemoteOptions)
	}{
		"http":  {server.URL, func(o *RemoteOptions) { o.Password = Secret(server.Token) }},
		"url":   {strings.Replace(server.URL, "//", "//x:"+server.Token+"@", 1), nil},
		"file":  {"file://" + repo.Bare, nil},
		"path":  {repo.Bare, nil},
		"clone": {repo.Work, nil},
		"ssh": {sshServer.URL, func(o *RemoteOptions) {
			o.SSHKey, o.SSHPassphrase, o.KnownHosts = key, "correct horse", []string{sshServer.KnownHosts}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := remote(t, way.url, way.change)
			if strings.Contains(r.Location(), server.Token) {
				t.Errorf("the location is %s", r.Location())
			}
			f.revision().Release()
			hash := repo.Push("Subject "+name+"\n\nbody\n", map[string]string{"agents/a.yaml": name + "\n"})
			rev := f.revision()
			if rev.Commit != hash || rev.Subject != "Subject "+name || read(t, rev.Dir, "agents/a.yaml") != name+"\n" {
				t.Errorf("%+v, want %s", rev, hash)
			}
			if _, err := os.Stat(filepath.Join(rev.Dir, ".git")); err != nil {
				t.Error(err)
			}
			r.InForce(hash)
			if l := f.quietly(); l.Seen != hash || l.At.IsZero() {
				t.Errorf("%+v", l)
			}
			if name != "clone" { // which is seen at each commit
				repo.Commit("between", map[string]string{"agents/a.yaml": "between\n"})
			}
			hash = repo.Push("last", map[string]string{"agents/a.yaml": "last\n"})
			next := f.revision()
			if next.Commit != hash {
				t.Errorf("%s, want %s", next.Commit, hash)
			}
			f.stop()
			if got := read(t, rev.Dir, "agents/a.yaml"); got != name+"\n" {
				t.Errorf("a revision that is held has changed: %s", got)
			}
			rev.Release()
			rev.Release() // more often does no harm
			next.Release()
			if left, err := os.ReadDir(r.options.Cache); err != nil || len(left) > 0 {
				t.Errorf("the cache holds %v (%v)", left, err)
			}
		})
	}
}

// Many commits at once, more than the first step of deepening, with a server that sends commits without their files and with one that does not.
func TestRemoteManyCommits(t *testing.T) {
	repo, server, token := served(t)
	first := repo.Push("first", map[string]string{"a": "first\n"})
	r, f := remote(t, server.URL, token)
	f.revision()
	r.InForce(first)
	for _, filter := range []string{"true", "false"} {
		repo.Git("--git-dir", repo.Bare, "config", "uploadpack.allowFilter", filter)
		for i := range 60 {
			repo.Commit(fmt.Sprint(i), nil)
		}
		last := repo.Push("last", nil)
		if rev := f.revision(); rev.Commit != last {
			t.Errorf("%s, want %s", rev.Commit, last)
		}
	}
	forced := repo.ForcePush("", "forced", nil)
	f.fails(first, forced)
}

func TestRemoteForcePush(t *testing.T) {
	repo, server, token := served(t)
	for name, url := range map[string]string{"http": server.URL, "file": repo.Bare} {
		t.Run(name, func(t *testing.T) {
			repo.ForcePush("", name, map[string]string{"a": "zero\n"})
			first := repo.Push("one", map[string]string{"a": "one\n"})
			r, f := remote(t, url, token)
			f.revision()
			r.InForce(first)
			for _, from := range []string{"", first + "~1"} {
				forced := repo.ForcePush(from, "forced", map[string]string{"a": "forced\n"})
				l := f.next("refusal", func(l Look) bool { return l.Err != nil && l.Seen == forced })
				for _, says := range []string{first, forced, "push a commit that follows", "restart"} {
					if !strings.Contains(l.Err.Error(), says) {
						t.Errorf("%v\ndoes not say %s", l.Err, says)
					}
				}
				if refused := new(Refusal); !errors.As(l.Err, &refused) || refused.Commit != forced || l.Revision != nil {
					t.Errorf("%#v", l)
				}
			}
			// It is judged once, not at every look.
			_, before := server.Counts()
			f.fails()
			f.fails()
			if _, after := server.Counts(); after != before {
				t.Errorf("there were %d more fetches", after-before)
			}
			// What follows the commit in force is followed, also what merges it.
			repo.Git("reset", "-q", "--hard", first)
			repo.Git("push", "-q", "--force", "origin", "main")
			f.quietly()
			after := repo.Push("after", map[string]string{"a": "after\n"})
			rev := f.revision()
			if rev.Commit != after {
				t.Errorf("%s is followed, not %s", rev.Commit, after)
			}
			r.InForce(after)
			repo.Git("checkout", "-q", "-b", "side-"+name, first)
			repo.Commit("side", map[string]string{"b": "b\n"})
			repo.Git("merge", "-q", "-m", "merge", "main")
			repo.Commit("and on", map[string]string{"b": "c\n"})
			repo.Git("branch", "-M", "main")
			merged := repo.Push("top", nil)
			if rev := f.revision(); rev.Commit != merged {
				t.Errorf("%s is followed, not %s", rev.Commit, merged)
			}
		})
	}
}

func TestRemoteTag(t *testing.T) {
	repo, server, token := served(t)
	first := repo.Push("one", map[string]string{"a": "one\n"})
	repo.Tag("live", "one")
	r, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Ref = "live" })
	rev := f.revision()
	if rev.Commit != first {
		t.Errorf("%s is followed, not %s", rev.Commit, first)
	}
	r.InForce(first)
	if l := f.quietly(); l.Seen != first {
		t.Errorf("seen is %s", l.Seen)
	}
	second := repo.Push("two", map[string]string{"a": "two\n"})
	repo.Tag("live", "two")
	if rev := f.revision(); rev.Commit != second {
		t.Errorf("%s is followed, not %s", rev.Commit, second)
	}
	r.InForce(second)
	repo.Git("reset", "-q", "--hard", first)
	repo.Tag("live", "back")
	f.fails(first, second, "refs/tags/live")
	repo.Git("tag", "-f", "-a", "-m", "m", "live", first+"^{tree}")
	repo.Git("push", "-q", "--force", "origin", "live")
	f.next("refusal", func(l Look) bool {
		return l.Err != nil && strings.Contains(l.Err.Error(), "does not point to a commit")
	})
}

// The default is the branch that HEAD names.
func TestRemoteHead(t *testing.T) {
	repo, server, token := served(t)
	first := repo.Push("one", map[string]string{"a": "one\n"})
	for _, url := range []string{server.URL, repo.Bare} {
		_, f := remote(t, url, func(o *RemoteOptions) { token(o); o.Ref = "" })
		if rev := f.revision(); rev.Commit != first {
			t.Errorf("%s is followed, not %s", rev.Commit, first)
		}
	}
}

func TestRemoteBranchGone(t *testing.T) {
	repo, server, token := served(t)
	for _, url := range []string{server.URL, repo.Bare} {
		_, f := remote(t, url, token)
		f.next("error", func(l Look) bool { return l.Err != nil })
		f.stop()
	}
	first := repo.Push("one", map[string]string{"a": "one\n"})
	_, f := remote(t, server.URL, token)
	f.revision()
	repo.Git("push", "-q", "origin", "main:other")
	repo.Git("--git-dir", repo.Bare, "update-ref", "-d", "refs/heads/main")
	l := f.fails("no branch or tag main", "push it again")
	if l.Seen != "" {
		t.Errorf("seen is %s", l.Seen)
	}
	repo.Git("push", "-q", "origin", "main")
	if l := f.quietly(); l.Seen != first {
		t.Errorf("%+v", l)
	}
	repo.Push("two", map[string]string{"a": "two\n"})
	f.revision()
}

// An empty repository says so, and is followed as soon as it is not.
func TestRemoteEmpty(t *testing.T) {
	repo, server, token := served(t)
	key, public := gittest.SSHKey(t, "")
	sshServer := gittest.ServeSSH(t, repo, public)
	var all []*follower
	for _, url := range []string{server.URL, repo.Bare, sshServer.URL} {
		_, f := remote(t, url, func(o *RemoteOptions) { token(o); o.SSHKey, o.KnownHosts = key, []string{sshServer.KnownHosts} })
		f.fails("push")
		all = append(all, f)
	}
	repo.Push("one", map[string]string{"a": "one\n"})
	for _, f := range all {
		f.revision()
	}
}

func TestRemotePath(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"team/agents/a.yaml": "one\n", "prompts/p.md": "p\n", "file": "x\n"})
	_, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Path = "team/agents/" })
	rev := f.revision()
	if read(t, rev.Dir, "a.yaml") != "one\n" || read(t, rev.Dir, "../../prompts/p.md") != "p\n" {
		t.Errorf("%+v", rev)
	}
	repo.Push("two", map[string]string{"team/agents/a.yaml": "", "other": "x\n"})
	f.fails("no folder team/agents", "put it back")
	_, f = remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Path = "file" })
	f.fails("no folder file")
}

// Files beyond the limit do not keep the others from being followed.
func TestRemoteLargeFile(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"a": "one\n", "too-large": strings.Repeat("x", maxFile+1)})
	_, f := remote(t, server.URL, token)
	rev := f.revision()
	if _, err := os.Stat(filepath.Join(rev.Dir, "too-large")); err == nil || read(t, rev.Dir, "a") != "one\n" {
		t.Error("a file that is too large is there")
	}
}

// A server that does not do its work is an error that says what to do, leaves nothing behind, and is forgotten when it works again.
func TestRemoteFaults(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"a": strings.Repeat("some text that is not short\n", 100)})
	for _, test := range []struct {
		fault gittest.Fault
		says  string
	}{
		{gittest.Hang, "did not answer in time"}, {gittest.HangPack, "did not answer in time"}, {gittest.Fail, "500"}, {gittest.Cut, "EOF"},
	} {
		for _, first := range []bool{true, false} {
			server.Set(gittest.None)
			r, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Timeout, o.Retry = 300*time.Millisecond, time.Millisecond })
			if !first {
				f.next("revision", func(l Look) bool { return l.Revision != nil })
			}
			server.Set(test.fault)
			want := repo.Push("next", map[string]string{"a": fmt.Sprint(test, first, strings.Repeat("other text that is not short\n", 100))})
			if !first {
				f.fails(test.says)
			}
			server.Set(gittest.None)
			f.next("revision", func(l Look) bool { return l.Revision != nil && l.Seen == want })
			err := filepath.WalkDir(r.options.Cache, func(path string, e fs.DirEntry, err error) error {
				if err == nil && strings.HasPrefix(e.Name(), "pack-") && filepath.Base(filepath.Dir(path)) != "pack" {
					t.Errorf("%v leaves %s", test, path)
				}
				return nil
			})
			must(t, err)
			f.stop()
		}
	}
}

// A server that hangs does not keep us from ending.
func TestRemoteEndsWhileItWaits(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"a": strings.Repeat("some text that is not short\n", 100)})
	for _, fault := range []gittest.Fault{gittest.Hang, gittest.HangPack} {
		server.Set(fault)
		before, packs := server.Counts()
		_, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Timeout = time.Hour })
		for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			now, nowPacks := server.Counts()
			if fault == gittest.Hang && now > before || nowPacks > packs {
				break
			}
			if time.Now().After(end) {
				t.Fatal("nobody asks")
			}
		}
		f.stop()
		if f.count() > 0 {
			t.Errorf("there was a look: %+v", f.looks)
		}
	}
}

// Who may not read is told so, and no error shows the token.
func TestRemoteCredentials(t *testing.T) {
	repo, server, _ := served(t)
	repo.Push("one", map[string]string{"a": "one\n"})
	_, f := remote(t, server.URL, func(o *RemoteOptions) { o.Password = "wrong-token" })
	if l := f.fails("token"); strings.Contains(l.Err.Error(), "wrong-token") {
		t.Error(l.Err)
	}
	_, f = remote(t, strings.TrimSuffix(server.URL, "repo.git")+"none.git", func(o *RemoteOptions) { o.Password = Secret(server.Token) })
	f.fails("no such repository")
	for _, url := range []string{"http://git.example.com/a.git", "http://u:sesame@git.example.com/a.git", "git://example.com/a", "https://example.com", "https://example.com/a?token=sesame",
		"", "ftp://u:sesame@example.com/a", "https://u:sesame@exa mple.com/a", "ssh://git@example.com/a.git"} {
		_, err := NewRemote(RemoteOptions{URL: url, Cache: t.TempDir(), Now: time.Now})
		if err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", RemoteOptions{Password: "sesame"}, RemoteOptions{Password: "sesame"}, RemoteOptions{SSHPassphrase: "sesame"}, Secret("sesame")); strings.Contains(text, "sesame") {
		t.Error(text)
	}
	r := Remote{secrets: secrets("se same")}
	if err := r.scrub(errors.New("GET https://x:se%20same@example.com or se same")); strings.Contains(err.Error(), "same") {
		t.Error(err)
	}
}

func TestRemoteSSH(t *testing.T) {
	repo := gittest.New(t)
	repo.Push("one", map[string]string{"a": "one\n"})
	key, public := gittest.SSHKey(t, "")
	other, _ := gittest.SSHKey(t, "")
	server := gittest.ServeSSH(t, repo, public)
	nobody := filepath.Join(t.TempDir(), "known_hosts")
	put(t, nobody, "")
	for _, test := range []struct {
		key, hosts, url, says string
	}{
		{key, server.Strangers, server.URL, "not the known one"},
		{key, nobody, server.URL, "not among the known hosts"},
		{other, server.KnownHosts, server.URL, "does not accept the key"},
		{key, server.KnownHosts, strings.Replace(server.URL, "repo.git", "it's.git", 1), "does not appear to be a git repository"},
	} {
		_, f := remote(t, test.url, func(o *RemoteOptions) { o.SSHKey, o.KnownHosts = test.key, []string{test.hosts} })
		f.fails(test.says)
		f.stop()
	}
	// Through an agent.
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	defer listener.Close()
	ring := agent.NewKeyring()
	raw, err := ssh.ParseRawPrivateKey([]byte(read(t, "", key)))
	must(t, err)
	must(t, ring.Add(agent.AddedKey{PrivateKey: raw}))
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			go func() { _ = agent.ServeAgent(ring, conn); conn.Close() }()
		}
	}()
	_, f := remote(t, server.URL, func(o *RemoteOptions) { o.SSHAgent, o.KnownHosts = socket, []string{server.KnownHosts} })
	f.revision()
	f.stop()
	// A server that accepts and is silent does not hang us.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	_, f = remote(t, "ssh://git@"+silent.Addr().String()+"/a.git", func(o *RemoteOptions) {
		o.SSHKey, o.KnownHosts, o.Timeout = key, []string{server.KnownHosts}, 200*time.Millisecond
	})
	f.fails("did not answer in time")
	// What can never work is said at once.
	locked, _ := gittest.SSHKey(t, "sesame")
	for _, o := range []RemoteOptions{
		{SSHKey: key}, {KnownHosts: []string{server.KnownHosts}}, {SSHKey: locked, KnownHosts: []string{server.KnownHosts}},
		{SSHKey: locked, SSHPassphrase: "wrong", KnownHosts: []string{server.KnownHosts}}, {SSHKey: key, KnownHosts: []string{"missing"}},
	} {
		o.URL, o.Cache, o.Now = server.URL, t.TempDir(), time.Now
		if _, err := NewRemote(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// Pokes are heard at once, any number of them are one, and a wait is spread and grows with failures.
func TestRemotePoke(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"a": "one\n"})
	r, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Interval = time.Hour })
	f.revision()
	hash := repo.Push("two", map[string]string{"a": "two\n"})
	for range 100 {
		r.Poke()
	}
	if rev := f.revision(); rev.Commit != hash {
		t.Errorf("%+v", rev)
	}
	f.stop()
	if n := f.count(); n > 4 {
		t.Errorf("a hundred pokes were %d looks", n)
	}
	r, err := NewRemote(RemoteOptions{URL: "/x", Cache: "x", Now: time.Now})
	must(t, err)
	for _, test := range []struct {
		failures int
		chance   float64
		want     time.Duration
	}{
		{0, 0, 54 * time.Second}, {0, 0.5, time.Minute}, {0, 1, 66 * time.Second}, {1, 0.5, 5 * time.Second}, {2, 0.5, 10 * time.Second},
		{6, 0.5, 160 * time.Second}, {7, 0.5, 5 * time.Minute}, {1 << 30, 0.5, 5 * time.Minute},
	} {
		if got := r.pause(test.failures, test.chance); (got - test.want).Abs() > time.Millisecond {
			t.Errorf("after %d failures: %v, want %v", test.failures, got, test.want)
		}
	}
}

// The cache does not grow over hundreds of commits, and what processes that died have left goes.
func TestRemoteCacheIsBounded(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"a": "one\n"})
	cache := t.TempDir()
	put(t, filepath.Join(cache, workPrefix+"dead", "repository-1", "x"), "x")
	put(t, filepath.Join(cache, "mine"), "x")
	other, err := newWorkspace(cache, slog.New(slog.DiscardHandler))
	must(t, err)
	r, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Cache = cache; o.Interval = time.Hour })
	f.revision().Release()
	for dir, want := range map[string]bool{workPrefix + "dead": false, "mine": true, filepath.Base(other.dir): true} {
		if _, err := os.Stat(filepath.Join(cache, dir)); (err == nil) != want {
			t.Errorf("%s: %v", dir, err)
		}
	}
	other.leave()
	packs := 0
	for i := range 2*maxFetches + 5 {
		hash := repo.Push(fmt.Sprint(i), map[string]string{"a": fmt.Sprint(i)})
		r.Poke()
		rev := f.revision()
		if rev.Commit != hash {
			t.Fatalf("%+v", rev)
		}
		r.InForce(hash)
		rev.Release()
		found, err := filepath.Glob(filepath.Join(cache, "*", "*", "objects", "pack", "*.pack"))
		must(t, err)
		if packs = max(packs, len(found)); packs > maxFetches {
			t.Fatalf("%d packs are kept", packs)
		}
	}
	if packs < maxFetches/2 {
		t.Errorf("%d packs were kept: nothing is kept between looks", packs)
	}
	trees, err := filepath.Glob(filepath.Join(cache, "*", "*", "a"))
	if err != nil || len(trees) > 0 {
		t.Errorf("released trees are there: %v (%v)", trees, err)
	}
}

// What was kept and turns out to be damaged is fetched again.
func TestRemoteDamagedCache(t *testing.T) {
	repo, server, token := served(t)
	repo.Push("one", map[string]string{"a": "one\n", "b": "b\n"})
	r, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.Interval, o.Retry = time.Hour, time.Millisecond })
	f.revision()
	found, err := filepath.Glob(filepath.Join(r.options.Cache, "*", "repository-*", "objects", "pack", "*"))
	must(t, err)
	for _, name := range found {
		must(t, os.Remove(name))
	}
	hash := repo.Push("two", map[string]string{"a": "two\n"})
	r.Poke()
	rev := f.revision()
	if rev.Commit != hash || read(t, rev.Dir, "b") != "b\n" {
		t.Errorf("%+v", rev)
	}
}

func TestRemoteCannotRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "x")
	r, err := NewRemote(RemoteOptions{URL: "/nowhere", Cache: file, Now: time.Now})
	must(t, err)
	if err := r.Run(context.Background(), func(Look) {}); err == nil {
		t.Error("a file is a cache folder")
	}
	for _, o := range []RemoteOptions{
		{URL: "/x", Now: time.Now}, {URL: "/x", Cache: "x"}, {URL: "/x", Cache: "x", Now: time.Now, Path: "../x"},
		{URL: "/x", Cache: "x", Now: time.Now, SignedBy: []string{"missing"}}, {URL: "/x", Cache: "x", Now: time.Now, SignedBy: []string{file}},
	} {
		if _, err := NewRemote(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	_, f := remote(t, "/nowhere/at/all", nil)
	f.fails("/nowhere/at/all", "no Git repository")
}

// Whatever a server sends as a pack, it is an error and nothing worse.
func FuzzPack(f *testing.F) {
	dir := f.TempDir()
	work, err := git.PlainInit(dir, false)
	if err != nil {
		f.Fatal(err)
	}
	w := &world{nil, dir, work}
	tree, err := w.repo.Worktree()
	if err != nil {
		f.Fatal(err)
	}
	var hashes []plumbing.Hash
	for _, text := range []string{strings.Repeat("a line\n", 50), strings.Repeat("a line\n", 50) + "another\n"} {
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
		_, addErr := tree.Add("a")
		_, err := tree.Commit("m", &git.CommitOptions{Author: author})
		if err := errors.Join(err, addErr); err != nil {
			f.Fatal(err)
		}
	}
	all, err := work.Storer.IterEncodedObjects(plumbing.AnyObject)
	if err != nil {
		f.Fatal(err)
	}
	_ = all.ForEach(func(o plumbing.EncodedObject) error { hashes = append(hashes, o.Hash()); return nil })
	head, err := work.Head()
	if err != nil {
		f.Fatal(err)
	}
	var pack bytes.Buffer
	if _, err := packfile.NewEncoder(&pack, work.Storer, false).Encode(hashes, 10); err != nil {
		f.Fatal(err)
	}
	good := f.TempDir()
	if err := errors.Join(storage(good).Init(), os.MkdirAll(filepath.Join(good, "objects", "pack"), 0o700), savePack(good, bytes.NewReader(pack.Bytes()))); err != nil {
		f.Fatal(err)
	}
	f.Add(pack.Bytes(), uint16(0), byte(0))
	for i := range uint16(pack.Len()) {
		if i%5 == 0 {
			f.Add(pack.Bytes(), i, byte(0x55))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, flip byte) {
		raw = bytes.Clone(raw)
		if int(at) < len(raw) {
			raw[at] ^= flip
		}
		if len(raw) > 20 { // a checksum keeps no stranger out
			sum := sha1.Sum(raw[:len(raw)-20])
			copy(raw[len(raw)-20:], sum[:])
		}
		dir := t.TempDir()
		must(t, storage(dir).Init())
		must(t, os.MkdirAll(filepath.Join(dir, "objects", "pack"), 0o700))
		if err := savePack(dir, bytes.NewReader(raw)); err != nil {
			if left, _ := filepath.Glob(filepath.Join(dir, "pack-*")); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
			return
		}
		remote := Remote{options: RemoteOptions{Now: time.Now, Timeout: time.Minute, Ref: "main"}, up: stubborn{dir, head.Hash()}, space: &workspace{dir: t.TempDir(), users: 2}}
		remote.location, _ = locate("/x")
		if l := remote.look(t.Context()); l.Revision != nil {
			l.Revision.Release()
		}
	})
}

// stubborn says that its branch is at a commit, whatever it holds.
type stubborn struct {
	dir  string
	head plumbing.Hash
}

func (s stubborn) refs(context.Context) (refs, error) {
	return refs{names: map[string]plumbing.Hash{"refs/heads/main": s.head}}, nil
}
func (s stubborn) at(context.Context, tip) (*git.Repository, error) {
	return git.Open(readOnly{storage(s.dir)}, nil)
}
func (stubborn) forget() {}
func (stubborn) close()  {}
func (stubborn) descends(context.Context, plumbing.Hash, plumbing.Hash) (bool, error) {
	return false, nil
}
