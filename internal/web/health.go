package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

// healthz says whether the process serves and its loop is alive.
func (s *site) healthz(w http.ResponseWriter, _ *http.Request) {
	latest, _ := s.Board.Latest()
	probe(w, stuck(latest, s.started, s.Now(), s.StaleAfter))
}

// readyz says whether this watcher does what it is there for.
func (s *site) readyz(w http.ResponseWriter, _ *http.Request) {
	latest, _ := s.Board.Latest()
	probe(w, unready(latest))
}

// probe answers a probe: 200, or 503 with the reasons, one a line.
func probe(w http.ResponseWriter, reasons []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(reasons) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, strings.Join(reasons, "\n"))
}

// stuck says why the loop does not seem to be alive. A loop that has not published yet is as old as the handler.
func stuck(st *status.Status, started, now time.Time, most time.Duration) []string {
	last := st.At
	if last.IsZero() {
		last = started
	}
	if age := now.Sub(last); age > most {
		return []string{fmt.Sprintf("the loop has said nothing for %s, more than %s", age.Round(time.Second), most)}
	}
	return nil
}

// unready says what a watcher still lacks. It names no agent: everybody may read it.
func unready(st *status.Status) []string {
	var reasons []string
	if st.Source.Digest == "" {
		reasons = append(reasons, "no revision is in force yet")
		if n := len(st.Source.Errors); n > 0 {
			reasons = append(reasons, fmt.Sprintf("the source or its manifests have %d errors, which the page and the log name", n))
		}
	}
	switch st.Lease.Role {
	case status.Leader:
		if n := notLookedAt(st); n > 0 {
			reasons = append(reasons, fmt.Sprintf("the first full look has not ended at %d of %d accounts", n, len(st.Accounts)))
		}
	case status.Standby:
		if st.Lease.Holder == "" {
			reasons = append(reasons, "this is a standby, and nobody holds the lease")
		}
	default:
		reasons = append(reasons, "whether this watcher leads is not known yet")
	}
	return reasons
}

// notLookedAt counts the accounts that were never looked at. One whose breaker is open does not count: it must not hold up the others.
func notLookedAt(st *status.Status) int {
	n := 0
	for _, a := range st.Accounts {
		if a.LookedAt.IsZero() && (a.Breaker == status.Closed || a.Breaker == "") {
			n++
		}
	}
	return n
}
