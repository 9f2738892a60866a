// Package status is what a watcher knows about itself and its agents, as data: the reconcile loop writes it; the API, the page, the metrics
// and the notifications read it. It holds no secret: fields and errors are masked before they come here.
package status

import (
	"time"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// Status is a watcher at one moment. It is never changed once it is published; what did not change is shared with the one before.
type Status struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"startedAt"`
	At        time.Time `json:"at"` // when this was published
	// Observe says that the watcher never writes.
	Observe bool   `json:"observe"`
	Source  Source `json:"source"`
	Lease   Lease  `json:"lease"`
	// Freeze is the freeze window that holds now, nil for none.
	Freeze   *Freeze    `json:"freeze,omitempty"`
	Accounts []*Account `json:"accounts"` // in order of name
	Agents   []*Agent   `json:"agents"`   // in order of address
	// Runs are the last runs that wrote something or went wrong, the newest first.
	Runs []*Run `json:"runs"`
	// Queue counts the agents that wait for their turn.
	Queue int `json:"queue"`
	// NextLook is when the next full look is due.
	NextLook time.Time `json:"nextLook,omitzero"`
	// SyncedAt is when a full look last found every agent read and none failed; zero if that never happened.
	SyncedAt time.Time `json:"syncedAt,omitzero"`
}

// Source is where the manifests come from. A broken or refused revision leaves the last good one in force: Error then says why, and InForce
// is older than Commit.
type Source struct {
	Kind     string `json:"kind"`     // folder or git
	Location string `json:"location"` // without credentials
	Ref      string `json:"ref"`      // branch or tag, "" for a folder
	// Commit was seen last, InForce is the one that agents are kept to; both are "" outside Git.
	Commit  string `json:"commit"`
	InForce string `json:"inForce"`
	Subject string `json:"subject"` // first line of InForce's message
	// Digest tells contents in force apart, within one process; "" before there is any.
	Digest    string    `json:"digest"`
	CheckedAt time.Time `json:"checkedAt,omitzero"` // when the source was last asked
	ChangedAt time.Time `json:"changedAt,omitzero"` // when InForce came into force
	// Errors are what is wrong with the source or with the manifests seen last, each with its place and cure; empty if nothing.
	Errors     []Problem `json:"errors"`
	ErrorSince time.Time `json:"errorSince,omitzero"`
}

// Problem is one fault with its cure. Hint may be "".
type Problem struct {
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Role is what a watcher does.
type Role string

// The roles. A standby reads the source, serves health and status, and writes nothing.
const (
	Leader  Role = "leader"
	Standby Role = "standby"
)

// Lease is who may write.
type Lease struct {
	Role   Role   `json:"role"`
	Holder string `json:"holder"` // as this watcher saw it last; "" while nobody holds it
	// Epoch counts the holders; it grows with each takeover.
	Epoch int64     `json:"epoch"`
	Since time.Time `json:"since,omitzero"`  // when this watcher's role last changed
	Error string    `json:"error,omitempty"` // why the store cannot be asked, "" if it can
}

// Freeze is a time in which nothing is written.
type Freeze struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// Account is one account at a vendor.
type Account struct {
	Name string `json:"name"`
	Type string `json:"type"` // vendor and API generation
	// Breaker is open while the vendor cannot be reached or does not let us in: then only a probe is sent, next at NextTry.
	Breaker Breaker   `json:"breaker"`
	Error   string    `json:"error,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	NextTry time.Time `json:"nextTry,omitzero"`
	// LookedAt is when the last full look at the account ended, LookTook how long it took in seconds.
	LookedAt time.Time `json:"lookedAt,omitzero"`
	LookTook float64   `json:"lookTookSeconds,omitzero"`
	// Busy says that a run is under way.
	Busy bool `json:"busy"`
}

// Breaker is the state of an account's circuit breaker.
type Breaker string

// The breaker's states: HalfOpen while a probe is under way.
const (
	Closed   Breaker = "closed"
	Open     Breaker = "open"
	HalfOpen Breaker = "half-open"
)

// State is how an agent stands.
type State string

// The states.
const (
	Waiting     State = "waiting"     // not looked at yet
	Synced      State = "synced"      // live equals the manifest
	Pending     State = "pending"     // differs; to be written later: a freeze window, a limit on this run, or a watcher that only observes
	Drifted     State = "drifted"     // changed outside agentsync, and neither put back nor accepted
	Refused     State = "refused"     // differs, and a finding keeps it from being written
	Fighting    State = "fighting"    // a field was put back again and again; nobody writes until a person settles it
	Failed      State = "failed"      // reading or writing failed; tried again at NextTry
	Unsettled   State = "unsettled"   // a write may or may not have been carried out
	Unreachable State = "unreachable" // the account's breaker is open
	Suspended   State = "suspended"   // by its manifest
	Orphaned    State = "orphaned"    // the state knows it, no manifest declares it
)

// States lists every state, from the best to the worst.
func States() []State {
	return []State{Synced, Suspended, Waiting, Pending, Orphaned, Drifted, Refused, Unreachable, Fighting, Unsettled, Failed}
}

// Agent is how one agent stands. It is never changed once it is published.
type Agent struct {
	Address  string `json:"address"`
	Provider string `json:"provider"` // the account's name
	Type     string `json:"type"`     // vendor and API generation
	ID       string `json:"id"`
	Manifest string `json:"manifest"` // file:line, "" for an orphan
	State    State  `json:"state"`
	// Reason says in one sentence why the state is what it is; "" for synced.
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"` // in this state
	// CheckedAt is when it was last read, SyncedAt when it was last found in sync, AppliedAt when it was last written.
	CheckedAt time.Time `json:"checkedAt,omitzero"`
	SyncedAt  time.Time `json:"syncedAt,omitzero"`
	AppliedAt time.Time `json:"appliedAt,omitzero"`
	// Fields are the differences: Before is live, After the manifest's value, Base what was applied last. Sensitive values are hidden.
	Fields   []plan.Field        `json:"fields"`
	Findings []providers.Finding `json:"findings"`
	Error    string              `json:"error,omitempty"`
	// Failures counts the tries that failed in a row.
	Failures int       `json:"failures,omitzero"`
	NextTry  time.Time `json:"nextTry,omitzero"`
}

// Run is one plan, and what was carried out of it.
type Run struct {
	ID        string    `json:"id"`
	Account   string    `json:"account"`
	Trigger   Trigger   `json:"trigger"`
	Commit    string    `json:"commit"`
	StartedAt time.Time `json:"startedAt"`
	Took      float64   `json:"tookSeconds"`
	Looked    int       `json:"looked"` // agents that were looked at
	Reads     int       `json:"reads"`  // requests that the plan cost
	// Results are the agents that were written or that went wrong, in order of address.
	Results []Result `json:"results"`
	// Error is why the run ended as a whole, "" if it did not.
	Error string `json:"error,omitempty"`
}

// Result is how one agent ended in a run. Outcome is one of apply's.
type Result struct {
	Address string `json:"address"`
	Outcome string `json:"outcome"`
	// Fields are the JSON Pointers that were written.
	Fields []string `json:"fields"`
	Error  string   `json:"error,omitempty"`
}

// Trigger is why a run began.
type Trigger string

// The triggers.
const (
	Start    Trigger = "start"    // the first look, or the first as leader
	Change   Trigger = "change"   // the manifests changed
	Interval Trigger = "interval" // the full look
	Retry    Trigger = "retry"    // an agent's or an account's time to try again
	Request  Trigger = "request"  // somebody asked through the API, or SIGHUP
	Thaw     Trigger = "thaw"     // a freeze window ended
)
