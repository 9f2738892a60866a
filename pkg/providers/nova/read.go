package nova

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// pluginsField is the one config field that is a list; see [decodeConfig].
const pluginsField = "plugins"

// decodeAgent reads the answer of get, create and update: one agent without an envelope (update-agent, checked 2026-11-21).
func decodeAgent(fields map[string]any) (providers.Live, error) {
	l, err := live(fields)
	l.Whole = err == nil
	return l, err
}

// live reads one agent or summary. Any field but the id may be missing, and fields it does not know are kept.
func live(fields map[string]any) (providers.Live, error) {
	root := agentSchema().Type()
	config := diff.Object{}
	maps.Copy(config, fields)
	unreadable := map[diff.Pointer]string{}
	for name, t := range root.Fields {
		if t.ReadOnly || (t.Kind != diff.Map && name != pluginsField) {
			continue
		}
		value, why := decodeConfig(t.Kind, config[name])
		if why != "" {
			unreadable[diff.Pointer("").Child(name)] = why
		}
		config[name] = withoutNulls(value)
	}
	l := providers.Live{ID: text(config["id"]), Name: text(config["name"]), Revision: text(config["updated_at"])}
	if _, err := rest.Segment(l.ID); err != nil {
		return providers.Live{}, err
	}
	l.Config, _ = diff.Normalize(root, withoutNulls(config)).(diff.Object)
	if len(unreadable) > 0 {
		l.Unreadable = unreadable
	}
	return l, nil
}

// withoutNulls returns v without its fields that are null: they say the same as absent ones, and a null must not be sent back
// with the object it is in.
func withoutNulls(v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		return v
	}
	fields = maps.Clone(fields)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	return fields
}

// text reads a string; an id may also arrive as a number.
func text(v any) string {
	if number, ok := v.(json.Number); ok {
		return number.String()
	}
	s, _ := v.(string)
	return s
}

// page is one page of the list. total and pages are -1 where the vendor does not say.
type page struct {
	agents       []providers.Live
	total, pages int
	answer       *rest.Answer
}

func noPage() page { return page{total: -1, pages: -1} }

// decodePage reads {"data": [summary], "meta": {page, size, total, total_pages}}, all of it optional (js-sdk, agents.list, checked
// 2026-11-21). Error answers have a data too, which is null, so null is an empty page only beside a meta.
func decodePage(fields map[string]any) (page, error) {
	meta, _ := fields["meta"].(map[string]any)
	p := page{total: count(meta["total"]), pages: count(meta["total_pages"])}
	data := fields["data"]
	items, isList := data.([]any)
	if !isList && (data != nil || meta == nil) {
		return noPage(), errors.New("no list of agents in the answer")
	}
	for i, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			return noPage(), fmt.Errorf("item %d of the list is not an object", i+1)
		}
		l, err := live(fields)
		if err != nil {
			return noPage(), fmt.Errorf("item %d of the list: %w", i+1, err)
		}
		p.agents = append(p.agents, l)
	}
	return p, nil
}

func count(v any) int {
	n, err := strconv.Atoi(text(v))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// listing collects pages. total is the last that a page gave, -1 if none did.
type listing struct {
	agents []providers.Live
	seen   map[string]bool
	total  int
}

func newListing() *listing { return &listing{seen: map[string]bool{}, total: -1} }

// add takes the page of the given number and reports whether there may be another. A page that brings nothing new is always the last;
// without total_pages nothing else is: the largest size that the server allows is not documented, so a short page proves nothing.
func (l *listing) add(number int, p page) (more bool) {
	fresh := 0
	for _, a := range p.agents {
		if !l.seen[a.ID] {
			l.seen[a.ID] = true
			l.agents = append(l.agents, a)
			fresh++
		}
	}
	if p.total >= 0 {
		l.total = p.total
	}
	return fresh > 0 && (p.pages <= 0 || number < p.pages)
}

// proven reports whether the vendor's total says that the list is all there is.
func (l *listing) proven() bool { return l.total == len(l.agents) }

// complete says what is wrong with the collected list: a list that lacks agents, or has some too many, must not be believed.
func (l *listing) complete() error {
	if l.total >= 0 && l.total != len(l.agents) {
		return fmt.Errorf("the list says that there are %d agents and shows %d", l.total, len(l.agents))
	}
	return nil
}

// message finds the vendor's text in an error answer: {"status", "message", "error", "data"} (python-sdk at 87d1848, checked 2026-11-21).
// What is not an object with one of the two is not Nova speaking.
func message(_ int, body []byte) (said, requestID string, ok bool) {
	raw := strings.TrimSpace(string(body))
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return raw, "", false
	}
	for _, name := range []string{"message", "error"} {
		value, there := fields[name]
		ok = ok || there
		if s, _ := value.(string); s != "" {
			return s, "", true
		}
	}
	return raw, "", ok
}
