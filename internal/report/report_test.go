package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"agentsync.dev/agentsync/internal/report"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
)

// found has a problem of every kind: with and without a hint, a line, a column and a file, a warning, an odd file name and odd text.
func found() report.Validation {
	return report.Validated(3, 2, []string{"agents/a.yaml", "agents/fine.yaml"}, spec.Problems{
		{Pos: spec.Pos{File: "agents/a.yaml", Line: 4, Column: 3}, Message: `unknown field "x<y>"`, Hint: "did you mean \"z\"?", Field: "x"},
		{Pos: spec.Pos{File: "agents/a.yaml", Line: 2}, Message: "missing kind"},
		{Pos: spec.Pos{File: "agents/a.yaml", Line: 9, Column: 1}, Message: "temperature is above 1", Warning: true},
		{Pos: spec.Pos{File: "agents/100% näh.yaml"}, Message: "not UTF-8 text \x01", Hint: "save it"},
		{Pos: spec.Pos{File: "/tmp/b.yaml", Line: 1, Column: 1}, Message: "is wrong"},
		{Pos: spec.Pos{File: "<stdin>", Line: 1, Column: 1}, Message: "is wrong"},
		{Message: "a vendor is not known"},
	})
}

func TestSARIF(t *testing.T) {
	raw, err := os.ReadFile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("sarif.json")
	for name, v := range map[string]report.Validation{"problems": found(), "none": report.Validated(1, 1, nil, nil)} {
		var out bytes.Buffer
		if err := report.SARIF(&out, "1.2.3", v); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}

type sarif struct {
	Runs []struct {
		Tool struct {
			Driver struct{ Rules []struct{ ID string } }
		}
		Results []struct {
			RuleID, Level string
			RuleIndex     int
			Message       struct{ Text string }
			Locations     []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine, StartColumn int }
				}
			}
		}
	}
}

