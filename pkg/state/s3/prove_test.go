package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/s3test"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/s3"
)

// TestReadingProvesNothing: who reads writes nothing; who writes has proved first, once.
func TestReadingProvesNothing(t *testing.T) {
	p := newProxy(t)
	s := p.open(t, p.address(t), patient)
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, state.ErrNotExist) {
		t.Error(err)
	}
	if listed, err := s.List(t.Context(), ""); err != nil || len(listed) > 0 {
		t.Errorf("%v, %v", listed, err)
	}
	if asked := p.since(); asked != "GET LIST" {
		t.Errorf("reading asked %s", asked)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := s.Create(t.Context(), fmt.Sprint("k", i), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if asked := p.since(); strings.Count(asked, "DELETE") != 2 || strings.Count(asked, "PUT") != 4+8 {
		t.Errorf("eight creates and one proof asked %s", asked)
	}
	if listed, err := s.List(t.Context(), ""); err != nil || len(listed) != 8 {
		t.Errorf("the proof left something: %v, %v", listed, err)
	}
}

// TestUnfitStores: a store that does not honour a condition is not written to, and the error names the condition.
func TestUnfitStores(t *testing.T) {
	put := func(name string) func(*http.Request) string {
		return func(r *http.Request) string {
			if r.Method == http.MethodPut {
				return name
			}
			return ""
		}
	}
	for _, c := range []struct {
		name    string
		ignores func(*http.Request) string
		strike  func(*http.Request) *fault
		want    string
	}{
		{"no If-None-Match", put("If-None-Match"), nil, "does not honour If-None-Match"},
		{"no If-Match", put("If-Match"), nil, "does not honour If-Match"},
		{"no marks", put("X-Amz-Meta-Agentsync-Write"), nil, "user metadata"},
		{"conditions not implemented", nil, always(http.MethodPut, fault{status: 501, code: "NotImplemented"}), "501 NotImplemented"},
		{"writes and says no", nil, func(r *http.Request) *fault {
			if r.Header.Get("If-Match") == "" || r.Method != http.MethodPut {
				return nil
			}
			r.Header.Del("If-Match")
			*r = *resigned(r)
			return &fault{carriedOut: true, status: 412, code: "PreconditionFailed"}
		}, "does not honour If-Match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProxy(t)
			address := p.address(t)
			s := p.open(t, address, patient)
			p.ignores, p.strike = c.ignores, c.strike
			for range 2 {
				_, err := s.Create(t.Context(), "a", []byte("one"))
				var unfit *s3.UnfitError
				if !errors.As(err, &unfit) || !strings.Contains(err.Error(), c.want) || unfit.Hint() == "" {
					t.Errorf("error %v, want an UnfitError with %q", err, c.want)
				}
			}
			p.ignores, p.strike = nil, nil
			if listed, err := p.open(t, address, patient).List(t.Context(), ""); err != nil || len(listed) > 0 {
				t.Errorf("it was written to: %v, %v", listed, err)
			}
		})
	}
}

// TestDeleteWithoutCondition: a store that ignores If-Match on DELETE is used, and what it holds is compared first.
func TestDeleteWithoutCondition(t *testing.T) {
	p := newProxy(t)
	s := p.open(t, p.address(t), patient)
	p.ignores = func(r *http.Request) string {
		if r.Method == http.MethodDelete {
			return "If-Match"
		}
		return ""
	}
	first, err := s.Create(t.Context(), "a", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Replace(t.Context(), "a", []byte("two"), first)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a", first); !errors.Is(err, state.ErrConflict) {
		t.Errorf("delete of an old version: %v", err)
	}
	wantObject(t, s, "a", "two", second)
	if err := s.Delete(t.Context(), "a", second); err != nil {
		t.Error(err)
	}
}

