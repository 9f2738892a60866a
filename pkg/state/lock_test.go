package state_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/state"
)

// fakeClock moves only when somebody sleeps; wake is called with the time slept so far, before each return.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
	wake  func(slept time.Duration)
}

func newClock() *fakeClock { return &fakeClock{now: noon} }

func (c *fakeClock) clock() state.Clock { return state.Clock{Now: c.Now, Sleep: c.Sleep} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.slept += d
	slept, wake := c.slept, c.wake
	c.mu.Unlock()
	if wake != nil {
		wake(slept)
	}
	return ctx.Err()
}

func request(holder string, c *fakeClock, wait time.Duration) state.LockRequest {
	return state.LockRequest{Holder: holder, Run: "run-" + holder, TTL: time.Minute, Wait: wait, Clock: c.clock()}
}

func takeLock(t *testing.T, b *state.Book, r state.LockRequest) *state.Lock {
	t.Helper()
	l, err := b.Lock(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func wantLocked(t *testing.T, err error, holder string, until time.Time) {
	t.Helper()
	wantIs(t, err, state.ErrLocked)
	var locked *state.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("error %v is no LockedError", err)
	}
	if locked.Holder != holder || locked.Run != "run-"+holder || !locked.ExpiresAt.Equal(until) {
		t.Errorf("locked by %+v, want %s until %s", locked, holder, until)
	}
	for _, part := range []string{holder, "run-" + holder, until.Format(time.RFC3339), "agentsync state unlock", "--lock-timeout"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestLockExcludes(t *testing.T) {
	b, dir := newBook(t)
	c := newClock()
	l := takeLock(t, b, request("a", c, 0))
	if want := noon.Add(time.Minute); !l.ExpiresAt().Equal(want) {
		t.Errorf("expires at %s, want %s", l.ExpiresAt(), want)
	}
	_, err := b.Lock(t.Context(), request("b", c, 0))
	wantLocked(t, err, "a", l.ExpiresAt())
	if c.slept != 0 {
		t.Errorf("slept %s without being asked to wait", c.slept)
	}
	if _, err := b.Lock(t.Context(), request("a", c, 0)); !errors.Is(err, state.ErrLocked) {
		t.Errorf("the same run took the lock twice: %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("a released lock left %q", got)
	}
	takeLock(t, b, request("b", c, 0))
	wantIs(t, l.Release(t.Context()), state.ErrLockLost)
	wantIs(t, l.Renew(t.Context()), state.ErrLockLost)
	_, err = b.Lock(t.Context(), request("c", c, 0))
	wantLocked(t, err, "b", noon.Add(time.Minute))
}

func TestLockFile(t *testing.T) {
	b, dir := newBook(t)
	takeLock(t, b, request("a", newClock(), 0))
	store := state.OpenFolder(dir)
	item, err := store.Get(t.Context(), "lock.json")
	if err != nil {
		t.Fatal(err)
	}
	text := string(item.Data)
	const want = "{\n  \"acquiredAt\": \"2026-11-21T12:00:00Z\",\n  \"expiresAt\": \"2026-11-21T12:01:00Z\",\n  \"holder\": \"a\",\n  \"nonce\": \""
	if !strings.HasPrefix(text, want) || !strings.HasSuffix(text, "\",\n  \"run\": \"run-a\"\n}\n") {
		t.Errorf("lock.json is\n%s", text)
	}
}

func TestLockWaits(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	l := takeLock(t, b, request("a", c, 0))
	c.wake = func(slept time.Duration) {
		if slept > 20*time.Second && l != nil {
			if err := l.Release(t.Context()); err != nil {
				t.Error(err)
			}
			l = nil
		}
	}
	takeLock(t, b, request("b", c, 30*time.Second))
	if c.slept <= 20*time.Second || c.slept > 30*time.Second {
		t.Errorf("slept %s", c.slept)
	}
}

func TestLockGivesUp(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	takeLock(t, b, request("a", c, 0))
	_, err := b.Lock(t.Context(), request("b", c, 10*time.Second))
	wantLocked(t, err, "a", noon.Add(time.Minute))
	if c.slept != 10*time.Second {
		t.Errorf("slept %s, want the 10s asked for", c.slept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.wake = func(time.Duration) { cancel() }
	_, err = b.Lock(ctx, request("b", c, time.Second))
	wantIs(t, err, context.Canceled)
}

func TestExpiredLockIsTakenOverAfterTheMargin(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	l := takeLock(t, b, request("a", c, 0))
	late := newClock()
	late.now = l.ExpiresAt().Add(state.ClockMargin)
	_, err := b.Lock(t.Context(), request("b", late, 0))
	wantLocked(t, err, "a", l.ExpiresAt())
	late.now = late.now.Add(time.Second)
	taken := takeLock(t, b, request("b", late, 0))
	wantIs(t, l.Renew(t.Context()), state.ErrLockLost)
	wantIs(t, l.Release(t.Context()), state.ErrLockLost)
	if err := taken.Release(t.Context()); err != nil {
		t.Errorf("the new holder lost it: %v", err)
	}
}

func TestRenew(t *testing.T) {
	b, _ := newBook(t)
	c := newClock()
	l := takeLock(t, b, request("a", c, 0))
	for range 5 {
		c.now = c.now.Add(50 * time.Second)
		if err := l.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := noon.Add(5*50*time.Second + time.Minute); !l.ExpiresAt().Equal(want) {
		t.Errorf("expires at %s, want %s", l.ExpiresAt(), want)
	}
	_, err := b.Lock(t.Context(), request("b", c, 0))
	wantLocked(t, err, "a", l.ExpiresAt())
	c.now = c.now.Add(time.Hour) // expired, but nobody came
	if err := l.Renew(t.Context()); err != nil {
		t.Errorf("renew of an expired lock that nobody took: %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUnlock(t *testing.T) {
	b, dir := newBook(t)
	_, err := b.Unlock(t.Context())
	wantIs(t, err, state.ErrNotExist)
	c := newClock()
	l := takeLock(t, b, request("a", c, 0))
	info, err := b.Unlock(t.Context())
	want := state.LockInfo{Holder: "a", Run: "run-a", AcquiredAt: noon, ExpiresAt: noon.Add(time.Minute)}
	if err != nil || info != want {
		t.Errorf("unlock = %+v, %v; want %+v", info, err, want)
	}
	wantIs(t, l.Renew(t.Context()), state.ErrLockLost)
	takeLock(t, b, request("b", c, 0))
	wantIs(t, l.Release(t.Context()), state.ErrLockLost)

	write(t, dir, "lock.json", "<<<<<<< HEAD")
	_, err = b.Lock(t.Context(), request("c", c, time.Hour))
	if err == nil || errors.Is(err, state.ErrLocked) || !strings.Contains(err.Error(), "agentsync state unlock") {
		t.Errorf("a lock that cannot be read: %v", err)
	}
	if info, err := b.Unlock(t.Context()); err != nil || info != (state.LockInfo{}) {
		t.Errorf("unlock = %+v, %v", info, err)
	}
	takeLock(t, b, request("c", c, 0))
}

func TestLockRequestIsChecked(t *testing.T) {
	b, _ := newBook(t)
	for _, change := range []func(*state.LockRequest){
		func(r *state.LockRequest) { r.Holder = "" },
		func(r *state.LockRequest) { r.Run = "" },
		func(r *state.LockRequest) { r.TTL = time.Millisecond },
	} {
		r := request("a", newClock(), 0)
		change(&r)
		if _, err := b.Lock(t.Context(), r); err == nil || errors.Is(err, state.ErrLocked) {
			t.Errorf("%+v: error %v", r, err)
		}
	}
}

func TestOneOfManyGetsTheLock(t *testing.T) {
	for _, stale := range []bool{false, true} {
		b, _ := newBook(t)
		c := newClock()
		if stale {
			takeLock(t, b, request("dead", c, 0))
			c.now = c.now.Add(time.Hour)
		}
		locks := make([]*state.Lock, 8)
		var group sync.WaitGroup
		for i := range locks {
			group.Go(func() {
				l, err := b.Lock(t.Context(), request("r", c, 0))
				if err != nil && !errors.Is(err, state.ErrLocked) {
					t.Error(err)
				}
				locks[i] = l
			})
		}
		group.Wait()
		held := 0
		for _, l := range locks {
			if l != nil {
				held++
			}
		}
		if held != 1 {
			t.Errorf("stale %v: %d hold the lock", stale, held)
		}
	}
}

// deaf carries out the next writes but loses the answers, and then says what a store says to the repeat.
type deaf struct {
	state.Store
	lost int
}

func (s *deaf) Create(ctx context.Context, key string, data []byte) (string, error) {
	version, err := s.Store.Create(ctx, key, data)
	if err == nil && s.lost > 0 {
		s.lost--
		return "", state.ErrExists
	}
	return version, err
}

func (s *deaf) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	version, err := s.Store.Replace(ctx, key, data, version)
	if err == nil && s.lost > 0 {
		s.lost--
		return "", state.ErrConflict
	}
	return version, err
}

func TestLockKnowsItsOwnWrites(t *testing.T) {
	store := &deaf{Store: state.OpenFolder(t.TempDir()), lost: 1}
	b := state.NewBook(store)
	c := newClock()
	l := takeLock(t, b, request("a", c, 0))
	c.now = c.now.Add(30 * time.Second)
	store.lost = 1
	if err := l.Renew(t.Context()); err != nil {
		t.Errorf("renew: %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Errorf("release: %v", err)
	}
}

func TestConcurrentRenewAndRelease(t *testing.T) {
	b, _ := newBook(t)
	l := takeLock(t, b, request("a", newClock(), 0))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if err := l.Renew(t.Context()); err != nil && !errors.Is(err, state.ErrLockLost) {
				t.Error(err)
			}
			_ = l.ExpiresAt()
		})
	}
	group.Go(func() {
		if err := l.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
	group.Wait()
	_, err := b.Unlock(t.Context())
	wantIs(t, err, state.ErrNotExist)
}

func TestLockOfADeadProcessIsTakenOverAtOnce(t *testing.T) {
	clock := newClock()
	b := state.NewBook(&state.Memory{})
	first := request("a", clock, 0)
	first.Process = "process a"
	dead := takeLock(t, b, first)

	second := request("b", clock, 0)
	second.Dead = func(string) bool { return false }
	if _, err := b.Lock(t.Context(), second); !errors.Is(err, state.ErrLocked) {
		t.Fatalf("a living process loses its lock: %v", err)
	}
	second.Dead = func(process string) bool { return process == "process a" }
	takeLock(t, b, second)
	if err := dead.Renew(t.Context()); !errors.Is(err, state.ErrLockLost) {
		t.Errorf("the dead one renews: %v", err)
	}

	third := request("c", clock, 0)
	third.Dead = func(string) bool { return true }
	if _, err := b.Lock(t.Context(), third); !errors.Is(err, state.ErrLocked) {
		t.Errorf("a lock without a process is taken from it: %v", err)
	}
}
