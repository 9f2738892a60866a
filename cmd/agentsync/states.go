package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/s3"
)

// openState finds where the state is kept: flag, Config document, default. It touches nothing there. A folder counts from the current one
// where the flag names it, else from the Config document's.
func (a *app) openState(f *flags, set *spec.Set) (state.Store, error) {
	where, base := f.state, a.dir
	if set != nil && set.Config != nil && where == "" {
		where, base = set.Config.State, set.Config.Dir
	}
	scheme, _, isURL := strings.Cut(where, "://")
	switch {
	case where == "":
		where = ".agentsync"
	case strings.HasPrefix(where, s3.Scheme):
		return a.openBucket(where)
	case isURL && scheme == "file":
		where = strings.TrimPrefix(where, "file://")
	case isURL: // the rest of it may hold a password
		return nil, usageError{fmt.Errorf("the state cannot be kept at a %s:// address", scheme), "give a folder, for example --state .agentsync, or a bucket, for example --state s3://bucket/prefix"}
	}
	if !filepath.IsAbs(where) {
		where = filepath.Join(base, where)
	}
	return state.OpenFolder(where), nil
}

func (a *app) openBucket(address string) (state.Store, error) {
	store, err := s3.Open(address, s3.Options{Getenv: a.getenv, UserAgent: userAgent()})
	if err != nil {
		return nil, usageError{err, hintOf(err)}
	}
	return store, nil
}
