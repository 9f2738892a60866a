// Package plan decides what will happen: it reads the live agents, compares them with the manifests and says, as data, which requests
// would be sent and why. Reading is in read.go; everything else is pure. A plan writes nothing, anywhere.
package plan

import (
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// FormatVersion is the version of the plan document. Readers accept any document with the same major version.
const FormatVersion = "1.0"

// Action is what happens to an agent.
type Action string

// The actions. Adopt binds a live agent, and updates it where it differs.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Adopt  Action = "adopt"
	None   Action = "none"
)

// Hidden stands for a sensitive value wherever one would be shown.
const Hidden = "(sensitive)"

// Plan is the document that `plan` prints as JSON and saves. It holds no secret.
type Plan struct {
	FormatVersion string   `json:"formatVersion"`
	Digest        string   `json:"digest"`
	CreatedAt     string   `json:"createdAt"` // RFC 3339, UTC
	Source        Source   `json:"source"`
	Summary       Summary  `json:"summary"`
	Changes       []Change `json:"changes"` // in order of address
	Orphans       []Orphan `json:"orphans"` // in order of address
	Reads         Reads    `json:"reads"`
}

// Source says where the manifests came from. Commit is "" outside a Git checkout.
type Source struct {
	Commit string   `json:"commit"`
	Paths  []string `json:"paths"`
}

// Summary counts the changes by action. Blocked counts those with a blocking finding, whatever their action.
type Summary struct {
	Create   int `json:"create"`
	Update   int `json:"update"`
	Delete   int `json:"delete"`
	Adopt    int `json:"adopt"`
	None     int `json:"none"`
	Blocked  int `json:"blocked"`
	Orphaned int `json:"orphaned"`
}

// Orphan is an agent that the state knows and no manifest declares.
type Orphan struct {
	Address   string `json:"address"`
	Provider  string `json:"provider"`
	ID        string `json:"id"`
	Protected bool   `json:"protected"`
	Reason    string `json:"reason"`
}

// Change is what happens to one agent.
type Change struct {
	Address      string              `json:"address"`
	Provider     string              `json:"provider"`
	Action       Action              `json:"action"`
	ID           string              `json:"id"`
	Manifest     string              `json:"manifest"` // file:line, "" for a delete
	Fields       []Field             `json:"fields"`
	Requests     []Request           `json:"requests"`
	Carried      []string            `json:"carried"`
	Reset        []string            `json:"reset"`
	Reason       string              `json:"reason"`
	Findings     []providers.Finding `json:"findings"`
	Precondition Precondition        `json:"precondition"`
	// Work is what apply needs to carry the change out; it is never written down. Nil in a plan that was read from a file.
	Work *Work `json:"-"`
}

// Field is one difference. Before and After are Hidden, and Sensitive is true, where either side is a secret.
type Field struct {
	Path      diff.Pointer `json:"path"`
	Op        diff.Op      `json:"op"`
	Before    any          `json:"before"`
	After     any          `json:"after"`
	Origin    diff.Origin  `json:"origin"`
	Base      any          `json:"base,omitempty"` // shown where it explains a drift or a conflict
	Sensitive bool         `json:"sensitive,omitempty"`
}

// Request is one call that apply would send.
type Request struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Fields []string `json:"fields"`
}

// Precondition fingerprints the two sides of a change. Both are "" for a change with action none.
type Precondition struct {
	Live    string `json:"live"`
	Desired string `json:"desired"`
}

// Work is a change as apply needs it: with plain values.
type Work struct {
	Account *Account
	Agent   *Agent // nil for a delete
	Entry   state.Entry
	// Change is the input that Write was made from; Change.Live is the agent as it was read for the plan.
	Change providers.Change
	Write  providers.Write
	// Fields are all differences, with plain values, also those that are left alone.
	Fields []diff.Field
	Policy spec.DriftPolicy
	// Left are the declared fields that are neither sent nor recorded: left alone by policy, or unreadable.
	Left []diff.Pointer
	// Secret are the pointers of sensitive values in live, desired or base.
	Secret []diff.Pointer
	// Listed says that Change.Live is a row of a list, not a read of the agent itself.
	Listed bool
	// Err is why the agent could not be read, nil if it was.
	Err error
}

// Blocked reports whether c has a blocking finding.
func (c *Change) Blocked() bool {
	for _, f := range c.Findings {
		if f.Severity == providers.Blocking {
			return true
		}
	}
	return false
}

// Moved returns the fields of c whose live value agentsync did not write.
func (c *Change) Moved() []Field {
	var moved []Field
	for _, f := range c.Fields {
		if f.Origin == diff.Drift || f.Origin == diff.Conflict || f.Origin == diff.Unknown {
			moved = append(moved, f)
		}
	}
	return moved
}

// HasChanges reports whether applying p would do anything.
func (p *Plan) HasChanges() bool {
	s := p.Summary
	return s.Create+s.Update+s.Delete+s.Adopt > 0
}
