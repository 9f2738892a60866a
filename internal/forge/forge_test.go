package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/internal/forge/forgetest"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	marker = "<!-- agentsync:plan -->"
	canary = "canary-token-1"
)

// world is one forge of a test.
type world struct {
	server  *forgetest.Server
	options Options
	open    func(Options) (*Request, error)
}

// each runs a test against both forges.
func each(t *testing.T, test func(*testing.T, *world)) {
	for _, which := range []string{"github", "gitlab"} {
		t.Run(which, func(t *testing.T) { test(t, newWorld(t, which)) })
	}
}

func newWorld(t *testing.T, which string) *world {
	t.Helper()
	w := &world{server: &forgetest.Server{Token: canary}, options: Options{Token: canary}}
	w.options.Sleep = func(context.Context, time.Duration) error { return nil }
	w.options.Mask = &rest.Masker{}
	w.options.Mask.Add(canary)
	handler := w.server.GitHub()
	w.open, w.options.Repository, w.options.Number = GitHub, forgetest.GitHubRepository, forgetest.GitHubNumber
	if which == "gitlab" {
		handler = w.server.GitLab()
		w.open, w.options.Repository, w.options.Number = GitLab, forgetest.GitLabProject, forgetest.GitLabNumber
	}
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	w.options.BaseURL = web.URL
	if which == "gitlab" {
		w.options.BaseURL += "/api/v4"
	}
	return w
}

func (w *world) put(t *testing.T, body string, editOnly bool) (Result, error) {
	t.Helper()
	r, err := w.open(w.options)
	if err != nil {
		t.Fatal(err)
	}
	return r.Put(t.Context(), marker, marker+"\n"+body, editOnly)
}

func (w *world) mustPut(t *testing.T, body string, editOnly bool, want Action) Result {
	t.Helper()
	got, err := w.put(t, body, editOnly)
	if err != nil {
		t.Fatal(err)
	}
	if got.Action != want {
		t.Fatalf("the comment was %s, want %s", got.Action, want)
	}
	return got
}

// bodies are the comments that are there, without line ends of other systems.
func (w *world) bodies() []string {
	var all []string
	for _, c := range w.server.Comments() {
		all = append(all, plain(c.Body))
	}
	return all
}

// writes counts the calls that change something.
func (w *world) writes() int {
	n := 0
	for _, call := range w.server.Calls() {
		if !strings.HasPrefix(call, "GET ") {
			n++
		}
	}
	return n
}

func TestOneCommentIsWrittenThenEdited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Add(forgetest.Comment{Body: "Looks good!", Author: 2})
		created := w.mustPut(t, "one", false, Created)
		w.mustPut(t, "one", false, Unchanged)
		if w.writes() != 1 {
			t.Errorf("%d writes for one comment: %q", w.writes(), w.server.Calls())
		}
		updated := w.mustPut(t, "two\n", false, Updated)
		if created.Place == "" || created.Place != updated.Place {
			t.Errorf("created at %q, updated at %q", created.Place, updated.Place)
		}
		if d := cmp.Diff([]string{"Looks good!", marker + "\ntwo"}, w.bodies()); d != "" {
			t.Errorf("comments (-want +got):\n%s", d)
		}
	})
}

func TestEditOnlyWritesNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.mustPut(t, "nothing", true, None)
		if w.writes() != 0 {
			t.Errorf("written: %q", w.server.Calls())
		}
		w.mustPut(t, "one", false, Created)
		w.mustPut(t, "nothing", true, Updated)
	})
}

func TestTheCommentIsFoundOnALaterPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 205 {
			body := fmt.Sprintf("remark %d", i)
			if i == 110 || i == 203 {
				body = marker + "\nold"
			}
			w.server.Add(forgetest.Comment{Body: body, Author: forgetest.Me})
		}
		w.mustPut(t, "new", false, Updated)
		bodies := w.bodies()
		if len(bodies) != 205 || bodies[203] != marker+"\nnew" || bodies[110] != marker+"\nold" {
			t.Errorf("not the newest of two was edited: %q, %q", bodies[110], bodies[203])
		}
	})
}

// What carries the marker but is not ours may be changed by whoever wrote it after reviewers have read it, so it is left alone.
func TestOthersCommentsAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		others := []string{marker + "\nforged", "> " + marker + "\nquoted", marker + "x\nlonger", "text\n" + marker}
		w.server.Add(forgetest.Comment{Body: others[0], Author: 2})
		for _, body := range others[1:] {
			w.server.Add(forgetest.Comment{Body: body, Author: forgetest.Me})
		}
		w.server.Add(forgetest.Comment{Body: "changed the title", Author: forgetest.Me, System: true})
		w.mustPut(t, "ours", false, Created)
		if got := w.bodies(); len(got) != 6 || cmp.Diff(others, got[:4]) != "" {
			t.Errorf("comments are %q", got)
		}
	})
}

