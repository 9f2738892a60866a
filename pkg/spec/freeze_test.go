package spec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/spec"
)

func loadFreeze(t *testing.T, windows string) (*spec.Set, error) {
	t.Helper()
	dir := t.TempDir()
	text := "apiVersion: agentsync.dev/v1\nkind: Config\nmetadata: {name: default}\nspec:\n  freeze: " + windows + "\n"
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return spec.Load(spec.Input{Dir: dir, Getenv: func(string) (string, bool) { return "", false }})
}

func TestFreezeHolds(t *testing.T) {
	const nights = `{reason: a, from: "22:00", to: "06:00", days: [fri], timeZone: Europe/Berlin}`
	const once = `{reason: a, from: 2026-11-26T00:00:00Z, to: 2026-12-01T00:00:00+01:00}`
	const daily = `{reason: a, from: "09:00", to: "17:00"}`
	const whole = `{reason: a, from: "00:00", to: "00:00", days: [sun]}`
	tests := []struct{ window, now, until string }{
		{once, "2026-11-25T23:59:59Z", ""},
		{once, "2026-11-26T00:00:00Z", "2026-11-30T23:00:00Z"},
		{once, "2026-11-30T22:59:59Z", "2026-11-30T23:00:00Z"},
		{once, "2026-11-30T23:00:00Z", ""},
		{nights, "2026-11-20T20:59:59Z", ""}, // a Friday, 21:59:59 in Berlin
		{nights, "2026-11-20T21:00:00Z", "2026-11-21T05:00:00Z"},
		{nights, "2026-11-21T04:59:59Z", "2026-11-21T05:00:00Z"},
		{nights, "2026-11-21T05:00:00Z", ""},
		{nights, "2026-11-21T22:00:00Z", ""},                     // Saturday night
		{nights, "2026-03-27T23:00:00Z", "2026-03-28T05:00:00Z"}, // the night before the clocks go forward
		{daily, "2026-11-24T08:59:00Z", ""},
		{daily, "2026-11-24T12:00:00Z", "2026-11-24T17:00:00Z"},
		{whole, "2026-11-22T12:00:00Z", "2026-11-23T00:00:00Z"},
		{whole, "2026-11-23T00:00:00Z", ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.now, test.window), func(t *testing.T) {
			set, err := loadFreeze(t, "["+test.window+"]")
			if err != nil {
				t.Fatal(err)
			}
			now, _ := time.Parse(time.RFC3339, test.now)
			until, holds := set.Config.Freeze[0].Until(now)
			if holds != (test.until != "") {
				t.Fatalf("holds: %v", holds)
			}
			if got := until.UTC().Format(time.RFC3339); holds && got != test.until {
				t.Errorf("until %s, want %s", got, test.until)
			}
		})
	}
}

func TestFreezeFaults(t *testing.T) {
	tests := []struct{ windows, want string }{
		{`{}`, "must be a list of freeze windows"},
		{`[{from: "22:00", to: "06:00"}]`, "missing spec.freeze.reason"},
		{`[{reason: a, from: "22:00"}]`, "missing spec.freeze.to"},
		{`[{reason: a, from: "22:00", to: 2026-12-01T00:00:00Z}]`, "is no window"},
		{`[{reason: a, from: "25:00", to: "06:00"}]`, "is no window"},
		{`[{reason: a, from: 2026-12-01T00:00:00Z, to: 2026-12-01T00:00:00Z}]`, "is no window"},
		{`[{reason: a, from: 2026-12-01T00:00:00Z, to: 2026-12-02T00:00:00Z, days: [mon]}]`, "days and timeZone are for times of day"},
		{`[{reason: a, from: "22:00", to: "06:00", days: [monday]}]`, `"monday" is not one of mon, tue`},
		{`[{reason: a, from: "22:00", to: "06:00", days: []}]`, "must be a list of days"},
		{`[{reason: a, from: "22:00", to: "06:00", timeZone: Mars/Crater}]`, "is no time zone"},
		{`[{reason: a, from: "22:00", to: "06:00", zone: UTC}]`, `unknown field "spec.freeze.zone"`},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			_, err := loadFreeze(t, test.windows)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}
