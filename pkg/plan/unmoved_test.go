package plan

import (
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/state"
)

// TestUnmoved: only an agent whose row and whose manifest both are as they were recorded may go unread.
func TestUnmoved(t *testing.T) {
	sealed, err := state.Seal("secret")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*target, *providers.Live)
		want   bool
	}{
		{"as recorded", func(*target, *providers.Live) {}, true},
		{"a secret as recorded", func(t *target, _ *providers.Live) {
			t.agent.Config.Object["begin_message"], t.entry.Record.Applied["begin_message"] = "secret", sealed
		}, true},
		{"another secret", func(t *target, _ *providers.Live) {
			t.agent.Config.Object["begin_message"], t.entry.Record.Applied["begin_message"] = "other", sealed
		}, false},
		{"an ignored field differs", func(t *target, _ *providers.Live) {
			t.agent.Ignore, t.agent.Config.Object["begin_message"] = []string{"/begin_message"}, "Other"
			delete(t.entry.Record.Applied, "begin_message")
		}, true},
		{"the mark moved", func(_ *target, row *providers.Live) { row.Revision = "8" }, false},
		{"no mark in the row", func(_ *target, row *providers.Live) { row.Revision = "" }, false},
		{"no mark in either", func(t *target, row *providers.Live) { t.entry.Record.Revision, row.Revision = "", "" }, false},
		{"another agent's row", func(_ *target, row *providers.Live) { row.ID = "2" }, false},
		{"locked", func(_ *target, row *providers.Live) { row.Locked = "is a flow agent" }, false},
		{"deleted and still listed", func(_ *target, row *providers.Live) { row.Gone = true }, false},
		{"a value changed", func(t *target, _ *providers.Live) { t.agent.Config.Object["begin_message"] = "Other" }, false},
		{"a field more", func(t *target, _ *providers.Live) { t.agent.Config.Object["language"] = "en" }, false},
		{"a field less", func(t *target, _ *providers.Live) { delete(t.agent.Config.Object, "begin_message") }, false},
		{"protected now", func(t *target, _ *providers.Live) { t.agent.Protect = true }, false},
		{"files as recorded", func(t *target, _ *providers.Live) {
			t.upload("faq.pdf", "ab")
			t.entry.Record.Applied["files"], t.entry.Record.Files = []any{"faq.pdf"}, map[string]string{"faq.pdf": "ab"}
		}, true},
		{"another content", func(t *target, _ *providers.Live) {
			t.upload("faq.pdf", "cd")
			t.entry.Record.Applied["files"], t.entry.Record.Files = []any{"faq.pdf"}, map[string]string{"faq.pdf": "ab"}
		}, false},
		{"a file more", func(t *target, _ *providers.Live) { t.upload("faq.pdf", "ab") }, false},
		{"bound to another agent", func(t *target, _ *providers.Live) { t.agent.ID = "2" }, false},
		{"a create under way", func(t *target, _ *providers.Live) { t.entry.Record.Pending = &state.Pending{} }, false},
		{"bound by hand, nothing applied", func(t *target, _ *providers.Live) { t.entry.Record.Applied = nil }, false},
		{"no record", func(t *target, _ *providers.Live) { t.known, t.entry = false, state.Entry{} }, false},
		{"an orphan", func(t *target, _ *providers.Live) { t.agent = nil }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target, _ := deciding(t, diff.Object{"agent_name": "Desk", "begin_message": "Hello"})
			target.recorded(diff.Object{"agent_name": "Desk", "begin_message": "Hello"})
			target.entry.Record.Revision = "7"
			row := providers.Live{ID: "1", Name: "Desk", Revision: "7"}
			test.change(target, &row)
			if got := target.unmoved(row); got != test.want {
				t.Errorf("unmoved: %v", got)
			}
		})
	}
}

func (t *target) upload(name, sum string) {
	t.agent.Config.Object["files"] = []any{"docs/" + name}
	t.agent.Files = []providers.File{{Pointer: "/files/0", Name: name, SHA256: sum}}
}

// TestChart: the list is read where its pages are fewer than the reads that they spare.
func TestChart(t *testing.T) {
	const pageSize = 50
	tests := []struct {
		name                    string
		can                     providers.Abilities
		bound, loose, elsewhere int
		refresh                 Refresh
		want                    course
	}{
		{"whole rows, one", providers.Abilities{List: "whole"}, 1, 0, 500, RefreshAll, course{gets: 1}},
		{"whole rows, two", providers.Abilities{List: "whole"}, 2, 0, 500, RefreshAll, course{list: allRows, pages: 1}},
		{"whole rows, to look for one", providers.Abilities{List: "whole"}, 0, 1, 0, RefreshAll, course{list: allRows, pages: 1}},
		{"whole rows in pages, few", providers.Abilities{List: "whole", PageSize: pageSize}, 9, 0, 491, RefreshAll, course{gets: 9}},
		{"whole rows in pages, more", providers.Abilities{List: "whole", PageSize: pageSize}, 11, 0, 489, RefreshAll, course{list: allRows, pages: 10}},
		{"summaries", providers.Abilities{List: "summaries", PageSize: pageSize}, 500, 0, 0, RefreshAll, course{gets: 500}},
		{"summaries, to look for one", providers.Abilities{List: "summaries", PageSize: pageSize}, 499, 1, 1, RefreshAll, course{list: allRows, pages: 10, gets: 499}},
		{"marks", providers.Abilities{List: "summaries", PageSize: pageSize, Mark: "m"}, 500, 0, 0, RefreshChanged, course{list: allRows, pages: 10, gets: 500}},
		{"marks, few", providers.Abilities{List: "summaries", PageSize: pageSize, Mark: "m"}, 10, 0, 490, RefreshChanged, course{gets: 10}},
		{"no marks", providers.Abilities{List: "summaries", PageSize: pageSize}, 500, 0, 0, RefreshChanged, course{gets: 500}},
		{"no list", providers.Abilities{List: "none", Mark: "m"}, 500, 1, 0, RefreshChanged, course{gets: 500}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			one, _ := deciding(t, diff.Object{"agent_name": "Desk"})
			r := &reader{account: one.account, refresh: test.refresh, taken: map[string]bool{}}
			if test.loose > 0 {
				r.taken[""] = true
			}
			r.account.Generation.Can = test.can
			for i := range test.bound + test.loose + test.elsewhere {
				next := *one
				if i < test.bound {
					next.recorded(nil)
					next.entry.Record.Revision = "7"
				}
				if i < test.bound+test.loose {
					r.targets = append(r.targets, &next)
				}
				if i < test.bound || i >= test.bound+test.loose {
					r.taken[string(rune('a'+i))] = true
				}
			}
			if got := r.chart(); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
