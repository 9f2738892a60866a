package plan

import (
	"fmt"

	"agentsync.dev/agentsync/pkg/diff"
)

// Base is what the manifest of an earlier commit declared for an agent. It stands for what was applied last where the state does not say:
// where each commit is applied, the two are the same.
type Base struct {
	// ID is the live agent that the manifest was bound to by spec.id, "" if to none.
	ID string
	// Config is nil where the agent was declared, but how cannot be told any more.
	Config diff.Object
	// Sensitive are the pointers of values in Config that came from the environment.
	Sensitive []diff.Pointer
	// Files maps the names of files to their hex SHA-256.
	Files map[string]string
}

// Base returns what a leaves for a later comparison, where it was applied as it is.
func (a *Agent) Base() Base {
	b := Base{ID: a.ID, Config: diff.Without(a.named(a.Config.Object), pointers(a.Ignore)), Sensitive: a.Config.Sensitive}
	for _, f := range a.Files {
		if b.Files == nil {
			b.Files = map[string]string{}
		}
		b.Files[f.Name] = f.SHA256
	}
	return b
}

// base is the last applied config: as the state says where its record is about the live agent that is bound now, else as an earlier
// manifest declared it.
func (d *decider) base() diff.Object {
	if past := d.past(); past.Config != nil && !d.recordHolds() {
		return past.Config
	}
	if d.entry.Record.ID != d.id() {
		return nil
	}
	return d.entry.Record.Applied
}

// uploaded are the files that are known to be at the vendor.
func (d *decider) uploaded() map[string]string {
	if d.recordHolds() {
		return d.entry.Record.Files
	}
	return d.past().Files
}

// recordHolds reports whether the state's record says what was applied to the live agent that is bound now. A record that a person made
// with `state bind` does not.
func (d *decider) recordHolds() bool {
	r := d.entry.Record
	return r.ID == d.id() && (len(r.Applied) > 0 || r.AppliedAt != "" || r.Pending != nil)
}

// past is what an earlier manifest declared for the live agent that is bound now, the zero Base where none did.
func (d *decider) past() Base {
	b := d.opt.Bases[d.address]
	if d.id() == "" || (b.ID != "" && b.ID != d.id()) {
		return Base{}
	}
	return b
}

// mayExist says why an agent that neither the manifest nor a state binds may exist although it was not found, "" where it cannot.
func (d *decider) mayExist() string {
	if _, declared := d.opt.Bases[d.address]; declared {
		return "the manifest is older than the change and may have been applied, but nothing binds it to a live agent"
	}
	if d.account.Generation.Can.List == "none" {
		return fmt.Sprintf("%s cannot list agents: without a state, the next run would create the agent again", d.account.Vendor.Title)
	}
	return ""
}
