package render

import (
	"encoding/json"
	"strings"
	"unicode"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// What stands for an agent's own id and address where several agents are told as one.
const (
	anyID      = "{id}"
	anyAddress = "ADDRESS"
)

// fold tells agents of which everything is the same as one, at the place of the first. Whether an agent is made, adopted or deleted is
// always told by itself: there, which one it is matters.
func fold(blocks []block) []block {
	var out []block
	first := map[string]int{} // by what is said
	for _, b := range blocks {
		c := b.Change
		if c.Action != plan.Update && c.Action != plan.None {
			out = append(out, b)
			continue
		}
		same, key := anonymous(c)
		at, known := first[key]
		if !known {
			first[key] = len(out)
			out = append(out, b)
			continue
		}
		out[at].of = append(out[at].of, b.of...)
		out[at].Change = same
	}
	for i := range out {
		out[i].parts, out[i].findings = partsOf(&out[i].Change)
	}
	return out
}

// anonymous returns c without what names the agent, and a text that is the same for all changes of which that is the same.
func anonymous(c plan.Change) (plan.Change, string) {
	hide := func(text string) string {
		return replaceWord(replaceWord(text, c.Address, anyAddress), c.ID, anyID)
	}
	c.Reason = hide(c.Reason)
	requests := make([]plan.Request, len(c.Requests))
	for i, r := range c.Requests {
		r.Path = hide(r.Path)
		requests[i] = r
	}
	findings := make([]providers.Finding, len(c.Findings))
	for i, f := range c.Findings {
		f.Message, f.Hint = hide(f.Message), hide(f.Hint)
		findings[i] = f
	}
	c.Requests, c.Findings = requests, findings
	c.Address, c.ID, c.Manifest, c.Precondition, c.Work = "", "", "", plan.Precondition{}, nil
	data, err := json.Marshal(c)
	if err != nil {
		// Every value in a plan came from JSON or YAML.
		panic(err)
	}
	return c, string(data)
}

// replaceWord replaces word in text where it stands by itself.
func replaceWord(text, word, with string) string {
	if word == "" {
		return text
	}
	var b strings.Builder
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			b.WriteString(text[from:])
			return b.String()
		}
		start, end := from+i, from+i+len(word)
		b.WriteString(text[from:start])
		if alone(text[:start], text[end:]) {
			b.WriteString(with)
		} else {
			b.WriteString(word)
		}
		from = end
	}
}

func alone(before, after string) bool {
	isPart := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' }
	return strings.TrimRightFunc(before, isPart) == before && strings.TrimLeftFunc(after, isPart) == after
}
