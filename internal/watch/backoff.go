package watch

import (
	"math/rand/v2"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

// The waits between tries: they double from least to most, and a quarter of each is left to chance.
const (
	leastBackoff = 15 * time.Second
	mostBackoff  = 15 * time.Minute
)

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	wait := mostBackoff
	if shift := failures - 1; shift < 10 {
		wait = min(leastBackoff<<max(shift, 0), mostBackoff)
	}
	return jitter(wait, 4)
}

// jitter takes away or adds at random up to a part of d.
func jitter(d time.Duration, part int64) time.Duration {
	spread := int64(d) / part
	if spread <= 0 {
		return d
	}
	return d - time.Duration(spread/2) + time.Duration(rand.Int64N(spread))
}

// breaker keeps an account that cannot be reached from being asked for every agent again and again.
type breaker struct {
	failures int
	since    time.Time // when it opened; zero while closed
	next     time.Time // when a probe may go out
	probing  bool
	why      string
}

func (b *breaker) open() bool { return !b.since.IsZero() }

// failed opens the breaker, or keeps it open for longer.
func (b *breaker) failed(now time.Time, why string) {
	if !b.open() {
		b.since = now
	}
	b.failures++
	b.next, b.probing, b.why = now.Add(backoff(b.failures)), false, why
}

// state is the breaker's for people.
func (b *breaker) state() status.Breaker {
	switch {
	case !b.open():
		return status.Closed
	case b.probing:
		return status.HalfOpen
	}
	return status.Open
}
