package rest

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// rowsText is the inside of a list that is longer than what is decoded at once.
var rowsText = strings.Repeat(`{"id":1,"text":"`+strings.Repeat("x", 1000)+`"},`, 300)

// TestRowsSayWhatAWholeBodySays reads the same answers with and without Rows.
func TestRowsSayWhatAWholeBodySays(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "[]", "null": "null", "one": `[{"id":1}]`, "object": `{"error":"x"}`, "text": "<html>", "nothing": "",
		"many": "[" + rowsText + `{"id":2}]`, "many and a null": "[" + rowsText + `null,{"id":2}]`, "and a number": "[" + rowsText + `7]`,
		"a comma too many": "[" + rowsText + "]", "no end": "[" + rowsText + `{"id":2`, "more after it": "[" + rowsText + `{"id":2}] x`,
		"odd inside": "[" + rowsText + `{"id":tru},` + rowsText + `{"id":2}]`,
	} {
		c := newClient(t, func(o *Options) {
			o.Transport = tripper(func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
		})
		read := func(rows bool) (list []map[string]any, said string) {
			request := get
			request.Rows = rows
			a, err := c.Do(context.Background(), request)
			if err != nil {
				t.Fatal(err)
			}
			if err := DecodeJSON(a, &list); err != nil {
				return nil, err.Error()
			}
			return list, ""
		}
		want, wantSaid := read(false)
		place := regexp.MustCompile(`at byte \d+`) // of what a row is odd for it is nearer
		if got, said := read(true); place.ReplaceAllString(said, "") != place.ReplaceAllString(wantSaid, "") || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d rows, %q; a whole body gives %d, %q", name, len(got), said, len(want), wantSaid)
		}
	}
}

// TestRowsOfAFailedAttemptDoNotCount serves a list that breaks off at first.
func TestRowsOfAFailedAttemptDoNotCount(t *testing.T) {
	served := 0
	c := newClient(t, func(o *Options) {
		o.Sleep = func(context.Context, time.Duration) error { return nil }
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			answer := reply(200, `[{"id":2}]`)
			if served++; served == 1 {
				answer.Body = io.NopCloser(io.MultiReader(strings.NewReader("["+rowsText), iotest.ErrReader(io.ErrUnexpectedEOF)))
			}
			return answer, nil
		})
	})
	request := get
	request.Rows = true
	a, err := c.Do(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := DecodeJSON(a, &list); err != nil || len(list) != 1 || served != 2 {
		t.Errorf("%d rows after %d attempts: %v", len(list), served, err)
	}
}

func TestRowsThatAreTooMany(t *testing.T) {
	c := newClient(t, func(o *Options) {
		o.Transport = tripper(func(*http.Request) (*http.Response, error) {
			answer := reply(200, "")
			answer.ContentLength = -1
			answer.Body = io.NopCloser(io.MultiReader(strings.NewReader(`[{"id":"`), io.LimitReader(letters{}, MaxBody), strings.NewReader(`"}]`)))
			return answer, nil
		})
	})
	request := get
	request.Rows = true
	if _, err := c.Do(context.Background(), request); err == nil || !strings.Contains(err.Error(), errTooLarge.Error()) {
		t.Error(err)
	}
}

// letters is text without an end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
