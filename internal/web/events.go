package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

const (
	eventEvery = time.Second      // at most one event in this time
	heartbeat  = 15 * time.Second // a sign of life, so that nothing between us and the browser takes the stream for dead
	// sendWithin is how long a browser may take to accept an event before it is let go.
	sendWithin = 30 * time.Second
)

// events tells the page that there is a newer status. What is new it fetches itself.
func (s *site) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		w.Header().Set("Retry-After", "30")
		s.fail(w, r, problem{http.StatusServiceUnavailable, "too many pages are open", "close some; this one can be reloaded by hand"})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect events before passing them on
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	text := "retry: 3000\n"
	for {
		latest, changed := s.Board.Latest()
		if !send(w, text+"data: "+revision(latest)+"\n\n") || !s.pause(r) {
			return
		}
		text = ""
		for waiting := true; waiting; {
			select {
			case <-changed:
				waiting = false
			case <-alive.C:
				if !send(w, ": alive\n\n") {
					return
				}
			case <-r.Context().Done():
				return
			case <-s.Done:
				return
			}
		}
	}
}

// pause keeps events apart; it returns false where the stream is to end.
func (s *site) pause(r *http.Request) bool {
	timer := time.NewTimer(eventEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.Done:
	}
	return false
}

// send writes to a stream; it returns false where the browser is gone, or does not take it within sendWithin.
func send(w http.ResponseWriter, text string) bool {
	control := http.NewResponseController(w)
	// Where the server can set no deadline, its own time-outs hold.
	_ = control.SetWriteDeadline(time.Time{})
	cut := make(chan struct{})
	timer := time.AfterFunc(sendWithin, func() {
		defer close(cut)
		_ = control.SetWriteDeadline(time.Unix(1, 0)) // long ago: the write ends now
	})
	defer func() {
		if !timer.Stop() {
			<-cut
		}
	}()
	if _, err := fmt.Fprint(w, text); err != nil {
		return false
	}
	return control.Flush() == nil
}

// revision names a status: another one has another.
func revision(st *status.Status) string { return strconv.FormatInt(st.At.UnixNano(), 36) }
