package metrics

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

// patience is far more than anything here needs.
const patience = 2 * time.Minute

func TestARealPrometheusScrapes(t *testing.T) {
	var board status.Board
	board.Publish(watched(20))
	web := httptest.NewServer(fed(&board, "nova-emea", "voicy").Handler())
	defer web.Close()
	base := scraper(t, strings.TrimPrefix(web.URL, "http://"))

	expect := func(query, want string) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			got := ask(t, base, query)
			if got == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is %q, want %q", query, got, want)
			}
		}
	}
	expect(`up{job="agentsync"}`, "1")
	expect(`sum(agentsync_agents{account="voicy"})`, "20")
	expect(`agentsync_agents{state="drifted",account="voicy"} * on(account) group_left(type) agentsync_account_info{type="voicy"}`, "2")
	expect(`histogram_quantile(0.5, sum by (le) (agentsync_plan_duration_seconds_bucket)) > bool 0`, "1")
	expect(`agentsync_leader`, "1")

	without := watched(20)
	without.Accounts = without.Accounts[:1]
	board.Publish(without)
	expect(`count(agentsync_agents{account="voicy"}) or vector(0)`, "0")
}

// scraper starts a server that scrapes target, and returns its address.
func scraper(t *testing.T, target string) string {
	t.Helper()
	folder := t.TempDir()
	config := filepath.Join(folder, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: agentsync, metrics_path: /, "+
		"scrape_timeout: 1s, static_configs: [{targets: [%q]}]}]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address=127.0.0.1:0")
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("stopping prometheus: %v", err)
		}
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("prometheus does not stop")
			_ = server.Process.Kill()
			<-ended
		}
		_ = server.Wait() // ended by a signal
	})
	listening := make(chan string, 1)
	go func() {
		defer close(ended)
		var said strings.Builder
		heard := false
		for lines := bufio.NewScanner(log); lines.Scan(); {
			fmt.Fprintln(&said, lines.Text())
			if found := regexp.MustCompile(`msg="Listening on" address=(\S+)`).FindStringSubmatch(lines.Text()); found != nil && !heard {
				heard = true
				listening <- "http://" + found[1]
			}
		}
		if !heard {
			t.Logf("prometheus said:\n%s", said.String())
		}
	}()
	select {
	case base := <-listening:
		return base
	case <-ended:
		t.Fatal("prometheus ended")
	case <-time.After(patience):
		t.Fatal("prometheus does not listen")
	}
	return ""
}

// ask returns the value of the only series that a query finds, "" if there is none yet.
func ask(t *testing.T, base, query string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/query?query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Data struct {
			Result []struct {
				Value []any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if answer.StatusCode == http.StatusServiceUnavailable {
		return "" // it still starts
	}
	if err := json.Unmarshal(body, &found); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", query, answer.StatusCode, body)
	}
	if len(found.Data.Result) != 1 {
		return ""
	}
	return fmt.Sprint(found.Data.Result[0].Value[1])
}
