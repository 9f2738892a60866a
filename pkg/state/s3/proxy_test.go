package s3_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"

	"agentsync.dev/agentsync/internal/s3test"
	"agentsync.dev/agentsync/pkg/state/s3"
)

// fault is what the proxy does to a request.
type fault struct {
	carriedOut bool   // the store gets the request, and its answer is thrown away
	status     int    // the answer; 0 for none
	code       string // the S3 code in it
	hang       bool   // no answer, and no end; without it, none and a cut connection
}

func (f fault) String() string {
	what := "cut"
	switch {
	case f.status != 0:
		what = fmt.Sprint(f.status)
	case f.hang:
		what = "hang"
	}
	if f.carriedOut {
		return what + " after it was carried out"
	}
	return what + " before it was carried out"
}

// everyFault is each way to go wrong, with and without the request being carried out.
func everyFault() (all []fault) {
	for _, carriedOut := range []bool{false, true} {
		all = append(all, fault{carriedOut: carriedOut}, fault{carriedOut: carriedOut, hang: true},
			fault{carriedOut: carriedOut, status: 409, code: "ConditionalRequestConflict"}, fault{carriedOut: carriedOut, status: 412, code: "PreconditionFailed"},
			fault{carriedOut: carriedOut, status: 500, code: "InternalError"}, fault{carriedOut: carriedOut, status: 503, code: "SlowDown"})
	}
	return all
}

// proxy stands before a real server and makes it a bad one.
type proxy struct {
	server   *s3test.Server
	url      string
	upstream http.Handler
	over     chan struct{}

	mu      sync.Mutex
	strike  func(*http.Request) *fault // nil strikes nothing
	ignores func(*http.Request) string // the header that the store does not know
	counted []string                   // METHOD, or LIST
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{server: s3test.Start(t), over: make(chan struct{})}
	target, err := url.Parse(p.server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p.upstream = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	t.Cleanup(func() { close(p.over) }) // before the server waits for its requests
	p.url = front.URL
	return p
}

// address is a new bucket's, through the proxy.
func (p *proxy) address(t *testing.T) string {
	return fmt.Sprintf("s3://%s/p?endpoint=%s", p.server.NewBucket(t), url.QueryEscape(p.url))
}

func (p *proxy) open(t *testing.T, address string, timeout time.Duration) *s3.Store {
	t.Helper()
	store, err := s3.Open(address, s3.Options{Getenv: s3test.Getenv, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// set chooses what strikes from now on.
func (p *proxy) set(strike func(*http.Request) *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strike = strike
}

// once strikes the first request with this method.
func once(method string, f fault) func(*http.Request) *fault {
	done := false
	return func(r *http.Request) *fault {
		if done || r.Method != method {
			return nil
		}
		done = true
		return &f
	}
}

// always strikes every request with this method.
func always(method string, f fault) func(*http.Request) *fault {
	return func(r *http.Request) *fault {
		if r.Method != method {
			return nil
		}
		return &f
	}
}

// since returns what was asked since the last call.
func (p *proxy) since() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	said := strings.Join(p.counted, " ")
	p.counted = nil
	return said
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	verb := r.Method
	if r.URL.Query().Has("list-type") {
		verb = "LIST"
	}
	p.counted = append(p.counted, verb)
	var f *fault
	if p.strike != nil {
		f = p.strike(r)
	}
	if p.ignores != nil {
		if name := p.ignores(r); name != "" && r.Header.Get(name) != "" {
			r.Header.Del(name)
			*r = *resigned(r)
		}
	}
	p.mu.Unlock()
	if f == nil {
		p.upstream.ServeHTTP(w, r)
		return
	}
	if f.carriedOut {
		p.upstream.ServeHTTP(httptest.NewRecorder(), r)
	}
	switch {
	case f.status != 0:
		w.WriteHeader(f.status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>a fault</Message></Error>", f.code)
	case f.hang:
		select {
		case <-r.Context().Done():
		case <-p.over:
		}
	default:
		if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
			connection.Close()
		}
	}
}

// resigned signs a request anew whose headers were changed.
func resigned(r *http.Request) *http.Request {
	return signer.SignV4(*r, s3test.AccessKey, s3test.SecretKey, "", s3test.Region)
}
