package web

import (
	"fmt"
	"time"
)

// moment is a time as pages show it. The zero moment is "never".
type moment struct {
	ISO   string // for machines, and for the script, which keeps Rel right
	Exact string // in UTC
	Rel   string // as seen from when the page was rendered: "4 min ago"
}

func momentOf(t, now time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), Exact: t.Format("2006-01-02 15:04:05") + " UTC", Rel: relative(t.Sub(now))}
}

// relative says how far away a time is, in the largest unit that fits. The script says it in the same words.
func relative(d time.Duration) string {
	if abs := d.Abs(); abs < 5*time.Second {
		return "just now"
	}
	if d < 0 {
		return span(-d) + " ago"
	}
	return "in " + span(d)
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/(24*time.Hour))
}
