package spec

import "time"

// APIVersion is the apiVersion of the documents agentsync reads; others are skipped.
const APIVersion = "agentsync.dev/v1"

// DriftPolicy is what is done with live values that agentsync did not write.
type DriftPolicy string

// The policies: refuse the agent, put the manifest's value back, or leave the live value.
const (
	DriftRefuse    DriftPolicy = "refuse"
	DriftOverwrite DriftPolicy = "overwrite"
	DriftIgnore    DriftPolicy = "ignore"
)

// Agent is one declared agent.
type Agent struct {
	Name     string
	Provider string // a Provider document's name or a built-in type
	Labels   map[string]string
	ID       string // spec.id, "" if not bound by the manifest
	Config   *Value // a Map; never nil when [Load] returns
	// Ignore and AcceptReset are JSON Pointers into the config, checked for form only.
	Ignore      []string
	AcceptReset []string
	// Drift is "" where the manifest does not say; the Config document or the default decides then.
	Drift DriftPolicy
	// Update is auto, put or patch; auto where the manifest does not say.
	Update             string
	Protect            bool
	Suspend            *Suspend
	AllowUnknownFields bool
	Pos                Pos // of the document's first line
	IDPos              Pos
	ProviderPos        Pos
}

// Address returns provider/name.
func (a *Agent) Address() string { return a.Provider + "/" + a.Name }

// Suspend stops apply for one agent, until a time or, with a zero Until, until it is taken out.
type Suspend struct {
	Reason string
	Until  time.Time
}

// Provider is one declared account at a vendor. Empty fields mean the vendor's default or its environment variable.
type Provider struct {
	Name    string
	Type    string
	BaseURL string
	API     string
	OrgID   string
	// Auth holds the entries of spec.auth by name: apiKey, email, password, accessToken. Each is a text that is not empty.
	Auth map[string]*Value
	// Options holds the settings of single vendors by name: oauthURL, listPath (spec.oauthURL, spec.listPath).
	Options map[string]*Value
	Limits  Limits
	Timeout time.Duration
	Pos     Pos
	// At gives the place of a spec field by its name ("baseURL", "auth.apiKey"), for messages.
	At map[string]Pos
}

// Limits are the pace of one account; 0 means the vendor's default.
type Limits struct {
	RequestsPerMinute int
	MaxInFlight       int
}

// Config is the repository's defaults. Zero values mean "not said".
type Config struct {
	State             string
	Drift             DriftPolicy
	MaxDeletes        *int
	MaxChangedPercent *int
	MinAgents         *int
	// Freeze are the times in which a watcher writes nothing.
	Freeze []*Freeze
	Dir    string // the folder of the document, absolute; where the default state lies
	Pos    Pos
}

// Set is everything that was read. Agents and Providers are in order of address and name. Root is the absolute folder that no path may
// leave; Paths are the inputs as given ("." where none was, the folder for a kustomization); Files counts the files (and
// standard input) that held an agentsync document.
type Set struct {
	Agents    []*Agent
	Providers []*Provider
	Config    *Config // nil without a Config document
	Root      string
	Paths     []string
	Files     int
	// Secrets are the values that came from the environment, and keys and passwords in Provider documents wherever they came from, for
	// masking them wherever text goes out, the longest first. Short values (under 4 bytes) are left out: masking them would
	// mask ordinary words.
	Secrets []string
	// Warnings are faults that stop nothing.
	Warnings Problems
}
