package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Documented limits, in requests per minute: Voicy's Standard plan (docs.voicy.co/rate-limits), Centerfy's per key
// (setup.centerfy.ai/api/overview) and Convirza's login (docs.convirza.com/get-access-token-31635276e0). Checked 2026-11-21.
const (
	voicyPerMinute    = 60
	centerfyPerMinute = 60
	loginPerMinute    = 10
)

// limiter counts the requests of the last minute.
type limiter struct{ hits map[string][]time.Time }

// take counts a request and says how many are left and when the first falls out of the minute; ok is false over the limit.
func (l *limiter) take(now time.Time, key string, perMinute int) (left int, reset time.Time, ok bool) {
	if l.hits == nil {
		l.hits = map[string][]time.Time{}
	}
	var recent []time.Time
	for _, t := range l.hits[key] {
		if now.Sub(t) < time.Minute {
			recent = append(recent, t)
		}
	}
	if ok = len(recent) < perMinute; ok {
		recent = append(recent, now)
	}
	l.hits[key] = recent
	return perMinute - len(recent), recent[0].Add(time.Minute), ok
}

// limit enforces the documented limits; ok is false for a refusal. Its answer's headers go with every answer.
func (s *Server) limit(in *request) (out answer, ok bool) {
	if !s.opts.Limits {
		return answer{}, true
	}
	now := s.now()
	switch {
	case in.site.store == Voicy || in.site.store == VoicyFunctions: // one account, one key, one limit
		left, reset, ok := s.limiter.take(now, Voicy, voicyPerMinute)
		header := http.Header{
			"X-Ratelimit-Limit":     {strconv.Itoa(voicyPerMinute)},
			"X-Ratelimit-Remaining": {strconv.Itoa(left)},
			"X-Ratelimit-Reset":     {strconv.FormatInt(reset.Unix(), 10)},
		}
		if !ok {
			wait := int(reset.Sub(now).Seconds()) + 1
			out := in.failed(http.StatusTooManyRequests, fmt.Sprintf("Rate limit exceeded. Please wait %d seconds.", wait))
			out.header = header
			return out, false
		}
		return answer{header: header}, true
	case in.site.store == Centerfy:
		if _, _, ok := s.limiter.take(now, Centerfy, centerfyPerMinute); !ok {
			return in.failed(http.StatusTooManyRequests, "rate limit exceeded"), false
		}
	case in.site.prefix == prefixOAuth && in.path == "/oauth/token":
		if _, _, ok := s.limiter.take(now, prefixOAuth, loginPerMinute); !ok {
			return in.failed(http.StatusTooManyRequests, "too many login attempts"), false
		}
	}
	return answer{}, true
}
