package watch

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/spec"
)

// revision is a revision of the source with its manifests.
type revision struct {
	files     *source.Revision
	manifests *Manifests
	byAddress map[string]*plan.Agent
	digests   map[string]string // of what each agent's manifest says, by address
	name      string            // of all of them together
	users     int               // rounds that work with it
	stale     bool              // another is in force
}

// let ends one use of r. Its files go with the last one.
func (r *revision) let() {
	r.users--
	if r.stale && r.users == 0 {
		r.files.Release()
	}
}

// manifestsSource is what is known of the source. The loop's goroutine owns it.
type manifestsSource struct {
	*Watcher
	inForce   *revision // nil before the first good one
	again     bool      // load even what is the same
	salt      [32]byte
	seen      string
	checkedAt time.Time
	changedAt time.Time
	problems  []status.Problem
	since     time.Time
}

func newManifestsSource(w *Watcher) *manifestsSource {
	s := &manifestsSource{Watcher: w}
	rand.Read(s.salt[:]) // never fails
	return s
}

// nameOf names what manifests say, without a way back: a name is shown, and the digests cover secrets.
func (s *manifestsSource) nameOf(digests map[string]string) string {
	all := hmac.New(sha256.New, s.salt[:])
	for _, address := range slices.Sorted(maps.Keys(digests)) {
		all.Write([]byte(address + " " + digests[address]))
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}

// take takes in a look and reports whether there is something new in force.
func (s *manifestsSource) take(ctx context.Context, look source.Look) bool {
	s.checkedAt = look.At
	if look.Seen != "" {
		s.seen = look.Seen
	}
	switch {
	case look.Err != nil:
		if look.Revision != nil {
			look.Revision.Release()
		}
		s.wrong(look.Err)
		return false
	case look.Revision == nil && len(s.problems) > 0 && s.inForce != nil && (look.Seen == "" || look.Seen == s.inForce.files.Commit):
		s.right() // what is there is what is in force
		return false
	case look.Revision == nil:
		return false
	}
	loaded, err := s.Load(ctx, look.Revision)
	if err != nil {
		look.Revision.Release()
		s.wrong(err)
		return false
	}
	next := &revision{files: look.Revision, manifests: loaded, byAddress: map[string]*plan.Agent{}, digests: map[string]string{}}
	for _, a := range loaded.Agents {
		next.byAddress[a.Address()], next.digests[a.Address()] = a, digest(a)
	}
	next.name = s.nameOf(next.digests)
	s.right()
	if old := s.inForce; old != nil {
		if !s.again && old.same(next) && old.files.Commit == next.files.Commit {
			next.files.Release()
			return false
		}
		old.stale = true
		old.users++
		old.let()
	}
	s.again = false
	s.inForce, s.changedAt = next, look.At
	s.Source.InForce(next.files.Commit)
	s.Log.Info("manifests in force", "commit", next.files.Commit, "agents", len(loaded.Agents))
	return true
}

// same reports whether two revisions say the same of every agent.
func (r *revision) same(other *revision) bool {
	return maps.Equal(r.digests, other.digests) && r.manifests.Defaults == other.manifests.Defaults && maps.Equal(r.manifests.Settings, other.manifests.Settings)
}

// drop lets the revision in force go; nothing is loaded any more.
func (s *manifestsSource) drop() {
	if s.inForce != nil {
		s.inForce.files.Release()
	}
}

// wrong notes why what was seen is not followed.
func (s *manifestsSource) wrong(err error) {
	problems := problemsOf(err)
	if len(s.problems) == 0 {
		s.since = s.checkedAt
	}
	if !slices.Equal(problems, s.problems) {
		for _, p := range problems {
			s.Log.Error("the source is not followed; the last good revision stays in force", "problem", p.Message, "hint", p.Hint, "commit", s.seen)
		}
	}
	s.problems = problems
}

func (s *manifestsSource) right() {
	if len(s.problems) > 0 {
		s.Log.Info("the source is followed again", "commit", s.seen)
	}
	s.problems, s.since = nil, time.Time{}
}

func problemsOf(err error) []status.Problem {
	var faults spec.Problems
	if !errors.As(err, &faults) {
		return []status.Problem{{Message: err.Error()}}
	}
	var list []status.Problem
	for _, f := range faults {
		if !f.Warning {
			list = append(list, status.Problem{Message: f.Pos.String() + ": " + f.Message, Hint: f.Hint})
		}
	}
	return list
}

// digest names what a manifest says of its agent, whatever file it stands in. It covers secrets: it stays within this process.
func digest(a *plan.Agent) string {
	said := struct {
		ID, Update, Type    string
		Drift               spec.DriftPolicy
		Ignore, AcceptReset []string
		Protect             bool
		Suspend             *spec.Suspend
		Files               []string
		Config              json.RawMessage
	}{a.ID, a.Update, a.Account.Type(), a.Drift, a.Ignore, a.AcceptReset, a.Protect, a.Suspend, nil, diff.Canonical(a.Config.Object)}
	for _, f := range a.Files {
		said.Files = append(said.Files, string(f.Pointer)+" "+f.Name+" "+f.SHA256)
	}
	data, err := json.Marshal(said)
	if err != nil {
		panic(err) // canonical JSON and plain values
	}
	sum := sha256.Sum256(data)
	return string(sum[:])
}
