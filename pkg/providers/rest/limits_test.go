package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// run sends n requests that take trip each, from as many goroutines as the account asks for, and returns when each began and how long all took.
func run(t *testing.T, n int, trip time.Duration, l Limits) (began []time.Duration, took time.Duration) {
	t.Helper()
	var mu sync.Mutex
	start := time.Now()
	c := newClient(t, func(o *Options) {
		fakeTime(o)
		o.RequestsPerMinute, o.Even, o.MaxInFlight = l.PerMinute, l.Even, l.InFlight
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			began = append(began, time.Since(start))
			mu.Unlock()
			time.Sleep(trip)
			return reply(200, `{}`), nil
		})
	})
	work(t, n, c.Limits().Workers(), c)
	return began, time.Since(start)
}

func work(t *testing.T, n, workers int, c *Client) {
	t.Helper()
	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range todo {
				if _, err := c.Do(context.Background(), get); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// within demands that no minute has more than most of times.
func within(t *testing.T, times []time.Duration, most int) {
	t.Helper()
	slices.Sort(times)
	for i := most; i < len(times); i++ {
		if window := times[i] - times[i-most]; window < time.Minute {
			t.Fatalf("requests %d to %d within %s", i-most, i, window)
		}
	}
}

// TestRunsKeepTheirBounds: never more than the limit in any minute, at most 1.05 times what the limit makes of a run and one round trip;
// without a limit at most 1.2 times what the requests in flight make of it. What is predicted is within a tenth of that, or a second.
func TestRunsKeepTheirBounds(t *testing.T) {
	for _, l := range []Limits{
		{PerMinute: 50, InFlight: 2}, {PerMinute: 60, InFlight: 4}, {PerMinute: 60, InFlight: 32}, {PerMinute: 1, InFlight: 1}, {PerMinute: 7, InFlight: 2},
		{PerMinute: 300, Even: true, InFlight: 2}, {PerMinute: 300, Even: true, InFlight: 4}, {PerMinute: 30, Even: true, InFlight: 2},
		{PerMinute: 90, Even: true, InFlight: 2}, {PerMinute: 600, InFlight: 4}, {InFlight: 1}, {InFlight: 4}, {InFlight: 32}, {},
	} {
		for _, trip := range []time.Duration{50 * time.Millisecond} {
			for _, n := range []int{1, 3, 50, 51, 61, 100, 301, 1000} {
				if l.PerMinute > 0 && (n > 20*l.PerMinute || l.InFlight > 0 && l.busy(l.PerMinute, trip) > time.Minute) {
					continue // the trips are what limits it
				}
				t.Run(fmt.Sprint(l, trip, n), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						began, took := run(t, n, trip, l)
						var bound time.Duration
						if l.PerMinute > 0 {
							within(t, began, l.PerMinute)
							bound = time.Duration(n)*time.Minute*105/100/time.Duration(l.PerMinute) + trip
						}
						rounds := (n + l.Workers() - 1) / l.Workers()
						if l.InFlight > 0 {
							rounds = (n + l.InFlight - 1) / l.InFlight
						}
						bound = max(bound, time.Duration(rounds)*trip*120/100)
						if took > bound {
							t.Errorf("took %s, more than %s", took, bound)
						}
						if said := l.Time(n, trip); (said - took).Abs() > max(took/10, time.Second) {
							t.Errorf("took %s, predicted %s", took, said)
						}
					})
				})
			}
		}
	}
}

func TestTimeAfter(t *testing.T) {
	for _, tc := range []struct {
		l           Limits
		spent, more int
		want        time.Duration
	}{
		{Limits{PerMinute: 50}, 0, 50, 0},
		{Limits{PerMinute: 50}, 50, 12, 61 * time.Second},
		{Limits{PerMinute: 50}, 38, 12, 0},
		{Limits{PerMinute: 50}, 1000, 50, 61 * time.Second},
		{Limits{PerMinute: 60, Even: true}, 1, 60, 61 * time.Second},
		{Limits{PerMinute: 50}, 10, 0, 0},
		{Limits{}, 10, 10, 0},
	} {
		if got := tc.l.TimeAfter(tc.spent, tc.more, 0).Round(time.Millisecond); got != tc.want {
			t.Errorf("%+v, %d after %d: %s, want %s", tc.l, tc.more, tc.spent, got, tc.want)
		}
	}
}

// shared are two accounts with one key at one host, and what they sent, from the first on.
func shared(t *testing.T, first, second func(*Options)) (clients [2]*Client, times *[]time.Duration) {
	t.Helper()
	var mu sync.Mutex
	times = new([]time.Duration)
	start, paces := time.Now(), new(Paces)
	for i, set := range []func(*Options){first, second} {
		clients[i] = newClient(t, func(o *Options) {
			fakeTime(o)
			o.Paces, o.CountedBy, o.RequestsPerMinute = paces, "key", 50
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				*times = append(*times, time.Since(start))
				return reply(200, `{}`), nil
			})
			set(o)
		})
	}
	return clients, times
}

