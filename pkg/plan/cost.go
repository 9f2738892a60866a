package plan

import "time"

// roundTrip is how long an answer is taken to need where time is predicted: nothing is known of it before the first, and the same plan
// is to predict the same. It tells only where no limit of the account does.
const roundTrip = 100 * time.Millisecond

// Reads say what a plan cost, and what carrying it out is expected to.
type Reads struct {
	// Requests counts the requests that were sent for the plan.
	Requests int `json:"requests"`
	// Seconds is how long that many take at the limits of the accounts, side by side.
	Seconds int `json:"seconds,omitzero"`
	// Unread counts the agents that were not read because their change mark had not moved.
	Unread int `json:"unread,omitzero"`
	// Notes are sentences on what was not read, and why.
	Notes []string `json:"notes,omitempty"`
	// Apply is what comes on top where the plan is carried out in the same run.
	Apply Cost `json:"apply,omitzero"`
}

// Cost is what requests cost. Account is the one that takes longest, and PerMinute its limit.
type Cost struct {
	Requests  int    `json:"requests"`
	Seconds   int    `json:"seconds"`
	Account   string `json:"account"`
	PerMinute int    `json:"perMinute"`
}

// count fills p.Reads from how the accounts were read.
func (p *Plan) count(readers []*reader) {
	var reading, applying time.Duration
	for _, r := range readers {
		limits := r.account.Provider.Limits()
		spent, more := r.pages+int(r.gets.Load()), 0
		for i := range p.Changes {
			if p.Changes[i].Provider == r.account.Name {
				more += p.Changes[i].requests()
			}
		}
		reading = max(reading, limits.Time(spent, roundTrip))
		p.Reads.Unread += int(r.unread.Load())
		if note := r.note(); note != "" {
			p.Reads.Notes = append(p.Reads.Notes, note)
		}
		if more == 0 {
			continue
		}
		p.Reads.Apply.Requests += more
		if takes := limits.TimeAfter(spent, more, roundTrip); p.Reads.Apply.Account == "" || takes > applying {
			applying = takes
			p.Reads.Apply.Account, p.Reads.Apply.PerMinute = r.account.Name, limits.PerMinute
		}
	}
	p.Reads.Seconds, p.Reads.Apply.Seconds = seconds(reading), seconds(applying)
}

func seconds(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }

// requests counts the requests of carrying c out: the read right before its write, the writes, and the read-back. An agent that has just been
// made has nothing to be read before; one whose create takes a second write is read between them.
func (c *Change) requests() int {
	writes := len(c.Requests)
	switch {
	case c.Blocked() || c.Action == None || (c.Action == Delete && writes == 0):
		return 0
	case writes == 0 || (c.Action == Create && writes == 1):
		return writes + 1
	}
	return writes + 2
}
