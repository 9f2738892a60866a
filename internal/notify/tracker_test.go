package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/status"
)

// story plays a tracker: each step shows it a status at a time, and says what it should tell.
type story struct {
	t       *testing.T
	tracker *tracker
	now     time.Time
}

func newStory(t *testing.T) *story {
	return &story{t, newTracker(time.Minute, 24*time.Hour), noon}
}

// at shows s after a time, and expects these events, as "what key".
func (y *story) at(after time.Duration, s *status.Status, want ...string) []Event {
	y.t.Helper()
	y.now = y.now.Add(after)
	y.tracker.look(y.now, s, Causes(s))
	events := y.tracker.tell(y.now)
	got := []string{}
	for _, e := range events {
		got = append(got, string(e.What)+" "+e.Key)
	}
	if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
		y.t.Fatalf("at %s (-want +got):\n%s", y.now.Format(time.TimeOnly), d)
	}
	return events
}

func driftStatus(live string) *status.Status {
	s := healthy(2)
	s.Agents[0] = drifted("voicy/a0000", "/p", live, "b")
	return s
}

const driftKey = "drift voicy/a0000 /p"

func TestBeganAndEnded(t *testing.T) {
	y := newStory(t)
	y.at(0, driftStatus("x"))
	y.at(59*time.Second, driftStatus("x"))
	y.at(time.Second, driftStatus("x"), "began "+driftKey)
	y.at(time.Hour, driftStatus("x"))
	y.at(0, healthy(2))
	y.at(59*time.Second, healthy(2))
	events := y.at(time.Second, healthy(2), "ended "+driftKey)
	if e := events[0]; e.Seconds != 3660 || !e.EndedAt.Equal(noon.Add(61*time.Minute)) || e.Cure != "" {
		t.Errorf("ended as %+v", e)
	}
	y.at(8*time.Hour, healthy(2))
	if len(y.tracker.entries) > 0 {
		t.Error("what is over is remembered")
	}
}

func TestABlipSaysNothing(t *testing.T) {
	y := newStory(t)
	for range 20 {
		y.at(30*time.Second, driftStatus("x"))
		y.at(30*time.Second, healthy(2))
	}
	y.at(time.Hour, healthy(2))
}

func TestAnEndThatDoesNotLastSaysNothing(t *testing.T) {
	y := newStory(t)
	y.at(0, driftStatus("x"))
	y.at(time.Minute, driftStatus("x"), "began "+driftKey)
	for range 20 {
		y.at(30*time.Second, healthy(2))
		y.at(30*time.Second, driftStatus("x"))
	}
}

func TestChanged(t *testing.T) {
	y := newStory(t)
	y.at(0, driftStatus("x"))
	y.at(time.Minute, driftStatus("x"), "began "+driftKey)
	y.at(time.Minute, driftStatus("y"))
	y.at(13*time.Minute, driftStatus("y")) // settled, but it was told less than a quarter of an hour ago
	y.at(time.Minute, driftStatus("y"), "changed "+driftKey)
	y.at(time.Hour, driftStatus("z"))
	y.at(30*time.Second, driftStatus("y")) // back again
	y.at(time.Hour, driftStatus("y"))
}

func TestReminders(t *testing.T) {
	y := newStory(t)
	y.at(0, driftStatus("x"))
	y.at(time.Minute, driftStatus("x"), "began "+driftKey)
	both := driftStatus("x")
	both.Agents[1].State = status.Failed
	y.at(time.Hour, both)
	y.at(time.Minute, both, "began failure voicy/a0001")
	y.at(24*time.Hour-61*time.Minute-time.Second, both)
	// one is due, and the other comes with it
	y.at(time.Second, both, "reminder failure voicy/a0001", "reminder "+driftKey)
	y.at(23*time.Hour, both)
}

// What comes and goes all the time is told ever less often.
func TestFlappingIsDamped(t *testing.T) {
	y := newStory(t)
	told := []time.Duration{}
	for range 24 * 60 / 10 { // a day of five minutes there, five minutes gone
		for i, s := range []*status.Status{driftStatus("x"), healthy(2)} {
			for range 5 {
				y.now = y.now.Add(time.Minute)
				y.tracker.look(y.now, s, Causes(s))
				for _, e := range y.tracker.tell(y.now) {
					told = append(told, y.now.Sub(noon))
					if e.What == Ended && i == 0 {
						t.Error("told to be over while it is there")
					}
				}
			}
		}
	}
	if len(told) < 3 || len(told) > 12 {
		t.Errorf("told %d times in a day: %v", len(told), told)
	}
}

