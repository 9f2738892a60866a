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
	// away is what is wrong with the last look at the source, broken what is wrong with the manifests seen last.
	away, broken []status.Problem
	since        time.Time
	// pending is a revision that could not be loaded for a reason that may pass, to be tried again at tryAt; nil for none.
	pending *source.Revision
	tryAt   time.Time
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
	s.tell(&s.away, problemsOf(look.Err))
	if look.Revision == nil {
		if look.Err == nil && s.inForce != nil && look.Seen != "" && look.Seen == s.inForce.files.Commit {
			s.tell(&s.broken, nil) // the branch is back at what is in force
		}
		return false
	}
	if look.Err != nil {
		look.Revision.Release()
		return false
	}
	return s.load(ctx, look.Revision, look.At)
}

// retry tries the pending revision again and reports whether there is something new in force.
func (s *manifestsSource) retry(ctx context.Context, now time.Time) bool {
	return s.load(ctx, s.pending, now)
}

// load reads the manifests of a revision and reports whether they are in force now and say something new.
func (s *manifestsSource) load(ctx context.Context, files *source.Revision, now time.Time) bool {
	if s.pending != nil && s.pending != files {
		s.pending.Release()
	}
	s.pending = nil
	ctx, done := until(ctx, s.Stop)
	defer done()
	loaded, err := s.Load(ctx, files)
	if err != nil && ctx.Err() != nil { // the watcher stops
		s.pending, s.tryAt = files, now.Add(soon)
		return false
	}
	s.tell(&s.broken, problemsOf(err))
	if err != nil {
		if errors.As(err, &spec.Problems{}) {
			files.Release()
		} else { // the state, or a file system, may answer the next time
			s.pending, s.tryAt = files, now.Add(soon)
		}
		return false
	}
	next := &revision{files: files, manifests: loaded, byAddress: map[string]*plan.Agent{}, digests: map[string]string{}}
	for _, a := range loaded.Agents {
		next.byAddress[a.Address()], next.digests[a.Address()] = a, digest(a)
	}
	next.name = s.nameOf(next.digests)
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
	s.inForce, s.changedAt = next, now
	s.Source.InForce(next.files.Commit)
	s.Log.Info("manifests in force", "commit", next.files.Commit, "agents", len(loaded.Agents))
	return true
}

// same reports whether two revisions say the same of every agent, and of when it may be written.
func (r *revision) same(other *revision) bool {
	return maps.Equal(r.digests, other.digests) && r.manifests.Defaults == other.manifests.Defaults && maps.Equal(r.manifests.Settings, other.manifests.Settings) &&
		slices.EqualFunc(r.manifests.Freeze, other.manifests.Freeze, sameWindow)
}

func sameWindow(a, b *spec.Freeze) bool {
	return a.Reason == b.Reason && a.From.Equal(b.From) && a.To.Equal(b.To) && a.Opens == b.Opens && a.Closes == b.Closes && slices.Equal(a.Days, b.Days) &&
		a.Zone.String() == b.Zone.String()
}

// drop lets the revisions go; nothing is loaded any more.
func (s *manifestsSource) drop() {
	if s.inForce != nil {
		s.inForce.files.Release()
	}
	if s.pending != nil {
		s.pending.Release()
	}
}

// problems are all that is wrong.
func (s *manifestsSource) problems() []status.Problem { return slices.Concat(s.away, s.broken) }

// tell notes what is wrong now, and logs what is new.
func (s *manifestsSource) tell(known *[]status.Problem, now []status.Problem) {
	before := s.problems()
	was := *known
	*known = now
	for _, p := range now {
		if !slices.Contains(was, p) {
			s.Log.Error(s.follows(), "problem", p.Message, "hint", p.Hint, "commit", s.seen)
		}
	}
	switch after := s.problems(); {
	case len(before) == 0 && len(after) > 0:
		s.since = s.checkedAt
	case len(before) > 0 && len(after) == 0:
		s.since = time.Time{}
		s.Log.Info("the source is followed again", "commit", s.seen)
	}
}

// follows says what agents are kept to while something is wrong.
func (s *manifestsSource) follows() string {
	if s.inForce == nil {
		return "the source is not followed, and nothing is in force yet"
	}
	return "the source is not followed; the last good revision stays in force"
}

func problemsOf(err error) []status.Problem {
	if err == nil {
		return nil
	}
	var faults spec.Problems
	var list []status.Problem
	if !errors.As(err, &faults) {
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range several.Unwrap() {
				list = append(list, problemsOf(one)...)
			}
			return list
		}
		problem := status.Problem{Message: err.Error()}
		var cure interface{ Hint() string }
		if errors.As(err, &cure) {
			problem.Hint = cure.Hint()
		}
		return append(list, problem)
	}
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
