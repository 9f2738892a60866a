package plan

import (
	"fmt"
	"maps"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/state"
)

// Refresh says which bound agents are read.
type Refresh string

// RefreshChanged reads, at vendors whose list shows a change mark, only the agents whose mark is not the recorded one, or whose manifest
// is not what was applied. A mark is the vendor's word and no proof: nothing but "not read" follows from one that stood still.
const (
	RefreshAll     Refresh = "all"
	RefreshChanged Refresh = "changed"
)

// unmoved reports whether a row of the list shows the change mark that was recorded with the agent, and the manifest is as it was applied:
// whoever trusts the mark need not read the agent.
func (t *target) unmoved(row providers.Live) bool {
	r := t.entry.Record
	return t.agent != nil && t.known && row.Revision != "" && row.Revision == r.Revision && row.ID == r.ID && !row.Gone && row.Locked == "" &&
		t.asApplied()
}

// asApplied reports whether the manifest declares what the state's record says was applied, and nothing is left to be done or recorded.
func (t *target) asApplied() bool {
	r, a := t.entry.Record, t.agent
	now := a.Base()
	if r.ID != t.id() || r.Pending != nil || len(r.Applied) == 0 || r.Protect != a.Protect || !maps.Equal(r.Files, now.Files) {
		return false
	}
	types := t.account.Generation.Schema().Type()
	desired := diff.Complete(types, r.Applied, now.Config)
	applied := state.Reveal(r.Applied, nil, desired)
	skip := append(createOnly(types), a.Leave...)
	return len(diff.Compare(types, applied, applied, desired, diff.Options{Ignore: pointers(a.Ignore), Skip: skip})) == 0
}

// notRead says why the agent was not read.
func (d *decider) notRead() {
	d.change.Reason = fmt.Sprintf("not read: its %s at %s has not moved since %s", d.account.Generation.Can.Mark, d.account.Vendor.Title, d.seen.unmoved)
}

// note says what became of the wish to read only what changed, "" where there was none.
func (r *reader) note() string {
	can := r.account.Generation.Can
	switch n := r.unread.Load(); {
	case r.refresh != RefreshChanged:
		return ""
	case can.List == "none":
		return fmt.Sprintf("%s: --refresh=changed has no effect: %s cannot list agents", r.account.Name, r.account.Vendor.Title)
	case can.Mark == "":
		return fmt.Sprintf("%s: --refresh=changed has no effect: the list shows no change mark", r.account.Name)
	case n > 0:
		return fmt.Sprintf("%s: %d of %d agents were not read: their %s has not moved, which is the vendor's word and no proof",
			r.account.Name, n, len(r.targets), can.Mark)
	}
	return fmt.Sprintf("%s: --refresh=changed: all agents were read", r.account.Name)
}
