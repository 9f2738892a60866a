package rest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

var errNoMore = errors.New("the right to write is gone")

func TestGuardIsAskedAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := newClient(t, func(o *Options) {
			fakeTime(o)
			o.RequestsPerMinute = 1
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				sent++
				return reply(200, `{}`), nil
			})
		})
		until := time.Now().Add(30 * time.Second)
		ctx := WithGuard(context.Background(), func() error {
			if time.Now().After(until) {
				return errNoMore
			}
			return nil
		})
		patch := Request{Method: http.MethodPatch, Path: "x", JSON: map[string]any{}}
		if _, err := c.Do(ctx, patch); err != nil {
			t.Fatal(err)
		}
		// It waits a minute for its turn, and may not write by then.
		_, err := c.Do(ctx, patch)
		if !errors.Is(err, errNoMore) || errors.Is(err, ErrUnknownOutcome) || sent != 1 {
			t.Errorf("sent %d, err %v", sent, err)
		}
		if _, err := c.Do(ctx, get); err != nil {
			t.Errorf("a read is not guarded: %v", err)
		}
	})
}

func TestGuardKeepsTheRepeatBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := newClient(t, func(o *Options) {
			fakeTime(o)
			o.Transport = tripper(func(*http.Request) (*http.Response, error) {
				sent++
				return reply(500, `{}`), nil
			})
		})
		ctx := WithGuard(context.Background(), func() error {
			if sent > 0 {
				return errNoMore
			}
			return nil
		})
		_, err := c.Do(ctx, Request{Method: http.MethodPatch, Path: "x", JSON: map[string]any{}})
		if !errors.Is(err, errNoMore) || !errors.Is(err, ErrUnknownOutcome) || sent != 1 {
			t.Errorf("the first attempt may have been carried out: sent %d, err %v", sent, err)
		}
	})
}
