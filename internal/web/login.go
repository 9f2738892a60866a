package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	sessionCookie = "agentsync_session"
	sessionLasts  = 12 * time.Hour
	// formSize bounds a form's body in bytes.
	formSize = 16 << 10
)

// login shows the form, and takes it.
func (s *site) login(w http.ResponseWriter, r *http.Request) {
	if s.Token == "" {
		s.notFound(w, r)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.page(w, r, http.StatusOK, "login", signIn{Frame: s.frame(r, "Sign in"), Next: localPath(r.URL.Query().Get("next"))})
	case http.MethodPost:
		s.signIn(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		s.fail(w, r, problem{http.StatusMethodNotAllowed, "this address does not take " + r.Method, "use POST"})
	}
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formSize)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, problem{http.StatusBadRequest, "the form cannot be read", "go back and try again"})
		return
	}
	next, now := localPath(r.PostForm.Get("next")), s.Now()
	fault := s.check(r, r.PostForm.Get("token"), now)
	origin := r.Header.Get("Origin")
	secure := !loopback(hostOf(r)) || strings.HasPrefix(origin, "https://")
	if fault == nil && secure && strings.HasPrefix(origin, "http://") {
		fault = &problem{http.StatusForbidden, "a browser keeps the sign-in over https or on this machine only",
			"open the page through https, or through a tunnel to localhost"}
	}
	if fault != nil {
		if fault.status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", retryAfter)
		}
		s.page(w, r, fault.status, "login", signIn{Frame: s.frame(r, "Sign in"), Next: next, What: fault.what, Cure: fault.cure})
		return
	}
	s.Log.Info("somebody signed in", "from", clientOf(r))
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: s.session(now.Add(sessionLasts)), Path: "/", MaxAge: int(sessionLasts / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *site) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// session is the value of a cookie that holds until a time: the time, and proof that who made it had the token. Every replica with the same
// token takes it.
func (s *site) session(until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.Token))
	mac.Write([]byte("agentsync session until " + end))
	return end + "." + hex.EncodeToString(mac.Sum(nil))
}

func (s *site) hasSession(r *http.Request, now time.Time) bool {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	end, _, _ := strings.Cut(cookie.Value, ".")
	seconds, err := strconv.ParseInt(end, 10, 64)
	if err != nil {
		return false
	}
	until := time.Unix(seconds, 0)
	return same(cookie.Value, s.session(until)) && now.Before(until) && until.Sub(now) <= sessionLasts
}

// localPath is where to go after a form: path if it is one of this site, else the overview.
func localPath(path string) string {
	outside := !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//")
	if outside || strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }) {
		return "/"
	}
	return path
}

// How often somebody may be wrong: so many times at once, then once each tryEvery.
const (
	triesAtOnce = 10
	tryEvery    = 6 * time.Second
	retryAfter  = "60" // seconds, until the bucket is full again
	// mostClients bounds the addresses that are told apart; beyond it, all strangers share one count.
	mostClients = 1000
)

// tries counts wrong tokens by the address they came from.
type tries struct {
	mu sync.Mutex
	// full says when an address will have all its tries again.
	full map[netip.Addr]time.Time
}

func newTries() *tries { return &tries{full: map[netip.Addr]time.Time{}} }

func (t *tries) may(from netip.Addr, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.full[t.key(from)].Sub(now) <= (triesAtOnce-1)*tryEvery
}

func (t *tries) wrong(from netip.Addr, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for addr, full := range t.full {
		if !full.After(now) {
			delete(t.full, addr)
		}
	}
	key := t.key(from)
	full := t.full[key]
	if full.Before(now) {
		full = now
	}
	t.full[key] = full.Add(tryEvery)
}

func (t *tries) key(from netip.Addr) netip.Addr {
	if _, known := t.full[from]; !known && len(t.full) >= mostClients {
		return netip.Addr{}
	}
	return from
}
