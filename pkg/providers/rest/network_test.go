package rest

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// hijack takes over the connection of a request.
func hijack(t *testing.T, w http.ResponseWriter) *net.TCPConn {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return nil
	}
	return conn.(*net.TCPConn)
}

func TestRefusedConnectionSendsNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	c := newClient(t, func(o *Options) { o.BaseURL = "http://" + address })
	_, err = c.Do(context.Background(), create)
	if kinds(err) != "unavailable" || asError(t, err).Attempts != 1+maxRepeats {
		t.Error(err)
	}
}

func TestFailedHandshakeSendsNothing(t *testing.T) {
	var served atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	c := newClient(t, func(o *Options) { o.BaseURL = s.URL })
	_, err := c.Do(context.Background(), create)
	if kinds(err) != "unavailable" || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	if attempts := asError(t, err).Attempts; attempts != 1 || served.Load() != 0 {
		t.Errorf("%d attempts, %d served: a certificate does not get better", attempts, served.Load())
	}
}

func TestResetAfterRequest(t *testing.T) {
	for _, test := range []struct {
		request Request
		served  int32
		kinds   string
	}{
		{get, 2, ""},
		{patch, 2, ""},
		{create, 1, "unavailable, unknown outcome"},
	} {
		var served atomic.Int32
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if served.Add(1) > 1 {
				io.WriteString(w, `{}`)
				return
			}
			io.Copy(io.Discard, r.Body)
			conn := hijack(t, w)
			conn.SetLinger(0)
			conn.Close()
		}, nil)
		_, err := c.Do(context.Background(), test.request)
		if kinds(err) != test.kinds || served.Load() != test.served {
			t.Errorf("%s: served %d times, want %d: %v", test.request.Method, served.Load(), test.served, err)
		}
	}
}

// A server that hangs up in the middle of a request may have got what it needs.
func TestHangUpInTheMiddleOfARequestIsUnknownToo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var accepted atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			conn.Read(make([]byte, 1))
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}()
	c := newClient(t, func(o *Options) { o.BaseURL = "http://" + listener.Addr().String() })
	_, err = c.Do(context.Background(), create)
	if kinds(err) != "unavailable, unknown outcome" || accepted.Load() != 1 {
		t.Errorf("%d connections: %v", accepted.Load(), err)
	}
}

func TestTruncatedAnswer(t *testing.T) {
	for _, test := range []struct {
		request Request
		served  int32
		kinds   string
	}{
		{get, 2, ""},
		{patch, 2, ""},
		{create, 1, "unavailable, unknown outcome"},
	} {
		var served atomic.Int32
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if served.Add(1) > 1 {
				io.WriteString(w, `{"id":"1"}`)
				return
			}
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":`)
		}, nil)
		a, err := c.Do(context.Background(), test.request)
		if kinds(err) != test.kinds || served.Load() != test.served {
			t.Errorf("%s: served %d times, want %d: %v", test.request.Method, served.Load(), test.served, err)
		}
		if err == nil && string(a.Body) != `{"id":"1"}` {
			t.Errorf("%s: got %s", test.request.Method, a.Body)
		}
	}
}

