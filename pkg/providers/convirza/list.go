package convirza

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// The page of the list could not be read. Users and groups page by limit and offset, take a limit of 100 and answer with an object that
// holds the array, under a name of their own, and a total (list-users, list-child-groups, checked 2026-11-21).
const (
	pageSize = 100
	// maxPages bounds a list that never ends.
	maxPages = 1000
)

// page is one page of the list; total is -1 where it does not say.
type page struct {
	rows   []map[string]any
	total  int64
	answer *rest.Answer
}

// listing gathers the pages of the list of agents.
type listing struct {
	agents []providers.Live
	seen   map[string]bool
	pages  int
	// read counts the rows so far: the offset of the next page.
	read int
	// total is what the last page said, -1 if nothing.
	total int64
}

// left is how many pages are surely still to come, 1 where that is not known: a vendor that takes a smaller limit than ours, or knows no
// offset, shows that on its first page.
func (l *listing) left() int {
	if l.read != l.pages*pageSize || l.read != len(l.agents) || l.total < 0 {
		return 1
	}
	return int(min((l.total-int64(l.read)+pageSize-1)/pageSize, maxPages))
}

// whole reports whether all rows so far are whole.
func (l *listing) whole() bool {
	return !slices.ContainsFunc(l.agents, func(a providers.Live) bool { return !a.Whole })
}

// add takes the next page and reports whether it was the last. A server that does not know offset sends the same page again, and one
// that takes a smaller limit sends short pages; both are told by the ids and the total.
func (l *listing) add(root *diff.Type, p page) (last bool, err error) {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	before := len(l.agents)
	for i, row := range p.rows {
		agent, err := listed(root, row)
		if err != nil {
			return true, fmt.Errorf("agent %d of the list: %w", l.read+i+1, err)
		}
		if !l.seen[agent.ID] {
			l.seen[agent.ID] = true
			l.agents = append(l.agents, agent)
		}
	}
	l.read += len(p.rows)
	l.pages++
	l.total = p.total
	if len(l.agents) == before {
		return true, nil
	}
	if p.total >= 0 {
		return int64(len(l.agents)) >= p.total, nil
	}
	return len(p.rows) < pageSize, nil
}

// check says whether the list is whole as far as the vendor lets see.
func (l *listing) check() error {
	if l.total >= 0 && l.total != int64(len(l.agents)) {
		return fmt.Errorf("the list has %d agents and says that there are %d", len(l.agents), l.total)
	}
	return nil
}

// decodePage reads one page. The rows are data itself, or its only array of objects; anything else is an error and never an empty list.
func decodePage(doc any) (page, error) {
	e, err := openEnvelope(doc)
	if err != nil {
		return page{}, err
	}
	var rows []map[string]any
	said := e.total
	switch data := e.data.(type) {
	case []any:
		var ok bool
		if rows, ok = objects(data); !ok {
			return page{}, errors.New("its data is a list of something else than agents")
		}
	case map[string]any:
		if rows, err = onlyRows(data); err != nil {
			return page{}, err
		}
		if inner, there := data["total"]; there {
			said = inner
		}
	default:
		return page{}, errors.New("its data is no list of agents")
	}
	if said == nil {
		return page{rows: rows, total: -1}, nil
	}
	total, ok := wholeNumber(said)
	if !ok || total < 0 {
		return page{}, fmt.Errorf("its total is %v", said)
	}
	return page{rows: rows, total: total}, nil
}

// onlyRows returns the one member of data that is an array of objects.
func onlyRows(data map[string]any) ([]map[string]any, error) {
	var names []string
	var found []map[string]any
	for _, name := range diff.Keys(data) {
		items, isList := data[name].([]any)
		if !isList {
			continue
		}
		if rows, ok := objects(items); ok {
			names, found = append(names, name), rows
		}
	}
	switch len(names) {
	case 0:
		return nil, errors.New("its data holds no list of agents")
	case 1:
		return found, nil
	}
	return nil, fmt.Errorf("its data holds several lists: %s", strings.Join(names, ", "))
}

func objects(items []any) ([]map[string]any, bool) {
	rows := make([]map[string]any, len(items))
	for i, item := range items {
		row, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		rows[i] = row
	}
	return rows, true
}

// listed reads one row. A row without a name cannot be told from another agent, so nothing may rest on a list that has one. A row
// is whole if it holds every field that get returns.
func listed(root *diff.Type, row map[string]any) (providers.Live, error) {
	if name, there := row[nameField]; !there {
		return providers.Live{}, errors.New("it has no " + nameField)
	} else if _, isText := name.(string); !isText && name != nil {
		return providers.Live{}, errors.New("its " + nameField + " is no text")
	}
	agent, err := live(root, row)
	if err != nil {
		return agent, err
	}
	agent.Whole = true
	for name, t := range root.Fields {
		if _, there := row[name]; !there && !t.WriteOnly {
			agent.Whole = false
		}
	}
	return agent, nil
}
