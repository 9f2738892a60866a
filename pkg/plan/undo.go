package plan

import (
	"fmt"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/schema"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// Undo turns the snapshots of a run into agents to plan: each as it was before that run, as far as agentsync manages it. Fields that it
// does not manage it did not change; secrets are not in a snapshot and stay as they are, which a warning says. The plan that is made of
// them is subject to every gate.
func Undo(snapshots []state.Snapshot, entries map[string]state.Entry, accounts map[string]*Account) ([]*Agent, spec.Problems) {
	var agents []*Agent
	var problems spec.Problems
	for _, s := range snapshots {
		provider, name, _ := strings.Cut(s.Address, "/")
		account := accounts[provider]
		at := spec.Pos{File: s.Address}
		if account == nil || account.Type() != s.Type {
			problems = append(problems, spec.Problem{Pos: at, Message: fmt.Sprintf("the snapshot is of an account of type %s, which is not here", s.Type),
				Hint: "run undo where the manifests with its Provider document are"})
			continue
		}
		t, record := account.Generation.Schema().Type(), entries[s.Address].Record
		config, hidden := before(t, s, record)
		if len(hidden) > 0 {
			problems = append(problems, spec.Problem{Pos: at, Warning: true,
				Message: fmt.Sprintf("not put back, since a snapshot holds no secrets: %q", hidden)})
		}
		declared := &spec.Agent{Name: name, Provider: provider, Update: "auto", Protect: record.Protect}
		agents = append(agents, &Agent{Agent: declared, Account: account, Config: schema.Config{Object: config},
			Leave: unmentioned(t, "", record.Applied, config)})
	}
	return agents, problems
}

// before returns what of a snapshot is to be put back, for a deleted agent every writable field, else the fields that the state
// knows to be managed; and the pointers of those that cannot be.
func before(t *diff.Type, s state.Snapshot, record state.Record) (config diff.Object, hidden []diff.Pointer) {
	config = diff.Object{}
	if record.ID == "" {
		for name, v := range s.Config {
			if field := t.Field(name); field != nil && !field.ReadOnly && !field.WriteOnly && !diff.IsEmpty(v) {
				config[name] = v
			}
		}
	} else {
		config = managed(t, record.Applied, s.Config)
	}
	hidden = slices.Concat(state.SealedPaths(config), state.SealedPaths(record.Applied))
	slices.Sort(hidden)
	hidden = slices.Compact(hidden)
	return diff.Without(config, hidden), hidden
}

// unmentioned lists the pointers of what applied holds and config does not: an undo leaves it as it is, and still managed.
func unmentioned(t *diff.Type, at diff.Pointer, applied, config diff.Object) (list []diff.Pointer) {
	for _, name := range diff.Keys(applied) {
		path := at.Child(name)
		value, there := config[name]
		inner, isObject := applied[name].(diff.Object)
		under, both := value.(diff.Object)
		if field := t.Field(name); isObject && both && (field == nil || !field.Whole) {
			list = append(list, unmentioned(field, path, inner, under)...)
		} else if !there {
			list = append(list, path)
		}
	}
	return list
}

// managed returns the live values of the fields that applied holds; what was not there before is left out, for it cannot be unset.
func managed(t *diff.Type, applied, live diff.Object) diff.Object {
	config := diff.Object{}
	for name, was := range applied {
		field, now := t.Field(name), live[name]
		if now == nil || (field != nil && (field.WriteOnly || field.CreateOnly || (field.Items != nil && field.Items.File))) {
			continue
		}
		inner, isObject := was.(diff.Object)
		under, hasObject := now.(diff.Object)
		if isObject && hasObject && (field == nil || !field.Whole) && !state.IsSealed(was) {
			if part := managed(field, inner, under); len(part) > 0 {
				config[name] = part
			}
			continue
		}
		config[name] = now
	}
	return config
}