func TestRequestAsSent(t *testing.T) {
	var got *http.Request
	var body string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{}`)
	}, func(o *Options) {
		o.BaseURL += "/base/"
		o.UserAgent = "agentsync/1.2"
		o.Authorize = func(_ context.Context, r *http.Request, renew bool) error {
			r.Header.Set("x-api-key", "k")
			return nil
		}
	})
	if _, err := c.Do(context.Background(), Request{Method: "PUT", Path: "/a/x%2Fy", Query: map[string][]string{"q": {"1&2"}}, JSON: map[string]any{"t": "<b> & é"}}); err != nil {
		t.Fatal(err)
	}
	if got.RequestURI != "/base/a/x%2Fy?q=1%262" {
		t.Errorf("path %s", got.RequestURI)
	}
	if body != `{"t":"<b> & é"}` || got.ContentLength != int64(len(body)) {
		t.Errorf("body %s of length %d", body, got.ContentLength)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "agentsync/1.2", "X-Api-Key": "k"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if _, err := c.Do(context.Background(), get); err != nil {
		t.Fatal(err)
	}
	if _, there := got.Header["Content-Type"]; there || body != "" || got.ContentLength != 0 {
		t.Errorf("a read carries a body: %q %v", body, got.Header)
	}
}

func TestGzipAnswer(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("does not accept gzip")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, `{"id":"1"}`)
		z.Close()
	}, nil)
	a, err := c.Do(context.Background(), get)
	if err != nil || string(a.Body) != `{"id":"1"}` || a.Status != 200 {
		t.Errorf("%v %v", a, err)
	}
}

func TestTooLargeAnswer(t *testing.T) {
	for _, test := range []struct {
		request Request
		size    int64
		kinds   string
	}{
		{get, MaxBody, ""},
		{patch, MaxBody + 1, "unexpected answer, unknown outcome"},
	} {
		sent := 0
		c := newClient(t, func(o *Options) {
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				sent++
				r := reply(200, "")
				r.Body = io.NopCloser(io.LimitReader(zeros{}, test.size))
				return r, nil
			})
		})
		a, err := c.Do(context.Background(), test.request)
		if kinds(err) != test.kinds || sent != 1 {
			t.Errorf("%s of %d: sent %d times: %v", test.request.Method, test.size, sent, err)
		}
		if err == nil && int64(len(a.Body)) != test.size {
			t.Errorf("got %d bytes of %d", len(a.Body), test.size)
		}
	}
}

// zeros does not even clear what it is given: nobody looks.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestRedirects(t *testing.T) {
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer other.Close()
	var paths []string
	var keys []string
	handler := func(w http.ResponseWriter, r *http.Request) {
		paths, keys = append(paths, r.URL.Path), append(keys, r.Header.Get("X-Api-Key"))
		switch r.URL.Path {
		case "/other":
			http.Redirect(w, r, other.URL+"/x?key=1", http.StatusFound)
		case "/name":
			http.Redirect(w, r, "http://localhost:"+other.URL[strings.LastIndex(other.URL, ":")+1:], http.StatusFound)
		case "/scheme":
			http.Redirect(w, r, "https://"+r.Host+"/x", http.StatusFound)
		case "/4", "/3", "/2", "/1":
			http.Redirect(w, r, "/"+string(r.URL.Path[1]-1), http.StatusTemporaryRedirect)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		default:
			io.WriteString(w, `{}`)
		}
	}
	for _, test := range []struct {
		method, path string
		served       int
		kinds        string
		says         string
	}{
		{"GET", "/3", 4, "", ""},
		{"GET", "/4", 4, "unexpected answer", "more than 3 times"},
		{"GET", "/other", 1, "unexpected answer", "another host"},
		{"GET", "/name", 1, "unexpected answer", "another host"},
		{"GET", "/scheme", 1, "unexpected answer", "another host"},
		{"GET", "/nowhere", 1, "unexpected answer", "neither success nor refusal"},
		{"PATCH", "/1", 1, "unexpected answer", "not followed"},
		{"PATCH", "/other", 1, "unexpected answer, unknown outcome", "not followed"},
		{"DELETE", "/1", 1, "unexpected answer", "not followed"},
	} {
		paths, keys = nil, nil
		c := serve(t, handler, func(o *Options) {
			o.Authorize = func(_ context.Context, r *http.Request, _ bool) error {
				r.Header.Set("X-Api-Key", "k")
				return nil
			}
		})
		_, err := c.Do(context.Background(), Request{Method: test.method, Path: test.path})
		if kinds(err) != test.kinds || len(paths) != test.served {
			t.Errorf("%s %s: served %v: %v", test.method, test.path, paths, err)
		}
		if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "key=1")) {
			t.Errorf("%s %s: %v", test.method, test.path, err)
		}
		for _, key := range keys {
			if key != "k" {
				t.Errorf("%s %s: a request without the key", test.method, test.path)
			}
		}
	}
	if strayed.Load() != 0 {
		t.Errorf("another host got %d requests", strayed.Load())
	}
}

func TestRenewal(t *testing.T) {
	for _, test := range []struct {
		name    string
		good    string // the token that is accepted
		renews  bool
		request Request
		served  int
		kinds   string
	}{
		{"not needed", "old", true, get, 1, ""},
		{"once", "new", true, get, 2, ""},
		{"once, of a create", "new", true, create, 2, ""},
		{"in vain", "none", true, get, 2, "not authorized"},
		{"not possible", "new", false, get, 1, "not authorized"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked []bool
			served := 0
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if served++; r.Header.Get("Authorization") != "Bearer "+test.good {
					w.WriteHeader(401)
				}
			}, func(o *Options) {
				o.Renews = test.renews
				token := "old"
				o.Authorize = func(_ context.Context, r *http.Request, renew bool) error {
					if asked = append(asked, renew); renew {
						token = "new"
					}
					r.Header.Set("Authorization", "Bearer "+token)
					return nil
				}
			})
			_, err := c.Do(context.Background(), test.request)
			if kinds(err) != test.kinds || served != test.served {
				t.Errorf("served %d times, want %d: %v", served, test.served, err)
			}
			if len(asked) != test.served || asked[0] || test.served == 2 && !asked[1] {
				t.Errorf("asked for credentials: %v", asked)
			}
		})
	}
}

func TestRenewalLeavesTheRepeats(t *testing.T) {
	script := []int{503, 503, 401, 503, 503, 200}
	sent, renewals := 0, 0
	c := newClient(t, func(o *Options) {
		o.Renews = true
		o.Authorize = func(_ context.Context, _ *http.Request, renew bool) error {
			if renew {
				renewals++
			}
			return nil
		}
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			sent++
			return reply(script[sent-1], `{}`), nil
		})
	})
	if _, err := c.Do(context.Background(), get); err != nil || sent != len(script) || renewals != 1 {
		t.Errorf("sent %d times, renewed %d times: %v", sent, renewals, err)
	}
}

func TestFailedCredentials(t *testing.T) {
	for _, test := range []struct {
		err   error
		kinds string
	}{
		{errors.New("no token"), "not authorized"},
		{&Error{Kinds: []error{ErrAuth}}, "not authorized"},
		{&Error{Kinds: []error{ErrRejected}}, "not authorized"},
		{&Error{Kinds: []error{ErrNotFound}}, "not authorized"},
		{&Error{Kinds: []error{ErrUnavailable, ErrUnknownOutcome}}, "unavailable"},
		{&Error{Kinds: []error{ErrOddAnswer, ErrUnknownOutcome}}, "unexpected answer"},
	} {
		c := newClient(t, func(o *Options) {
			o.Authorize = func(context.Context, *http.Request, bool) error { return test.err }
			o.Transport = tripper(func(*http.Request) (*http.Response, error) { panic("sent without credentials") })
		})
		_, err := c.Do(context.Background(), create)
		if kinds(err) != test.kinds || asError(t, err).Attempts != 0 {
			t.Errorf("%v: got %q, want %q", test.err, kinds(err), test.kinds)
		}
	}
}
