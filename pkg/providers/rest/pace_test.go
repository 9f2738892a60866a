package rest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTime makes o wait on the bubble's clock, which moves when all wait.
func fakeTime(o *Options) { o.Now, o.Sleep = nil, nil }

// sendTimes sends n requests at once and returns when each went out, from the first on.
func sendTimes(t *testing.T, n int, set func(*Options)) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var times []time.Duration
	start := time.Now()
	c := newClient(t, func(o *Options) {
		fakeTime(o)
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(start))
			return reply(200, `{}`), nil
		})
		set(o)
	})
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := c.Do(context.Background(), get); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return times
}

func TestPaceNeverExceedsTheMinuteAndStartsEarly(t *testing.T) {
	for _, perMinute := range []int{1, 2, 7, 10, 20, 50, 60, 300, 600} {
		t.Run(fmt.Sprint(perMinute), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				times := sendTimes(t, 3*perMinute+1, func(o *Options) { o.RequestsPerMinute = perMinute })
				for i := perMinute; i < len(times); i++ {
					if window := times[i] - times[i-perMinute]; window < time.Minute {
						t.Fatalf("requests %d to %d within %s", i-perMinute, i, window)
					}
				}
				if times[perMinute-1] != 0 {
					t.Errorf("the first %d do not start at once: %v", perMinute, times[:perMinute])
				}
				if last, least := times[len(times)-1], 3*time.Minute; last > least*105/100 {
					t.Errorf("%d requests took %s", len(times), last)
				}
			})
		})
	}
}

func TestEvenPace(t *testing.T) {
	for perMinute, first := range map[int]int{6: 1, 30: 1, 60: 1, 300: 5} {
		synctest.Test(t, func(t *testing.T) {
			times := sendTimes(t, perMinute+1, func(o *Options) { o.RequestsPerMinute, o.Even = perMinute, true })
			if times[first-1] != 0 || times[first] == 0 {
				t.Errorf("%d a minute begin with %v", perMinute, times[:first+1])
			}
			if last := times[len(times)-1]; last < time.Minute || last > time.Minute*105/100 {
				t.Errorf("%d a minute: the next after a minute's is at %s", perMinute, last)
			}
		})
	}
}

func TestNoPaceNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if times := sendTimes(t, 500, func(*Options) {}); times[len(times)-1] != 0 {
			t.Errorf("waited %s", times[len(times)-1])
		}
	})
}

func TestInFlightCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		start := time.Now()
		sendTimes(t, 12, func(o *Options) {
			o.MaxInFlight = 4
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				return reply(200, `{}`), nil
			})
		})
		if most != 4 || time.Since(start) != 3*time.Second {
			t.Errorf("%d at once, %s in all; want 4 and 3s", most, time.Since(start))
		}
	})
}

// A slot is waited for before the token, so that slow answers do not pile up tokens that are then spent in a heap.
func TestSlowAnswersDoNotHeapRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute = 20
		var mu sync.Mutex
		var times []time.Duration
		start := time.Now()
		sendTimes(t, 3*perMinute, func(o *Options) {
			o.RequestsPerMinute, o.MaxInFlight = perMinute, 3
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				mu.Lock()
				at := time.Since(start)
				times = append(times, at)
				mu.Unlock()
				if at < 20*time.Second {
					time.Sleep(25 * time.Second)
				}
				return reply(200, `{}`), nil
			})
		})
		for i := perMinute; i < len(times); i++ {
			if window := times[i] - times[i-perMinute]; window < time.Minute {
				t.Fatalf("requests %d to %d within %s", i-perMinute, i, window)
			}
		}
	})
}

func TestA429HoldsTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sent := 0
		var waits []time.Duration
		c := newClient(t, func(o *Options) {
			fakeTime(o)
			o.Observe = func(e Event) {
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, e.Wait)
			}
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				if sent++; sent == 1 {
					return reply(429, "", "Retry-After", "40"), nil
				}
				return reply(200, `{}`), nil
			})
		})
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Do(context.Background(), get); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(10 * time.Second)
		if _, err := c.Do(context.Background(), get); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if took := time.Since(start); took != 40*time.Second || sent != 3 {
			t.Errorf("sent %d in %s", sent, took)
		}
		if got := fmt.Sprint(waits); got != "[0s 40s 30s]" && got != "[0s 30s 40s]" {
			t.Errorf("waits as observed: %s", got)
		}
	})
}

