package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// policy lets a page load its own files and nothing else, send its forms home, and run no script but the file.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'"

// hardened sets the headers of every answer and turns away what a browser sends for another site.
func (s *site) hardened(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, problem{http.StatusForbidden, "this was sent by another site's page",
			"open the page itself and use its button, or send the request without a browser"})
	}))
	next = protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: with it browsers call the origin of the page's own forms "null", and over plain http nothing else tells them apart.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// only lets one method through; GET lets HEAD through, too.
func (s *site) only(method string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == method || (method == http.MethodGet && r.Method == http.MethodHead) {
			next(w, r)
			return
		}
		allow := method
		if method == http.MethodGet {
			allow += ", " + http.MethodHead
		}
		w.Header().Set("Allow", allow)
		s.fail(w, r, problem{http.StatusMethodNotAllowed, "this address does not take " + r.Method, "use " + method})
	})
}

// forHosts answers requests for the names that are ours.
func (s *site) forHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r)
		known := slices.ContainsFunc(s.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
		anyName := len(s.Hosts) == 0 && (s.Token != "" || s.ProxyHeader != "")
		if !known && !anyName && !loopback(host) {
			s.fail(w, r, problem{http.StatusMisdirectedRequest, "this watcher is not reached under that host name",
				"use localhost, or start the watcher with this name among the host names it answers"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf is the host name that r asks for, without port, brackets or a dot at its end.
func hostOf(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// loopback reports whether a host name always means this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// viewer is who asks.
type viewer struct {
	name string // as the proxy says, else ""
	// session says that it was a cookie that let them in.
	session bool
}

type viewerKey struct{}

func viewerOf(r *http.Request) viewer {
	v, _ := r.Context().Value(viewerKey{}).(viewer)
	return v
}

// signedIn lets through whom the proxy names, who has the token or who signed in with it; where neither is set, everybody.
func (s *site) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, fault := s.identify(r)
		if fault == nil {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, v)))
			return
		}
		if fault.status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", retryAfter)
		}
		if s.Token != "" && fault.status == http.StatusUnauthorized {
			if wantsPage(r) {
				http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="agentsync"`)
		}
		s.fail(w, r, *fault)
	})
}

func (s *site) identify(r *http.Request) (viewer, *problem) {
	if s.Token == "" && s.ProxyHeader == "" {
		return viewer{}, nil
	}
	if name := s.proxied(r); name != "" {
		return viewer{name: name}, nil
	}
	if s.Token == "" {
		return viewer{}, &problem{http.StatusUnauthorized, "nobody said who you are", "come through the proxy that signs people in"}
	}
	now := s.Now()
	if s.hasSession(r, now) {
		return viewer{session: true}, nil
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return viewer{}, &problem{http.StatusUnauthorized, "a token is needed", `send the header "Authorization: Bearer TOKEN"`}
	}
	if fault := s.check(r, given, now); fault != nil {
		return viewer{}, fault
	}
	return viewer{}, nil
}

// proxied is the user that a trusted proxy names, "" if none does. Two names are none.
func (s *site) proxied(r *http.Request) string {
	if s.ProxyHeader == "" {
		return ""
	}
	names := r.Header.Values(s.ProxyHeader)
	from := clientOf(r)
	if len(names) != 1 || !slices.ContainsFunc(s.ProxyFrom, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return ""
	}
	return strings.TrimSpace(names[0])
}

// clientOf is the address at the other end of the connection; the zero address if it has none.
func clientOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// check compares a given token with ours. Who was wrong too often has to wait, even with the right one.
func (s *site) check(r *http.Request, given string, now time.Time) *problem {
	from := clientOf(r)
	if !s.tries.may(from, now) {
		return &problem{http.StatusTooManyRequests, "too many wrong tokens from this address", "wait a minute"}
	}
	if same(given, s.Token) {
		return nil
	}
	s.tries.wrong(from, now)
	s.Log.Warn("a wrong token was given", "from", from, "path", r.URL.Path)
	return &problem{http.StatusUnauthorized, "the token is wrong", "it is the one that the watcher was started with"}
}

// same compares two secrets in a time that tells nothing of either, not even the length.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
