package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what a Fault does.
type Kind string

// The kinds of faults.
const (
	// FaultStatus answers with Status, Header and Body. An empty Body is the vendor's own error, or, for a 502, a gateway's page.
	FaultStatus Kind = "status"
	// FaultReset breaks the connection off without an answer.
	FaultReset Kind = "reset"
	// FaultRefuse refuses the connection: nothing was sent. Over a socket it is a reset.
	FaultRefuse Kind = "refuse"
	// FaultTruncate breaks off in the middle of the answer's body.
	FaultTruncate Kind = "truncate"
	// FaultGarbage answers with the right status and a body that is no JSON.
	FaultGarbage Kind = "garbage"
	// FaultSlow waits For, or until the client gives up; 0 waits for the client.
	FaultSlow Kind = "slow"
	// FaultRedirect answers 307 to the same path at another host.
	FaultRedirect Kind = "redirect"
	// FaultExpire answers 401, and Convirza's access tokens end.
	FaultExpire Kind = "expire"
	// FaultHook calls Hook.
	FaultHook Kind = "hook"
	// FaultRepeat gives the first row of a list twice; FaultSkip leaves its last row out; FaultEndless never ends its pages.
	FaultRepeat  Kind = "repeat"
	FaultSkip    Kind = "skip"
	FaultEndless Kind = "endless"
)

// Fault is something that goes wrong, for the calls that match.
type Fault struct {
	// Vendor, Method and Path say which calls; "" is any. Path is a path.Match pattern for the whole path, with its prefix; with
	// /** at its end it is everything below.
	Vendor, Method, Path string
	// Nth is the first matching call it strikes, from 1; 0 is the first. Times is how many it strikes; 0 is one where Nth is
	// given, and else all.
	Nth, Times int
	Kind       Kind
	// After lets the vendor carry out the call first; otherwise it is as if it had not come. (Truncate, garbage and the list kinds
	// are always after.)
	After bool

	Status int           // of FaultStatus
	Header http.Header   // of FaultStatus, for example Retry-After
	Body   string        // of FaultStatus
	For    time.Duration // of FaultSlow
	Hook   func()        // of FaultHook; may call the server
}

// armed is a fault that waits for its calls.
type armed struct {
	Fault
	matched, struck int
}

// Fault switches a fault on.
func (s *Server) Fault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armed{Fault: f})
}

// ClearFaults switches all faults off.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// strike returns the faults that strike this call, in the order they were switched on. The caller holds the lock.
func (s *Server) strike(in *request) []Fault {
	var hit []Fault
	for _, f := range s.faults {
		if f.matches(in) && f.due() {
			hit = append(hit, f.Fault)
		}
	}
	return hit
}

func (f *armed) matches(in *request) bool {
	if f.Vendor != "" && (in.site == nil || in.site.store != f.Vendor) {
		return false
	}
	if f.Method != "" && f.Method != "*" && f.Method != in.method {
		return false
	}
	if f.Path == "" {
		return true
	}
	if prefix, below := strings.CutSuffix(f.Path, "**"); below {
		return strings.HasPrefix(in.fullPath, prefix)
	}
	ok, err := path.Match(f.Path, in.fullPath)
	return ok && err == nil
}

// due counts a matching call and says whether the fault strikes it.
func (f *armed) due() bool {
	f.matched++
	times := f.Times
	if times == 0 && f.Nth > 0 {
		times = 1
	}
	if f.matched < f.Nth || times > 0 && f.struck >= times {
		return false
	}
	f.struck++
	return true
}

// ParseFault reads a fault as text, for a flag:
//
//	[METHOD] PATH KIND [name=value ...]
//
// METHOD may be *, PATH is a pattern with the vendor's prefix (or *, then with a METHOD), KIND is a status code or a kind's name, with "-after" at
// its end to let the vendor carry out the call first. Names are nth, times, for (slow) and retry-after (a status code):
//
//	PATCH /voicy/v1/update-agent/* 500 times=2
//	POST /convirza/v3/ai-voice-agents reset-after nth=1
//	GET /nova/api/org/*/agents 429 retry-after=2 times=1
//	/voicy/** 503
func ParseFault(text string) (Fault, error) {
	words := strings.Fields(text)
	if strings.HasPrefix(text, "/") {
		words = append([]string{"*"}, words...)
	}
	if len(words) < 3 {
		return Fault{}, fmt.Errorf("fault %q: want [METHOD] PATH KIND [name=value ...]", text)
	}
	f := Fault{Method: strings.ToUpper(words[0]), Path: words[1]}
	if f.Method == "*" {
		f.Method = ""
	}
	if f.Path == "*" {
		f.Path = ""
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return Fault{}, fmt.Errorf("fault %q: path %q: %w", text, f.Path, err)
	}
	if err := f.parseKind(words[2]); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	for _, word := range words[3:] {
		if err := f.parseOption(word); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	return f, nil
}

func (f *Fault) parseKind(word string) error {
	word, f.After = strings.CutSuffix(word, "-after")
	if status, err := strconv.Atoi(word); err == nil {
		if status < 200 || status > 599 {
			return fmt.Errorf("status %d: want 200 to 599", status)
		}
		f.Kind, f.Status = FaultStatus, status
		return nil
	}
	kinds := []Kind{FaultReset, FaultRefuse, FaultTruncate, FaultGarbage, FaultSlow, FaultRedirect, FaultExpire, FaultRepeat,
		FaultSkip, FaultEndless}
	if !slices.Contains(kinds, Kind(word)) {
		return fmt.Errorf("unknown kind %q: want a status code or one of %q", word, kinds)
	}
	f.Kind = Kind(word)
	return nil
}

func (f *Fault) parseOption(word string) error {
	name, value, _ := strings.Cut(word, "=")
	number := func(n *int) error {
		parsed, err := strconv.Atoi(value)
		if err != nil || parsed < 1 {
			return fmt.Errorf("%s=%s: want a number from 1", name, value)
		}
		*n = parsed
		return nil
	}
	parse := map[string]func() error{
		"nth":   func() error { return number(&f.Nth) },
		"times": func() error { return number(&f.Times) },
		"for": func() (err error) {
			f.For, err = time.ParseDuration(value)
			return err
		},
		"retry-after": func() error {
			f.Header = http.Header{"Retry-After": {value}}
			return nil
		},
	}
	if parse[name] == nil {
		return fmt.Errorf("unknown name %q: want one of %q", name, slices.Sorted(maps.Keys(parse)))
	}
	return parse[name]()
}
