package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// probePrefix is where the proof's objects are while it is made.
const probePrefix = "probe/"

// noVersion is a well-formed ETag that no object has.
var noVersion = strings.Repeat("0", 32)

// proof is what was found out about the store. The turn is held by whoever makes it; what it guards may be read by whoever had the turn
// after it was made.
type proof struct {
	turn    chan struct{}
	made    bool
	refused error // *UnfitError
	deletes bool  // DELETE honours If-Match
}

func newProof() proof { return proof{turn: make(chan struct{}, 1)} }

// UnfitError is a store that cannot keep the state, since it does not honour what conditional writes need.
type UnfitError struct {
	store, ignores string
}

// Error names what the store does not honour.
func (e *UnfitError) Error() string {
	return fmt.Sprintf("%s cannot keep the state: it does not honour %s, so two runs could overwrite each other", e.store, e.ignores)
}

// Hint says what to do.
func (e *UnfitError) Hint() string {
	return "use a store with conditional writes (docs/state.md says which), or update this one"
}

// Prove makes sure that the store honours conditional writes, once: every write does it first, so that calling it only makes it happen earlier.
// It writes, changes and removes an object of its own. The error is an *[UnfitError] where the store does not honour them, and any
// other where that could not be found out: then the next write tries again. Where ctx ends first the proof goes on, within the store's own time-outs.
func (s *Store) Prove(ctx context.Context) error {
	select {
	case s.proof.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.proof.made || s.proof.refused != nil {
		defer func() { <-s.proof.turn }()
		return s.proof.refused
	}
	// It is a dozen requests: on a slow store it outlasts the patience of a caller, who finds it made when he comes again.
	proving, end := s.bounded(context.WithoutCancel(ctx))
	proved := make(chan error, 1)
	go func() {
		defer end()
		err := s.tryConditions(proving, probePrefix+rand.Text())
		var unfit *UnfitError
		if errors.As(err, &unfit) {
			s.proof.refused = err
		}
		s.proof.made = err == nil
		<-s.proof.turn
		proved <- err
	}()
	select {
	case err := <-proved:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryConditions does with key what the state will do with its objects.
func (s *Store) tryConditions(ctx context.Context, key string) (err error) {
	first, err := s.write(ctx, key, []byte("first"), "")
	if err != nil {
		return s.unfitIf(err, "If-None-Match: * on PUT")
	}
	defer func() {
		if s.proof.deletes { // it is gone; and a bucket's policy may refuse a DELETE without a condition
			return
		}
		cleaning, end := s.bounded(context.WithoutCancel(ctx))
		defer end()
		if _, cleanErr := s.tryDelete(cleaning, key, ""); err == nil {
			err = cleanErr
		}
	}()
	if _, err := s.write(ctx, key, []byte("second"), ""); !errors.Is(err, state.ErrExists) {
		return s.unfitIf(err, "If-None-Match: * on PUT")
	}
	if _, err := s.write(ctx, key, []byte("third"), noVersion); !errors.Is(err, state.ErrConflict) {
		return s.unfitIf(err, "If-Match on PUT")
	}
	found, err := s.look(ctx, key)
	switch {
	case err != nil:
		return err
	case string(found.Data) != "first" || found.Version != first:
		return &UnfitError{s.String(), "If-Match or If-None-Match on PUT (it says so, and writes nevertheless)"}
	case found.mark == "":
		return &UnfitError{s.String(), "user metadata (" + strings.ToLower(markHeader) + ")"}
	}
	second, err := s.write(ctx, key, []byte("second"), first)
	if err != nil {
		return s.unfitIf(err, "If-Match on PUT")
	}
	found, err = s.look(ctx, key)
	switch {
	case err != nil:
		return err
	case string(found.Data) != "second" || found.Version != second:
		return &UnfitError{s.String(), "its own ETags: a version that was just written is not the one that is read"}
	}
	refused, err := s.tryDelete(ctx, key, noVersion)
	if err != nil || refused != http.StatusPreconditionFailed {
		return err
	}
	refused, err = s.tryDelete(ctx, key, second)
	s.proof.deletes = err == nil && refused == 0
	return err
}

// tryDelete deletes the object, in that version if it is not "", and returns the status of a store that would not; 404 is a yes, too.
func (s *Store) tryDelete(ctx context.Context, key, version string) (refused int, err error) {
	for try := 1; ; try++ {
		err := s.delete(ctx, key, version)
		var fault *Error
		switch {
		case err == nil || !errors.As(err, &fault):
			return 0, err
		case fault.Status == http.StatusNotFound && !fault.refused():
			return 0, nil
		case fault.transient() && try < maxTries:
		case fault.transient(), errors.Is(err, rest.ErrAuth), version == "":
			return 0, err
		default:
			return fault.Status, nil
		}
		if err := pause(ctx, try, err); err != nil {
			return 0, err
		}
	}
}

// unfitIf makes an UnfitError of what says that the store does not honour what: a write that should have failed and did not (nil), one that
// should not have (a conflict on an object that nobody else knows), or one that is not implemented. Other errors say nothing of it.
func (s *Store) unfitIf(err error, what string) error {
	var fault *Error
	switch {
	case err == nil, errors.Is(err, state.ErrExists), errors.Is(err, state.ErrConflict):
		return &UnfitError{s.String(), what}
	case errors.As(err, &fault) && (fault.Status == http.StatusNotImplemented || fault.Code == "NotImplemented" || fault.Code == "InvalidArgument"):
		return &UnfitError{s.String(), fmt.Sprintf("%s (it answers %d %s)", what, fault.Status, fault.Code)}
	}
	return err
}
