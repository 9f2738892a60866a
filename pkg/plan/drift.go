package plan

import (
	"slices"

	"agentsync.dev/agentsync/pkg/providers"
)

// OnlyDrift returns the part of p that tells what was changed outside agentsync: agents with such fields, with only those, and agents that could
// not be judged. It is a document to read, not one to apply: its changes have no requests and no precondition.
func OnlyDrift(p *Plan) *Plan {
	only := *p
	only.Changes, only.Orphans = []Change{}, []Orphan{}
	for _, c := range p.Changes {
		moved := c.Moved()
		unjudged := c.Blocked() && c.Action == None
		if len(moved) == 0 && !unjudged {
			continue
		}
		c.Fields = orEmpty(moved)
		c.Requests, c.Carried, c.Reset, c.Reason, c.Precondition = []Request{}, []string{}, []string{}, "", Precondition{}
		if !unjudged {
			c.Action = Update
			c.Findings = slices.DeleteFunc(slices.Clone(c.Findings), func(f providers.Finding) bool { return !aboutDrift(f.Code) })
		}
		only.Changes = append(only.Changes, c)
	}
	only.Reads.Apply = Cost{}
	only.summarize()
	only.Digest = only.digest()
	return &only
}

func aboutDrift(code string) bool {
	switch code {
	case providers.CodeDrift, providers.CodeConflict, providers.CodeUnknown, providers.CodeDriftIgnored:
		return true
	}
	return false
}
