package web

import (
	"agentsync.dev/agentsync/internal/status"
)

// about says how a state is shown. What each tone looks like is the stylesheet's business; the word is always there.
type about struct {
	Word, Means string
	// Tone is bad, warn, quiet or good.
	Tone string
	// Urgent says that a person should look.
	Urgent bool
}

func aboutState(s status.State) about {
	switch s {
	case status.Failed:
		return about{"failed", "Reading or writing went wrong. It is tried again by itself.", "bad", true}
	case status.Unsettled:
		return about{"unsettled", "A write may or may not have been carried out. Look in the vendor's dashboard before anything else.", "bad", true}
	case status.Fighting:
		return about{"fighting", "A field was put back again and again, and somebody keeps changing it. Nobody writes until a person settles it.", "bad", true}
	case status.Unreachable:
		return about{"unreachable", "The vendor cannot be reached or does not let us in. A probe is sent from time to time.", "bad", true}
	case status.Refused:
		return about{"refused", "Differs from its manifest, and a finding keeps it from being written. Each says how to settle it.", "warn", true}
	case status.Drifted:
		return about{"drifted", "Changed outside agentsync, and neither put back nor accepted.", "warn", true}
	case status.Orphaned:
		return about{"orphaned", "The state knows it, no manifest declares it. Nothing happens to it.", "quiet", false}
	case status.Pending:
		return about{"pending", "Differs from its manifest, to be written later.", "quiet", false}
	case status.Waiting:
		return about{"waiting", "Not looked at yet.", "quiet", false}
	case status.Suspended:
		return about{"suspended", "Left alone, as its manifest says.", "quiet", false}
	case status.Synced:
		return about{"in sync", "Live equals the manifest.", "good", false}
	}
	return about{string(s), "", "quiet", false}
}

func triggerWords(t status.Trigger) string {
	switch t {
	case status.Start:
		return "first look"
	case status.Change:
		return "manifests changed"
	case status.Interval:
		return "regular look"
	case status.Retry:
		return "retry"
	case status.Request:
		return "asked for"
	case status.Thaw:
		return "freeze ended"
	}
	return string(t)
}

func breakerWords(b status.Breaker) (words, tone string) {
	switch b {
	case status.Open:
		return "not reachable", "bad"
	case status.HalfOpen:
		return "being probed", "warn"
	}
	return "reachable", "good"
}
