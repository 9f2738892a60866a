package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestDecodeJSON(t *testing.T) {
	for _, test := range []struct {
		body string
		says string // "" if it decodes
	}{
		{` {"id": 12345678901234567890}` + "\n", ""},
		{`{"id":1}{"id":2}`, "more follows"},
		{`{"id":1} x`, "more follows"},
		{`{"id":"hidden`, "end too early"},
		{`{"id":hidden}`, "invalid character"},
		{`["hidden"]`, "cannot unmarshal array"},
		{"<html>\n<title>proxy</title>", "text/html: <html> <title>proxy</title>"},
		{"", "empty body"},
		{" \n", "text/html"},
	} {
		for _, request := range []Request{get, patch} {
			c := newClient(t, func(o *Options) {
				o.Transport = tripper(func(*http.Request) (*http.Response, error) {
					return reply(200, test.body, "Content-Type", "text/html", "X-Request-Id", "r1"), nil
				})
			})
			a, err := c.Do(context.Background(), request)
			if err != nil {
				t.Fatal(err)
			}
			var v struct{ ID json.Number }
			err = DecodeJSON(a, &v)
			if test.says == "" {
				if err != nil || v.ID != "12345678901234567890" {
					t.Errorf("%q: %v %v", test.body, v, err)
				}
				continue
			}
			want := map[string]string{"GET": "unexpected answer", "PATCH": "unexpected answer, unknown outcome"}[request.Method]
			if kinds(err) != want || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s %q: %v", request.Method, test.body, err)
			}
			if e := asError(t, err); e.Status != 200 || e.RequestID != "r1" || e.Method != request.Method {
				t.Errorf("%q: %+v", test.body, e)
			}
		}
	}
}

func TestDecodeJSONUsesNumbers(t *testing.T) {
	var v any
	if err := DecodeJSON(&Answer{Body: []byte(`1.10`)}, &v); err != nil || v != json.Number("1.10") {
		t.Errorf("%v %v", v, err)
	}
}

func TestOddAnswerMadeByHand(t *testing.T) {
	err := DecodeJSON(&Answer{Status: 200, Body: []byte("oops\n")}, new(any))
	if kinds(err) != "unexpected answer" || err.Error() != "200: not JSON: no content type: oops" {
		t.Error(err)
	}
}
