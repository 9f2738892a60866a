package rest

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func TestBaseURL(t *testing.T) {
	for _, test := range []struct {
		base string
		want string // what /a is below it, "" if it is refused
	}{
		{"https://api.example.com", "https://api.example.com/a"},
		{"https://api.example.com/", "https://api.example.com/a"},
		{"https://api.example.com/functions/v1/", "https://api.example.com/functions/v1/a"},
		{"https://api.example.com:8443/x%2Fy", "https://api.example.com:8443/x%2Fy/a"},
		{"http://127.0.0.1:99", "http://127.0.0.1:99/a"},
		{"http://127.3.2.1", "http://127.3.2.1/a"},
		{"http://[::1]:80/v1", "http://[::1]:80/v1/a"},
		{"http://localhost", "http://localhost/a"},
		{"", ""},
		{"api.example.com", ""},
		{"https:api.example.com", ""},
		{"https://", ""},
		{"http://api.example.com", ""},
		{"http://128.0.0.1", ""},
		{"http://localhost.example.com", ""},
		{"http://127.0.0.1.example.com", ""},
		{"ftp://localhost", ""},
		{"https://user@api.example.com", ""},
		{"https://:sesame@api.example.com", ""},
		{"https://api.example.com?key=sesame", ""},
		{"https://api.example.com?", ""},
		{"https://api.example.com#sesame", ""},
		{"https://api.example.com/a/../b", ""},
		{"https://api.example.com/a//b", ""},
		{"https://api.example.com/sesame%zz", ""},
	} {
		c, err := New(Options{Vendor: "voicy", BaseURL: test.base})
		if test.want == "" {
			if err == nil || strings.Contains(err.Error(), "sesame") {
				t.Errorf("%s: %v", test.base, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.base, err)
			continue
		}
		if u, err := join(c.base, "/a", nil); err != nil || u.String() != test.want {
			t.Errorf("%s: %v %v, want %s", test.base, u, err, test.want)
		}
	}
}

func TestNewSaysAllFaults(t *testing.T) {
	_, err := New(Options{Vendor: "voicy", BaseURL: "http://u@example.com/?x", RequestsPerMinute: -1, Renews: true})
	for _, want := range []string{"voicy: ", "https", "user", "negative", "Authorize"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestPaths(t *testing.T) {
	var got string
	c := newClient(t, func(o *Options) {
		o.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL.EscapedPath()
			return reply(200, "{}"), nil
		})
	})
	for _, test := range []struct{ path, want string }{
		{"/a/b", "/v1/a/b"},
		{"a", "/v1/a"},
		{"/a/x%2Fy%20z", "/v1/a/x%2Fy%20z"},
		{"/a/é", ""},
		{"/a/%C3%A9", "/v1/a/%C3%A9"},
		{"/a/...", "/v1/a/..."},
		{"", ""},
		{"/", ""},
		{"/a/", ""},
		{"/a//b", ""},
		{"//example.org/a", ""},
		{"/a/../b", ""},
		{"/a/./b", ""},
		{"/a/%2e%2E/b", ""},
		{"/a/x%2f..%2fb", ""},
		{"/a/x%5C..%5Cb", ""},
		{"/a/%zz", ""},
		{"/a?b=1", ""},
		{"/a#b", ""},
		{"/a b", ""},
		{"/a\nb", ""},
	} {
		got = ""
		_, err := c.Do(context.Background(), Request{Method: "GET", Path: test.path})
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q: sent %q, want %q: %v", test.path, got, test.want, err)
		}
		if err != nil {
			asError(t, err)
		}
	}
}

func TestSegment(t *testing.T) {
	for _, test := range []struct{ id, want string }{
		{"550e8400-e29b", "550e8400-e29b"},
		{"a/b", "a%2Fb"},
		{"a b?c#d%e", "a%20b%3Fc%23d%25e"},
		{"é", "%C3%A9"},
		{"a..b", "a..b"},
		{"", ""},
		{".", ""},
		{"..", ""},
		{"../x", ""},
		{`x\..`, ""},
	} {
		got, err := Segment(test.id)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q: %q %v", test.id, got, err)
		}
		if err != nil {
			continue
		}
		if _, err := join(newClient(t, func(*Options) {}).base, "/a/"+got, nil); err != nil {
			t.Errorf("%q: %v", test.id, err)
		}
	}
}
