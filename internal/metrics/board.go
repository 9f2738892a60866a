package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/plan"
)

// onBoard collects the metrics that stand on the board, and those of the accounts on it.
type onBoard struct {
	board   *status.Board
	metrics *Metrics
}

// Describe sends nothing: which series there are depends on what is on the board.
func (*onBoard) Describe(chan<- *prometheus.Desc) {}

// Collect sends what one status says.
func (o *onBoard) Collect(out chan<- prometheus.Metric) {
	s, _ := o.board.Latest()
	o.metrics.forget(s.Accounts)
	for _, vector := range o.metrics.byAccount() {
		vector.Collect(out)
	}
	for _, one := range watcherValues {
		out <- prometheus.MustNewConstMetric(one.desc, prometheus.GaugeValue, one.value(s))
	}
	counted := count(s)
	for _, account := range s.Accounts {
		send := func(desc *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{account.Name}, labels...)...)
		}
		of := counted[account.Name]
		for _, state := range status.States() {
			send(agents, float64(of.states[state]), string(state))
		}
		for _, breaker := range []status.Breaker{status.Closed, status.Open, status.HalfOpen} {
			send(breakerState, truth(account.Breaker == breaker), string(breaker))
		}
		send(driftedFields, float64(of.drifted))
		send(accountError, truth(account.Error != ""))
		send(accountInfo, 1, account.Type)
		send(lookedAt, seconds(account.LookedAt))
	}
}

// tally is what an account's agents come to.
type tally struct {
	states  map[status.State]int
	drifted int
}

func count(s *status.Status) map[string]tally {
	all := map[string]tally{}
	for _, account := range s.Accounts {
		all[account.Name] = tally{states: map[status.State]int{}}
	}
	for _, agent := range s.Agents {
		of, known := all[agent.Provider]
		if !known {
			continue
		}
		of.states[agent.State]++
		of.drifted += len((&plan.Change{Fields: agent.Fields}).Moved())
		all[agent.Provider] = of
	}
	return all
}

var (
	agents        = describe("agents", "Agents, by account and sync state.", "account", "state")
	driftedFields = describe("drifted_fields", "Fields whose live value agentsync did not write.", "account")
	breakerState  = describe("breaker_state", "1 for the state that the account's circuit breaker is in.", "account", "state")
	accountError  = describe("account_error", "1 if the account's agents are not kept: its breaker is open, or its last round came to nothing.", "account")
	accountInfo   = describe("account_info", "Vendor and API generation of an account; always 1.", "account", "type")
	lookedAt      = describe("last_look_timestamp_seconds", "When the last full look at the account ended; 0 if none did.", "account")
)

// watcherValues are the values without labels.
var watcherValues = []struct {
	desc  *prometheus.Desc
	value func(*status.Status) float64
}{
	{describe("last_good_sync_timestamp_seconds", "When a full look last read every agent and none failed; 0 if that never happened."),
		func(s *status.Status) float64 { return seconds(s.SyncedAt) }},
	{describe("queue_length", "Agents that wait for their turn."), func(s *status.Status) float64 { return float64(s.Queue) }},
	{describe("leader", "1 if this watcher may write."), func(s *status.Status) float64 { return truth(s.Lease.Role == status.Leader) }},
	{describe("lease_epoch", "Holders that the lease has had."), func(s *status.Status) float64 { return float64(s.Lease.Epoch) }},
	{describe("store_unreachable", "1 if the store of the lease cannot be asked."), func(s *status.Status) float64 { return truth(s.Lease.Error != "") }},
	{describe("source_errors", "What is wrong with the source or with the manifests seen last."),
		func(s *status.Status) float64 { return float64(len(s.Source.Errors)) }},
	{describe("source_checked_timestamp_seconds", "When the source was last asked; 0 if it never was."),
		func(s *status.Status) float64 { return seconds(s.Source.CheckedAt) }},
	{describe("source_changed_timestamp_seconds", "When what is in force came into force; 0 if nothing is."),
		func(s *status.Status) float64 { return seconds(s.Source.ChangedAt) }},
	{describe("frozen", "1 in a freeze window."), func(s *status.Status) float64 { return truth(s.Freeze != nil) }},
	{describe("observing", "1 if this watcher never writes."), func(s *status.Status) float64 { return truth(s.Observe) }},
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// seconds is t as Prometheus counts time: seconds since 1970, 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