func TestHeldTokensAreNotSpentInAHeap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute = 20
		var mu sync.Mutex
		var times []time.Duration
		start := time.Now()
		sendTimes(t, 2*perMinute, func(o *Options) {
			o.RequestsPerMinute = perMinute
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				times = append(times, time.Since(start))
				if len(times) == 3 {
					return reply(429, "", "Retry-After", "100"), nil
				}
				return reply(200, `{}`), nil
			})
		})
		for i := perMinute; i < len(times); i++ {
			if window := times[i] - times[i-perMinute]; window < time.Minute {
				t.Fatalf("requests %d to %d within %s: %v", i-perMinute, i, window, times)
			}
		}
		// Requests of the same moment are out before the 429 is known; after it nothing goes out for 100 seconds, longer than the minute has no room.
		for _, at := range times {
			if into := at - times[2]; into > 0 && into < 100*time.Second {
				t.Errorf("a request went out %s into the hold", into)
			}
		}
	})
}

func TestTurnThatIsGivenUpIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, func(o *Options) {
			fakeTime(o)
			o.RequestsPerMinute = 1
			o.Transport = tripper(func(*http.Request) (*http.Response, error) { return reply(200, "{}"), nil })
		})
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		for _, ctx := range []context.Context{context.Background(), ctx, context.Background()} {
			c.Do(ctx, get)
		}
		if took := time.Since(start).Round(time.Second); took != time.Minute+time.Minute/margin {
			t.Errorf("the third went out at %s, want a minute and its margin", took)
		}
	})
}

// rateHeaders reads headers as Voicy documents them.
func rateHeaders(h http.Header, _ time.Time) (Rate, bool) {
	var left int
	var reset int64
	_, err := fmt.Sscan(h.Get("X-RateLimit-Remaining")+" "+h.Get("X-RateLimit-Reset"), &left, &reset)
	limit, _ := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	return Rate{limit, left, time.Unix(reset, 0)}, err == nil
}

func TestPaceHeaders(t *testing.T) {
	for _, test := range []struct {
		remaining string
		reset     time.Duration
		want      time.Duration
		kinds     string
	}{
		{"3", 30 * time.Second, 0, ""},
		{"0", 30 * time.Second, 30 * time.Second, ""},
		{"0", -30 * time.Second, 0, ""},
		{"0", time.Hour, 0, "unavailable"},
		{"", 30 * time.Second, 0, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, func(o *Options) {
				fakeTime(o)
				o.Pace = rateHeaders
				o.Transport = tripper(func(*http.Request) (*http.Response, error) {
					return reply(200, `{}`, "X-RateLimit-Remaining", test.remaining,
						"X-RateLimit-Reset", fmt.Sprint(time.Now().Add(test.reset).Unix())), nil
				})
			})
			if _, err := c.Do(context.Background(), get); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err := c.Do(context.Background(), get)
			if kinds(err) != test.kinds || time.Since(start) != test.want {
				t.Errorf("%q %s: waited %s: %v", test.remaining, test.reset, time.Since(start), err)
			}
		})
	}
}

// A sleep that returns at once, as tests have it, must not make a hold a busy loop.
func TestHoldEndsOnAClockThatStands(t *testing.T) {
	sent := 0
	c := newClient(t, func(o *Options) {
		clock := newNaps()
		o.Now = clock.Now
		o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		o.RequestsPerMinute = 1
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			if sent++; sent < 3 {
				return reply(429, "", "Retry-After", "200"), nil
			}
			return reply(200, `{}`), nil
		})
	})
	if _, err := c.Do(context.Background(), get); err != nil || sent != 3 {
		t.Errorf("sent %d: %v", sent, err)
	}
}
