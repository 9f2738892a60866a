package plan

import (
	"fmt"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// unbound decides an agent that nothing binds to a live one: it is adopted, found again after an interrupted create, or
// created.
func (d *decider) unbound() {
	pending := d.entry.Record.Pending != nil
	canList := d.account.Generation.Can.List != "none"
	switch {
	case len(d.seen.candidates) > 1:
		var ids []string
		for _, c := range d.seen.candidates {
			ids = append(ids, c.ID)
		}
		d.block(providers.CodeAmbiguous, fmt.Sprintf("%d live agents are named %q: %s", len(ids), d.name(), strings.Join(ids, ", ")), "")
	case len(d.seen.candidates) == 1 && pending:
		d.found()
	case len(d.seen.candidates) == 1:
		d.adopt()
	case pending && !canList:
		d.block(providers.CodePending, fmt.Sprintf("the create of run %s may have been carried out, and %s cannot list agents",
			d.entry.Record.Pending.Run, d.account.Vendor.Title),
			fmt.Sprintf("look in the vendor's dashboard, then `agentsync state bind %s ID` or `agentsync state rm %s`", d.address, d.address))
	case d.seen.odd != "":
		d.block(providers.CodeOddList, d.seen.odd+"; nothing is created on its word", "")
	case d.opt.Bases != nil && !d.target.known && d.mayExist() != "":
		d.block(providers.CodeMayExist, d.mayExist(), "")
	default:
		d.create()
	}
}

// found takes up the agent that an interrupted create left: no agent had this name before, or the create would not have begun.
func (d *decider) found() {
	live := d.seen.live
	if d.archived(live) {
		return
	}
	var base diff.Object
	d.resumed(live, &base)
	d.compare(live, base)
	// Also without a difference there is something to record: the id.
	d.change.Action = Update
	d.change.Reason = "finishes an interrupted create"
	if len(d.work.Change.Fields) > 0 {
		d.write(d.account.Provider.Update(d.work.Change))
	}
}

func (d *decider) adopt() {
	live := d.seen.live
	if d.archived(live) {
		return
	}
	d.change.Action = Adopt
	d.compare(live, nil)
	if len(d.work.Change.Fields) > 0 {
		d.write(d.account.Provider.Update(d.work.Change))
	}
	message := fmt.Sprintf("the live agent %s has the name %q and is not managed yet", live.ID, live.Name)
	if d.opt.Adopt {
		d.warn(providers.CodeAdopt, message, "it is adopted, as --adopt says")
		return
	}
	d.block(providers.CodeAdopt, message, "")
}

func (d *decider) create() {
	t := d.types()
	d.change.Action = Create
	desired := diff.Without(d.agent.Config.Object, d.ignored())
	d.work.Fields = diff.Compare(t, nil, nil, desired, diff.Options{})
	for i := range d.work.Fields {
		d.work.Fields[i].Op, d.work.Fields[i].Origin = diff.Add, diff.FromManifest
	}
	d.work.Secret = secrets(t, d.agent.Config.Sensitive, nil, nil, desired)
	d.work.Change = providers.Change{Desired: d.agent.named(desired), Fields: d.work.Fields, Update: d.agent.Update, Files: d.agent.Files}
	if missing := lacking(t.RequiredOnCreate, desired); len(missing) > 0 {
		d.block(providers.CodeCreateRequired, fmt.Sprintf("no live agent is bound, and a create needs %s", strings.Join(missing, ", ")),
			"declare them in spec.config, or bind a live agent with spec.id or `agentsync state bind`")
		return
	}
	d.write(d.account.Provider.Create(d.work.Change))
}

// lacking returns the required names that doc does not have.
func lacking(required []string, doc diff.Object) []string {
	var missing []string
	for _, name := range required {
		if _, there := doc[name]; !there {
			missing = append(missing, name)
		}
	}
	return missing
}
