package rest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// halfBody is an answer's body that ends too early.
type halfBody struct{ io.Reader }

func (b halfBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
func (halfBody) Close() error { return nil }

// A script says what the network does at each attempt; the last step repeats.
func step(name string) (*http.Response, error) {
	switch name {
	case "200":
		return reply(200, `{}`), nil
	case "cut":
		r := reply(200, "")
		r.Body = halfBody{strings.NewReader(`{"a`)}
		return r, nil
	case "404":
		return reply(404, `{"error":"no such agent"}`), nil
	case "404 page":
		return reply(404, `<html>nginx</html>`, "Content-Type", "text/html"), nil
	case "404 cut":
		r := reply(404, "")
		r.Body = halfBody{strings.NewReader(`{"error"`)}
		return r, nil
	case "422":
		return reply(422, `{"error":"bad voice"}`), nil
	case "refused":
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case "no such host":
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}}
	case "reset":
		return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	case "eof":
		return nil, io.EOF
	case "303", "307":
		return reply(map[string]int{"303": 303, "307": 307}[name], "", "Location", "/elsewhere?key=1"), nil
	case "201", "400", "401", "403", "408", "409", "425", "429", "500", "501", "502", "503", "504", "520":
		code := 0
		for _, digit := range name {
			code = code*10 + int(digit-'0')
		}
		return reply(code, `{"error":"no"}`), nil
	}
	panic("no step " + name)
}

func TestRetryRules(t *testing.T) {
	const gone = "unavailable, unknown outcome"
	for _, test := range []struct {
		request  string
		script   string
		attempts int
		kinds    string // "" is an answer
	}{
		{"get", "200", 1, ""},
		{"get", "503,502,500,504,200", 5, ""},
		{"get", "503", 5, "unavailable"},
		{"get", "refused,no such host,reset,eof,200", 5, ""},
		{"get", "refused", 5, "unavailable"},
		{"get", "reset", 5, "unavailable"},
		{"get", "cut,200", 2, ""},
		{"get", "cut", 5, "unavailable"},
		{"get", "429,200", 2, ""},
		{"get", "429", 5, "unavailable"},
		{"get", "408,200", 2, ""},
		{"get", "409", 1, "rejected"},
		{"get", "425", 1, "rejected"},
		{"get", "400", 1, "rejected"},
		{"get", "401", 1, "not authorized"},
		{"get", "403", 1, "not authorized"},
		{"get", "404", 1, "not found"},
		{"get", "404 page", 1, "unexpected answer"},
		{"get", "404 cut", 1, "unexpected answer"},
		{"get", "503,404", 2, "not found"},
		{"get", "501", 1, "unavailable"},
		{"get", "520", 1, "unavailable"},

		{"patch", "503,200", 2, ""},
		{"patch", "reset,eof,cut,429,200", 5, ""},
		{"patch", "503", 5, gone},
		{"patch", "cut", 5, gone},
		{"patch", "refused", 5, "unavailable"},
		{"patch", "429", 5, "unavailable"},
		{"patch", "503,429", 5, gone},
		{"patch", "408", 1, gone},
		{"patch", "422", 1, "rejected"},
		{"patch", "502,422", 2, "rejected, unknown outcome"},
		{"patch", "refused,422", 2, "rejected"},
		{"patch", "404", 1, "not found"},
		{"patch", "303", 1, "unexpected answer, unknown outcome"},
		{"patch", "307", 1, "unexpected answer"},

		{"create", "201", 1, ""},
		{"create", "refused,no such host,201", 3, ""},
		{"create", "429,201", 2, ""},
		{"create", "refused,429,503", 3, gone},
		{"create", "refused", 5, "unavailable"},
		{"create", "429", 5, "unavailable"},
		{"create", "reset", 1, gone},
		{"create", "eof", 1, gone},
		{"create", "cut", 1, gone},
		{"create", "500", 1, gone},
		{"create", "502", 1, gone},
		{"create", "503", 1, gone},
		{"create", "504", 1, gone},
		{"create", "501", 1, gone},
		{"create", "408", 1, gone},
		{"create", "422", 1, "rejected"},
		{"create", "409", 1, "rejected"},
		{"create", "401", 1, "not authorized"},
		{"create", "404 page", 1, "unexpected answer"},
		{"create", "303", 1, "unexpected answer, unknown outcome"},
	} {
		t.Run(test.request+" "+test.script, func(t *testing.T) {
			script := strings.Split(test.script, ",")
			sent := 0
			c := newClient(t, func(o *Options) {
				o.Transport = tripper(func(*http.Request) (*http.Response, error) {
					sent++
					return step(script[min(sent, len(script))-1])
				})
			})
			_, err := c.Do(context.Background(), map[string]Request{"get": get, "patch": patch, "create": create}[test.request])
			if sent != test.attempts {
				t.Errorf("sent %d times, want %d", sent, test.attempts)
			}
			if got := kinds(err); got != test.kinds || (err == nil) != (test.kinds == "") {
				t.Errorf("got %q, want %q: %v", got, test.kinds, err)
			}
			if err != nil && asError(t, err).Attempts != sent {
				t.Errorf("says %d attempts, made %d", asError(t, err).Attempts, sent)
			}
		})
	}
}

