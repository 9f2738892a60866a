// Package metrics shows a watcher to Prometheus. What stands in the status is read when somebody asks; what happens between two looks at it is
// counted as the loop tells of it. Labels are bounded: accounts, and words of ours; never an agent, a path or a message.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// Metrics are a watcher's. Its methods may be called from several goroutines, and never wait for anything outside.
type Metrics struct {
	registry *prometheus.Registry

	requests     *prometheus.CounterVec   // account, method, code
	requestTook  *prometheus.HistogramVec // account
	requestWait  *prometheus.CounterVec   // account
	quota        *prometheus.GaugeVec     // account
	planTook     *prometheus.HistogramVec // account
	applyTook    *prometheus.HistogramVec // account
	results      *prometheus.CounterVec   // account, outcome
	fetches      *prometheus.CounterVec   // result
	notification *prometheus.CounterVec   // target, result

	mu sync.Mutex
	// seen are the accounts that stood on the board, and whether they still do.
	seen map[string]bool
}

// planSeconds are the bounds of how long plans and runs take: from a look at one agent to an hour for thousands at a vendor's pace.
var planSeconds = []float64{0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}

// requestSeconds are the bounds of how long a request takes, up to an upload's.
var requestSeconds = []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}

// New makes the metrics of the watcher whose status board holds. version is agentsync's.
func New(board *status.Board, version string) *Metrics {
	m := &Metrics{
		registry:     prometheus.NewRegistry(),
		requests:     counter("requests_total", "Requests sent, by account, method and status code (none if no answer came).", "account", "method", "code"),
		requestTook:  histogram("request_duration_seconds", "How long requests took, without waiting for their turn.", requestSeconds),
		requestWait:  counter("request_wait_seconds_total", "How long requests waited for their turn, so that the vendor's limit is kept.", "account"),
		quota:        gauge("requests_remaining", "Requests left until the vendor's limit starts anew, where it says so.", "account"),
		planTook:     histogram("plan_duration_seconds", "How long plans took, reads included.", planSeconds),
		applyTook:    histogram("apply_duration_seconds", "How long carrying out a plan took.", planSeconds),
		results:      counter("apply_results_total", "Agents that a run took up, by how they ended.", "account", "outcome"),
		fetches:      counter("source_fetches_total", "Times the source was asked, by result.", "result"),
		notification: counter("notifications_total", "Notifications sent, by target and result.", "target", "result"),
		seen:         map[string]bool{},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "Which agentsync this is; always 1.",
		ConstLabels: prometheus.Labels{"version": strings.ToValidUTF8(version, "?"), "goversion": runtime.Version()}})
	build.Set(1)
	for _, result := range []string{good, bad} {
		m.fetches.WithLabelValues(result)
	}
	m.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.fetches, m.notification, &onBoard{board, m})
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Request counts an attempt at a request; it fits [rest.Shared.Observe].
func (m *Metrics) Request(e rest.Event) {
	m.requests.WithLabelValues(e.Account, method(e.Method), code(e.Status)).Inc()
	m.requestTook.WithLabelValues(e.Account).Observe(e.Took.Seconds())
	m.requestWait.WithLabelValues(e.Account).Add(max(e.Wait, 0).Seconds())
	if e.Remaining >= 0 {
		m.quota.WithLabelValues(e.Account).Set(float64(e.Remaining))
	}
}

// Planned counts a plan of an account's agents.
func (m *Metrics) Planned(account string, took time.Duration) {
	m.planTook.WithLabelValues(account).Observe(took.Seconds())
}

// Applied counts a run of an account. outcomes counts its agents by apply's outcomes.
func (m *Metrics) Applied(account string, took time.Duration, outcomes map[string]int) {
	m.applyTook.WithLabelValues(account).Observe(took.Seconds())
	for outcome, n := range outcomes {
		m.results.WithLabelValues(account, outcome).Add(float64(n))
	}
}

// Notified counts a delivery to a target of notifications, named as in its options.
func (m *Metrics) Notified(target string, ok bool) {
	m.notification.WithLabelValues(target, result(ok)).Inc()
}

// Fetched counts a time that the source was asked.
func (m *Metrics) Fetched(ok bool) { m.fetches.WithLabelValues(result(ok)).Inc() }

// byAccount are the metrics that the loop feeds and that belong to an account.
func (m *Metrics) byAccount() []vector {
	return []vector{m.requests, m.requestTook, m.requestWait, m.quota, m.planTook, m.applyTook, m.results}
}

type vector interface {
	prometheus.Collector
	DeletePartialMatch(prometheus.Labels) int
}

// forget drops what was counted for accounts that stood on the board and do no more. It goes on dropping: a request that was under way may end
// later. Accounts that never stood there (a forge, a target of notifications) are kept.
func (m *Metrics) forget(accounts []*status.Account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.seen {
		m.seen[name] = false
	}
	for _, account := range accounts {
		m.seen[account.Name] = true
	}
	for name, there := range m.seen {
		if there {
			continue
		}
		for _, vector := range m.byAccount() {
			vector.DeletePartialMatch(prometheus.Labels{"account": name})
		}
	}
}

const (
	prefix = "agentsync_"
	good   = "success"
	bad    = "failure"
)

func result(ok bool) string {
	if ok {
		return good
	}
	return bad
}

// method bounds the label: what is no method of HTTP's is other.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return name
	}
	return "other"
}

// code bounds the label: no answer, and an answer with a code that is none, are none.
func code(status int) string {
	if status < 100 || status > 599 {
		return "none"
	}
	return strconv.Itoa(status)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
}

func histogram(name, help string, bounds []float64) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: bounds}, []string{"account"})
}
