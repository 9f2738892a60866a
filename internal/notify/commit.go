package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/forge"
	"agentsync.dev/agentsync/internal/status"
)

// Verdict is what the status of a commit says. The first look at a commit has not ended while First is true.
type Verdict struct {
	Commit      string
	State       forge.State
	Description string
	First       bool
}

// Verdicts returns what is to be said of the commit in force, and before it of one seen since that is not taken; none outside Git.
//
// In force: failure while an agent is drifted, refused, failed or the like, else pending while one waits or is written later, else success.
// Suspended agents and orphans change nothing.
func Verdicts(s *status.Status) []Verdict {
	var all []Verdict
	if s.Source.Commit != "" && s.Source.Commit != s.Source.InForce && len(s.Source.Errors) > 0 {
		all = append(all, Verdict{Commit: s.Source.Commit, State: forge.Error, Description: broke(s.Source)})
	}
	if s.Source.InForce == "" {
		return all
	}
	v := Verdict{Commit: s.Source.InForce, State: forge.Success, First: !looked(s)}
	counts := map[status.State]int{}
	for _, agent := range s.Agents {
		counts[agent.State]++
	}
	for state := range counts {
		switch state {
		case status.Synced, status.Suspended, status.Orphaned:
		case status.Waiting, status.Pending:
			if v.State != forge.Failure {
				v.State = forge.Pending
			}
		default:
			v.State = forge.Failure
		}
	}
	if v.First {
		v.State = forge.Pending
	}
	v.Description = tellCounts(s, counts, v)
	return append(all, v)
}

// looked reports whether the first look at what is in force has ended: each account had a look that began since it came into force, or nothing
// is left to do.
func looked(s *status.Status) bool {
	busy := s.Queue > 0
	since := true
	for _, account := range s.Accounts {
		busy = busy || account.Busy
		began := account.LookedAt.Add(-time.Duration(account.LookTook * float64(time.Second)))
		since = since && !began.Before(s.Source.ChangedAt)
	}
	waits := slices.ContainsFunc(s.Agents, func(a *status.Agent) bool { return a.State == status.Waiting })
	return !waits && (since || !busy)
}

func broke(s status.Source) string {
	if len(s.Errors) == 1 {
		return "not taken: " + line(s.Errors[0].Message, maxText)
	}
	return fmt.Sprintf("not taken, %d errors: %s", len(s.Errors), line(s.Errors[0].Message, maxText))
}

// tellCounts says how many agents stand how, the worst first.
func tellCounts(s *status.Status, counts map[status.State]int, v Verdict) string {
	if len(s.Agents) == 0 && !v.First {
		return "no agents"
	}
	var parts []string
	for _, state := range slices.Backward(status.States()) {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	text := strings.Join(parts, ", ")
	switch {
	case v.First:
		return strings.TrimSuffix("looking at the agents: "+text, ": ")
	case s.Freeze != nil && v.State == forge.Pending:
		return text + "; frozen until " + s.Freeze.Until.UTC().Format("2006-01-02 15:04 UTC")
	case s.Observe && v.State == forge.Pending:
		return text + "; this watcher only observes"
	}
	return text
}

// Commits say how the statuses of commits are kept.
type Commits struct {
	Statuses *forge.Statuses
	// Context is the name of the statuses, "" for the forge's default; Link is where they point to, "" for nowhere.
	Context, Link string
	Log           *slog.Logger
}

// afterTrouble is how long a forge that refused, or could not be reached, is left alone.
const afterTrouble = time.Minute

// KeepCommits sets the statuses of commits as board says, while this watcher leads, until ctx ends. Once the first look at a commit has ended its
// status does not go back to the beginning.
func KeepCommits(ctx context.Context, board *status.Board, c Commits) {
	looked, failing := "", false
	board.Follow(ctx, func(s *status.Status) {
		if !leads(s) {
			return
		}
		for _, v := range Verdicts(s) {
			if v.First && v.Commit == looked {
				continue
			}
			if v.Commit == s.Source.InForce && !v.First {
				looked = v.Commit
			}
			_, err := c.Statuses.Put(ctx, v.Commit, forge.Status{State: v.State, Context: c.Context, Description: v.Description, TargetURL: c.Link})
			switch {
			case ctx.Err() != nil:
				return
			case err == nil && failing:
				c.Log.Info("statuses of commits get through again")
			case err != nil && !failing:
				c.Log.Warn("statuses of commits do not get through", "error", err.Error())
			}
			if failing = err != nil; failing {
				timer := time.NewTimer(afterTrouble)
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
				timer.Stop()
				return
			}
		}
	})
}
