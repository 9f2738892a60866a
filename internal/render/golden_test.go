package render

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"agentsync.dev/agentsync/pkg/apply"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

var (
	colors = regexp.MustCompile("\x1b\\[[0-9;]*m")
	update = flag.Bool("update", false, "write the golden files")
)

// golden compares what write writes with a file of testdata.
func golden(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test -update and read the difference", err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("%s (-want +got); -update writes it:\n%s", name, d)
	}
	return got.String()
}

func TestPlanText(t *testing.T) {
	for name, p := range map[string]*plan.Plan{"one": sampleOne(), "twenty": sampleTwenty(), "many": sampleMany(500)} {
		for _, width := range []int{60, 100, 160} {
			for _, color := range []bool{false, true} {
				if name == "many" && (width != 100 || color) {
					continue
				}
				file := fmt.Sprintf("%s-%d.txt", name, width)
				if color {
					file = fmt.Sprintf("%s-%d-color.txt", name, width)
				}
				t.Run(file, func(t *testing.T) {
					text := golden(t, file, func(w io.Writer) error { return Plan(w, p, Style{Width: width, Color: color}) })
					checkTerminal(t, text, width)
				})
			}
		}
	}
}

// checkTerminal holds what every output for a terminal must be: no line too wide, no blanks at its end, no control character but colours, and
// those ended.
func checkTerminal(t *testing.T, text string, width int) {
	t.Helper()
	for i, line := range strings.Split(text, "\n") {
		if n := strings.Count(line, "\x1b["); n%2 != 0 || strings.Count(line, "\x1b[0m")*2 != n {
			t.Errorf("line %d: a colour is not ended: %q", i+1, line)
		}
		bare := colors.ReplaceAllString(line, "")
		if columns(bare) > width {
			t.Errorf("line %d has %d columns: %q", i+1, columns(bare), bare)
		}
		if strings.TrimRight(bare, " ") != bare {
			t.Errorf("line %d ends in blanks: %q", i+1, bare)
		}
		if strings.ContainsFunc(bare, hidden) {
			t.Errorf("line %d has what cannot be seen: %q", i+1, bare)
		}
	}
}

func TestPlanVerbose(t *testing.T) {
	golden(t, "thirty-verbose.txt", func(w io.Writer) error { return Plan(w, sampleMany(30), Style{Width: 100, Verbose: true}) })
}

func TestSummaryText(t *testing.T) {
	for _, width := range []int{60, 100} {
		text := golden(t, fmt.Sprintf("twenty-summary-%d.txt", width), func(w io.Writer) error { return Summary(w, sampleTwenty(), Style{Width: width}) })
		checkTerminal(t, text, width)
	}
	text := golden(t, "many-summary.txt", func(w io.Writer) error { return Summary(w, sampleMany(500), Style{Width: 100}) })
	if lines := strings.Count(text, "\n"); lines > 510 {
		t.Errorf("%d lines for 500 agents", lines)
	}
}

func TestPlanMarkdown(t *testing.T) {
	golden(t, "one.md", func(w io.Writer) error { return PlanMarkdown(w, sampleOne(), Markdown{}) })
	golden(t, "twenty.md", func(w io.Writer) error { return PlanMarkdown(w, sampleTwenty(), Markdown{Key: "prod"}) })
	golden(t, "many.md", func(w io.Writer) error { return PlanMarkdown(w, sampleMany(500), Markdown{}) })
	golden(t, "nothing.md", func(w io.Writer) error { return PlanMarkdown(w, planOf(3), Markdown{}) })
}

