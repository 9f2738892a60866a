package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
)

// decider decides one target from what was seen of it.
type decider struct {
	*target
	seen seen
	opt  Options
	// policy is the drift policy in force for this agent.
	policy spec.DriftPolicy
	change Change
	work   *Work
}

// decide says what happens to a declared agent. Pure.
func decide(t *target, s seen, opt Options) Change {
	d := &decider{target: t, seen: s, opt: opt, policy: opt.policy(t.agent)}
	d.work = &Work{Account: t.account, Agent: t.agent, Entry: t.entry, Policy: d.policy, Listed: s.listed}
	d.change = Change{Address: t.address, Provider: t.account.Name, Action: None, ID: t.id(), Work: d.work}
	if t.agent != nil && t.agent.Pos.Line > 0 {
		d.change.Manifest = fmt.Sprintf("%s:%d", t.agent.Pos.File, t.agent.Pos.Line)
	}
	switch {
	case s.err != nil:
		d.unread(s.err)
	case s.unmoved != "":
		d.notRead()
	case t.agent == nil:
		d.remove()
	case t.id() != "":
		d.bound(s.live)
	default:
		d.unbound()
	}
	d.finish()
	return d.change
}

func (d *decider) warn(code, message, hint string) {
	d.change.Findings = append(d.change.Findings, providers.NewWarning(code, message, hint))
}

func (d *decider) block(code, message, hint string) {
	d.change.Findings = append(d.change.Findings, providers.NewBlocking(code, message, hint))
}

// unread reports an agent that could not be read. Only a 404 on the agent itself means that it is gone, and even that never
// leads to a create: whoever knows why it is gone decides.
func (d *decider) unread(err error) {
	d.work.Err = err
	switch {
	case errors.Is(err, rest.ErrNotFound) && d.agent == nil:
		d.change.Action = Delete
		d.change.Reason = "it is gone at the vendor already: only the state forgets it"
		d.work.Err = nil
	case errors.Is(err, rest.ErrNotFound) && d.agent.ID != "":
		d.block(providers.CodeGone, fmt.Sprintf("%s has no agent %s", d.account.Vendor.Title, d.id()),
			"take spec.id out of the manifest to create it, or bind another agent")
	case errors.Is(err, rest.ErrNotFound):
		d.block(providers.CodeGone, fmt.Sprintf("%s has no agent %s any more", d.account.Vendor.Title, d.id()),
			fmt.Sprintf("`agentsync state rm %s` to create it again", d.address))
	default:
		d.block(providers.CodeUnreadAgent, err.Error(), cmp.Or(hintOf(err), d.readHint(err)))
	}
}

// readHint says what helps against a read that failed.
func (d *decider) readHint(err error) string {
	switch {
	case errors.Is(err, rest.ErrAuth):
		return fmt.Sprintf("check the credentials of the account %s: `agentsync providers %s` names its settings", d.account.Name, d.account.Vendor.Name)
	case errors.Is(err, rest.ErrUnavailable):
		return "plan again later; check the account's base URL if it stays so"
	}
	return "-v shows the requests; `agentsync providers " + d.account.Vendor.Name + "` names the account's settings"
}

// hintOf returns the hint that err carries, if it carries one.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// bound decides an agent that a manifest or the state binds to a live one.
func (d *decider) bound(live providers.Live) {
	if d.archived(live) {
		return
	}
	base := d.base()
	if pending := d.entry.Record.Pending; pending != nil {
		d.resumed(live, &base)
	}
	d.compare(live, base)
	if len(d.work.Change.Fields) > 0 {
		d.change.Action = Update
		d.write(d.account.Provider.Update(d.work.Change))
	}
}

