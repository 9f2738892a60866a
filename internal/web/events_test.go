package web_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/web"
)

// stream is an answer that is read while it is written.
type stream struct {
	mu   sync.Mutex
	code int
	text strings.Builder
}

func (s *stream) Header() http.Header { return http.Header{} }
func (s *stream) WriteHeader(c int)   { s.code = c }
func (s *stream) Flush()              {}
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// count returns how many lines of the stream begin with a text.
func (s *stream) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count("\n"+s.text.String(), "\n"+prefix)
}

// listen opens a stream until ctx ends, and returns it and a channel that is closed when the handler has returned.
func listen(ctx context.Context, h http.Handler) (*stream, <-chan struct{}) {
	s, done := &stream{}, make(chan struct{})
	r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost/events", nil)
	go func() {
		defer close(done)
		h.ServeHTTP(s, r)
	}()
	return s, done
}

func TestEventsTellOfChangesOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &status.Status{At: sampled})
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w.Handler)
		synctest.Wait()
		if n := s.count("data: "); n != 1 {
			t.Fatalf("at the start: %d events", n)
		}
		for i := range 100 { // in one second and a bit
			w.Board.Publish(&status.Status{At: sampled.Add(time.Duration(i+1) * time.Millisecond)})
			time.Sleep(11 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := s.count("data: "); n < 2 || n > 3 {
			t.Errorf("a hundred changes within 1.1 s made %d events", n-1)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := s.count(": alive"); n != 4 {
			t.Errorf("%d signs of life within a minute", n)
		}
		cancel()
		<-done
	})
}

func TestEventsEndWithTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		w := serve(t, sample(1), func(o *web.Options) { o.Done = end })
		_, early := listen(t.Context(), w.Handler)
		time.Sleep(5 * time.Second)
		_, late := listen(t.Context(), w.Handler)
		synctest.Wait()
		close(end)
		<-early
		<-late
	})
}

func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, sample(1), func(o *web.Options) { o.Streams = 2 })
		ctx, cancel := context.WithCancel(t.Context())
		_, first := listen(ctx, w.Handler)
		_, second := listen(t.Context(), w.Handler)
		synctest.Wait()
		third, done := listen(t.Context(), w.Handler)
		<-done
		if third.code != 503 {
			t.Errorf("one too many: %d", third.code)
		}
		cancel()
		<-first
		again, _ := listen(t.Context(), w.Handler)
		synctest.Wait()
		if again.code != 200 {
			t.Errorf("a place is free again: %d", again.code)
		}
		_ = second
	})
}

// A real connection: the stream outlives the server's own limit on writing, and a browser that leaves ends it.
func TestEventsOverTheWire(t *testing.T) {
	w := serve(t, sample(1), func(o *web.Options) { o.Streams = 1 })
	server := httptest.NewUnstartedServer(w.Handler)
	server.Config.WriteTimeout = 200 * time.Millisecond
	server.Start()
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	lines := bufio.NewScanner(answer.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
	first := next()
	w.Board.Publish(&status.Status{At: sampled.Add(time.Second)})
	if second := next(); second == first {
		t.Errorf("two statuses are both %s", first)
	}
	cancel()
	for deadline := time.Now().Add(time.Minute); ; { // the only place is free once the server saw that we left
		answer, err := server.Client().Get(server.URL + "/events")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the stream did not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
