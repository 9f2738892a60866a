package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"agentsync.dev/agentsync/pkg/state"
)

// Create implements [state.Store].
func (s *Store) Create(ctx context.Context, key string, data []byte) (string, error) {
	ctx, end, err := s.beginWrite(ctx, key)
	if err != nil {
		return "", err
	}
	defer end()
	return s.write(ctx, key, data, "")
}

// Replace implements [state.Store]. A conflict after an answer that was lost says that another's write is there now; whether this one was before
// it nobody knows any more.
func (s *Store) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	ctx, end, err := s.beginWrite(ctx, key)
	if err != nil {
		return "", err
	}
	defer end()
	if !isVersion(version) {
		return "", s.says(key, state.ErrConflict)
	}
	return s.write(ctx, key, data, version)
}

// Delete implements [state.Store].
func (s *Store) Delete(ctx context.Context, key string, version string) error {
	ctx, end, err := s.beginWrite(ctx, key)
	if err != nil {
		return err
	}
	defer end()
	return s.remove(ctx, key, version)
}

func (s *Store) beginWrite(ctx context.Context, key string) (context.Context, context.CancelFunc, error) {
	if err := errors.Join(ctx.Err(), state.CheckKey(key)); err != nil {
		return nil, nil, err
	}
	if err := s.Prove(ctx); err != nil {
		return nil, nil, err
	}
	return s.begin(ctx, key)
}

// write puts data over a version, or where none is if version is "". Whatever the store answers but yes is settled by looking at the
// object: it has this write's mark, or it is as it was and the write may be sent again, or another's is there.
func (s *Store) write(ctx context.Context, key string, data []byte, version string) (string, error) {
	if len(data) > maxObject {
		return "", fmt.Errorf("%s/%s: %d bytes are more than the %d that an object may have", s, key, len(data), maxObject)
	}
	mark := rand.Text()
	for try := 1; ; try++ {
		newVersion, err := s.put(ctx, key, data, version, mark)
		var fault *Error
		if err == nil || !errors.As(err, &fault) || fault.refused() {
			return newVersion, err
		}
		found, lookErr := s.look(ctx, key)
		gone := errors.Is(lookErr, state.ErrNotExist)
		switch {
		case lookErr != nil && !gone:
			return "", fmt.Errorf("%v; whether it was written is not known: %w", err, lookErr)
		case found.mark == mark:
			return found.Version, nil
		case version == "" && !gone:
			return "", s.says(key, state.ErrExists)
		case version != "" && (gone || found.Version != version):
			return "", s.says(key, state.ErrConflict)
		case try == maxTries && !fault.transient(): // somebody is at it all the time
			return "", fmt.Errorf("%w: %v", s.says(key, state.ErrConflict), err)
		case try == maxTries:
			return "", err
		}
		if err := pause(ctx, try, err); err != nil {
			return "", err
		}
	}
}

// put sends the write once.
func (s *Store) put(ctx context.Context, key string, data []byte, over, mark string) (string, error) {
	header := map[string]string{markHeader: mark, "If-None-Match": "*"}
	if over != "" {
		header = map[string]string{markHeader: mark, "If-Match": quoted(over)}
	}
	r := request{method: http.MethodPut, key: s.client.full(key), header: header, body: data}
	answer, err := s.client.do(ctx, r)
	if err != nil {
		return "", err
	}
	if version := version(answer.header.Get("ETag")); version != "" {
		return version, nil
	}
	return "", &Error{Method: r.method, Place: s.String() + "/" + key, err: errors.New("the store's answer has no ETag")}
}

// remove deletes a version. What was seen there in that version and is gone after a try whose answer was lost has been deleted.
func (s *Store) remove(ctx context.Context, key, version string) error {
	condition := version
	if !s.proof.deletes {
		condition = ""
	}
	lost := false
	var last error
	for try := 1; ; try++ {
		found, err := s.look(ctx, key)
		switch {
		case lost && errors.Is(err, state.ErrNotExist):
			return nil
		case err != nil:
			return err
		case found.Version != version:
			return s.says(key, state.ErrConflict)
		case try > maxTries:
			return last
		}
		err = s.delete(ctx, key, condition)
		var fault *Error
		if err == nil || !errors.As(err, &fault) || fault.refused() {
			return err
		}
		lost = lost || fault.transient()
		last = err
		if !fault.transient() {
			last = fmt.Errorf("%w: %v", s.says(key, state.ErrConflict), err)
		}
		if err := pause(ctx, try, err); err != nil {
			return err
		}
	}
}

// delete sends the DELETE once, for one version if it is not "".
func (s *Store) delete(ctx context.Context, key, version string) error {
	r := request{method: http.MethodDelete, key: s.client.full(key)}
	if version != "" {
		r.header = map[string]string{"If-Match": quoted(version)}
	}
	_, err := s.client.do(ctx, r)
	return err
}

func quoted(version string) string { return `"` + version + `"` }

// isVersion reports whether version could be an ETag, and is safe in a header.
func isVersion(version string) bool {
	return version != "" && !strings.ContainsFunc(version, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' })
}