func (d *decider) archived(live providers.Live) bool {
	switch {
	case live.Gone:
		d.block(providers.CodeArchived, fmt.Sprintf("agent %s is archived or deleted at %s", live.ID, d.account.Vendor.Title),
			fmt.Sprintf("restore it in the vendor's dashboard, or `agentsync state rm %s` to create a new one", d.address))
	case live.Locked != "":
		d.block(providers.CodeLocked, live.Locked, "")
	default:
		return false
	}
	return true
}

// resumed takes the live agent of an unfinished create for the base of its comparison: agentsync made it, and nobody had its
// id, so what is live is what the create left.
func (d *decider) resumed(live providers.Live, base *diff.Object) {
	if *base == nil {
		*base = diff.Project(d.types(), live.Config, d.agent.Config.Object)
		forgetUnreadable(d.types(), *base)
		diff.KeepUnreadable(d.types(), *base, nil, true)
	}
	d.warn(providers.CodeResumed, fmt.Sprintf("the create of run %s was interrupted; it is finished now", d.entry.Record.Pending.Run), "")
}

// forgetUnreadable takes what cannot be read out of a base that was projected from a read: it holds only what is wanted.
func forgetUnreadable(t *diff.Type, base diff.Object) {
	for name, field := range t.Fields {
		if inner, isObject := base[name].(diff.Object); isObject && !field.Whole {
			forgetUnreadable(field, inner)
		} else if field.WriteOnly {
			delete(base, name)
		}
	}
}

func (d *decider) types() *diff.Type { return d.account.Generation.Schema().Type() }

// compare fills work with the differences and with the change that is to be made of them.
func (d *decider) compare(live providers.Live, base diff.Object) {
	t := d.types()
	declared := diff.Without(d.agent.Config.Object, d.ignored())
	desired := diff.Complete(t, live.Config, declared)
	shown := reveal(base, live.Config, desired)
	skip := append(d.unreadable(live, desired), d.agent.Leave...)
	fields := diff.Compare(t, shown, live.Config, desired, diff.Options{Ignore: d.ignored(), Skip: append(skip, createOnly(t)...)})
	fields = d.files(fields, live, desired)
	d.work.Fields = fields
	d.work.Secret = secrets(t, slices.Concat(d.agent.Config.Sensitive, d.past().Sensitive), base, live.Config, desired)
	d.remember(live.Config, desired)
	kept, left := d.sort(fields)
	d.work.Left = slices.Concat(left, skip)
	d.work.Change = providers.Change{
		ID: live.ID, Live: live, Base: shown, Fields: kept, Update: d.agent.Update, Files: d.known(),
		Desired: d.agent.named(diff.Without(desired, d.work.Left)), AcceptReset: pointers(d.agent.AcceptReset),
	}
	d.change.ID = live.ID
}

// ignored are the pointers that the manifest says are never compared and never sent.
func (d *decider) ignored() []diff.Pointer { return pointers(d.agent.Ignore) }

func pointers(texts []string) []diff.Pointer {
	list := make([]diff.Pointer, len(texts))
	for i, s := range texts {
		list[i] = diff.Pointer(s)
	}
	return list
}

// createOnly are the fields that an update neither compares nor sends.
func createOnly(t *diff.Type) []diff.Pointer {
	var list []diff.Pointer
	for name, field := range t.Fields {
		if field.CreateOnly {
			list = append(list, diff.Pointer("").Child(name))
		}
	}
	return list
}

// unreadable blocks declared fields whose live value could not be decoded: what cannot be read is never overwritten.
func (d *decider) unreadable(live providers.Live, desired diff.Object) []diff.Pointer {
	var skip []diff.Pointer
	for p, why := range live.Unreadable {
		if _, declared := p.Get(desired); declared {
			skip = append(skip, p)
			d.block(providers.CodeUnreadable, fmt.Sprintf("%s: %s", p, why), "")
		}
	}
	return skip
}

