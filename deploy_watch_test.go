package agentsync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/internal/metrics"
	"agentsync.dev/agentsync/internal/needs"
	"agentsync.dev/agentsync/internal/notify"
	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/web"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	alertsFile = "deploy/kubernetes/components/alerts/alerts.yaml"
	watchPage  = "docs/watch.md"
)

// sampleMetrics are a watcher's metrics of which every series is there.
func sampleMetrics() *metrics.Metrics {
	board := &status.Board{}
	board.Publish(&status.Status{At: time.Now(), Accounts: []*status.Account{{Name: "voicy"}}})
	m := metrics.New(board, "v0")
	m.Request(rest.Event{Account: "voicy", Method: http.MethodGet, Status: http.StatusOK, Remaining: 1})
	m.Planned("voicy", time.Second)
	m.Applied("voicy", time.Second, map[string]int{"applied": 1})
	m.Notified("slack-1", true)
	return m
}

var (
	helpLine    = regexp.MustCompile(`(?m)^# HELP (agentsync_\w+) (.*)$`)
	labelled    = regexp.MustCompile(`(\w+)="`)
	metricTable = regexp.MustCompile(`(?m)^\| metric \|.*\n(?:\|.*\n)*`)
)

// metricRows are the metrics that the code has, as a table.
func metricRows(t *testing.T) (names map[string]bool, table string) {
	t.Helper()
	w := httptest.NewRecorder()
	sampleMetrics().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text := w.Body.String()
	names = map[string]bool{}
	var out strings.Builder
	out.WriteString("| metric | labels | what it is |\n|---|---|---|\n")
	for _, help := range helpLine.FindAllStringSubmatch(text, -1) {
		name := help[1]
		names[name] = true
		var labels []string
		for _, series := range regexp.MustCompile(`(?m)^`+name+`(_bucket|_count|_sum)?(?:\{(.*)\})? `).FindAllStringSubmatch(text, -1) {
			names[name+series[1]] = true
			for _, label := range labelled.FindAllStringSubmatch(series[2], -1) {
				if label[1] != "le" && !slices.Contains(labels, label[1]) {
					labels = append(labels, label[1])
				}
			}
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", name, strings.Join(labels, ", "), help[2])
	}
	return names, out.String()
}

// TestDeployMetricsExist: every metric that an alert or the page names is one that the code has, and the page names all of them.
func TestDeployMetricsExist(t *testing.T) {
	names, table := metricRows(t)
	eachWord(t, `\bagentsync_[a-z_]*[a-z]`, func(file, name string) {
		if !names[name] {
			t.Errorf("%s: there is no metric %s", file, name)
		}
	})
	page := readPage(t, watchPage)
	switch {
	case metricTable.FindString(page) == table:
	case *update:
		write(t, watchPage, metricTable.ReplaceAllLiteralString(page, table))
	default:
		t.Errorf("%s: the table of metrics should be (go test . -update writes it):\n%s", watchPage, table)
	}
}

// TestDeployAlerts lets Prometheus' own tool check the rules and play them, and holds the page's table to them.
func TestDeployAlerts(t *testing.T) {
	var rule struct {
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert, For string
					Labels     map[string]string
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readPage(t, alertsFile)), &rule); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rules, err := yaml.Marshal(at(parsed(t, []byte(readPage(t, alertsFile))), "spec"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "rules.yaml"), string(rules))
	write(t, filepath.Join(dir, "played.yaml"), readPage(t, filepath.Join(filepath.Dir(alertsFile), "played.yaml")))
	promtool(t, dir, "check", "rules", "rules.yaml")
	promtool(t, dir, "test", "rules", "played.yaml")

	var want, got []string
	for _, r := range rule.Spec.Groups[0].Rules {
		want = append(want, fmt.Sprintf("%s %s %s", r.Alert, r.Labels["severity"], r.For))
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(Agentsync\\w+)` \\| (\\w+) \\| (\\w*) \\|").FindAllStringSubmatch(readPage(t, watchPage), -1) {
		got = append(got, fmt.Sprintf("%s %s %s", row[1], row[2], row[3]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s tells of the alerts\n%s\nthe rules have\n%s", watchPage, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// promtool runs Prometheus' own tool, which must be installed.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, needs.Program(t, "promtool", "prometheus"), args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("promtool %q: %v\n%s", args, err, out)
	}
}

// TestDeployPageShowsTheMessage holds the page's notification to what is sent.
func TestDeployPageShowsTheMessage(t *testing.T) {
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(readPage(t, watchPage))
	if block == nil {
		t.Fatal("the page shows no message")
	}
	decoder := json.NewDecoder(strings.NewReader(block[1]))
	decoder.DisallowUnknownFields()
	var message notify.Message
	if err := decoder.Decode(&message); err != nil {
		t.Fatal(err)
	}
	if m := message; m.FormatVersion != "1.0" || len(m.Events) != 1 || m.Events[0].What != notify.Began || m.Counts[notify.Began] != 1 {
		t.Errorf("%+v", m)
	}
}

// TestDeployPageListsTheAddresses asks for every address in the page's table, as who is signed in.
func TestDeployPageListsTheAddresses(t *testing.T) {
	board := &status.Board{}
	board.Publish(&status.Status{At: time.Now(), Lease: status.Lease{Role: status.Leader}, Agents: []*status.Agent{
		{Address: "voicy/front-desk", Provider: "voicy", State: status.Synced}}})
	closed := make(chan struct{})
	close(closed)
	site, err := web.New(web.Options{Board: board, Reconcile: func([]string) bool { return true }, Fetch: func() {}, Token: "token", Done: closed,
		GitHubSecret: "secret", GitLabToken: "secret", Metrics: sampleMetrics().Handler(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(GET|POST) (/\\S*)` \\| (all|signed in|who signs) \\|").FindAllStringSubmatch(readPage(t, watchPage), -1)
	if len(rows) != 11 {
		t.Errorf("%d addresses", len(rows))
	}
	for _, row := range rows {
		ask := func(token string) int {
			r := httptest.NewRequest(row[1], row[2], nil)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			site.ServeHTTP(w, r)
			return w.Code
		}
		stranger, known := ask(""), ask("token")
		fits := map[string]bool{"all": stranger == known && known != http.StatusUnauthorized,
			"signed in": stranger == http.StatusUnauthorized && known < 300, "who signs": stranger == http.StatusUnauthorized && known == stranger}[row[3]]
		if !fits || known == http.StatusNotFound || known == http.StatusMethodNotAllowed {
			t.Errorf("%s %s, for %s: %d for a stranger, %d with the token", row[1], row[2], row[3], stranger, known)
		}
	}
}
