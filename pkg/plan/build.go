package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// Options say how to plan. They come from flags, the environment and the Config document.
type Options struct {
	Select Select
	// Bases are what manifests of an earlier commit declared, by address: the bases of agents that the state knows nothing of. Not nil says
	// that there may be no state at all.
	Bases map[string]Base
	// Adopt lets live agents of the same name be adopted.
	Adopt bool
	// Drift is the policy where a manifest does not say; Override, if not "", holds for all agents.
	Drift, Override spec.DriftPolicy
	// Prune plans to delete orphans.
	Prune  bool
	Limits Limits
	// Elsewhere is what other plans of the same manifests change: the limits hold for all of them together.
	Elsewhere Elsewhere
	// Now is the time of the plan.
	Now    time.Time
	Source Source
	// Mask removes known secrets from text.
	Mask func(string) string
	// Remember is told the sensitive values that were read or are to be sent, for Mask. It may be nil.
	Remember func(...string)
	// Refresh is RefreshAll where it is "".
	Refresh Refresh
}

// Limits bound what one plan may do. MaxDeletes and MaxChangedPercent below 0 mean no limit.
type Limits struct {
	MaxDeletes        int
	MaxChangedPercent int
	MinAgents         int
}

// Elsewhere counts agents that are planned apart from this plan: all, those to be updated or deleted, and of these those to be deleted.
type Elsewhere struct{ Agents, Changed, Deletes int }

// DefaultLimits hold where neither a flag nor the Config document says otherwise.
func DefaultLimits() Limits { return Limits{MaxDeletes: 1, MaxChangedPercent: 50, MinAgents: 10} }

func (o Options) policy(a *Agent) spec.DriftPolicy {
	var own spec.DriftPolicy
	if a != nil {
		own = a.Drift
	}
	return cmp.Or(o.Override, own, o.Drift, spec.DriftRefuse)
}

// Input is what a plan is made from.
type Input struct {
	Agents   []*Agent
	Accounts map[string]*Account // by name; also those that only the state names
	Entries  map[string]state.Entry
	// Requests counts the requests sent so far, for the plan's reads.
	Requests func() int
	// Reading is told, before an account is read, what that is expected to cost. It may be nil.
	Reading func(Forecast)
	Options
}

// deciders is how many agents are decided at the same time.
const deciders = 8

// Build reads the live agents and decides. It fails only where two manifests are at odds with each other or with the state; a
// fault of one agent is a finding on that agent.
func Build(ctx context.Context, in Input) (*Plan, error) {
	targets, orphans, problems := targets(in)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	before := in.Requests()
	seen, readers := observe(ctx, targets, taken(in), in)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Plan{FormatVersion: FormatVersion, CreatedAt: in.Now.UTC().Format(time.RFC3339), Source: in.Source, Orphans: orEmpty(orphans)}
	p.Source.Paths = orEmpty(p.Source.Paths)
	p.Changes = make([]Change, len(targets))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(deciders, len(targets)) { // few that decide many: each grows its stack once
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(targets); i = int(next.Add(1)) - 1 {
				p.Changes[i] = decide(targets[i], seen[targets[i].address], in.Options)
			}
		})
	}
	group.Wait()
	refuseBoundTwice(p.Changes)
	in.Limits.hold(p.Changes, in.Select.unchanged(in.Agents), in.Elsewhere)
	p.Reads.Requests = in.Requests() - before
	p.count(readers)
	p.summarize()
	p.Digest = p.digest()
	return p, nil
}

// targets lists what is to be read, in order of address, and the orphans that stay.
func targets(in Input) ([]*target, []Orphan, spec.Problems) {
	var list []*target
	var problems spec.Problems
	declared := map[string]bool{}
	for _, a := range in.Agents {
		declared[a.Address()] = true
		if !in.Select.Keeps(a.Agent) {
			continue
		}
		entry, known := in.Entries[a.Address()]
		if known && entry.Record.Type != a.Account.Type() {
			problems = append(problems, spec.Problem{Pos: a.ProviderPos,
				Message: fmt.Sprintf("%s: the state knows this agent at %s, the manifest puts it at %s", a.Address(), entry.Record.Type, a.Account.Type()),
				Hint:    fmt.Sprintf("give it another name, or forget the old one with `agentsync state rm %s`", a.Address())})
			continue
		}
		list = append(list, &target{address: a.Address(), account: a.Account, agent: a, entry: entry, known: known})
	}
	pruned, orphans := orphaned(in, declared)
	list = append(list, pruned...)
	slices.SortFunc(list, func(a, b *target) int { return strings.Compare(a.address, b.address) })
	slices.SortFunc(orphans, func(a, b Orphan) int { return strings.Compare(a.Address, b.Address) })
	return list, orphans, problems
}