// sort reports what is special about each field, and returns those to be carried out and the pointers of those left alone.
func (d *decider) sort(fields []diff.Field) (kept []diff.Field, left []diff.Pointer) {
	for _, f := range fields {
		switch {
		case f.Origin == diff.Released:
			d.warn(providers.CodeReleased, fmt.Sprintf("%s is no longer declared and stays as it is", f.Path), "")
			continue
		case f.Origin != diff.FromManifest && d.policy == spec.DriftIgnore:
			d.warn(providers.CodeDriftIgnored, fmt.Sprintf("%s differs and is left as it is live (drift: ignore)", f.Path), "")
			left = append(left, f.Path)
			continue
		case f.Origin == diff.Drift:
			d.warn(providers.CodeDrift, fmt.Sprintf("%s was changed outside agentsync", f.Path), d.waysOn())
		case f.Origin == diff.Conflict:
			d.warn(providers.CodeConflict, fmt.Sprintf("%s was changed in the manifest and outside agentsync", f.Path), d.waysOn())
		case f.Origin == diff.Unknown:
			d.warn(providers.CodeUnknown, fmt.Sprintf("%s differs, and nothing says who wrote the live value", f.Path), d.waysOn())
		}
		if f.Type != nil && f.Type.Immutable {
			d.block(providers.CodeImmutable, fmt.Sprintf("%s cannot change after the create", f.Path), "")
		}
		kept = append(kept, f)
	}
	return kept, left
}

// waysOn is the hint for values that agentsync did not write: "" stands for the code's own, which names the ways on.
func (d *decider) waysOn() string {
	if d.policy == spec.DriftOverwrite {
		return "`drift: overwrite` puts the manifest's value back"
	}
	return ""
}

// write takes a vendor's answer over into the change.
func (d *decider) write(w providers.Write) {
	d.work.Write = w
	d.change.Requests, d.change.Carried, d.change.Reset = requests(w.Requests), w.Carried, w.Reset
	if w.Reason != "" {
		d.change.Reason = w.Reason
	}
	d.change.Findings = append(d.change.Findings, w.Findings...)
}

func requests(list []providers.Request) []Request {
	shown := make([]Request, len(list))
	for i, r := range list {
		shown[i] = Request{Method: r.Method, Path: r.Path, Fields: r.Fields}
	}
	return shown
}

// remove decides an orphan that is to be pruned.
func (d *decider) remove() {
	live := d.seen.live
	d.change.Action, d.change.ID = Delete, live.ID
	d.work.Change = providers.Change{ID: live.ID, Live: live}
	d.work.Secret = secrets(d.types(), nil, d.entry.Record.Applied, live.Config, nil)
	d.change.Reason = "no manifest declares it"
	if live.Gone {
		d.change.Reason = "it is archived or deleted at the vendor already: only the state forgets it"
		return
	}
	d.write(d.account.Provider.Delete(live))
	if d.entry.Record.Protect {
		d.block(providers.CodeProtected, "it was applied with `protect: true`", "")
	}
}

// suspended reports whether the manifest stops apply for this agent at the time now.
func suspended(a *Agent, now time.Time) bool {
	return a != nil && a.Suspend != nil && (a.Suspend.Until.IsZero() || now.Before(a.Suspend.Until))
}

// finish fills what every change has.
func (d *decider) finish() {
	c := &d.change
	if c.Action != None && suspended(d.agent, d.opt.Now) {
		message := "the manifest suspends this agent"
		if d.agent.Suspend.Reason != "" {
			message += ": " + d.agent.Suspend.Reason
		}
		d.block(providers.CodeSuspended, message, "")
	}
	c.Fields = d.show()
	if c.Action != None && d.work.Err == nil {
		c.Precondition = d.precondition()
	}
	c.Requests, c.Carried, c.Reset = orEmpty(c.Requests), orEmpty(c.Carried), orEmpty(c.Reset)
	slices.SortStableFunc(c.Findings, func(a, b providers.Finding) int {
		return strings.Compare(a.Code+" "+a.Message, b.Code+" "+b.Message)
	})
	c.Findings = orEmpty(c.Findings)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
