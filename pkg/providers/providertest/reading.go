package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// answerTo reads an agent and returns the vendor's answer.
func (x *trial) answerTo(id string) (contentType, body string) {
	x.t.Helper()
	x.wire.replace(func(r *http.Request, forward func() (*http.Response, error)) (*http.Response, error) {
		answer, err := forward()
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		contentType, body = answer.Header.Get("Content-Type"), string(text)
		return response(r, answer.StatusCode, contentType, body), err
	})
	defer x.wire.replace(nil)
	if _, err := x.Get(context.Background(), id); errors.Is(err, rest.ErrNotFound) != (id == x.MissingID) {
		x.t.Fatalf("get %s: %v", id, err)
	}
	return contentType, body
}

// missing returns the vendor's words for an agent that is not there.
func (x *trial) missing() (contentType, body string) {
	x.t.Helper()
	return x.answerTo(x.MissingID)
}

// misses checks that a 404 in the vendor's own words is a missing agent, and that nothing else is, not even the same words with
// another status.
func misses(t *testing.T, s Subject) {
	x := s.open(t)
	contentType, body := x.missing()
	const html = "<html><body>404 page not found</body></html>"
	for _, odd := range []struct {
		status            int
		contentType, body string
	}{
		{400, contentType, body}, {401, contentType, body}, {403, contentType, body}, {409, contentType, body}, {410, contentType, body},
		{422, contentType, body}, {429, contentType, body}, {500, contentType, body}, {503, contentType, body},
		{404, "text/html", html}, {404, "application/json", `{"x":1}`}, {404, "application/json", ``},
		{200, contentType, body}, {200, "text/html", html}, {200, "application/json", ``}, {200, "application/json", `null`},
		{200, "application/json", `[]`}, {200, "application/json", `{}`}, {200, "application/json", `{"a":`}, {204, "application/json", ``},
	} {
		t.Run(fmt.Sprintf("%d %.12q", odd.status, odd.body), func(t *testing.T) {
			x.wire.reply(odd.status, odd.contentType, odd.body)
			defer x.wire.replace(nil)
			l, err := x.Get(context.Background(), x.MissingID)
			if err == nil || errors.Is(err, rest.ErrNotFound) {
				t.Errorf("got %+v, %v; want an error that is not `not found`", l, err)
			}
			if (odd.status == 401 || odd.status == 403) && !errors.Is(err, rest.ErrAuth) {
				t.Errorf("%d is not an authorization error: %v", odd.status, err)
			}
		})
	}
}

// missesOther checks that another agent's answer is not taken for the one that was asked for.
func missesOther(t *testing.T, s Subject) {
	x := s.open(t)
	other := x.create(x.desired(s.Desired))
	contentType, body := x.answerTo(other.ID)
	x.wire.reply(http.StatusOK, contentType, body)
	if l, err := x.Get(context.Background(), x.MissingID); err == nil || errors.Is(err, rest.ErrNotFound) {
		t.Errorf("asked for %s, got %s, %v", x.MissingID, l.ID, err)
	}
}

// lister returns the provider's list, nil where the vendor has none.
func (x *trial) lister() providers.Lister {
	x.t.Helper()
	l, ok := x.Provider.(providers.Lister)
	if ok == (x.generation.Can.List == "none") {
		x.t.Fatalf("Can.List is %q, but the provider's being a Lister is %v", x.generation.Can.List, ok)
	}
	return l
}

func lists(t *testing.T, s Subject) {
	x := s.open(t)
	lister := x.lister()
	if lister == nil {
		return
	}
	if all, err := lister.List(context.Background()); err != nil || len(all) != 0 {
		t.Fatalf("a fresh account lists %v, %v", all, err)
	}
	count := s.Listed
	if count == 0 {
		count = 3
	}
	names := map[string]string{}
	for i := range count {
		desired := x.desired(s.Desired)
		desired[x.generation.NameField] = fmt.Sprintf("Agent %d", i)
		l := x.create(desired)
		names[l.ID] = l.Name
	}
	all, err := lister.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if name, ok := names[l.ID]; !ok || l.Name != name {
			t.Errorf("lists %s %q; that id is unknown, listed before, or named %q", l.ID, l.Name, name)
		}
		delete(names, l.ID)
		if l.Whole {
			whole := x.get(l.ID)
			if diff.Fingerprint(x.schema, l.Config) != diff.Fingerprint(x.schema, whole.Config) {
				t.Errorf("the list's %s is said to be whole and is not what get returns", l.ID)
			}
		}
	}
	if len(names) != 0 {
		t.Errorf("not listed: %v", names)
	}
}

// listsOdd checks that no answer but the vendor's list is taken for an empty one.
func listsOdd(t *testing.T, s Subject) {
	x := s.open(t)
	lister := x.lister()
	if lister == nil {
		return
	}
	contentType, body := x.missing()
	for _, odd := range []struct {
		status int
		body   string
	}{
		{404, body}, {404, "<html>"}, {401, body}, {403, body}, {400, body}, {500, body},
		{200, body}, {200, ""}, {200, "null"}, {200, "{}"}, {200, `"x"`}, {200, "[null]"}, {200, "[{}]"}, {200, "<html>"}, {204, ""},
	} {
		x.wire.reply(odd.status, contentType, odd.body)
		all, err := lister.List(context.Background())
		if err == nil || errors.Is(err, rest.ErrNotFound) {
			t.Errorf("%d %.20q: got %v, %v; want an error that is not `not found`", odd.status, odd.body, all, err)
		}
	}
}

// concurrent means something under -race.
func concurrent(t *testing.T, s Subject) {
	x := s.open(t)
	l := x.create(x.desired(s.Desired))
	lister := x.lister()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			again, err := x.Get(context.Background(), l.ID)
			if err != nil || diff.Fingerprint(x.schema, again.Config) != diff.Fingerprint(x.schema, l.Config) {
				t.Errorf("get: %+v, %v", again, err)
			}
			if lister != nil {
				if all, err := lister.List(context.Background()); err != nil || len(all) != 1 {
					t.Errorf("list: %v, %v", all, err)
				}
			}
			x.Delete(again)
		})
	}
	wait.Wait()
}

// keepsSecrets lets the vendor echo the credentials in every way and looks for them in the errors.
func keepsSecrets(t *testing.T, s Subject) {
	x := s.open(t)
	secrets := s.secrets(x.Settings.Values)
	if len(secrets) == 0 {
		t.Fatal("the simulation's settings hold no secret")
	}
	_, body := x.missing()
	for _, secret := range secrets {
		for _, echo := range []string{secret, fmt.Sprintf(`{"error": "bad key %s"}`, secret), fmt.Sprintf(`{"message": "bad key %s", "status": "error"}`, secret),
			strings.Replace(body, `": "`, `": "`+secret, 1), strings.Replace(body, `":"`, `":"`+secret, 1)} {
			for _, status := range []int{200, 400, 401, 404, 500} {
				x.wire.reply(status, "application/json", echo)
				_, err := x.Get(context.Background(), x.MissingID)
				if err == nil {
					t.Errorf("%d %q is taken for an agent", status, echo)
				} else if strings.Contains(err.Error(), secret) {
					t.Errorf("%d: the error tells the secret: %v", status, err)
				}
			}
		}
	}
}
