package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
)

// Account is one account at a vendor, as manifests name it.
type Account struct {
	Name       string
	Vendor     providers.Vendor
	Generation providers.Generation
	// Provider talks to it; nil where nothing is sent (validate).
	Provider providers.Provider
}

// Type names the account's vendor and API generation, as the state records it.
func (a *Account) Type() string { return a.Vendor.TypeName(a.Generation) }

// Agent is one declared agent, decoded by its vendor's schema.
type Agent struct {
	*spec.Agent
	Account *Account
	Config  schema.Config
	Files   []providers.File
	// Leave are fields that are left alone and stay in the record as they are: of an undo, what it cannot put back.
	Leave []diff.Pointer
}

// Decode decodes every agent of set and reports all that is wrong. accounts are by the name that spec.provider uses; an agent whose
// account is missing there is left out (its fault is reported by whoever resolved the accounts).
func Decode(set *spec.Set, accounts map[string]*Account) ([]*Agent, spec.Problems) {
	var agents []*Agent
	var problems spec.Problems
	for _, a := range set.Agents {
		account := accounts[a.Provider]
		if account == nil {
			continue
		}
		config, faults := account.Generation.Schema().Decode(a.Config, a.AllowUnknownFields)
		problems = append(problems, otherGeneration(account, faults)...)
		agent := &Agent{Agent: a, Account: account, Config: config}
		for _, ref := range config.Files {
			file, err := hash(set, ref)
			if err != nil {
				problems = append(problems, at(ref.Pos, err))
				continue
			}
			agent.Files = append(agent.Files, file)
		}
		problems = append(problems, checkFiles(agent)...)
		agent.Config.Places = nil // every fault that has a place is said; they would take as much memory as the config
		agents = append(agents, agent)
	}
	return agents, problems
}

// checkFiles reports what is wrong with an agent's files as a whole. Warnings are left to the plan.
func checkFiles(agent *Agent) (problems spec.Problems) {
	check := agent.Account.Generation.CheckFiles
	if check == nil || len(agent.Files) == 0 {
		return nil
	}
	pos := agent.Config.Place(agent.Files[0].Pointer.Parent())
	for _, f := range check(agent.Files) {
		if f.Severity == providers.Blocking {
			problems = append(problems, spec.Problem{Pos: pos, Message: agent.Account.Vendor.Name + ": " + f.Message, Hint: f.Hint})
		}
	}
	return problems
}

// at gives a file's fault its place in the manifest.
func at(pos spec.Pos, err error) spec.Problem {
	var problem spec.Problem
	if !errors.As(err, &problem) {
		problem = spec.Problem{Message: err.Error(), Hint: "a path is relative to the manifest's folder and stays inside the repository"}
	}
	problem.Pos = pos
	return problem
}

// hash reads a file once, for its size and digest.
func hash(set *spec.Set, ref schema.FileRef) (providers.File, error) {
	open := func() (io.ReadCloser, error) {
		r, _, err := set.Open(ref.Dir, ref.Name)
		return r, err
	}
	r, err := open()
	if err != nil {
		return providers.File{}, err
	}
	defer r.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, r)
	if err != nil {
		return providers.File{}, fmt.Errorf("file %s: %w", ref.Name, err)
	}
	return providers.File{Pointer: ref.Pointer, Name: path.Base(ref.Name), Size: size,
		SHA256: hex.EncodeToString(digest.Sum(nil)), Open: open}, nil
}

// otherGeneration adds a hint to unknown fields that another API generation of the vendor knows.
func otherGeneration(account *Account, faults spec.Problems) spec.Problems {
	for i, fault := range faults {
		if fault.Field == "" {
			continue
		}
		for _, g := range account.Vendor.Generations {
			if g.Name != account.Generation.Name && g.Schema().Type().Field(fault.Field) != nil {
				faults[i].Hint = fmt.Sprintf("%q belongs to the API generation %s, this account speaks %s: set `api: %s` in a Provider document, or use the fields of `agentsync explain %s`",
					fault.Field, g.Name, account.Generation.Name, g.Name, account.Vendor.TypeName(account.Generation))
			}
		}
	}
	return faults
}

// Select keeps the agents that all filters accept.
type Select struct {
	Providers []string // by the name that spec.provider uses; none means all
	Targets   []string // by address; none means all
	Labels    func(map[string]string) bool
	// Changed are the addresses of agents whose manifests changed; nil means all.
	Changed map[string]bool
	// Except are the addresses of agents that are left out for now, orphans among them.
	Except map[string]bool
}

// Keeps reports whether s keeps a.
func (s Select) Keeps(a *spec.Agent) bool {
	return s.chooses(a) && (s.Changed == nil || s.Changed[a.Address()]) && !s.Except[a.Address()]
}

// unchanged counts the agents that s leaves out only because their manifests did not change, or for now.
func (s Select) unchanged(agents []*Agent) int {
	n := 0
	for _, a := range agents {
		if s.chooses(a.Agent) && !s.Keeps(a.Agent) {
			n++
		}
	}
	return n
}

func (s Select) chooses(a *spec.Agent) bool {
	return (len(s.Providers) == 0 || slices.Contains(s.Providers, a.Provider)) &&
		(len(s.Targets) == 0 || slices.Contains(s.Targets, a.Address())) &&
		(s.Labels == nil || s.Labels(a.Labels))
}

// keepsOrphan reports whether s covers every agent of an address's provider, so that a missing manifest means something.
func (s Select) keepsOrphan(address string) bool {
	provider, _, _ := strings.Cut(address, "/")
	return len(s.Targets) == 0 && s.Labels == nil && s.Changed == nil && !s.Except[address] && (len(s.Providers) == 0 || slices.Contains(s.Providers, provider))
}