func TestOneKeyIsOnePace(t *testing.T) {
	same := func(*Options) {}
	for _, tc := range []struct {
		name   string
		second func(*Options)
		most   int // of both together in a minute
	}{
		{"same", same, 50},
		{"the strictest limit", func(o *Options) { o.RequestsPerMinute = 20 }, 20},
		{"another path", func(o *Options) { o.BaseURL += "/v2" }, 50},
		{"another key", func(o *Options) { o.CountedBy = "other" }, 100},
		{"no key", func(o *Options) { o.CountedBy = "" }, 100},
		{"another host", func(o *Options) { o.BaseURL = "https://other.example.com" }, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clients, times := shared(t, same, tc.second)
				var wg sync.WaitGroup
				for _, c := range clients {
					wg.Go(func() { work(t, 75, 75, c) })
				}
				wg.Wait()
				within(t, *times, tc.most)
				if at := (*times)[tc.most-1]; at != 0 {
					t.Errorf("request %d began at %s", tc.most, at)
				}
			})
		})
	}
}

func TestAPaceRemembersWhatAnEarlierAccountSent(t *testing.T) {
	for _, most := range []int{50, 20, 80} {
		synctest.Test(t, func(t *testing.T) {
			times, paces, start := []time.Duration{}, new(Paces), time.Now()
			open := func(most int) *Client {
				return newClient(t, func(o *Options) {
					fakeTime(o)
					o.Paces, o.CountedBy, o.RequestsPerMinute, o.MaxInFlight = paces, "key", most, 1
					o.Transport = tripper(func(*http.Request) (*http.Response, error) {
						times = append(times, time.Since(start))
						return reply(200, `{}`), nil
					})
				})
			}
			work(t, 30, 1, open(50))
			late := open(most)
			work(t, 40, 1, late)
			strict := min(most, 50)
			within(t, times[max(30-strict, 0):], strict)
			if want := (Limits{PerMinute: strict, InFlight: 1}); late.Limits() != want {
				t.Errorf("limits %+v, want %+v", late.Limits(), want)
			}
		})
	}
}

func TestLimitsOfAllWhoShareAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients, _ := shared(t, func(o *Options) { o.MaxInFlight = 4 }, func(o *Options) { o.RequestsPerMinute, o.MaxInFlight = 0, 2 })
		for _, c := range clients {
			if want := (Limits{PerMinute: 50, InFlight: 2}); c.Limits() != want {
				t.Errorf("limits %+v, want %+v", c.Limits(), want)
			}
		}
	})
}

// counting is a vendor that counts the requests of the last minute and says in its headers what is left of its limit.
func counting(t *testing.T, limit int, trip time.Duration, began *[]time.Duration) tripper {
	var mu sync.Mutex
	start := time.Now()
	return func(*http.Request) (*http.Response, error) {
		mu.Lock()
		now := time.Since(start)
		recent := slices.DeleteFunc(slices.Clone(*began), func(at time.Duration) bool { return now-at >= time.Minute })
		recent = append(recent, now)
		*began = append(*began, now)
		mu.Unlock()
		time.Sleep(trip)
		if len(recent) > limit {
			t.Errorf("request %d within a minute", len(recent))
		}
		return reply(200, `{}`, "X-RateLimit-Limit", fmt.Sprint(limit), "X-RateLimit-Remaining", fmt.Sprint(limit-len(recent)),
			"X-RateLimit-Reset", fmt.Sprint(start.Add(recent[0]+time.Minute).Unix())), nil
	}
}

func TestHeadersAreFollowed(t *testing.T) {
	const trip = 50 * time.Millisecond
	for _, tc := range []struct {
		said, vendors int // requests a minute, in the options and in the headers
		adapts        bool
		keeps         int // the limit that a run goes by
	}{
		{60, 60, true, 60}, {60, 60, false, 60}, {60, 600, true, 600}, {60, 600, false, 60},
	} {
		for _, n := range []int{1, 61, 421, 1201} {
			t.Run(fmt.Sprint(tc, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var began []time.Duration
					start := time.Now()
					c := newClient(t, func(o *Options) {
						fakeTime(o)
						o.Pace, o.Adapts, o.RequestsPerMinute, o.MaxInFlight = rateHeaders, tc.adapts, tc.said, 4
						o.Transport = counting(t, tc.vendors, trip, &began)
					})
					work(t, n, 8, c)
					took := time.Since(start)
					within(t, began, tc.keeps)
					bound := max(time.Duration(n)*time.Minute*105/100/time.Duration(tc.keeps)+trip, c.Limits().busy(n, trip)*120/100)
					if took > bound {
						t.Errorf("took %s, more than %s", took, bound)
					}
					if c.Limits().PerMinute != tc.keeps {
						t.Errorf("limits %+v", c.Limits())
					}
				})
			})
		}
	}
}
