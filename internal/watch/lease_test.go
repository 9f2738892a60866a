package watch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/internal/watch"
	"agentsync.dev/agentsync/pkg/state"
)

// elects gives a rig a lease.
func (r *rig) elects(holder string) {
	r.t.Helper()
	lease, err := r.options.Book.Lease(state.LeaseRequest{Holder: holder, TTL: 15 * time.Second, Clock: r.options.Clock})
	if err != nil {
		r.t.Fatal(err)
	}
	r.options.Lease = lease
}

// steal puts a lease into the store, whoever holds it.
func (r *rig) steal(text string) {
	r.t.Helper()
	item, err := r.store.Get(r.t.Context(), "lease.json")
	if err == nil {
		_, err = r.store.Replace(r.t.Context(), "lease.json", []byte(text), item.Version)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (h *hand) poked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pokes
}

// A round that was planned in one term writes nothing in a later one: another led in between.
func TestWatchWritesNothingOfAnEarlierTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.elects("first")
		r.write(map[string]string{"a.yaml": voicy("a", "one")})
		r.start()
		after(3 * time.Second)
		r.show("")
		after(time.Minute)
		r.wantWrites(1)
		r.vendor.Fault(sandbox.Fault{Method: "GET", Kind: sandbox.FaultSlow, For: 10 * time.Second})
		r.write(map[string]string{"a.yaml": voicy("a", "two")})
		r.show("")
		after(12 * time.Second) // it is planned, and is read again before the write
		r.steal(`{"holder": "other", "epoch": 2, "nonce": "theirs", "beat": 0, "ttl": 15000000000}`)
		after(4 * time.Second)
		r.steal(`{"holder": "", "epoch": 2, "nonce": "", "beat": 1, "ttl": 15000000000}`)
		after(3 * time.Second)
		if epoch, err := r.options.Lease.Term(); err != nil || epoch != 3 {
			t.Fatalf("it does not lead again: %d, %v", epoch, err)
		}
		after(5 * time.Second)
		r.wantWrites(0)
		runs := r.status().Runs
		if len(runs) == 0 || len(runs[0].Results) != 1 || !strings.Contains(runs[0].Results[0].Error, "epoch 1, now 3") {
			t.Errorf("the round of the earlier term ended as %+v", runs[0])
		}
		after(time.Minute) // the new term does the work
		r.wantWrites(1)
		r.end()
	})
}

// What asks a standby to fetch makes the leader fetch, too.
func TestWatchPassesAFetchOnToTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newRig(t)
		second := rigOver(t, first.vendor, first.store)
		for i, r := range []*rig{first, second} {
			r.elects(fmt.Sprint(i))
			r.start()
			after(3 * time.Second)
		}
		for range 3 {
			second.watcher.Fetch()
		}
		after(5 * time.Second)
		if a, b := first.source.poked(), second.source.poked(); a != 1 || b != 3 {
			t.Errorf("the leader was poked %d times, the standby %d times; want 1 and 3", a, b)
		}
		first.watcher.Fetch()
		after(5 * time.Second)
		if a, b := first.source.poked(), second.source.poked(); a != 2 || b != 3 {
			t.Errorf("asked of the leader: the leader was poked %d times, the standby %d times; want 2 and 3", a, b)
		}
		first.end()
		second.end()
	})
}

// tar is a state whose records cannot be written for a while: each write takes very long, whatever its context says.
type tar struct {
	state.Store
	stuck atomic.Bool
}

func (s *tar) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	if s.stuck.Load() && strings.HasPrefix(key, "state/") {
		time.Sleep(10 * time.Minute)
		return "", errors.New("no answer")
	}
	return s.Store.Replace(ctx, key, data, version)
}

// A store that does not answer must not keep a watcher from ending within its grace, and the lease is not given back over a round that still writes.
func TestWatchEndsWhereTheStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor, err := sandbox.New(sandbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		store := &tar{Store: &state.Memory{}}
		r := rigOver(t, vendor, store)
		r.elects("first")
		r.options.Grace = 5 * time.Second
		r.write(map[string]string{"a.yaml": voicy("a", "one")})
		r.start()
		after(3 * time.Second)
		r.show("")
		after(time.Minute)
		store.stuck.Store(true)
		r.write(map[string]string{"a.yaml": voicy("a", "two")})
		r.show("")
		after(3 * time.Second)
		began := time.Now()
		close(r.stop)
		if err := <-r.done; !errors.Is(err, watch.ErrCutShort) {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("it took %s to stop", took)
		}
		if l, err := store.Get(t.Context(), "lease.json"); err != nil || !strings.Contains(string(l.Data), `"holder": "first"`) {
			t.Errorf("the lease was given back: %s (%v)", l.Data, err)
		}
		after(time.Hour)
	})
}