func TestABrokenVendorIsOneMessage(t *testing.T) {
	y := newStory(t)
	failed, cutOff := healthy(1000), healthy(1000)
	for i := range 1000 {
		failed.Agents[i].State = status.Failed
		cutOff.Agents[i].State = status.Unreachable
	}
	cutOff.Accounts[0].Breaker = status.Open
	y.at(0, failed)
	y.at(20*time.Second, cutOff)
	y.at(40*time.Second, cutOff)
	y.at(20*time.Second, cutOff, "began account voicy")
	y.at(time.Hour, cutOff)
	// Let in again: first the agents are looked at.
	y.at(0, failed)
	y.at(30*time.Second, healthy(1000))
	y.at(time.Hour, healthy(1000), "ended account voicy")
}

// An agent that failed before its account was cut off has not healed by that.
func TestAFailureIsNotOverWhileItsAccountIsCutOff(t *testing.T) {
	y := newStory(t)
	failed, cutOff := healthy(1), healthy(1)
	failed.Agents[0].State, cutOff.Agents[0].State = status.Failed, status.Failed
	cutOff.Accounts[0].Breaker = status.Open
	y.at(0, failed)
	y.at(time.Minute, failed, "began failure voicy/a0000")
	y.at(time.Minute, cutOff)
	y.at(time.Minute, cutOff, "began account voicy")
	y.at(time.Hour, cutOff)
	y.at(0, healthy(1))
	y.at(time.Hour, healthy(1), "ended account voicy", "ended failure voicy/a0000")
}

func TestTheStormIsADigestAndSlowsDown(t *testing.T) {
	y := newStory(t)
	s := healthy(1000)
	messages, events := 0, 0
	for i := range 100 { // ten more every ten seconds
		for j := range 10 {
			s.Agents[10*i+j] = drifted(s.Agents[10*i+j].Address, "/p", "x", "y")
		}
		y.now = y.now.Add(10 * time.Second)
		y.tracker.look(y.now, s, Causes(s))
		if told := y.tracker.tell(y.now); len(told) > 0 {
			messages++
			events += len(told)
		}
	}
	y.now = y.now.Add(10 * time.Minute)
	y.tracker.look(y.now, s, Causes(s))
	events += len(y.tracker.tell(y.now))
	if messages > 8 || events != 1000 {
		t.Errorf("%d messages with %d events", messages, events)
	}
}

func TestNothingIsOverBeforeItWasLookedAt(t *testing.T) {
	before := newStory(t)
	wrong := driftStatus("x")
	wrong.Accounts = append(wrong.Accounts, &status.Account{Name: "nova", Breaker: status.Open, LookedAt: noon})
	wrong.Source.Commit, wrong.Source.Errors = "c2", []status.Problem{{Message: "bad"}}
	before.at(0, wrong)
	before.at(time.Minute, wrong, "began account nova", "began "+driftKey, "began source")

	after := newStory(t)
	if err := after.tracker.load(before.tracker.save()); err != nil {
		t.Fatal(err)
	}
	empty := &status.Status{At: noon, Lease: status.Lease{Role: status.Leader}}
	after.at(time.Minute, empty)
	after.at(time.Hour, empty)
	waiting := healthy(2)
	waiting.Agents[0].State = status.Waiting
	waiting.Accounts[0].LookedAt, waiting.Source.CheckedAt = time.Time{}, time.Time{}
	waiting.Accounts = append(waiting.Accounts, &status.Account{Name: "nova", Breaker: status.Closed})
	after.at(time.Hour, waiting)
	after.at(time.Hour, wrong) // as it was told before: nothing
	// Now it was looked at, and the agent is gone with its manifest.
	well := healthy(2)
	well.Agents = well.Agents[1:]
	after.at(0, well)
	after.at(time.Minute, well, "ended account nova", "ended "+driftKey, "ended source")
}

func TestWhatIsSaved(t *testing.T) {
	y := newStory(t)
	y.at(0, driftStatus("canary-value"))
	if got := string(y.tracker.save()); got != `{"version":1,"causes":[]}` {
		t.Errorf("saved before anything was told: %s", got)
	}
	y.at(time.Minute, driftStatus("canary-value"), "began "+driftKey)
	if strings.Contains(string(y.tracker.save()), "canary") {
		t.Error("a value is saved")
	}
	for _, text := range []string{"no JSON", `{"version": 2}`} {
		if err := newTracker(0, 0).load([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
