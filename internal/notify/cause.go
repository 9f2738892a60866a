package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// Cause is one thing that is wrong. Its texts hold no secret, no line end but between the lines of Text, and no more than a line of a prompt.
type Cause struct {
	// Key names the cause, and stays the same as long as it lasts: "drift voicy/front-desk /general_prompt", "account voicy".
	Key      string    `json:"key"`
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	Agent    string    `json:"agent,omitempty"`   // address, for what is wrong with one agent
	Account  string    `json:"account,omitempty"` // for what is wrong with one account
	Title    string    `json:"title"`
	Text     string    `json:"text,omitempty"`
	Cure     string    `json:"cure,omitempty"`
	Since    time.Time `json:"since"` // zero if the status does not say
	// mark changes when the cause becomes another in a way that people should hear of.
	mark string
}

// Kind is what kind of thing is wrong.
type Kind string

// The kinds.
const (
	Drift     Kind = "drift"     // a field was changed outside agentsync
	Refusal   Kind = "refusal"   // a finding keeps an agent from being written
	Failure   Kind = "failure"   // an agent cannot be read or written
	Unsettled Kind = "unsettled" // a write may or may not have been carried out
	Fight     Kind = "fight"     // somebody else changes a field back again and again
	Account   Kind = "account"   // a vendor cannot be reached, or does not let us in
	Manifests Kind = "manifests" // the manifests seen last are broken; older ones are in force
	Source    Kind = "source"    // where the manifests come from cannot be asked
	Store     Kind = "store"     // the store cannot be asked
)

// Severity is how bad a cause is.
type Severity string

// The severities: Critical where agents are not kept, or nobody knows how they stand.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
)

// Causes returns what is wrong in s, the worst first, then in order of key. Agents that cannot be reached because of their account are not causes
// of their own: the account is.
func Causes(s *status.Status) []Cause {
	var all []Cause
	cut := map[string]int{} // agents that an account's breaker cuts off
	for _, account := range s.Accounts {
		if broken(account) {
			cut[account.Name] = 0
		}
	}
	for _, agent := range s.Agents {
		if _, is := cut[agent.Provider]; is && (agent.State == status.Unreachable || agent.State == status.Failed) {
			cut[agent.Provider]++
			continue
		}
		all = append(all, ofAgent(s, agent)...)
	}
	for _, account := range s.Accounts {
		if broken(account) || account.Error != "" {
			all = append(all, ofAccount(account, cut[account.Name]))
		}
	}
	if len(s.Source.Errors) > 0 {
		all = append(all, ofSource(s.Source))
	}
	if s.Lease.Error != "" {
		all = append(all, Cause{Key: "store", Kind: Store, Severity: Critical, Title: "the store cannot be asked, so nothing is written",
			Text: line(s.Lease.Error, maxText), Cure: "check that the store is up and lets this watcher in; agentsync goes on asking by itself"})
	}
	slices.SortFunc(all, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Key, b.Key)) // critical comes before warning
	})
	return all
}

func broken(account *status.Account) bool {
	return account.Breaker == status.Open || account.Breaker == status.HalfOpen
}

// ofAccount says why an account's agents cannot be kept. cut counts those that are cut off by its breaker.
func ofAccount(a *status.Account, cut int) Cause {
	c := Cause{Key: "account " + a.Name, Kind: Account, Severity: Warning, Account: a.Name, Since: a.Since, Text: line(a.Error, maxText), mark: "held",
		Title: a.Name + ": rounds come to nothing, so its agents are not kept", Cure: "agentsync tries again by itself; the error says what is in the way"}
	if broken(a) {
		c.Severity, c.mark = Critical, "cut off"
		c.Title = fmt.Sprintf("%s: the account cannot be used, its %s cannot be kept", a.Name, plural(cut, "agent"))
		c.Cure = "check the account's credentials and the vendor's own status; agentsync probes by itself until it is let in"
	}
	return c
}

// ofAgent returns what is wrong with one agent.
func ofAgent(s *status.Status, a *status.Agent) []Cause {
	one := func(kind Kind, severity Severity, title, text, cure string) []Cause {
		return []Cause{{Key: string(kind) + " " + a.Address, Kind: kind, Severity: severity, Agent: a.Address, Account: a.Provider,
			Title: a.Address + ": " + title, Text: text, Cure: cure, Since: a.Since}}
	}
	why := line(cmp.Or(a.Error, a.Reason), maxText)
	switch a.State {
	case status.Drifted:
		return ofFields(a, Drift)
	case status.Pending:
		if s.Observe { // nobody will put it back
			return ofFields(a, Drift)
		}
	case status.Fighting:
		return ofFields(a, Fight)
	case status.Refused:
		text, cure, codes := blocking(a.Findings)
		refused := one(Refusal, Warning, "the change is refused", cmp.Or(text, why), cure)
		refused[0].mark = codes
		return refused
	case status.Failed:
		return one(Failure, Critical, "cannot be kept", why, "agentsync tries again by itself, less and less often; the error says what is in the way")
	case status.Unreachable: // and its account's breaker is not open any more
		return nil
	case status.Unsettled:
		_, cure, _ := blocking(a.Findings)
		return one(Unsettled, Critical, "a write may or may not have been carried out", why,
			cmp.Or(cure, "look at the agent at its vendor, then say how it stands: `agentsync state show "+a.Address+"`"))
	}
	return nil
}

