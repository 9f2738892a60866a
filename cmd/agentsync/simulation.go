package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// simulation is the sandbox of one run: vendors in the process, their data and the state under .agentsync/sandbox.
type simulation struct {
	server *sandbox.Server
	dir    string
	env    map[string]string
}

func (a *app) simulate() (*simulation, error) {
	dir := filepath.Join(a.dir, ".agentsync", "sandbox")
	server, err := sandbox.New(sandbox.Options{Dir: filepath.Join(dir, "vendors"), Seed: true})
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return &simulation{server: server, dir: dir, env: sandbox.Credentials()}, nil
}

// getenv gives the sandbox's credentials, never the real ones, and a stand-in for every variable that is not set: a rehearsal needs
// no keys.
func (s *simulation) getenv(real func(string) (string, bool), name string) (string, bool) {
	if value, ok := s.env[name]; ok {
		return value, true
	}
	if value, ok := real(name); ok {
		return value, true
	}
	return "sandbox-value-of-" + name, true
}

// document returns the Provider document as the sandbox takes it: the account's own address and credentials are of no use there.
func (s *simulation) document(doc *spec.Provider) *spec.Provider {
	if doc == nil {
		return nil
	}
	own := *doc
	own.BaseURL, own.OrgID, own.Auth, own.Options = "", "", nil, nil
	return &own
}

// store is the sandbox's state. Until something was applied it is what an example company would have: the records of those seeded
// agents that the manifests declare.
func (s *simulation) store(ctx context.Context, agents []*plan.Agent, write bool) (state.Store, error) {
	folder := state.OpenFolder(s.dir)
	kept, err := folder.List(ctx, "state/")
	if err != nil || len(kept) > 0 {
		return folder, err
	}
	var into state.Store = folder
	if !write {
		into = &state.Memory{}
	}
	declared := map[string]bool{}
	for _, a := range agents {
		declared["state/"+a.Address()+".json"] = true
	}
	for key, data := range sandbox.Records() {
		if !declared[key] {
			continue
		}
		if _, err := into.Create(ctx, key, data); err != nil && !errors.Is(err, state.ErrExists) {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	return into, nil
}
