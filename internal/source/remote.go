package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// RemoteOptions says which repository to follow, and how.
type RemoteOptions struct {
	// URL is the repository: https://…, ssh://… or git@host:path, file://… or a path; plain http for loopback addresses only. Credentials
	// in it are used and never shown.
	URL string
	// User and Password are for https; a token is a password, and needs no user. They count before those in the URL.
	User     string
	Password Secret
	// SSHKey is the file of a private key, SSHPassphrase what protects it; without a key, the agent at the socket SSHAgent is asked.
	SSHKey        string
	SSHPassphrase Secret
	SSHAgent      string
	// KnownHosts are the files that name ssh servers' keys. ssh needs at least one.
	KnownHosts []string

	// Ref is a branch or tag, as main, v1 or refs/heads/main; "" is the repository's HEAD.
	Ref string
	// Path is the folder inside the repository that revisions are about, "" the top.
	Path string
	// Cache is a folder for what is fetched. Several processes may share it. Needed.
	Cache string
	// SignedBy are files with the public keys, of ssh (allowed_signers or authorized_keys) and OpenPGP (armored), whose owners' commits are
	// followed. They are read again for each commit. Empty: any commit is followed.
	SignedBy []string

	// Interval is how often to look, give or take a tenth, by default 1 min; Timeout how long a look may take, by default 1 min. After a
	// look that failed, the next is after Retry, by default 5 s, then twice that and so on, up to Interval or 5 min, whichever is more.
	Interval, Timeout, Retry time.Duration
	// Least is how long to wait at least between two looks, however often one is poked, by default 1 s.
	Least time.Duration
	// Now is the clock, also for keys that expire. Needed.
	Now func() time.Time
	// Log is told what is nobody's fault; nil for nobody.
	Log *slog.Logger
}

// Remote follows a branch or tag of a Git repository. A revision holds the commit's files as [Extract] writes them: submodules are left
// out, and of files in Git LFS there is the pointer, a small text, not the file. Repositories with SHA-256 hashes cannot be read.
//
// A branch that was moved to a commit which does not descend from the one in force is refused, as is a moved tag; a later one that does
// descend is followed again.
type Remote struct {
	options  RemoteOptions
	location location
	pokes    pokes
	secrets  []string
	dial     dialer // nil for a repository on this machine
	idle     func()

	mu      sync.Mutex
	inForce plumbing.Hash

	// What follows is Run's.
	up      upstream
	space   *workspace
	given   tip // of the last revision
	verdict verdict
}

// verdict is what was found of a commit's descent, which costs a fetch.
type verdict struct {
	head, base plumbing.Hash
	descends   bool
}

// NewRemote returns a source that follows a repository. It reads the given files of keys, and asks no server yet.
func NewRemote(o RemoteOptions) (*Remote, error) {
	l, err := locate(o.URL)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Now == nil:
		return nil, errors.New("source: RemoteOptions.Now is missing")
	case o.Cache == "":
		return nil, errors.New("no cache folder for what is fetched: name one")
	case o.Path != "" && !filepath.IsLocal(filepath.FromSlash(o.Path)):
		return nil, fmt.Errorf("the path %q leads out of the repository", o.Path)
	}
	if _, err := readSigners(o.SignedBy); err != nil {
		return nil, err
	}
	o.User = cmp.Or(o.User, l.user, "git") // a token's user may be anything but empty
	o.Password = cmp.Or(o.Password, l.password)
	o.Interval = cmp.Or(o.Interval, time.Minute)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.Retry = min(cmp.Or(o.Retry, 5*time.Second), o.Interval)
	o.Least = cmp.Or(o.Least, time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Remote{options: o, location: l, pokes: newPokes(), secrets: secrets(o.Password, o.SSHPassphrase), idle: func() {}}
	switch l.kind {
	case "ssh":
		r.dial, err = sshDialer(l, o)
	case "http":
		r.dial, r.idle = httpDialer(l, o.User, o.Password)
	}
	if err != nil {
		return nil, r.scrub(err)
	}
	return r, nil
}

// Poke asks for a look now. It never blocks, and may be called at any time, by anybody.
func (r *Remote) Poke() { r.pokes.poke() }

// InForce says which commit is followed: what comes must descend from it. Until it is called, and after "", anything may come. It may be
// called at any time, by anybody.
func (r *Remote) InForce(commit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inForce = plumbing.NewHash(commit)
}

// Location returns the repository's address for people, without credentials.
func (r *Remote) Location() string { return r.location.String() }

// Run looks at once, and then regularly and when poked, until ctx ends. It returns nil then, and an error at once if the cache folder
// cannot be used. see is called from Run's goroutine. Revisions stay on disk until they are released, also after Run. Run may be called
// once.
func (r *Remote) Run(ctx context.Context, see func(Look)) error {
	space, err := newWorkspace(r.options.Cache, r.options.Log)
	if err != nil {
		return err
	}
	defer space.leave()
	r.space = space
	r.up = &server{dial: r.dial, idle: r.idle, space: space}
	if r.dial == nil {
		r.up = local{r.location.endpoint.Path}
	}
	defer r.up.close()
	for failures := 0; ; {
		l := r.look(ctx)
		if ctx.Err() != nil {
			if l.Revision != nil {
				l.Revision.Release()
			}
			return nil
		}
		failures++
		if refused := new(Refusal); l.Err == nil || errors.As(l.Err, &refused) {
			failures = 0
		}
		see(l)
		if !r.wait(ctx, failures) {
			return nil
		}
	}
}

// wait returns when it is time to look again, or false when ctx ended.
func (r *Remote) wait(ctx context.Context, failures int) bool {
	least, due := time.NewTimer(r.options.Least), time.NewTimer(r.pause(failures, rand.Float64()))
	defer least.Stop()
	defer due.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-least.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-r.pokes:
	case <-due.C:
	}
	return true
}

// pause returns how long to wait after so many failures, spread by chance, which is from 0 to 1.
func (r *Remote) pause(failures int, chance float64) time.Duration {
	d := r.options.Interval
	if failures > 0 {
		most := max(d, 5*time.Minute)
		d = r.options.Retry
		for ; failures > 1 && d < most; failures-- {
			d *= 2
		}
		d = min(d, most)
	}
	return time.Duration(float64(d) * (0.9 + 0.2*chance))
}

// scrub removes what is secret from an error of others' making.
func (r *Remote) scrub(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, s := range r.secrets {
		if strings.Contains(text, s) {
			return errors.New(strings.NewReplacer(pairs(r.secrets)...).Replace(text))
		}
	}
	return err
}
