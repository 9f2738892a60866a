package s3_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/s3"
)

// patient is a timeout that no healthy request reaches; short is one that a hanging request costs.
const (
	patient = 10 * time.Second
	short   = time.Second
)

func timeoutFor(f fault) time.Duration {
	if f.hang {
		return short
	}
	return patient
}

// TestOneFaultIsSettled: whatever happens to the first try of a write, the write ends as if nothing had.
func TestOneFaultIsSettled(t *testing.T) {
	p := newProxy(t)
	for _, f := range everyFault() {
		t.Run(f.String(), func(t *testing.T) {
			s := p.open(t, p.address(t), timeoutFor(f))
			if err := s.Prove(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.set(once(http.MethodPut, f))
			first, err := s.Create(t.Context(), "a", []byte("one"))
			if err != nil {
				t.Fatalf("create: %v", err)
			}
			wantObject(t, s, "a", "one", first)
			p.set(once(http.MethodPut, f))
			second, err := s.Replace(t.Context(), "a", []byte("two"), first)
			if err != nil {
				t.Fatalf("replace: %v", err)
			}
			wantObject(t, s, "a", "two", second)
			p.set(once(http.MethodDelete, f))
			err = s.Delete(t.Context(), "a", second)
			if refusal := f.status == 409 || f.status == 412; refusal && f.carriedOut {
				if !errors.Is(err, state.ErrNotExist) { // it is gone, and the store denies to have done it
					t.Errorf("delete: %v", err)
				}
			} else if err != nil {
				t.Errorf("delete: %v", err)
			}
			if _, err := s.Get(t.Context(), "a"); !errors.Is(err, state.ErrNotExist) {
				t.Errorf("after the delete: %v", err)
			}
		})
	}
}

func wantObject(t *testing.T, s state.Store, key, data, version string) {
	t.Helper()
	if item, err := s.Get(t.Context(), key); err != nil || string(item.Data) != data || item.Version != version {
		t.Errorf("%s holds %q in version %q, %v; want %q in %q", key, item.Data, item.Version, err, data, version)
	}
}

// TestAnothersWriteStays: a fault does not make a write that has to fail succeed.
func TestAnothersWriteStays(t *testing.T) {
	p := newProxy(t)
	for _, f := range everyFault() {
		t.Run(f.String(), func(t *testing.T) {
			p.set(nil)
			s := p.open(t, p.address(t), timeoutFor(f))
			first, err := s.Create(t.Context(), "a", []byte("one"))
			if err != nil {
				t.Fatal(err)
			}
			second, err := s.Replace(t.Context(), "a", []byte("two"), first)
			if err != nil {
				t.Fatal(err)
			}
			p.set(once(http.MethodPut, f))
			if _, err := s.Create(t.Context(), "a", []byte("two")); !errors.Is(err, state.ErrExists) {
				t.Errorf("create: %v", err) // not even with the content that is there
			}
			p.set(once(http.MethodPut, f))
			if _, err := s.Replace(t.Context(), "a", []byte("two"), first); !errors.Is(err, state.ErrConflict) {
				t.Errorf("replace: %v", err)
			}
			p.set(once(http.MethodDelete, f))
			if err := s.Delete(t.Context(), "a", first); !errors.Is(err, state.ErrConflict) {
				t.Errorf("delete: %v", err)
			}
			wantObject(t, s, "a", "two", second)
		})
	}
}

// TestNoEndOfFaults: a write that never gets through is no success, and ends.
func TestNoEndOfFaults(t *testing.T) {
	for _, f := range everyFault() {
		if f.carriedOut {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			p := newProxy(t)
			address := p.address(t)
			s := p.open(t, address, patient)
			version, err := s.Create(t.Context(), "a", []byte("one"))
			if err != nil {
				t.Fatal(err)
			}
			healthy := s
			if f.hang {
				s = p.open(t, address, short)
				if err := s.Prove(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			p.set(always(http.MethodPut, f))
			_, err = s.Replace(t.Context(), "a", []byte("two"), version)
			if refusal := f.status == 409 || f.status == 412; err == nil || errors.Is(err, state.ErrConflict) != refusal {
				t.Errorf("replace: %v", err)
			}
			_, err = s.Create(t.Context(), "b", []byte("two"))
			if err == nil || errors.Is(err, state.ErrExists) {
				t.Errorf("create: %v", err)
			}
			p.set(always(http.MethodDelete, f))
			if err := s.Delete(t.Context(), "a", version); err == nil || errors.Is(err, state.ErrNotExist) {
				t.Errorf("delete: %v", err)
			}
			p.set(nil)
			wantObject(t, healthy, "a", "one", version)
			p.set(always(http.MethodGet, f))
			if _, err := s.Get(t.Context(), "a"); err == nil || errors.Is(err, state.ErrNotExist) {
				t.Errorf("get: %v", err)
			}
			if _, err := s.List(t.Context(), ""); err == nil {
				t.Error("list: no error")
			}
		})
	}
}

// TestSeveralWritersLoseNothing: writers add words to one object through a store that does every kind of wrong. Whatever was said to be
// written is there in the end, once.
func TestSeveralWritersLoseNothing(t *testing.T) {
	p := newProxy(t)
	address := p.address(t)
	plain := p.open(t, address, patient)
	if _, err := plain.Create(t.Context(), "words", []byte(" ")); err != nil {
		t.Fatal(err)
	}
	faults := everyFault()
	faults = slices.DeleteFunc(faults, func(f fault) bool { return f.hang })
	random := rand.New(rand.NewPCG(1, 2)) // used under the proxy's lock
	p.set(func(*http.Request) *fault {
		if random.IntN(4) > 0 {
			return nil
		}
		return &faults[random.IntN(len(faults))]
	})
	const writers, words = 4, 8
	var group sync.WaitGroup
	for w := range writers {
		s := p.open(t, address, patient)
		group.Go(func() {
			for i := range words {
				if err := addWord(t.Context(), s, fmt.Sprintf("w%d.%d", w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	p.set(nil)
	item, err := plain.Get(t.Context(), "words")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(item.Data))
	slices.Sort(got)
	if len(got) != writers*words || len(slices.Compact(got)) != writers*words {
		t.Errorf("%d words, want %d, each once: %q", len(got), writers*words, got)
	}
}

// addWord adds a word unless it is there, however often that takes.
func addWord(ctx context.Context, s state.Store, word string) error {
	for ctx.Err() == nil {
		item, err := s.Get(ctx, "words")
		if err != nil {
			continue // the faults went on for all of its tries
		}
		if strings.Contains(string(item.Data), " "+word+" ") {
			return errors.New(word + " is there, but its writer was told that it is not")
		}
		_, err = s.Replace(ctx, "words", []byte(string(item.Data)+word+" "), item.Version)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, state.ErrConflict):
			if there, err := hasWord(ctx, s, word); err == nil && there { // its answer was lost, and others wrote before it looked
				return nil
			}
		default: // not known
			if there, err := hasWord(ctx, s, word); err != nil || there {
				return err
			}
		}
	}
	return ctx.Err()
}

func hasWord(ctx context.Context, s state.Store, word string) (bool, error) {
	for ctx.Err() == nil {
		if item, err := s.Get(ctx, "words"); err == nil {
			return strings.Contains(string(item.Data), " "+word+" "), nil
		}
	}
	return false, ctx.Err()
}

// TestOneCreatorWinsThroughFaults: of many creators one at most is told that it won, and the object is his.
func TestOneCreatorWinsThroughFaults(t *testing.T) {
	p := newProxy(t)
	address := p.address(t)
	faults := slices.DeleteFunc(everyFault(), func(f fault) bool { return f.hang })
	random := rand.New(rand.NewPCG(3, 4))
	stores := make([]*s3.Store, 6)
	for i := range stores {
		stores[i] = p.open(t, address, patient)
		if err := stores[i].Prove(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.set(func(*http.Request) *fault {
		if random.IntN(3) > 0 {
			return nil
		}
		return &faults[random.IntN(len(faults))]
	})
	for round := range 8 {
		key := fmt.Sprint("lock", round)
		won := make([]error, len(stores))
		var group sync.WaitGroup
		for i, s := range stores {
			group.Go(func() { _, won[i] = s.Create(t.Context(), key, []byte("the same")) })
		}
		group.Wait()
		if n := len(slices.DeleteFunc(won, func(err error) bool { return err != nil })); n > 1 {
			t.Errorf("round %d: %d creators won", round, n)
		}
	}
}

// TestHangingStoreEnds: neither the caller's end nor the store's own time is waited out.
func TestHangingStoreEnds(t *testing.T) {
	p := newProxy(t)
	s := p.open(t, p.address(t), patient)
	p.set(always(http.MethodGet, fault{hang: true}))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Get(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	quick := p.open(t, p.address(t), 50*time.Millisecond)
	_, err := quick.Get(t.Context(), "a")
	if err == nil || errors.Is(err, state.ErrNotExist) || !strings.Contains(err.Error(), "answer") {
		t.Errorf("a store that hangs: %v", err)
	}
}
