package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestMask(t *testing.T) {
	const secret = `p<ä"s/s w\d+1&😀`
	html, _ := json.Marshal(secret)
	for name, text := range map[string]string{
		"plain":         secret,
		"json, html":    string(html[1 : len(html)-1]),
		"json":          `p<ä\"s/s w\\d+1&😀`,
		"json, slashes": `p<ä\"s\/s w\\d+1&😀`,
		"json, ascii":   `p<\u00e4\"s/s w\\d+1&\ud83d\ude00`,
		"quoted":        strings.Trim(fmt.Sprintf("%q", secret), `"`),
		"query":         url.QueryEscape(secret),
		"path":          url.PathEscape(secret),
		"base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 raw":    base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64 url":    base64.URLEncoding.EncodeToString([]byte(secret)),
		"base64 rawurl": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		var m Masker
		m.Add(secret)
		if got := m.Mask("x" + text + "y"); got != "x(sensitive)y" && got != "x(sensitive)=y" && got != "x(sensitive)==y" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestMaskPicksTheLongest(t *testing.T) {
	for _, test := range []struct {
		secrets    []string
		text, want string
	}{
		{nil, "as it was", "as it was"},
		{[]string{""}, "as it was", "as it was"},
		{[]string{"abc"}, "abc", "abc"},
		{[]string{"abcd"}, "abcd", "(sensitive)"},
		{[]string{"abcd", "abcdef"}, "abcdef abcd", "(sensitive) (sensitive)"},
		{[]string{"abcdef", "abcd"}, "abcdef abcd", "(sensitive) (sensitive)"},
		{[]string{"abcd", "cdef"}, "abcdef", "(sensitive)ef"},
		{[]string{"abcd"}, "abcdabcd", "(sensitive)(sensitive)"},
	} {
		var m Masker
		m.Add(test.secrets...)
		if got := m.Mask(test.text); got != test.want {
			t.Errorf("%q in %q: %q, want %q", test.secrets, test.text, got, test.want)
		}
	}
	var none *Masker
	none.Add("abcd")
	if got := none.Mask("abcd"); got != "abcd" {
		t.Errorf("nil masker: %q", got)
	}
}

func TestMaskerIsSafeForConcurrentUse(t *testing.T) {
	var m Masker
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			secret := fmt.Sprintf("secret-%d", i)
			m.Add(secret)
			if got := m.Mask(secret); got != "(sensitive)" {
				t.Errorf("%s: %s", secret, got)
			}
		})
	}
	wg.Wait()
}

// FuzzMask: no secret of 4 bytes or more stands in what is left of a text.
func FuzzMask(f *testing.F) {
	f.Add("abcd", "abcdef", "xabcdabcdefx")
	f.Add("sens", "e)(s", "abcdsensabcd")
	f.Add(`a"b<`, "\xff\xfe\xfd\xfc", `{"k":"a\"b\u003c"}`)
	f.Fuzz(func(t *testing.T, one, two, text string) {
		var m Masker
		m.Add(one)
		m.Add(two)
		quoted, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		all := text + one + two + text + one[:len(one)/2] + two + url.QueryEscape(one) + string(quoted)
		for left := range strings.SplitSeq(m.Mask(all), masked) {
			for _, secret := range []string{one, two} {
				for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
					if len(secret) >= shortest && strings.Contains(left, form) {
						t.Errorf("%q is left in %q", form, left)
					}
				}
			}
		}
	})
}
