package providertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// unknownField is a field that no vendor documents.
const unknownField = "x_not_documented"

// keepsUnknown checks that a field which the schema does not know is read and outlives an update.
func keepsUnknown(t *testing.T, s Subject) {
	x := s.open(t)
	l := x.create(x.desired(s.Desired))
	x.Patch(l.ID, map[string]any{unknownField: "kept"})
	l = x.get(l.ID)
	if l.Config[unknownField] != "kept" {
		t.Errorf("get does not return the field: %v", l.Config[unknownField])
	}
	e := s.Edits[0]
	declared := diff.Object{}
	e.Field.Set(declared, e.Value)
	l = x.update(x.change(l, nil, x.desired(declared)))
	if l.Config[unknownField] != "kept" || x.Raw(l.ID)[unknownField] != "kept" {
		t.Errorf("the field did not outlive an update: live %v, raw %v", l.Config[unknownField], x.Raw(l.ID)[unknownField])
	}
}

// isPure checks that Create, Update and Delete send nothing, leave their input alone and always say the same.
func isPure(t *testing.T, s Subject) {
	x := s.open(t)
	l := x.create(x.desired(s.Desired))
	declared := diff.Object{}
	for _, e := range s.Edits {
		e.Field.Set(declared, diff.Clone(e.Value))
	}
	fresh := providers.Change{Desired: x.desired(s.Desired), Update: "auto"}
	change := x.change(l, nil, x.desired(declared))
	x.wire.forget()
	for name, plan := range map[string]func(providers.Change) providers.Write{
		"create": func(c providers.Change) providers.Write { c.Live = providers.Live{}; return x.Create(c) },
		"update": x.Update,
		"delete": func(c providers.Change) providers.Write { return x.Delete(c.Live) },
	} {
		c := change
		if name == "create" {
			c = fresh
		}
		desired, config := diff.Clone(c.Desired), diff.Clone(c.Live.Config)
		first := plan(c)
		for _, r := range first.Requests {
			if !slices.IsSorted(r.Fields) {
				t.Errorf("%s: the Fields of %s %s are not sorted: %v", name, r.Method, r.Path, r.Fields)
			}
		}
		if !reflect.DeepEqual(desired, diff.Clone(c.Desired)) || !reflect.DeepEqual(config, diff.Clone(c.Live.Config)) {
			t.Errorf("%s changes its input", name)
		}
		if second := plan(c); !reflect.DeepEqual(asData(first), asData(second)) {
			t.Errorf("%s says something else the second time:\n%+v\n%+v", name, first, second)
		}
	}
	if sent := x.wire.sent(); len(sent) != 0 {
		t.Errorf("sent %v", sent)
	}
}

// asData returns w without the functions that open files, which cannot be compared.
func asData(w providers.Write) providers.Write {
	requests := append([]providers.Request(nil), w.Requests...)
	for i := range requests {
		form := append([]rest.Part(nil), requests[i].Form...)
		for j := range form {
			form[j].Open = nil
		}
		requests[i].Form = form
	}
	w.Requests = requests
	return w
}

// deletes checks that a deleted agent is gone, or where the vendor has no delete, that the provider says so.
func deletes(t *testing.T, s Subject) {
	x := s.open(t)
	l, other := x.create(x.desired(s.Desired)), x.create(x.desired(s.Desired))
	x.wire.forget()
	w := x.Delete(l)
	if x.generation.Can.Delete == "none" {
		if len(w.Requests) != 0 || len(w.Findings) != 1 || w.Findings[0].Severity != providers.Blocking {
			t.Fatalf("the vendor has no delete, but: %+v", w)
		}
		return
	}
	x.checkWrite(w)
	if len(w.Requests) != 1 {
		t.Fatalf("delete: %d requests", len(w.Requests))
	}
	if _, err := x.Send(context.Background(), w.Requests[0]); err != nil {
		t.Fatalf("delete: %v", err)
	}
	if gone, err := x.Get(context.Background(), l.ID); !errors.Is(err, rest.ErrNotFound) && !gone.Gone {
		t.Errorf("after the delete: %+v, %v", gone, err)
	}
	x.get(other.ID)
}
