package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/forge/forgetest"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// statuses opens the statuses of the test's forge.
func (w *world) statuses(t *testing.T) *Statuses {
	t.Helper()
	open := GitHubStatuses
	if w.gitLab() {
		open = GitLabStatuses
	}
	w.options.Number = 0
	s, err := open(w.options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) gitLab() bool { return strings.HasSuffix(w.options.BaseURL, "/api/v4") }

func mustSet(t *testing.T, s *Statuses, status Status, want Action) {
	t.Helper()
	got, err := s.Put(t.Context(), forgetest.Commit, status)
	if err != nil || got != want {
		t.Fatalf("%s: %s, %v; want %s", status.State, got, err, want)
	}
}

func TestAStatusIsSetOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := w.statuses(t)
		looking := Status{State: Pending, Description: "looking", TargetURL: "https://watch.example/"}
		mustSet(t, s, looking, Created)
		mustSet(t, s, looking, Unchanged)
		mustSet(t, s, Status{State: Success, Description: "3 in sync"}, Updated)
		mustSet(t, s, Status{State: Success, Description: "3 in sync"}, Unchanged)
		mustSet(t, s, Status{State: Failure, Context: "other", Description: "x"}, Created)
		if got := len(w.server.Calls()); got != 3 {
			t.Errorf("%d calls: %q", got, w.server.Calls())
		}
		want := []forgetest.CommitStatus{
			{State: "pending", Context: DefaultContext, Description: "looking", TargetURL: "https://watch.example/"},
			{State: "success", Context: DefaultContext, Description: "3 in sync"},
			{State: "failure", Context: "other", Description: "x"},
		}
		if w.gitLab() { // which moves a status that waits
			want = want[1:]
			want[1].State = "failed"
		}
		if d := cmp.Diff(want, w.server.Statuses()); d != "" {
			t.Errorf("statuses (-want +got):\n%s", d)
		}
	})
}

func TestALongDescriptionIsCut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mustSet(t, w.statuses(t), Status{State: Error, Description: strings.Repeat("ä", 300), TargetURL: "https://watch.example/" + strings.Repeat("x", 300)}, Created)
		got := w.server.Statuses()[0]
		if want := strings.Repeat("ä", 139) + "…"; got.Description != want {
			t.Errorf("the description is %q", got.Description)
		}
		if (got.TargetURL == "") != w.gitLab() {
			t.Errorf("the target is %q", got.TargetURL)
		}
	})
}

// After a restart nothing is remembered; what GitLab then refuses is there already.
func TestTheSameStateAgainIsNoFailure(t *testing.T) {
	w := newWorld(t, "gitlab")
	w.options.Ref = "main"
	mustSet(t, w.statuses(t), Status{State: Pending}, Created)
	again := w.statuses(t)
	mustSet(t, again, Status{State: Pending}, Unchanged)
	mustSet(t, again, Status{State: Success}, Updated)
	if got := w.server.Statuses(); len(got) != 1 || got[0].State != "success" || got[0].Ref != "main" {
		t.Errorf("statuses are %+v", got)
	}
}

func TestOtherTransitionsAreFailures(t *testing.T) {
	err := error(&rest.Error{Status: http.StatusBadRequest, Message: "Cannot transition status via :success from :canceled"})
	if saysSo(err, "success") {
		t.Error("a status that was canceled is taken for success")
	}
}

func TestStatusesAreTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Fail(forgetest.Fault{Method: http.MethodPost, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}})
		w.server.Fail(forgetest.Fault{Method: http.MethodPost, Status: http.StatusBadGateway})
		w.server.Fail(forgetest.Fault{Method: http.MethodPost, Status: http.StatusBadGateway, Done: true}) // carried out, and its answer lost
		if _, err := w.statuses(t).Put(t.Context(), forgetest.Commit, Status{State: Pending}); err != nil {
			t.Error(err)
		}
		if got := w.server.Statuses(); got[len(got)-1].State != "pending" {
			t.Errorf("statuses are %+v", got)
		}
	})
}

func TestAnAnswerThatNeverComes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		hang, release := make(chan struct{}, 10), make(chan struct{})
		web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			hang <- struct{}{}
			<-release
		}))
		defer web.Close()
		defer close(release)
		suffix := ""
		if w.gitLab() {
			suffix = "/api/v4"
		}
		w.options.BaseURL = web.URL + suffix
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-hang; cancel() }()
		if _, err := w.statuses(t).Put(ctx, forgetest.Commit, Status{State: Pending}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestRefusedStatuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := w.statuses(t)
		for _, sha := range []string{"", "main", "../" + forgetest.Commit, strings.ToUpper(forgetest.Commit), forgetest.Commit[:12]} {
			if _, err := s.Put(t.Context(), sha, Status{State: Success}); err == nil {
				t.Errorf("%q is taken for a hash", sha)
			}
		}
		if len(w.server.Calls()) > 0 {
			t.Errorf("calls: %q", w.server.Calls())
		}
		if _, err := s.Put(t.Context(), strings.Repeat("0", 40), Status{State: Success}); err == nil || !strings.Contains(err.Error(), "000000000000") {
			t.Errorf("error %v", err)
		}
		w.options.Token = canary + "-wrong"
		w.options.Mask.Add(w.options.Token)
		_, err := w.statuses(t).Put(t.Context(), forgetest.Commit, Status{State: Success})
		if !errors.Is(err, rest.ErrAuth) || strings.Contains(fmt.Sprint(err), canary) {
			t.Errorf("error %v", err)
		}
	})
}

// A commit that stays in force for months may get as many statuses as GitHub takes; then nobody asks for another.
func TestAFullCommitIsNotAskedAgain(t *testing.T) {
	w := newWorld(t, "github")
	w.server.Limit = 2
	s := w.statuses(t)
	for i, want := range []error{nil, nil, ErrFull, ErrFull} {
		if _, err := s.Put(t.Context(), forgetest.Commit, Status{State: Success, Description: fmt.Sprint(i)}); !errors.Is(err, want) {
			t.Errorf("%d: error %v, want %v", i, err, want)
		}
	}
	if got := len(w.server.Calls()); got != 3 {
		t.Errorf("%d calls", got)
	}
}

func TestMemoryOfStatusesIsBounded(t *testing.T) {
	sent := 0
	s := newStatuses(func(context.Context, string, Status) (bool, error) { sent++; return true, nil })
	for i := range 3 * remembered {
		if _, err := s.Put(t.Context(), fmt.Sprintf("%040x", i), Status{State: Success}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.last) > remembered || sent != 3*remembered {
		t.Errorf("%d remembered, %d sent", len(s.last), sent)
	}
}

func TestOptionsOfStatusesAreChecked(t *testing.T) {
	for _, open := range []func(Options) (*Statuses, error){GitHubStatuses, GitLabStatuses} {
		_, err := open(Options{BaseURL: "http://forge.example", Repository: ".."})
		for _, want := range []string{"must be https", "no token"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
	}
	if _, err := GitLabStatuses(Options{BaseURL: "https://gitlab.com/api/v4", Repository: "42", Token: "t", JobToken: true}); err == nil {
		t.Error("a job's token is taken")
	}
}