func TestAnAppAtGitHub(t *testing.T) {
	w := newWorld(t, "github")
	w.server.App = true
	w.server.Add(forgetest.Comment{Body: marker + "\nforged", Author: 2})
	w.mustPut(t, "one", false, Created)
	w.mustPut(t, "two", false, Updated)
	if got := w.bodies(); len(got) != 2 || got[0] != marker+"\nforged" || got[1] != marker+"\ntwo" {
		t.Errorf("comments are %q", got)
	}
}

func TestAJobAtGitLab(t *testing.T) {
	w := newWorld(t, "gitlab")
	w.server.App, w.options.JobToken, w.options.User = true, true, fmt.Sprint(forgetest.Me)
	w.options.Repository = "42"
	w.server.Add(forgetest.Comment{Body: marker + "\nforged", Author: 2})
	w.mustPut(t, "one", false, Created)
	w.mustPut(t, "two", false, Updated)
	for _, call := range w.server.Calls() {
		if strings.HasSuffix(call, "/user") {
			t.Errorf("a job's token asked who it is: %s", call)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		change func(*world)
		kind   error
		text   string
	}{
		{"wrong token", func(w *world) { w.server.Token = "another" }, rest.ErrAuth, "401"},
		{"no such request", func(w *world) { w.options.Number = 404 }, rest.ErrNotFound, "404"},
		{"no such repository", func(w *world) { w.options.Repository = "lumen/other" }, rest.ErrNotFound, "404"},
		{"too long", func(w *world) { w.server.Limit = 30 }, rest.ErrRejected, "too long (maximum is 30 characters)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				test.change(w)
				_, err := w.put(t, "a text of some length", false)
				if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error %v, want %v with %q", err, test.kind, test.text)
				}
				if strings.Contains(err.Error(), canary) {
					t.Errorf("the token is in %q", err)
				}
				if len(w.server.Comments()) > 0 {
					t.Errorf("comments are %q", w.bodies())
				}
			})
		})
	}
}

// A create whose answer is lost is not repeated; the next run finds the comment and edits it.
func TestALostCreateIsNotRepeated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Fail(forgetest.Fault{Method: http.MethodPost, Status: http.StatusBadGateway, Done: true})
		if _, err := w.put(t, "one", false); !errors.Is(err, rest.ErrUnknownOutcome) {
			t.Fatalf("error %v", err)
		}
		w.mustPut(t, "two", false, Updated)
		if got := w.bodies(); len(got) != 1 || got[0] != marker+"\ntwo" {
			t.Errorf("comments are %q", got)
		}
	})
}

func TestReadsAndEditsAreRepeated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.mustPut(t, "one", false, Created)
		edit := http.MethodPatch
		if w.options.Repository == forgetest.GitLabProject && w.options.Number == forgetest.GitLabNumber {
			edit = http.MethodPut
		}
		w.server.Fail(forgetest.Fault{Method: http.MethodGet, Status: http.StatusServiceUnavailable})
		w.server.Fail(forgetest.Fault{Method: http.MethodGet, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}})
		w.server.Fail(forgetest.Fault{Method: edit, Status: http.StatusBadGateway})
		w.mustPut(t, "two", false, Updated)
	})
}

func TestARedirectToAnotherHostGetsNoToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		reached := false
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
		defer other.Close()
		w.server.Fail(forgetest.Fault{Method: http.MethodGet, Status: http.StatusMovedPermanently, Header: http.Header{"Location": {other.URL + "/user"}}})
		if _, err := w.put(t, "one", false); err == nil || !strings.Contains(err.Error(), "another host") {
			t.Errorf("error %v", err)
		}
		if reached {
			t.Error("the other host was asked")
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, open := range []func(Options) (*Request, error){GitHub, GitLab} {
		_, err := open(Options{BaseURL: "http://forge.example", Repository: "..", Number: 0})
		for _, want := range []string{"must be https", "no token", "not the number"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
	}
	for _, repository := range []string{"", "agents", "lumen/agents/more", "/agents", "lumen/"} {
		if _, err := GitHub(Options{BaseURL: "https://api.github.com", Repository: repository, Number: 1, Token: "t"}); err == nil {
			t.Errorf("repository %q is taken", repository)
		}
	}
}

func TestNextQuery(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"none", nil, ""},
		{"last page", []string{`<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?page=1>; rel="first"`}, ""},
		{"next", []string{`<https://api.github.com/x?page=1>; rel="prev", <https://evil.example/y?per_page=100&page=3>; rel="next"`}, "page=3&per_page=100"},
		{"cursor, other parameters", []string{`<https://api.github.com/x?after=abc>; title="t"; rel="next"`}, "after=abc"},
		{"two headers", []string{`<https://a/x?page=1>; rel="prev"`, `<https://a/x?page=3>; rel="next"`}, "page=3"},
		{"not a link", []string{`next`}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := nextQuery(test.headers).Encode(); got != test.want {
				t.Errorf("nextQuery is %q, want %q", got, test.want)
			}
		})
	}
}
