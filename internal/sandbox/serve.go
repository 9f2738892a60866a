package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Path prefixes of the simulated APIs.
const (
	prefixConvirza  = "/convirza/v3"
	prefixOAuth     = "/convirza-oauth"
	prefixNova      = "/nova/api"
	prefixCenterfy  = "/centerfy/functions/v1/crm-api"
	prefixVoicy     = "/voicy/v1"
	prefixFunctions = "/voicy/functions/v1"
)

// maxJSON is the largest JSON body taken.
const maxJSON = 16 << 20

// errRefused is a connection that was not made; see FaultRefuse.
var errRefused = errors.New("sandbox: connection refused")

// site is one simulated API.
type site struct {
	prefix string
	store  string
	handle func(in *request) answer
	// fail is an error in the vendor's own shape.
	fail func(status int, message string) answer
}

func (s *Server) apis() []*site {
	convirza := convirza{s, s.stores[Convirza]}
	nova := nova{s, s.stores[Nova]}
	centerfy := centerfy{s, s.stores[Centerfy]}
	voicy := voicy{s, s.stores[Voicy]}
	functions := voicyFunctions{s, s.stores[VoicyFunctions]}
	return []*site{
		{prefixConvirza, Convirza, convirza.serve, convirza.fail},
		{prefixOAuth, Convirza, convirza.serveOAuth, convirza.fail},
		{prefixNova, Nova, nova.serve, nova.fail},
		{prefixCenterfy, Centerfy, centerfy.serve, centerfy.fail},
		{prefixVoicy, Voicy, voicy.serve, voicy.fail},
		{prefixFunctions, VoicyFunctions, functions.serve, functions.fail},
	}
}

// request is a call, read whole.
type request struct {
	site     *site // nil where no vendor has the path
	method   string
	host     string
	fullPath string
	path     string // below the prefix, still escaped
	query    url.Values
	header   http.Header
	body     []byte // nil for a form
	form     *form  // nil if it is none
	bodyErr  error
	odd      []Kind // list oddities to show
}

// answer is what a vendor says. A nil body is none.
type answer struct {
	status int
	header http.Header
	body   any
	raw    []byte // instead of body, with its Content-Type in header
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	in := s.read(r)
	s.mu.Lock()
	call := s.record(in)
	faults := s.strike(in)
	s.mu.Unlock()
	wait(r.Context(), s.opts.Latency)

	out, done := s.befall(r.Context(), in, faults)
	if !done {
		out = s.handle(in)
		if late, done := s.follow(r.Context(), in, faults, out); done {
			out = late
		}
	}
	s.mu.Lock()
	call.Status = out.status
	s.mu.Unlock()
	out.write(w, faults)
}

// read takes the request in; a body's faults are for the vendor to tell.
func (s *Server) read(r *http.Request) *request {
	in := &request{method: r.Method, host: r.Host, fullPath: r.URL.EscapedPath(), query: r.URL.Query(), header: r.Header}
	for _, site := range s.sites {
		if rest, ok := strings.CutPrefix(in.fullPath, site.prefix); ok && (rest == "" || rest[0] == '/') {
			in.site, in.path = site, rest
		}
	}
	if r.Body == nil {
		return in
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		in.form, in.bodyErr = readForm(r.Body, params["boundary"])
		return in
	}
	in.body, in.bodyErr = io.ReadAll(io.LimitReader(r.Body, maxJSON+1))
	if len(in.body) > maxJSON {
		in.bodyErr = errors.New("the body is too large")
	}
	return in
}

// handle lets the vendor carry out the call.
func (s *Server) handle(in *request) answer {
	if in.site == nil {
		return answer{status: http.StatusNotFound, header: http.Header{"Content-Type": {"text/plain"}},
			raw: []byte("sandbox: no vendor has this path\n")}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers++
	limit, ok := s.limit(in)
	if !ok {
		return limit
	}
	out := in.site.handle(in)
	if out.header == nil {
		out.header = http.Header{}
	}
	maps.Copy(out.header, limit.header)
	return out
}

// befall carries out the faults that come before the vendor; done means that it is not asked.
func (s *Server) befall(ctx context.Context, in *request, faults []Fault) (out answer, done bool) {
	for _, f := range faults {
		switch f.Kind {
		case FaultRefuse:
			panic(errRefused)
		case FaultRepeat, FaultSkip, FaultEndless:
			in.odd = append(in.odd, f.Kind)
		case FaultExpire:
			s.expire(in)
			return s.fails(in, http.StatusUnauthorized, "the token has expired"), true
		case FaultTruncate, FaultGarbage:
			continue
		default:
			if f.After {
				continue
			}
			if out, done := s.carryOut(ctx, in, f); done {
				return out, true
			}
		}
	}
	return answer{}, false
}

// expire ends the tokens of the vendor that has some.
func (s *Server) expire(in *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.site != nil && in.site.store == Convirza {
		s.sessions.expire()
	}
}

// follow carries out the faults that come after the vendor; done means that its answer is another.
func (s *Server) follow(ctx context.Context, in *request, faults []Fault, was answer) (out answer, done bool) {
	for _, f := range faults {
		if f.Kind == FaultGarbage {
			return answer{status: was.status, header: http.Header{"Content-Type": {"application/json"}}, raw: []byte(`{"id": <<<`)}, true
		}
		if !f.After {
			continue
		}
		if out, done := s.carryOut(ctx, in, f); done {
			return out, true
		}
	}
	return answer{}, false
}

// carryOut is what faults do that may come before or after.
func (s *Server) carryOut(ctx context.Context, in *request, f Fault) (out answer, done bool) {
	switch f.Kind {
	case FaultReset:
		panic(http.ErrAbortHandler)
	case FaultHook:
		f.Hook()
	case FaultSlow:
		if f.For == 0 {
			<-ctx.Done()
		}
		wait(ctx, f.For)
	case FaultRedirect:
		return answer{status: http.StatusTemporaryRedirect,
			header: http.Header{"Location": {"https://elsewhere.example" + in.fullPath}}}, true
	case FaultStatus:
		out = s.fails(in, f.Status, "simulated fault")
		if f.Status == http.StatusBadGateway {
			out = page("<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>")
		}
		if f.Body != "" {
			out = page(f.Body)
		}
		out.status = f.Status
		maps.Copy(out.header, f.Header)
		return out, true
	}
	return answer{}, false
}

func page(text string) answer {
	kind := "text/html"
	if json.Valid([]byte(text)) {
		kind = "application/json"
	}
	return answer{header: http.Header{"Content-Type": {kind}}, raw: []byte(text)}
}

// fails is in.failed for a fault, which nothing has locked the server for.
func (s *Server) fails(in *request, status int, message string) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return in.failed(status, message)
}

// failed is an error in the shape of the vendor that has the path.
func (in *request) failed(status int, message string) answer {
	out := answer{status: status, body: map[string]any{"error": message}}
	if in.site != nil {
		out = in.site.fail(status, message)
		out.status = status
	}
	if out.header == nil {
		out.header = http.Header{}
	}
	return out
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (out answer) write(w http.ResponseWriter, faults []Fault) {
	body := out.raw
	maps.Copy(w.Header(), out.header)
	if out.body != nil {
		w.Header().Set("Content-Type", "application/json")
		var err error
		if body, err = json.Marshal(out.body); err != nil {
			panic(err) // answers are made of JSON values
		}
	}
	if out.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	cut := slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == FaultTruncate })
	w.WriteHeader(out.status)
	if cut {
		body = body[:len(body)/2]
	}
	_, _ = w.Write(body) // the client may be gone
	if cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
