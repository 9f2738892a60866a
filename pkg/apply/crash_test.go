package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/state"
)

var errDead = errors.New("the process is dead")

// killer ends a run at one of its steps, as SIGKILL would: from there on nothing leaves the process any more. A step is a request or a
// state write; each has a moment before it and one after it, when it is done and nobody learns of it.
type killer struct {
	at    int64 // the moment to die at; 0 means never
	count atomic.Int64
	dead  atomic.Bool
}

// step does something outside the process, unless the process is dead or dies.
func (k *killer) step(do func()) error {
	if k.dead.Load() {
		return errDead
	}
	if k.count.Add(1) == k.at {
		k.dead.Store(true)
		return errDead
	}
	do()
	if k.count.Add(1) == k.at || k.dead.Load() {
		k.dead.Store(true)
		return errDead
	}
	return nil
}

type mortalTransport struct {
	*killer
	next http.RoundTripper
}

func (m mortalTransport) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if dead := m.step(func() { response, err = m.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context()))) }); dead != nil {
		return nil, dead
	}
	return response, err
}

// mortalStore dies around writes; reads change nothing, so dying there is dying before the next write.
type mortalStore struct {
	*killer
	state.Store
}

func (m mortalStore) Create(ctx context.Context, key string, data []byte) (version string, err error) {
	if dead := m.step(func() { version, err = m.Store.Create(ctx, key, data) }); dead != nil {
		return "", dead
	}
	return version, err
}

func (m mortalStore) Replace(ctx context.Context, key string, data []byte, old string) (version string, err error) {
	if dead := m.step(func() { version, err = m.Store.Replace(ctx, key, data, old) }); dead != nil {
		return "", dead
	}
	return version, err
}

func (m mortalStore) Delete(ctx context.Context, key, version string) (err error) {
	if dead := m.step(func() { err = m.Store.Delete(ctx, key, version) }); dead != nil {
		return dead
	}
	return err
}

// TestKilledAtEveryStep kills a run with a create, an update and a delete before and after every request and every state write. The next runs
// converge: no duplicate, no lost id, nothing undeclared moved.
func TestKilledAtEveryStep(t *testing.T) {
	each(t, func(t *testing.T, c vendorCase) {
		c = c.quick()
		for at := int64(1); ; at++ {
			if survived := killedAt(t, c, at); survived {
				if at < 10 {
					t.Fatalf("the run has only %d moments to die at", at)
				}
				return
			}
		}
	})
}

func killedAt(t *testing.T, c vendorCase, at int64) (survived bool) {
	t.Helper()
	w := newWorld(t, sandbox.Quirks{})
	update, drop := c.manifest("update"), c.manifest("drop")
	w.mustApply("applied", []manifest{update, drop}, options{})
	wanted := []manifest{c.manifest("create"), c.manifest("update", c.edits[0])}

	k := &killer{at: at}
	store, transport := w.store, w.transport
	w.store, w.transport = mortalStore{k, store}, mortalTransport{k, transport}
	w.open()
	if p, book, err := w.tryPlan(wanted, options{prune: true}); err == nil {
		w.carryOut(p, book, options{seen: true, prune: true})
	}
	w.store, w.transport = store, transport
	w.open()

	if c.provider == "centerfy" {
		bindByHand(w, c, "create")
	}
	converge(t, w, c, wanted, fmt.Sprintf("killed at %d", at))
	return !k.dead.Load()
}

// bindByHand does what the plan tells a person to do where the vendor cannot list agents: look in the dashboard, then bind the agent or
// forget the create.
func bindByHand(w *world, c vendorCase, names ...string) {
	book := state.NewBook(w.store)
	entries, err := book.Load(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		entry, ok := entries[c.provider+"/"+name]
		if !ok || entry.Record.ID != "" {
			continue
		}
		if found := w.find(c, name); len(found) == 1 {
			entry.Record.ID = fmt.Sprint(found[0][c.idAt])
			_, err = book.Save(context.Background(), entry.Record, entry.Version)
		} else {
			err = book.Remove(context.Background(), entry.Record.Address, entry.Version)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func describe(p *plan.Plan) string {
	text := ""
	for _, c := range p.Changes {
		text += fmt.Sprintf("%s %s %v %v; ", c.Address, c.Action, c.Fields, c.Findings)
	}
	return text
}
