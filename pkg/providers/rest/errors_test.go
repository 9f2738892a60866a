package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

func TestErrorText(t *testing.T) {
	answer := func(status int, body string, headers ...string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return reply(status, body, headers...), nil }
	}
	for _, test := range []struct {
		name    string
		request Request
		answer  func() (*http.Response, error)
		want    string
	}{
		{"vendor's words", Request{Method: "PATCH", Path: "/update-agent/5"}, answer(422, `{"error":"bad voice","request_id":"abc"}`),
			"voicy: PATCH /update-agent/5: 422: bad voice (request id abc)"},
		{"id in a header", get, answer(400, `{"error":"no"}`, "X-Request-Id", "h1"), "voicy: GET /agents: 400: no (request id h1)"},
		{"lines and controls", get, answer(400, `{"error":"two\n\nlines\u001b[31m\u0000 \u2028 end"}`), "voicy: GET /agents: 400: two lines [31m end"},
		{"a page", get, answer(403, "<html>\n<b>no</b>", "Content-Type", "text/html"), "voicy: GET /agents: 403: text/html: <html> <b>no</b>"},
		{"a 404 page", get, answer(404, "<html>", "Content-Type", "text/html"),
			"voicy: GET /agents: 404: not the vendor's own answer; is the base URL right? text/html: <html>"},
		{"nothing", get, answer(403, ""), "voicy: GET /agents: 403: no content type, empty body"},
		{"end missing", get, func() (*http.Response, error) {
			r := reply(422, "")
			r.Body = halfBody{strings.NewReader(`{"error":"bad voice"}`)}
			return r, nil
		}, "voicy: GET /agents: 422: bad voice"},
		{"unknown", create, answer(502, `{"error":"bad gateway"}`),
			"voicy: POST /agents: 502: bad gateway; it may have been carried out all the same"},
		{"repeats", get, answer(503, `{"error":"busy"}`), "voicy: GET /agents: 503: busy (5 attempts)"},
		{"no answer", get, func() (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: "https://u:p@example.com?key=1", Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
		}, "voicy: GET /agents: dial tcp: connection refused (5 attempts)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, func(o *Options) {
				o.Transport = tripper(func(*http.Request) (*http.Response, error) { return test.answer() })
			})
			_, err := c.Do(context.Background(), test.request)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestErrorMadeByHand(t *testing.T) {
	for want, e := range map[string]*Error{
		"404: gone":       {Status: 404, Message: "gone"},
		"voicy: no key":   {Vendor: "voicy", Err: errors.New("no key")},
		"voicy: GET /a: ": {Vendor: "voicy", Method: "GET", Path: "/a: "},
	} {
		if got := e.Error(); strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestMessageIsCappedBetweenCharacters(t *testing.T) {
	for pad := range 4 {
		body := fmt.Sprintf(`{"error":%q}`, strings.Repeat("x", pad)+strings.Repeat("é日😀", 400))
		c := newClient(t, func(o *Options) {
			o.Transport = tripper(func(*http.Request) (*http.Response, error) { return reply(400, body), nil })
		})
		_, err := c.Do(context.Background(), get)
		m := asError(t, err).Message
		if len(m) > maxMessage || len(m) < maxMessage-4 || !utf8.ValidString(m) || !strings.HasSuffix(m, "...") {
			t.Errorf("%d bytes: %q", len(m), m)
		}
	}
}

// Whatever the vendor and the network say, the secret is in no text.
func TestSecretsDoNotLeak(t *testing.T) {
	const secret = `s3cr&t/"key"`
	filler := strings.Repeat("-", maxMessage-5)
	for name, answer := range map[string]func() (*http.Response, error){
		"vendor's words": func() (*http.Response, error) {
			return reply(400, fmt.Sprintf(`{"error":%q,"request_id":%q}`, secret, secret)), nil
		},
		"cut in two": func() (*http.Response, error) { return reply(400, fmt.Sprintf(`{"error":%q}`, filler+secret)), nil },
		"page":       func() (*http.Response, error) { return reply(502, "<p>"+url.QueryEscape(secret)), nil },
		"header": func() (*http.Response, error) {
			return reply(400, "", "X-Request-Id", secret, "Content-Type", secret), nil
		},
		"location":      func() (*http.Response, error) { return reply(307, "", "Location", "/"+url.PathEscape(secret)), nil },
		"network":       func() (*http.Response, error) { return nil, errors.New("broken: " + secret) },
		"network's URL": func() (*http.Response, error) { return nil, &url.Error{URL: secret, Err: errors.New(secret)} },
		"lines": func() (*http.Response, error) {
			return reply(400, `{"error":"key: on\ntwo  lines"}`), nil
		},
		"joined by controls": func() (*http.Response, error) {
			return reply(400, `{"error":"two\n\twords"}`), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			var logged bytes.Buffer
			c := newClient(t, func(o *Options) {
				o.Mask = &Masker{}
				o.Mask.Add(secret, "two words", "on\ntwo  lines")
				o.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
				o.Observe = func(e Event) { texts = append(texts, fmt.Sprintf("%+v", e)) }
				o.Authorize = func(_ context.Context, r *http.Request, _ bool) error {
					r.Header.Set("X-Api-Key", secret)
					return nil
				}
				o.Transport = tripper(func(*http.Request) (*http.Response, error) { return answer() })
			})
			segment, err := Segment(secret)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(context.Background(), Request{
				Method: "PATCH", Path: "/a/" + segment, Query: url.Values{"key": {secret}}, JSON: map[string]string{"k": secret},
			})
			e := asError(t, err)
			texts = append(texts, logged.String(), fmt.Sprintf("%v %+v %#v", e, *e, *e))
			if e.Err != nil {
				texts = append(texts, fmt.Sprintf("%v %+v %#v", e.Err, e.Err, e.Err))
			}
			for _, text := range texts {
				for _, form := range []string{"s3cr", "two words", "two lines"} {
					if strings.Contains(text, form) {
						t.Errorf("leaks: %s", text)
					}
				}
			}
			if !strings.Contains(logged.String(), "request") {
				t.Error("nothing was logged")
			}
		})
	}
}

func TestCauseMatchesButDoesNotShow(t *testing.T) {
	c := newClient(t, func(o *Options) {
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		})
	})
	_, err := c.Do(context.Background(), get)
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		t.Error("the cause can be taken out, and printed unmasked")
	}
}

