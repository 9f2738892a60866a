package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/internal/status"
)

// attention as a filter's state keeps every agent that a person should look at.
const attention = "attention"

// filter says which agents an overview shows.
type filter struct {
	Text     string // in the address, reason, error, id, or manifest; every word must be found
	State    string // one state, attention, or "" for all
	Provider string // an account's name, or "" for all
	Page     int    // from 1
}

func filterOf(q url.Values) filter {
	f := filter{Text: strings.TrimSpace(q.Get("q")), State: q.Get("state"), Provider: q.Get("provider"), Page: 1}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		f.Page = max(n, 1)
	}
	return f
}

// Active reports whether f leaves anything out.
func (f filter) Active() bool { return f.Text != "" || f.State != "" || f.Provider != "" }

// URL is the overview with f.
func (f filter) URL() string {
	q := url.Values{}
	for key, value := range map[string]string{"q": f.Text, "state": f.State, "provider": f.Provider} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if f.Page > 1 {
		q.Set("page", strconv.Itoa(f.Page))
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func (f filter) withPage(n int) filter {
	f.Page = n
	return f
}

// keeps returns the agents that f accepts, the worst state first, within a state by address.
func (f filter) keeps(all []*status.Agent) []*status.Agent {
	words := strings.Fields(strings.ToLower(f.Text))
	var kept []*status.Agent
	for _, a := range all {
		if f.keepsState(a.State) && (f.Provider == "" || f.Provider == a.Provider) && hasWords(a, words) {
			kept = append(kept, a)
		}
	}
	rank := map[status.State]int{}
	for i, s := range status.States() {
		rank[s] = i
	}
	slices.SortStableFunc(kept, func(a, b *status.Agent) int { return rank[b.State] - rank[a.State] })
	return kept
}

func (f filter) keepsState(s status.State) bool {
	switch f.State {
	case "":
		return true
	case attention:
		return aboutState(s).Urgent
	}
	return f.State == string(s)
}

func hasWords(a *status.Agent, words []string) bool {
	if len(words) == 0 {
		return true
	}
	parts := []string{a.Address, a.ID, a.Manifest, a.Reason, a.Error, aboutState(a.State).Word}
	for _, finding := range a.Findings {
		parts = append(parts, finding.Code, finding.Message)
	}
	text := strings.ToLower(strings.Join(parts, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}
