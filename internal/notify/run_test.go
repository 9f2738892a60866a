package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// store keeps what was told.
type store struct {
	mu    sync.Mutex
	bytes []byte
	saves int
	err   error
}

func (s *store) load(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.err
}

func (s *store) save(_ context.Context, told []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.bytes, s.saves = bytes.Clone(told), s.saves+1
	return nil
}

// phone is a network that hears each message. While it is dead it answers 503.
type phone struct {
	mu    sync.Mutex
	heard []string
	dead  bool
}

func (p *phone) RoundTrip(r *http.Request) (*http.Response, error) {
	var m Message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}
	if p.dead {
		answer.StatusCode = 503
		return answer, nil
	}
	for _, e := range m.Events {
		p.heard = append(p.heard, string(e.What)+" "+e.Key)
	}
	return answer, nil
}

func (p *phone) die(dead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = dead
}

// expect says what was heard since it was last asked.
func (p *phone) expect(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(want)+len(p.heard) > 0 {
		if d := cmp.Diff(want, p.heard); d != "" {
			t.Errorf("heard (-want +got):\n%s", d)
		}
	}
	p.heard = nil
}

// watcher is a notifier that runs within a bubble of time.
type watcher struct {
	board status.Board
	log   bytes.Buffer
	stop  func()
}

func start(t *testing.T, p *phone, s *store) *watcher {
	t.Helper()
	w := &watcher{}
	n, err := New(Options{Targets: []Target{{Format: JSON, URL: "https://hooks.example/in"}}, Load: s.load, Save: s.save,
		Log: slog.New(slog.NewTextHandler(&w.log, nil)), Shared: rest.Shared{Transport: p, Now: time.Now}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx, &w.board) }()
	w.stop = func() { cancel(); <-ended }
	return w
}

// show publishes s and lets time go by.
func (w *watcher) show(s *status.Status, d time.Duration) {
	w.board.Publish(s)
	time.Sleep(d)
	synctest.Wait()
}

func TestARestartTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p phone
		var s store
		first := start(t, &p, &s)
		first.show(driftStatus("x"), 59*time.Second)
		p.expect(t)
		first.show(driftStatus("x"), 2*time.Second)
		p.expect(t, "began "+driftKey)
		if s.saves != 1 {
			t.Errorf("saved %d times", s.saves)
		}
		first.stop()

		second := start(t, &p, &s)
		second.show(driftStatus("x"), 5*time.Hour)
		p.expect(t)
		second.show(driftStatus("x"), 19*time.Hour)
		p.expect(t, "reminder "+driftKey)
		second.show(healthy(2), 2*time.Minute)
		p.expect(t, "ended "+driftKey)
		second.stop()
	})
}

func TestOnlyTheLeaderTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p phone
		var s store
		old, other := start(t, &p, &s), start(t, &p, &s)
		standby := driftStatus("x")
		standby.Lease.Role = status.Standby
		other.show(standby, time.Hour)
		p.expect(t)
		old.show(driftStatus("x"), time.Hour)
		p.expect(t, "began "+driftKey)
		// The lease changes hands; the new leader knows what was told.
		old.board.Publish(standby)
		other.show(driftStatus("x"), time.Hour)
		p.expect(t)
		well := healthy(2)
		well.Lease.Role = status.Standby
		old.board.Publish(well)
		other.show(healthy(2), time.Hour)
		p.expect(t, "ended "+driftKey)
		old.stop()
		other.stop()
	})
}

func TestAnObserverWithoutALeaseTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p phone
		w := start(t, &p, &store{})
		observing := driftStatus("x")
		observing.Observe, observing.Lease = true, status.Lease{}
		w.show(observing, time.Hour)
		p.expect(t, "began "+driftKey)
		w.stop()
	})
}

// Who loses the store leads no more, and is the only one who can say so.
func TestALostStoreIsToldByWhoHadIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p phone
		var s store
		w, never := start(t, &p, &s), start(t, &p, &s)
		w.show(healthy(1), time.Minute)
		lost := driftStatus("x")
		lost.Lease = status.Lease{Role: status.Standby, Error: "timeout"}
		never.board.Publish(lost)
		w.show(lost, time.Hour)
		p.expect(t, "began store")
		back := healthy(1)
		back.Lease.Role = status.Standby
		w.show(back, time.Hour)
		p.expect(t, "ended store")
		w.stop()
		never.stop()
	})
}

func TestWhatWasNotHeardIsNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		p := phone{dead: true}
		first := start(t, &p, &s)
		first.show(driftStatus("x"), time.Hour)
		first.stop()
		if s.saves > 0 {
			t.Error("saved as told, and nobody heard it")
		}
		p.die(false)
		second := start(t, &p, &s)
		second.show(driftStatus("x"), time.Hour)
		p.expect(t, "began "+driftKey)
		// Dead for some hours, and alive again: what was queued comes, in order.
		p.die(true)
		second.show(healthy(2), 2*time.Hour)
		p.expect(t)
		p.die(false)
		time.Sleep(mostPause + 5*time.Minute)
		synctest.Wait()
		p.expect(t, "ended "+driftKey)
		second.stop()
	})
}

func TestAStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p phone
		s := store{err: errors.New("no such bucket")}
		w := start(t, &p, &s)
		w.show(driftStatus("x"), 20*time.Second)
		p.expect(t)
		w.show(driftStatus("x"), time.Hour) // then it begins from nothing
		p.expect(t, "began "+driftKey)
		if got := strings.Count(w.log.String(), "no such bucket"); got != 1 {
			t.Errorf("logged %d times:\n%s", got, w.log.String())
		}
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.saves != 1 {
			t.Errorf("saved %d times after it came back", s.saves)
		}
		w.stop()
	})
}

// What is queued when the end comes is still delivered; what hangs is left after the time of grace.
func TestTheEndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := phone{dead: true}
		w := start(t, &p, &store{})
		w.show(driftStatus("x"), 61*time.Second) // the first try is under way
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the end took %s", took)
		}
	})
}

func TestAnEmptyBoardSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p phone
		var s store
		w := start(t, &p, &s)
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		p.expect(t)
		w.stop()
		if s.saves > 0 {
			t.Error("saved")
		}
	})
}
