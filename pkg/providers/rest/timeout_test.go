package rest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowAnswer(t *testing.T) {
	for _, test := range []struct {
		name    string
		request Request
		headers bool // the answer's head comes in time
		sent    int
		kinds   string
	}{
		{"read", get, false, 2, ""},
		{"read, body", get, true, 2, ""},
		{"write", patch, false, 2, ""},
		{"create", create, false, 1, "unavailable, unknown outcome"},
		{"create, body", create, true, 1, "unavailable, unknown outcome"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				c := newClient(t, func(o *Options) {
					fakeTime(o)
					o.Timeout = 20 * time.Second
					o.Transport = tripper(func(r *http.Request) (*http.Response, error) {
						if sent++; sent > 1 {
							time.Sleep(19 * time.Second)
							return reply(200, `{}`), nil
						}
						if !test.headers {
							<-r.Context().Done()
							return nil, r.Context().Err()
						}
						answer := reply(200, "")
						answer.Body = slowBody{r.Context()}
						return answer, nil
					})
				})
				_, err := c.Do(context.Background(), test.request)
				if kinds(err) != test.kinds || sent != test.sent {
					t.Errorf("sent %d times: %v", sent, err)
				}
				if err != nil && !strings.Contains(err.Error(), "within 20s") {
					t.Error(err)
				}
			})
		})
	}
}

// slowBody never comes.
type slowBody struct{ ctx context.Context }

func (b slowBody) Read([]byte) (int, error) { <-b.ctx.Done(); return 0, b.ctx.Err() }
func (slowBody) Close() error               { return nil }

func TestCancel(t *testing.T) {
	for _, test := range []struct {
		name    string
		request Request
		doing   string
		sent    int
		kinds   string
	}{
		{"read in flight", get, "flight", 1, "context canceled"},
		{"write in flight", patch, "flight", 1, "unknown outcome, context canceled"},
		{"create in flight", create, "flight", 1, "unknown outcome, context canceled"},
		{"answer under way", create, "body", 1, "unknown outcome, context canceled"},
		{"read before a repeat", get, "503", 1, "context canceled"},
		{"write before a repeat", patch, "503", 1, "unknown outcome, context canceled"},
		{"held by a 429", create, "429", 1, "context canceled"},
		{"waiting for the pace", create, "pace", 0, "context canceled"},
		{"waiting for a slot", create, "slot", 0, "context canceled"},
		{"before it began", create, "start", 0, "context canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				c := newClient(t, func(o *Options) {
					fakeTime(o)
					o.Timeout, o.RequestsPerMinute, o.MaxInFlight = time.Hour, 1, 1
					o.Transport = tripper(func(r *http.Request) (*http.Response, error) {
						sent++
						switch test.doing {
						case "503":
							return reply(503, "", "Retry-After", "100"), nil
						case "429":
							return reply(429, "", "Retry-After", "100"), nil
						case "body":
							answer := reply(200, "")
							answer.Body = slowBody{r.Context()}
							return answer, nil
						}
						<-r.Context().Done()
						return nil, r.Context().Err()
					})
				})
				switch test.doing {
				case "pace":
					c.pace.requests.reserve(time.Now())
				case "slot":
					c.pace.slots <- struct{}{}
				case "start":
					cancel()
				}
				start := time.Now()
				time.AfterFunc(50*time.Second, cancel)
				_, err := c.Do(ctx, test.request)
				if kinds(err) != test.kinds || sent != test.sent {
					t.Errorf("sent %d times: got %q: %v", sent, kinds(err), err)
				}
				if took := time.Since(start); took > 50*time.Second {
					t.Errorf("stopped after %s", took)
				}
			})
		})
	}
}

func TestCallersDeadlineIsTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, func(o *Options) {
			fakeTime(o)
			o.Transport = tripper(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
		})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := c.Do(ctx, patch); kinds(err) != "unknown outcome, context deadline exceeded" {
			t.Error(err)
		}
	})
}

// A dial that hangs sent nothing, so even a create may be tried again.
func TestHangingDialSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		c := newClient(t, func(o *Options) {
			fakeTime(o)
			// The transport lets a dial go on when its request is over.
			o.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				<-over
				return nil, net.ErrClosed
			}}
		})
		_, err := c.Do(context.Background(), create)
		if kinds(err) != "unavailable" || asError(t, err).Attempts != 1+maxRepeats {
			t.Error(err)
		}
	})
}
