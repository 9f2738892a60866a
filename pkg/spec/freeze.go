package spec

import (
	"slices"
	"strings"
	"time"
)

// Freeze is a time in which a watcher writes nothing: once, from From to To, or again and again on Days between two times of day.
type Freeze struct {
	Reason string
	// From and To bound a window that comes once; zero for one that comes again.
	From, To time.Time
	// Opens and Closes are times of day, as spans since midnight in Zone; a window that closes no later than it opens passes midnight. Days are
	// those on which it opens.
	Opens, Closes time.Duration
	Days          []time.Weekday
	Zone          *time.Location
	Pos           Pos
}

// Until reports whether f holds at now, and until when.
func (f *Freeze) Until(now time.Time) (time.Time, bool) {
	if !f.From.IsZero() {
		return f.To, !now.Before(f.From) && now.Before(f.To)
	}
	year, month, day := now.In(f.Zone).Date()
	for _, d := range []int{day, day - 1} { // a window that opened yesterday may still be open
		if !slices.Contains(f.Days, time.Date(year, month, d, 12, 0, 0, 0, f.Zone).Weekday()) {
			continue
		}
		closing := d
		if f.Closes <= f.Opens {
			closing++
		}
		opens, closes := f.at(year, month, d, f.Opens), f.at(year, month, closing, f.Closes)
		if !now.Before(opens) && now.Before(closes) {
			return closes, true
		}
	}
	return time.Time{}, false
}

// at is a time of day on a date; a clock that is put forward or back does not move it.
func (f *Freeze) at(year int, month time.Month, day int, clock time.Duration) time.Time {
	return time.Date(year, month, day, int(clock/time.Hour), int(clock%time.Hour/time.Minute), 0, 0, f.Zone)
}

// freezes reads the list of freeze windows.
func (d *decoder) freezes(into *[]*Freeze) func(string, *Value) {
	return func(path string, v *Value) {
		if v.Kind != List {
			d.wrong(path, v, "a list of freeze windows")
			return
		}
		for _, item := range v.Items {
			if f := d.freeze(path, item); f != nil {
				*into = append(*into, f)
			}
		}
	}
}

const freezeHint = "write both as times (2026-12-24T00:00:00Z), or both as times of day (22:00) with days and timeZone"

// freeze reads one window; nil where something is wrong with it, which is reported.
func (d *decoder) freeze(path string, v *Value) *Freeze {
	f := &Freeze{Pos: v.Pos, Zone: time.UTC}
	before := len(d.problems)
	var from, to string
	d.object(path, v,
		field{name: "reason", read: d.text(&f.Reason), missing: "say why, for whoever meets it: reason: ..."},
		field{name: "from", read: d.text(&from), missing: freezeHint},
		field{name: "to", read: d.text(&to), missing: freezeHint},
		field{name: "days", read: d.days(&f.Days)},
		field{name: "timeZone", read: func(path string, v *Value) {
			var name string
			if d.text(&name)(path, v); name == "" {
				return
			}
			zone, err := time.LoadLocation(name)
			if err != nil || name == "Local" {
				d.fault(v.Pos, "write a name of the IANA database, such as Europe/Berlin", "%s %q is no time zone", path, name)
				return
			}
			f.Zone = zone
		}})
	if len(d.problems) > before {
		return nil
	}
	if !f.once(from, to) && !f.again(from, to) {
		d.fault(v.Pos, freezeHint, "%s: from %q to %q is no window", path, from, to)
		return nil
	}
	if !f.From.IsZero() && (f.Days != nil || f.Zone != time.UTC) {
		d.fault(v.Pos, "a window that comes once has its zone in from and to", "%s: days and timeZone are for times of day", path)
		return nil
	}
	if f.Days == nil {
		f.Days = week()
	}
	return f
}

// once reads a window between two times.
func (f *Freeze) once(from, to string) bool {
	begin, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return false
	}
	end, err := time.Parse(time.RFC3339, to)
	if err != nil || !end.After(begin) {
		return false
	}
	f.From, f.To = begin, end
	return true
}

// again reads a window between two times of day.
func (f *Freeze) again(from, to string) bool {
	opens, err := time.Parse("15:04", from)
	if err != nil {
		return false
	}
	closes, err := time.Parse("15:04", to)
	if err != nil {
		return false
	}
	f.Opens = time.Duration(opens.Hour())*time.Hour + time.Duration(opens.Minute())*time.Minute
	f.Closes = time.Duration(closes.Hour())*time.Hour + time.Duration(closes.Minute())*time.Minute
	return true
}

func week() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
}

// days reads a list of the days' first three letters.
func (d *decoder) days(into *[]time.Weekday) func(string, *Value) {
	return func(path string, v *Value) {
		if v.Kind != List || len(v.Items) == 0 {
			d.wrong(path, v, "a list of days")
			return
		}
		days := week()
		words := make([]string, len(days))
		for i, day := range days {
			words[i] = strings.ToLower(day.String()[:3])
		}
		for _, item := range v.Items {
			var word string
			if oneOf(d, &word, words...)(path, item); word != "" {
				*into = append(*into, days[slices.Index(words, word)])
			}
		}
	}
}