func TestObserve(t *testing.T) {
	clock := newNaps()
	var events []Event
	sent := 0
	c := newClient(t, func(o *Options) {
		o.Account, o.Now, o.Sleep = "voicy-emea", clock.Now, clock.Sleep
		o.Observe = func(e Event) { events = append(events, e) }
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			clock.mu.Lock()
			clock.now = clock.now.Add(3)
			clock.mu.Unlock()
			switch sent++; sent {
			case 1:
				return nil, io.EOF
			case 2:
				return reply(503, `{"error":"busy","request_id":"r2"}`), nil
			}
			return reply(200, `{}`, "X-Request-Id", "r3"), nil
		})
	})
	if _, err := c.Do(context.Background(), patch); err != nil {
		t.Fatal(err)
	}
	if len(events) != 3 {
		t.Fatalf("%d events", len(events))
	}
	for i, want := range []Event{{Err: io.EOF}, {Status: 503, RequestID: "r2"}, {Status: 200, RequestID: "r3"}} {
		want.Remaining = -1 // this vendor says nothing of it
		got := events[i]
		if !errors.Is(got.Err, want.Err) {
			t.Errorf("event %d: %v", i, got.Err)
		}
		want.Err, got.Err = nil, nil
		want.Account, want.Method, want.Path, want.Attempt, want.Took = "voicy-emea", "PATCH", "/agents/5", i+1, 3
		if got != want {
			t.Errorf("event %d: %+v, want %+v", i, got, want)
		}
	}
}