func TestBackoffDoublesWithJitter(t *testing.T) {
	for repeats, full := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		full *= time.Second
		seen := map[time.Duration]bool{}
		for range 50 {
			wait := backoff(repeats)
			if wait < full/2 || wait > full {
				t.Fatalf("after %d repeats: %s, want %s to %s", repeats, wait, full/2, full)
			}
			seen[wait] = true
		}
		if len(seen) < 2 {
			t.Errorf("after %d repeats: no jitter", repeats)
		}
	}
}

func TestRepeatsWaitOnTheInjectedClock(t *testing.T) {
	clock := newNaps()
	c := newClient(t, func(o *Options) {
		o.Sleep, o.Now = clock.Sleep, clock.Now
		o.Transport = tripper(func(*http.Request) (*http.Response, error) { return step("503") })
	})
	if _, err := c.Do(context.Background(), get); !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	if len(clock.took) != maxRepeats {
		t.Fatalf("slept %v, want %d times", clock.took, maxRepeats)
	}
	for i, d := range clock.took {
		if full := time.Second << i; d < full/2 || d > full {
			t.Errorf("wait %d is %s, want %s to %s", i, d, full/2, full)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		value string
		want  time.Duration
		ok    bool
	}{
		{"", 0, false},
		{"0", 0, false},
		{"7", 7 * time.Second, true},
		{"-1", 0, false},
		{"soon", 0, false},
		{"99999999999999999999", (1<<31 - 1) * time.Second, true},
		{"Sat, 21 Nov 2026 12:00:42 GMT", 42 * time.Second, true},
		{"Saturday, 21-Nov-26 12:00:42 GMT", 42 * time.Second, true},
		{"Sat, 21 Nov 2026 11:59:00 GMT", 0, false},
	} {
		got, ok := retryAfter(test.value, now)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %s %t, want %s %t", test.value, got, ok, test.want, test.ok)
		}
	}
}

func TestRetryAfterIsWaited(t *testing.T) {
	for _, test := range []struct {
		status  int
		header  string
		request Request
		low     time.Duration
		high    time.Duration
	}{
		{429, "17", get, 17 * time.Second, 17 * time.Second},
		{429, "17", create, 17 * time.Second, 17 * time.Second},
		{429, "Sat, 21 Nov 2026 12:01:30 GMT", get, 90 * time.Second, 90 * time.Second},
		{429, "300", get, 300 * time.Second, 300 * time.Second},
		{429, "", get, time.Second / 2, time.Second},
		{429, "tomorrow", get, time.Second / 2, time.Second},
		{503, "17", get, 17 * time.Second, 17 * time.Second},
		{503, "", get, time.Second / 2, time.Second},
	} {
		clock := newNaps()
		sent := 0
		c := newClient(t, func(o *Options) {
			o.Sleep, o.Now = clock.Sleep, clock.Now
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				if sent++; sent > 1 {
					return reply(200, `{}`), nil
				}
				return reply(test.status, "", "Retry-After", test.header), nil
			})
		})
		if _, err := c.Do(context.Background(), test.request); err != nil {
			t.Errorf("%d %q: %v", test.status, test.header, err)
		}
		if len(clock.took) != 1 || clock.took[0] < test.low || clock.took[0] > test.high {
			t.Errorf("%d %q: slept %v, want %s to %s once", test.status, test.header, clock.took, test.low, test.high)
		}
	}
}

func TestTooLongRetryAfterGivesUp(t *testing.T) {
	for _, status := range []int{429, 503} {
		clock := newNaps()
		sent := 0
		c := newClient(t, func(o *Options) {
			o.Sleep, o.Now = clock.Sleep, clock.Now
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				sent++
				return reply(status, "", "Retry-After", "301"), nil
			})
		})
		_, err := c.Do(context.Background(), get)
		if sent != 1 || len(clock.took) != 0 || kinds(err) != "unavailable" || !strings.Contains(err.Error(), "5m1s") {
			t.Errorf("%d: sent %d times, slept %v: %v", status, sent, clock.took, err)
		}
	}
}

func TestTooLongWaitFailsTheWholeAccountAtOnce(t *testing.T) {
	clock := newNaps()
	sent := 0
	c := newClient(t, func(o *Options) {
		o.Sleep, o.Now = clock.Sleep, clock.Now
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			sent++
			return reply(429, "", "Retry-After", "3600"), nil
		})
	})
	for range 3 {
		_, err := c.Do(context.Background(), create)
		if kinds(err) != "unavailable" || !strings.Contains(err.Error(), "1h0m0s") {
			t.Error(err)
		}
	}
	if sent != 1 || len(clock.took) != 0 {
		t.Errorf("sent %d times, slept %v", sent, clock.took)
	}
}

// With the means to repeat, the transport may send a request again by itself.
func TestTransportCannotRepeatWhatIsSentOnce(t *testing.T) {
	for _, test := range []struct {
		request Request
		can     bool
	}{{patch, true}, {create, false}} {
		c := newClient(t, func(o *Options) {
			o.Transport = tripper(func(r *http.Request) (*http.Response, error) {
				if got := r.GetBody != nil; got != test.can {
					t.Errorf("%s: the transport can repeat: %t, want %t", r.Method, got, test.can)
				}
				return reply(200, "{}"), nil
			})
		})
		if _, err := c.Do(context.Background(), test.request); err != nil {
			t.Error(err)
		}
	}
}