// TestSARIFResults: each result refers to its rule and stands where the problem does.
func TestSARIFResults(t *testing.T) {
	var out bytes.Buffer
	if err := report.SARIF(&out, "1.2.3", found()); err != nil {
		t.Fatal(err)
	}
	var log sarif
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range log.Runs[0].Results {
		if rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID; rule != r.RuleID {
			t.Errorf("the rule %d is %s, not %s", r.RuleIndex, rule, r.RuleID)
		}
		at := r.Locations[0].PhysicalLocation
		got = append(got, strings.Join([]string{r.RuleID, r.Level, at.ArtifactLocation.URI, strconv.Itoa(at.Region.StartLine), strconv.Itoa(at.Region.StartColumn), r.Message.Text}, " "))
	}
	want := []string{
		"agentsync/manifest error . 1 0 a vendor is not known",
		"agentsync/manifest error file:///tmp/b.yaml 1 1 is wrong",
		"agentsync/manifest error %3Cstdin%3E 1 1 is wrong",
		"agentsync/manifest error agents/100%25%20n%C3%A4h.yaml 1 0 not UTF-8 text \x01\nsave it",
		"agentsync/manifest error agents/a.yaml 2 0 missing kind",
		"agentsync/unknown-field error agents/a.yaml 4 3 unknown field \"x<y>\"\ndid you mean \"z\"?",
		"agentsync/advice warning agents/a.yaml 9 1 temperature is above 1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// element is any XML element.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Inner   []element  `xml:",any"`
	Text    string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) all(name string) []element {
	return slices.DeleteFunc(slices.Clone(e.Inner), func(i element) bool { return i.XMLName.Local != name })
}

// junit parses a report and holds it to the rules that the readers of such reports share: the elements and attributes there may be, their
// order, at most one verdict for each case, and counts that add up.
func junit(t *testing.T, write func(io.Writer) error) element {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	var root element
	if err := xml.Unmarshal(out.Bytes(), &root); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if root.XMLName.Local != "testsuites" || !strings.HasPrefix(out.String(), "<?xml ") || !strings.HasSuffix(out.String(), ">\n") {
		t.Errorf("not a report:\n%s", out.String())
	}
	tests, failures := 0, 0
	for _, suite := range root.Inner {
		only(t, suite, "testsuite", "name", "tests", "failures", "errors", "skipped", "time")
		seen := map[string]bool{}
		for _, c := range suite.Inner {
			only(t, c, "testcase", "name", "classname", "file", "time")
			if c.attr("name") == "" || c.attr("classname") == "" || seen[c.attr("name")] {
				t.Errorf("case %+v", c)
			}
			seen[c.attr("name")] = true
			for _, f := range c.all("failure") {
				only(t, f, "failure", "message", "type")
				if f.attr("message") == "" || f.attr("type") == "" || f.Text == "" {
					t.Errorf("failure %+v", f)
				}
			}
			var order []string
			for _, i := range c.Inner {
				order = append(order, i.XMLName.Local)
			}
			if allowed := []string{"", "failure", "skipped", "system-out", "failure system-out"}; !slices.Contains(allowed, strings.Join(order, " ")) {
				t.Errorf("a case with %q", order)
			}
		}
		count(t, suite, "tests", len(suite.Inner))
		failed := 0
		for _, c := range suite.Inner {
			failed += len(c.all("failure"))
		}
		count(t, suite, "failures", failed)
		tests, failures = tests+len(suite.Inner), failures+failed
	}
	count(t, root, "tests", tests)
	count(t, root, "failures", failures)
	return root
}

func only(t *testing.T, e element, name string, attrs ...string) {
	t.Helper()
	if e.XMLName.Local != name {
		t.Errorf("element %s, want %s", e.XMLName.Local, name)
	}
	for _, a := range e.Attrs {
		if !slices.Contains(attrs, a.Name.Local) {
			t.Errorf("%s has the attribute %s", name, a.Name.Local)
		}
	}
}

func count(t *testing.T, e element, name string, want int) {
	t.Helper()
	if got := e.attr(name); got != strconv.Itoa(want) {
		t.Errorf("%s of %s is %q, want %d", name, e.attr("name"), got, want)
	}
}

func TestJUnitValidation(t *testing.T) {
	root := junit(t, func(w io.Writer) error { return report.JUnitValidation(w, found()) })
	got := map[string]string{}
	for _, c := range root.Inner[0].Inner {
		got[c.attr("name")] = ""
		for _, i := range c.Inner {
			got[c.attr("name")] += i.XMLName.Local + ": " + i.Text + "\n"
		}
	}
	want := map[string]string{
		"manifests": "failure: a vendor is not known\n",
		"agents/a.yaml": "failure: agents/a.yaml:2: missing kind\nagents/a.yaml:4:3: unknown field \"x<y>\"\nhint: did you mean \"z\"?\n" +
			"system-out: agents/a.yaml:9:1: temperature is above 1\n",
		"agents/fine.yaml":     "",
		"agents/100% näh.yaml": "failure: agents/100% näh.yaml: not UTF-8 text \uFFFD\nhint: save it\n",
		"/tmp/b.yaml":          "failure: /tmp/b.yaml:1:1: is wrong\n",
		"<stdin>":              "failure: <stdin>:1:1: is wrong\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestJUnitPlan(t *testing.T) {
	p := &plan.Plan{Changes: []plan.Change{
		{Address: "nova/a", Provider: "nova", Action: plan.None, Manifest: "a.yaml:1"},
		{Address: "voicy/b", Provider: "voicy", Action: plan.Update, Manifest: "b.yaml:7",
			Fields:   []plan.Field{{Path: "/x", Op: diff.Replace, Origin: diff.Drift, Before: "a secret?", After: "b"}},
			Findings: []providers.Finding{providers.NewWarning(providers.CodeDrift, "x moved", "look")}},
		{Address: "voicy/c", Provider: "voicy", Action: plan.Adopt, Manifest: "b.yaml:9",
			Findings: []providers.Finding{providers.NewBlocking(providers.CodeAdopt, "is live", "check"), providers.NewBlocking(providers.CodeMasked, "is masked", "-")}},
		{Address: "voicy/d", Provider: "voicy", Action: plan.Delete},
	}, Orphans: []plan.Orphan{{Address: "nova/old", Provider: "nova", Reason: "no manifest"}}}
	root := junit(t, func(w io.Writer) error { return report.JUnitPlan(w, p) })
	var got []string
	for _, suite := range root.Inner {
		for _, c := range suite.Inner {
			line := suite.attr("name") + " | " + c.attr("name") + " | " + c.attr("file")
			for _, i := range c.Inner {
				line += " | " + i.XMLName.Local + " " + i.attr("type") + " " + i.attr("message") + i.Text
			}
			got = append(got, line)
		}
	}
	want := []string{
		"agentsync plan: nova | nova/a | a.yaml",
		"agentsync plan: nova | nova/old |  | skipped  no manifest",
		"agentsync plan: voicy | voicy/b | b.yaml | system-out  update\n  replace /x (drift)\nAS201: x moved\nhint: look",
		"agentsync plan: voicy | voicy/c | b.yaml | failure AS101 AS101: is liveAS101: is live\nhint: check\nAS303: is masked\nhint: - | system-out  adopt",
		"agentsync plan: voicy | voicy/d |  | system-out  delete",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	junit(t, func(w io.Writer) error { return report.JUnitPlan(w, &plan.Plan{}) })
}
