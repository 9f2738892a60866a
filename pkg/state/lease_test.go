package state_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/state"
)

const leaseTTL = 15 * time.Second

func newLease(t *testing.T, b *state.Book, holder string, c *fakeClock) *state.Lease {
	t.Helper()
	l, err := b.Lease(state.LeaseRequest{Holder: holder, TTL: leaseTTL, Clock: c.clock()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func step(t *testing.T, l *state.Lease) time.Duration {
	t.Helper()
	again, err := l.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func wantLeader(t *testing.T, l *state.Lease, want bool) {
	t.Helper()
	if err := l.Guard(); (err == nil) != want || (err != nil && !errors.Is(err, state.ErrNotLeader)) {
		t.Errorf("guard of %+v says %v", l.Info(), err)
	}
}

func TestLeaseHasOneHolderAndPassesOn(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	first, second := newLease(t, b, "first", c), newLease(t, b, "second", c)
	step(t, first)
	wantLeader(t, first, true)
	step(t, second)
	wantLeader(t, second, false)
	if info := second.Info(); info.Holder != "first" || info.Epoch != 1 {
		t.Errorf("the second sees %+v", info)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantLeader(t, first, false)
	step(t, second)
	wantLeader(t, second, true)
	if info := second.Info(); info.Holder != "second" || info.Epoch != 2 {
		t.Errorf("after the release: %+v", info)
	}
}

func TestLeaseIsTakenOverWithinItsTime(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	leader, standby := newLease(t, b, "leader", c), newLease(t, b, "standby", c)
	step(t, leader)
	again := step(t, standby)
	for range 20 { // the leader lives: nothing happens
		_ = c.Sleep(t.Context(), again)
		step(t, leader)
		again = step(t, standby)
		wantLeader(t, standby, false)
	}
	died := c.Now()
	for standby.Guard() != nil {
		if c.Now().Sub(died) > leaseTTL {
			t.Fatalf("not taken over after %s", c.Now().Sub(died))
		}
		_ = c.Sleep(t.Context(), again)
		again = step(t, standby)
	}
	wantLeader(t, leader, false)
	// The old leader wakes up: it sees who leads and stays behind.
	step(t, leader)
	wantLeader(t, leader, false)
	if info := leader.Info(); info.Holder != "standby" || info.Epoch != 2 {
		t.Errorf("the old leader sees %+v", info)
	}
}

func TestLeaseOfADeadProcessIsTakenAtOnce(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	dead, err := b.Lease(state.LeaseRequest{Holder: "dead", Process: "7", TTL: leaseTTL, Clock: c.clock()})
	if err != nil {
		t.Fatal(err)
	}
	step(t, dead)
	next, err := b.Lease(state.LeaseRequest{Holder: "next", TTL: leaseTTL, Clock: c.clock(), Dead: func(p string) bool { return p == "7" }})
	if err != nil {
		t.Fatal(err)
	}
	step(t, next)
	wantLeader(t, next, true)
}

func TestLeaseEndsWithTheStore(t *testing.T) {
	store := &unsteady{Store: &state.Memory{}}
	c := newClock()
	l := newLease(t, state.NewBook(store), "leader", c)
	step(t, l)
	store.fail = func(string) error { return errors.New("the store is away") }
	if _, err := l.Step(t.Context()); err == nil {
		t.Error("an error of the store is not told")
	}
	wantLeader(t, l, true)
	_ = c.Sleep(t.Context(), leaseTTL*6/10)
	wantLeader(t, l, false)
	store.fail = nil
	step(t, l)
	wantLeader(t, l, true) // nobody took it
	if info := l.Info(); info.Epoch != 2 {
		t.Errorf("a new term without a new epoch: %+v", info)
	}
}

func TestLeaseWhoseRenewalsAnswerWasLost(t *testing.T) {
	store := &unsteady{Store: &state.Memory{}}
	c := newClock()
	l := newLease(t, state.NewBook(store), "leader", c)
	step(t, l)
	store.lose = true
	if _, err := l.Step(t.Context()); err == nil {
		t.Error("a lost answer is not told")
	}
	store.lose = false
	_ = c.Sleep(t.Context(), leaseTTL/5)
	step(t, l)
	wantLeader(t, l, true)
	if info := l.Info(); info.Epoch != 1 {
		t.Errorf("it is still the first term: %+v", info)
	}
}

// unsteady is a store that fails, or loses the answers of its writes.
type unsteady struct {
	state.Store
	fail func(op string) error
	lose bool
}

func (u *unsteady) Get(ctx context.Context, key string) (state.Item, error) {
	if u.fail != nil {
		if err := u.fail("get"); err != nil {
			return state.Item{}, err
		}
	}
	return u.Store.Get(ctx, key)
}

func (u *unsteady) Create(ctx context.Context, key string, data []byte) (string, error) {
	return u.write("create", func() (string, error) { return u.Store.Create(ctx, key, data) })
}

func (u *unsteady) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	return u.write("replace", func() (string, error) { return u.Store.Replace(ctx, key, data, version) })
}

func (u *unsteady) write(op string, carryOut func() (string, error)) (string, error) {
	if u.fail != nil {
		if err := u.fail(op); err != nil {
			return "", err
		}
	}
	version, err := carryOut()
	if u.lose && err == nil {
		return "", errors.New("the answer was lost")
	}
	return version, err
}

// TestLeaseNeverHasTwoHolders lets several processes pause, fail and lose answers at random: at no time may two of them think that they may
// write, and an epoch belongs to one holder.
func TestLeaseNeverHasTwoHolders(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			store := &unsteady{Store: &state.Memory{}}
			book, c := state.NewBook(store), newClock()
			var all []*state.Lease
			due := map[*state.Lease]time.Time{}
			for i := range 3 {
				l := newLease(t, book, fmt.Sprint(i), c)
				all, due[l] = append(all, l), c.Now()
			}
			epochs := map[int64]string{}
			held := 0
			for range 500 {
				_ = c.Sleep(t.Context(), time.Duration(r.IntN(1000))*time.Millisecond)
				for _, l := range all {
					if c.Now().Before(due[l]) || r.IntN(10) == 0 {
						continue
					}
					if r.IntN(5) == 0 {
						l.Ask()
					}
					store.fail, store.lose = nil, r.IntN(8) == 0
					if r.IntN(8) == 0 {
						store.fail = func(string) error { return errors.New("away") }
					}
					again, _ := l.Step(t.Context())
					due[l] = c.Now().Add(again)
					if r.IntN(20) == 0 {
						due[l] = due[l].Add(time.Duration(r.IntN(40)) * time.Second) // it is paused
					}
				}
				leaders := 0
				for _, l := range all {
					if l.Guard() != nil {
						continue
					}
					leaders++
					info := l.Info()
					if other, taken := epochs[info.Epoch]; taken && other != info.Holder {
						t.Fatalf("epoch %d belongs to %s and %s", info.Epoch, other, info.Holder)
					}
					epochs[info.Epoch] = info.Holder
					if term, err := l.Term(); err != nil || term != info.Epoch {
						t.Fatalf("term %d (%v) of a lease with epoch %d", term, err, info.Epoch)
					}
				}
				if leaders > 1 {
					t.Fatal("two hold the lease")
				}
				held += leaders
			}
			if held == 0 {
				t.Error("nobody ever held it")
			}
		})
	}
}

func TestLeasePassesWishesOn(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	leader, standby := newLease(t, b, "leader", c), newLease(t, b, "standby", c)
	standby.Ask() // nobody leads: there is nobody to ask
	step(t, leader)
	step(t, standby)
	step(t, leader)
	if n := leader.Wishes(); n != 1 {
		t.Fatalf("%d wishes came, want 1", n)
	}
	step(t, standby)
	step(t, leader)
	if n := leader.Wishes(); n != 1 {
		t.Errorf("a wish is told of again: %d", n)
	}
	standby.Ask()
	standby.Ask()
	step(t, standby)
	if err := leader.Release(t.Context()); err != nil { // over a wish that it has not seen
		t.Fatal(err)
	}
	step(t, standby)
	wantLeader(t, standby, true)
	if n := standby.Wishes(); n != 0 {
		t.Errorf("a new leader tells of its own wish: %d", n)
	}
	step(t, leader)
	if n := leader.Wishes(); n != 1 {
		t.Errorf("a standby tells of wishes: %d", n)
	}
}

// A wish is no sign of the holder's life: one that is gone is followed in time, however often somebody asks.
func TestWishesDoNotDelayATakeover(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	leader, standby, third := newLease(t, b, "leader", c), newLease(t, b, "standby", c), newLease(t, b, "third", c)
	step(t, leader)
	step(t, standby)
	died := c.Now()
	for standby.Guard() != nil {
		if c.Now().Sub(died) > leaseTTL {
			t.Fatalf("not taken over after %s", c.Now().Sub(died))
		}
		if c.Now().Sub(died) < leaseTTL/2 {
			third.Ask()
			step(t, third)
		}
		standby.Ask()
		_ = c.Sleep(t.Context(), step(t, standby))
	}
	wantLeader(t, leader, false)
}

// A lease that a person deletes still holds, for the holder that has not noticed.
func TestDeletedLeaseIsNotTakenAtOnce(t *testing.T) {
	store := &state.Memory{}
	b, c := state.NewBook(store), newClock()
	leader, standby := newLease(t, b, "leader", c), newLease(t, b, "standby", c)
	step(t, leader)
	step(t, standby)
	item, err := store.Get(t.Context(), "lease.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), "lease.json", item.Version); err != nil {
		t.Fatal(err)
	}
	gone := c.Now()
	for standby.Guard() != nil {
		again := step(t, standby)
		if leader.Guard() == nil && standby.Guard() == nil {
			t.Fatal("two hold the lease")
		}
		if c.Now().Sub(gone) > leaseTTL {
			t.Fatal("nobody takes a lease that was deleted")
		}
		_ = c.Sleep(t.Context(), again)
	}
	if epoch, err := standby.Term(); err != nil || epoch != 2 {
		t.Errorf("epoch %d (%v): it went back", epoch, err)
	}
}

func TestLockOfAnEarlierEpochIsTakenOver(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	early := request("early", c, 0)
	early.Epoch = 3
	held := takeLock(t, b, early)
	same := request("same", c, 0)
	same.Epoch = 3
	_, err := b.Lock(t.Context(), same)
	wantIs(t, err, state.ErrLocked)
	_, err = b.Lock(t.Context(), request("pipeline", c, 0))
	wantIs(t, err, state.ErrLocked)
	late := request("late", c, 0)
	late.Epoch = 4
	takeLock(t, b, late)
	wantIs(t, held.Renew(t.Context()), state.ErrLockLost)
}
