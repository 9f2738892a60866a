package render

import (
	"fmt"
	"math"
	"slices"
	"time"

	"agentsync.dev/agentsync/pkg/plan"
)

// longApply is from how many seconds on a plan says how long carrying it out takes.
const longApply = 5

// Roughly says how long something takes, as closely as a person wants to know it before.
func Roughly(d time.Duration) string {
	switch seconds := d.Seconds(); {
	case seconds < 100:
		return fmt.Sprintf("about %d s", int(math.Round(seconds)))
	case seconds < 100*60:
		return fmt.Sprintf("about %d min", int(math.Round(seconds/60)))
	default:
		return fmt.Sprintf("about %d h", int(math.Round(seconds/3600)))
	}
}

// readsOf says what there is to know about how the agents were read, and about how long carrying the plan out takes.
func readsOf(r plan.Reads) []string {
	said := slices.Clone(r.Notes)
	if a := r.Apply; a.Seconds >= longApply {
		text := fmt.Sprintf("apply: %s, %s", plural(a.Requests, "request"), Roughly(time.Duration(a.Seconds)*time.Second))
		if a.PerMinute > 0 {
			text += fmt.Sprintf(" (%s: %d a minute)", a.Account, a.PerMinute)
		}
		said = append(said, text)
	}
	return said
}