// Whatever the limit, markdown keeps to it, carries its marker, and says what it left out.
func TestMarkdownFits(t *testing.T) {
	left := map[string]bool{}
	var long []plan.Change
	for i := range 8 {
		text := strings.Repeat(fmt.Sprintf("Rule %d: ask once, and wait for the answer before the next question.\n", i), 400)
		long = append(long, change("voicy", fmt.Sprintf("long-%d", i), plan.Create, field("/general_prompt", diff.FromManifest, nil, text)))
	}
	plans := []*plan.Plan{planOf(0, long...)}
	for _, n := range []int{1, 20, 200, 2500} {
		plans = append(plans, sampleMany(n))
	}
	for _, p := range plans {
		n := len(p.Changes)
		for _, limit := range []int{LeastLimit, 10000, GitHubLimit, GitLabLimit} {
			var out bytes.Buffer
			if err := PlanMarkdown(&out, p, Markdown{Limit: limit, Key: "k"}); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			if got := utf8.RuneCountInString(text); got > limit {
				t.Errorf("%d agents: %d characters, the limit is %d", n, got, limit)
			}
			if !strings.HasPrefix(text, "<!-- agentsync:plan k -->\n### agentsync plan: ") {
				t.Errorf("%d agents within %d begin with %.80q", n, limit, text)
			}
			_, rest, shortened := strings.Cut(text, "Shortened to fit into ")
			said, _, _ := strings.Cut(rest, "\n")
			if _, what, ok := strings.Cut(said, ": "); ok {
				left[what] = true
			}
			if whole := strings.Count(text, "```diff"); !shortened && n != 201 && whole == 0 {
				t.Errorf("%d agents within %d have no texts, and nobody says so", n, limit)
			}
			if strings.Count(text, "```")%2 != 0 || strings.Count(text, "<details>") != strings.Count(text, "</details>") {
				t.Errorf("%d agents within %d: a block is not closed", n, limit)
			}
		}
	}
	if len(left) < 4 {
		t.Errorf("only these ways to shorten were met: %v", left)
	}
}

func sampleReport() *apply.Report {
	moved := func(f string) providers.Finding {
		return providers.NewBlocking(providers.CodeDrift, f+`: live "a", last applied "b", manifest "b"`, "")
	}
	r := &apply.Report{Run: "20261121T203000Z-4f3a9c", Results: []apply.Result{
		{Address: "centerfy/reception", Outcome: apply.Unknown, Error: "the create may or may not have been carried out", Findings: []providers.Finding{
			providers.NewBlocking(providers.CodeOutcome, "the create may or may not have been carried out; it is not sent again", "`agentsync state bind centerfy/reception ID`")}},
		{Address: "convirza/main-line", ID: "101", Outcome: apply.Applied},
		{Address: "nova/a", ID: "a1", Outcome: apply.Failed, Error: "nova: GET /agents/a1: 401: no key"},
		{Address: "nova/b", ID: "b2", Outcome: apply.Failed, Error: "nova: GET /agents/b2: 401: no key"},
		{Address: "nova/c", ID: "c3", Outcome: apply.NotAttempted},
		{Address: "voicy/desk", ID: "d4", Outcome: apply.Refused, Error: "live values that agentsync did not write would be overwritten: /begin_message, /language",
			Findings: []providers.Finding{moved("/begin_message"), moved("/language")}},
		{Address: "voicy/stale", ID: "s5", Outcome: apply.Refused, Error: "the live agent changed since the plan was reviewed", Findings: []providers.Finding{
			providers.NewBlocking(providers.CodeStale, "the live agent changed since the plan was reviewed", "make a new plan and have it reviewed")}},
		{Address: "voicy/quiet", ID: "q6", Outcome: apply.Unchanged},
	}}
	r.Summary = apply.Summary{Applied: 1, Failed: 2, Unknown: 1, Refused: 2, NotAttempted: 1, Unchanged: 1}
	return r
}

func TestReport(t *testing.T) {
	for _, width := range []int{60, 100} {
		text := golden(t, fmt.Sprintf("report-%d.txt", width), func(w io.Writer) error { return Report(w, sampleReport(), Style{Width: width}) })
		checkTerminal(t, text, width)
	}
	golden(t, "report.md", func(w io.Writer) error { return ReportMarkdown(w, sampleReport(), Markdown{}) })
	big := sampleReport()
	for range 3000 {
		big.Results = append(big.Results, big.Results[:6]...)
		if len(big.Results) > 9000 {
			break
		}
	}
	for _, limit := range []int{LeastLimit, GitHubLimit, GitLabLimit} {
		var out bytes.Buffer
		if err := ReportMarkdown(&out, big, Markdown{Limit: limit}); err != nil {
			t.Fatal(err)
		}
		if got := utf8.RuneCount(out.Bytes()); got > limit || !strings.Contains(out.String(), "Shortened") {
			t.Errorf("%d characters, the limit is %d: %.200s", got, limit, out.String())
		}
	}
}