// orphaned sorts the state's agents that no manifest declares into those to prune and those that stay.
func orphaned(in Input, declared map[string]bool) (prune []*target, stay []Orphan) {
	for address, entry := range in.Entries {
		if declared[address] || !in.Select.keepsOrphan(address) {
			continue
		}
		name, _, _ := strings.Cut(address, "/")
		account := in.Accounts[name]
		orphan := Orphan{Address: address, Provider: name, ID: entry.Record.ID, Protected: entry.Record.Protect,
			Reason: "no manifest declares it"}
		switch {
		case account == nil:
			orphan.Reason = "no manifest declares it, and its account has no Provider document"
		case account.Generation.Can.Delete == "none":
			orphan.Reason = fmt.Sprintf("no manifest declares it, and %s cannot delete agents: remove it in the dashboard", account.Vendor.Title)
		case entry.Record.ID == "":
			orphan.Reason = "no manifest declares it, and its create has an unknown outcome"
		case in.Prune:
			prune = append(prune, &target{address: address, account: account, entry: entry, known: true})
			continue
		}
		stay = append(stay, orphan)
	}
	return prune, stay
}

// taken are the live ids that are bound, by account name.
func taken(in Input) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	put := func(account, id string) {
		if all[account] == nil {
			all[account] = map[string]bool{}
		}
		all[account][id] = true
	}
	for _, a := range in.Agents {
		put(a.Provider, a.ID)
	}
	for address, entry := range in.Entries {
		account, _, _ := strings.Cut(address, "/")
		put(account, entry.Record.ID)
	}
	return all
}

// refuseBoundTwice blocks the changes that share a live agent.
func refuseBoundTwice(changes []Change) {
	first := map[string]int{}
	for i := range changes {
		c := &changes[i]
		if c.ID == "" {
			continue
		}
		key := c.Work.Account.Vendor.Name + " " + c.ID
		j, twice := first[key]
		if !twice {
			first[key] = i
			continue
		}
		other := &changes[j]
		c.block(providers.CodeBoundTwice, fmt.Sprintf("%s and %s are bound to the same live agent %s", other.Address, c.Address, c.ID))
		other.block(providers.CodeBoundTwice, fmt.Sprintf("%s and %s are bound to the same live agent %s", other.Address, c.Address, c.ID))
	}
}

// Block keeps the change of an address from being carried out, for a reason that came up after the plan was made. The digest of p does
// not cover it: do not save p after it.
func (p *Plan) Block(address, code, message string) {
	for i := range p.Changes {
		if p.Changes[i].Address == address {
			p.Changes[i].block(code, message)
		}
	}
	p.summarize()
}

func (c *Change) block(code, message string) {
	c.Findings = append(c.Findings, providers.NewBlocking(code, message, ""))
}

// hold blocks what goes beyond the limits. unchanged counts the agents that were not looked at because nothing about them changed.
func (l Limits) hold(changes []Change, unchanged int, elsewhere Elsewhere) {
	deletes, changed, total := elsewhere.Deletes, elsewhere.Changed, len(changes)+unchanged+elsewhere.Agents
	for _, c := range changes {
		switch c.Action {
		case Delete:
			deletes++
			changed++
		case Update:
			changed++
		}
	}
	tooMany := l.MaxDeletes >= 0 && deletes > l.MaxDeletes
	tooMuch := l.MaxChangedPercent >= 0 && total >= l.MinAgents && changed*100 > l.MaxChangedPercent*total
	for i := range changes {
		c := &changes[i]
		if tooMany && c.Action == Delete {
			c.block(providers.CodeMaxDeletes, fmt.Sprintf("the plan deletes %d agents, and limits.maxDeletes is %d", deletes, l.MaxDeletes))
		}
		if tooMuch && (c.Action == Delete || c.Action == Update) {
			c.block(providers.CodeMaxChanged, fmt.Sprintf("the plan changes or deletes %d of %d agents, more than limits.maxChangedPercent of %d",
				changed, total, l.MaxChangedPercent))
		}
	}
}

// summarize counts the changes.
func (p *Plan) summarize() {
	s := Summary{Orphaned: len(p.Orphans)}
	for i := range p.Changes {
		c := &p.Changes[i]
		switch c.Action {
		case Create:
			s.Create++
		case Update:
			s.Update++
		case Delete:
			s.Delete++
		case Adopt:
			s.Adopt++
		case None:
			s.None++
		}
		if c.Blocked() {
			s.Blocked++
		}
	}
	p.Summary = s
}
