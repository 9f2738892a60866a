package rest

import (
	"cmp"
	"time"
)

// Limits are how fast an account's requests may go out, as data.
type Limits struct {
	// PerMinute is the most requests in any minute; 0 means no limit. Even spreads them over the minute, see [Options].
	PerMinute int
	Even      bool
	// InFlight is the most requests under way at once; 0 means no limit.
	InFlight int
}

// margin widens each window a little: a request that went out a moment late counts from when it went out.
const margin = 60

// window says that at most most requests begin within any period. most is 0 where there is no limit.
func (l Limits) window() (most int, period time.Duration) {
	if l.PerMinute <= 0 {
		return 0, 0
	}
	most, period = l.PerMinute, time.Minute
	if l.Even {
		most = max(1, l.PerMinute/60)
		period = time.Duration(most) * time.Minute / time.Duration(l.PerMinute)
	}
	return most, period + period/margin
}

// stricter returns what keeps both l and m.
func (l Limits) stricter(m Limits) Limits {
	return Limits{PerMinute: least(l.PerMinute, m.PerMinute), Even: l.Even || m.Even, InFlight: least(l.InFlight, m.InFlight)}
}

// least is the smaller of two limits, where 0 is none.
func least(a, b int) int {
	if a == 0 || b == 0 {
		return cmp.Or(a, b)
	}
	return min(a, b)
}

// Workers is how many goroutines keep the account's requests in flight: more than may be under way, since each does something with an answer
// before it asks again.
func (l Limits) Workers() int {
	if l.InFlight == 0 {
		return 16
	}
	return max(4, 2*l.InFlight)
}

// Time is how long n requests take from the first that begins to the last that is answered, where each takes trip and there is always
// another to send. Nothing may have gone out in the minute before.
func (l Limits) Time(n int, trip time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	most, period := l.window()
	if most == 0 || l.busy(most, trip) >= period {
		return l.busy(n, trip)
	}
	windows := (n - 1) / most
	return time.Duration(windows)*period + l.busy(n-windows*most, trip)
}

// TimeAfter is how long n requests take that come right after spent others.
func (l Limits) TimeAfter(spent, n int, trip time.Duration) time.Duration {
	return l.Time(spent+n, trip) - l.Time(spent, trip)
}

// busy is how long n requests take by their trips alone.
func (l Limits) busy(n int, trip time.Duration) time.Duration {
	atOnce := l.InFlight
	if atOnce == 0 {
		atOnce = l.Workers()
	}
	return time.Duration((n+atOnce-1)/atOnce) * trip
}