// ofFields returns one cause for each field that moved, or one for the agent if it is not known which did.
func ofFields(a *status.Agent, kind Kind) []Cause {
	fields := (&plan.Change{Fields: a.Fields}).Moved()
	severity, what, cure := Warning, "was changed outside agentsync",
		"take the live value into the manifest, or put the manifest's back: agentsync apply --target "+a.Address+" --on-drift overwrite"
	if kind == Fight {
		if len(fields) == 0 {
			fields = a.Fields // agentsync's value is live just now
		}
		severity, what = Critical, "is changed back again and again; agentsync has stopped putting it back"
		cure = "settle who owns it: stop the other writer, or take its value into the manifest, or list the field under ignore"
	}
	if len(fields) == 0 && (kind == Fight || a.State == status.Drifted) {
		return []Cause{{Key: string(kind) + " " + a.Address, Kind: kind, Severity: severity, Agent: a.Address, Account: a.Provider,
			Title: a.Address + " " + what, Text: line(a.Reason, maxText), Cure: cure, Since: a.Since}}
	}
	var all []Cause
	for _, f := range fields {
		live, declared := sides(f.Before, f.After)
		path := string(f.Path)
		all = append(all, Cause{Key: string(kind) + " " + a.Address + " " + path, Kind: kind, Severity: severity, Agent: a.Address, Account: a.Provider,
			Title: fmt.Sprintf("%s: %s %s", a.Address, line(path, maxPath), what),
			Text:  "live: " + live + "\nmanifest: " + declared, Cure: cure, Since: a.Since, mark: fingerprint(f.Before, f.After)})
	}
	return all
}

// blocking returns the first blocking finding's message and hint, and the codes of all of them.
func blocking(findings []providers.Finding) (text, cure, codes string) {
	var all []string
	for _, f := range findings {
		if f.Severity != providers.Blocking {
			continue
		}
		if len(all) == 0 {
			text, cure = line(f.Code+": "+f.Message, maxText), line(f.Hint, maxText)
		}
		all = append(all, f.Code)
	}
	if len(all) > 1 {
		text += fmt.Sprintf(" (and %s)", plural(len(all)-1, "more finding"))
	}
	slices.Sort(all)
	return text, cure, strings.Join(all, " ")
}

// ofSource says what is wrong with the source, or with what it holds.
func ofSource(s status.Source) Cause {
	first := s.Errors[0]
	c := Cause{Key: "source", Kind: Source, Severity: Critical, Title: "the source cannot be read; what is in force stays", Since: s.ErrorSince,
		Text: line(first.Message, maxText), Cure: line(first.Hint, maxText)}
	switch {
	case s.Kind == "folder":
		c.Kind, c.Severity, c.Title = Manifests, Warning, "the manifests are not taken: they are broken; what is in force stays"
	case s.Commit != s.InForce && s.InForce == "":
		c.Kind, c.Title = Manifests, fmt.Sprintf("commit %s is not taken: its manifests are broken, and nothing is in force", short(s.Commit))
	case s.Commit != s.InForce:
		c.Kind, c.Severity = Manifests, Warning
		c.Title = fmt.Sprintf("commit %s is not taken: its manifests are broken; %s stays in force", short(s.Commit), short(s.InForce))
	}
	c.mark = string(c.Kind)
	if c.Kind == Manifests {
		c.mark += s.Commit
	}
	if n := len(s.Errors) - 1; n > 0 {
		c.Text += fmt.Sprintf("\nand %s", plural(n, "more error"))
	}
	return c
}

// facts are what a status tells of causes that are not there any more.
type facts struct {
	status   *status.Status
	agents   map[string]*status.Agent
	accounts map[string]*status.Account
}

func factsOf(s *status.Status) facts {
	f := facts{s, map[string]*status.Agent{}, map[string]*status.Account{}}
	for _, agent := range s.Agents {
		f.agents[agent.Address] = agent
	}
	for _, account := range s.Accounts {
		f.accounts[account.Name] = account
	}
	return f
}

// known reports whether it is known how what c is about stands: an agent that was not looked at yet, or that cannot be reached, tells nothing.
// What no manifest names any more is known to be over.
func (f facts) known(c Cause) bool {
	loaded := f.status.Source.Digest != ""
	account, hasAccount := f.accounts[c.Account]
	switch {
	case c.Kind == Store:
		return true
	case c.Agent != "":
		agent, there := f.agents[c.Agent]
		if !there {
			return loaded
		}
		return agent.State != status.Waiting && agent.State != status.Unreachable && !(hasAccount && broken(account))
	case c.Account != "":
		return hasAccount && !account.LookedAt.IsZero() || !hasAccount && loaded
	}
	return !f.status.Source.CheckedAt.IsZero()
}

// fingerprint tells values apart without holding them.
func fingerprint(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		text = fmt.Append(nil, values...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