// TestAnswersThatAreNotTheStores: a page of something in between is no answer about the object, and says no secret.
func TestAnswersThatAreNotTheStores(t *testing.T) {
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"e"`)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	s, err := s3.Open("s3://bucket/p?endpoint="+server.URL, s3.Options{Getenv: s3test.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status     int
		body       string
		text, hint string
		auth       bool
	}{
		{404, "<html>not here</html>", "404 Not Found", "", false},
		{404, "<Error><Code>NoSuchBucket</Code></Error>", "NoSuchBucket", "create the bucket", false},
		{403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "403 Forbidden (AccessDenied): no", "allow s3:GetObject and s3:ListBucket", true},
		{403, "<Error><Code>Odd</Code><Message>you sent " + s3test.SecretKey + "</Message></Error>", "(sensitive)", "allow", true},
		{301, "<Error><Code>PermanentRedirect</Code><Region>eu-west-3</Region></Error>", "301", "region eu-west-3", false},
		{200, strings.Repeat("x", 16<<20+1), "longer than", "", false},
	} {
		status, body = c.status, c.body
		_, err := s.Get(t.Context(), "a")
		var hint interface{ Hint() string }
		switch {
		case err == nil || errors.Is(err, state.ErrNotExist) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), s3test.SecretKey):
			t.Errorf("%d %.40s: error %v, want one with %q", c.status, c.body, err, c.text)
		case !errors.As(err, &hint) || !strings.Contains(hint.Hint(), c.hint):
			t.Errorf("%d %.40s: no hint with %q", c.status, c.body, c.hint)
		case errors.Is(err, rest.ErrAuth) != c.auth:
			t.Errorf("%d %.40s: a matter of permission: %v", c.status, c.body, !c.auth)
		}
	}
}

// TestBookCosts: a book of which nothing changed costs its list, and what changed one request more.
func TestBookCosts(t *testing.T) {
	p := newProxy(t)
	address := p.address(t)
	writer := state.NewBook(p.open(t, address, patient))
	const records = 20
	for n := range records {
		r := state.Record{Address: fmt.Sprintf("voicy/a%d", n), Type: "voicy", ID: fmt.Sprint(n)}
		if _, err := writer.Save(t.Context(), r, ""); err != nil {
			t.Fatal(err)
		}
	}
	book := state.NewBook(p.open(t, address, patient))
	entries, err := book.Load(t.Context())
	if err != nil || len(entries) != records {
		t.Fatalf("%d records, %v", len(entries), err)
	}
	p.since()
	if _, err := book.Load(t.Context()); err != nil {
		t.Error(err)
	}
	if asked := p.since(); asked != "LIST" {
		t.Errorf("nothing changed, and it asked %s", asked)
	}
	changed := entries["voicy/a7"]
	changed.Record.ID = "changed"
	if _, err := writer.Save(t.Context(), changed.Record, changed.Version); err != nil {
		t.Fatal(err)
	}
	if asked := p.since(); asked != "PUT" {
		t.Errorf("a save asked %s", asked)
	}
	if entries, err := book.Load(t.Context()); err != nil || entries["voicy/a7"].Record.ID != "changed" {
		t.Errorf("the change is not seen: %v", err)
	}
	if asked := p.since(); asked != "LIST GET" {
		t.Errorf("one changed, and it asked %s", asked)
	}
}

// TestListPages: a list is read to its end, in order, without what is not the store's; and one without an end is an error.
func TestListPages(t *testing.T) {
	endless := false
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		query := r.URL.Query()
		if query.Get("prefix") != "p/state/" || r.URL.Path != "/bucket/" {
			t.Errorf("asked %s", r.URL)
		}
		switch {
		case query.Get("continuation-token") == "" || endless:
			fmt.Fprint(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>two/=</NextContinuationToken>
				<Contents><Key>p/state/b</Key><ETag>&quot;1&quot;</ETag></Contents><Contents><Key>p/state/odd key</Key><ETag>"x"</ETag></Contents></ListBucketResult>`)
		case query.Get("continuation-token") == "two/=":
			fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/state/a</Key><ETag>"2"</ETag></Contents><Contents><Key>p/state/</Key></Contents></ListBucketResult>`)
		}
	}))
	defer server.Close()
	s, err := s3.Open("s3://bucket/p?endpoint="+server.URL, s3.Options{Getenv: s3test.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	want := []state.Listed{{Key: "state/a", Version: "2"}, {Key: "state/b", Version: "1"}}
	if listed, err := s.List(t.Context(), "state/"); err != nil || !slices.Equal(listed, want) || requests != 2 {
		t.Errorf("listed %v after %d requests, %v", listed, requests, err)
	}
	endless = true
	if listed, err := s.List(t.Context(), "state/"); err == nil {
		t.Errorf("an endless list: %v", listed)
	}
}

// The proof takes longer than its callers wait, each time: it is made nevertheless, and they can write.
func TestProofOutlastsItsCallers(t *testing.T) {
	p := newProxy(t)
	store := p.open(t, p.address(t), 10*time.Second)
	p.set(func(*http.Request) *fault {
		<-time.After(150 * time.Millisecond)
		return nil
	})
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		_, err := store.Create(ctx, "a.json", []byte("{}"))
		cancel()
		if err == nil || errors.Is(err, state.ErrExists) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a store that is slow is never proved: %v", err)
		}
	}
}
