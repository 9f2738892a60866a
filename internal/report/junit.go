package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

// The elements of a JUnit report that GitLab, Jenkins and the like agree on. Times are 0: a report is the same for the same input.
type (
	testSuites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Time     string   `xml:"time,attr"`
		Suites   []testSuite
	}
	testSuite struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"`
		Cases    []testCase
	}
	testCase struct {
		XMLName xml.Name  `xml:"testcase"`
		Name    string    `xml:"name,attr"`
		Class   string    `xml:"classname,attr"`
		File    string    `xml:"file,attr,omitempty"`
		Time    string    `xml:"time,attr"`
		Skipped *skipped  `xml:"skipped,omitempty"`
		Failure *failure  `xml:"failure,omitempty"`
		Out     *caseText `xml:"system-out,omitempty"`
	}
	skipped struct {
		Message string `xml:"message,attr"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	caseText struct {
		Text string `xml:",chardata"`
	}
)

// JUnitValidation writes a validation with one test case for each manifest file. A file with errors fails; warnings are output.
func JUnitValidation(w io.Writer, v Validation) error {
	files := slices.Clone(v.Manifests)
	for _, p := range v.Problems {
		files = append(files, p.File)
	}
	slices.Sort(files)
	suite := testSuite{Name: "agentsync validate"}
	for _, file := range slices.Compact(files) {
		c := testCase{Name: cmp.Or(file, "manifests"), Class: "agentsync.validate", File: file}
		var faults, warnings []string
		for _, p := range v.Problems {
			switch {
			case p.File != file:
			case p.Severity == severityError:
				faults = append(faults, p.text())
			default:
				warnings = append(warnings, p.text())
			}
		}
		c.fail(ruleManifest, faults)
		c.say(warnings)
		suite.Cases = append(suite.Cases, c)
	}
	return writeSuites(w, "agentsync validate", suite)
}

// text is the problem as on standard error.
func (p Problem) text() string {
	place := p.File
	if p.Line > 0 {
		place += fmt.Sprintf(":%d", p.Line)
	}
	if p.Column > 0 {
		place += fmt.Sprintf(":%d", p.Column)
	}
	return withHint(strings.TrimPrefix(place+": "+p.Message, ": "), p.Hint)
}

func withHint(text, hint string) string {
	if hint == "" {
		return text
	}
	return text + "\nhint: " + hint
}

// JUnitPlan writes a plan with one suite for each provider and one test case for each agent. What fails is what makes the plan exit with
// another status than 0: blocking findings. Changes, drift among them, are output, and orphans are skipped cases.
func JUnitPlan(w io.Writer, p *plan.Plan) error {
	var suites []testSuite
	in := func(provider string) *testSuite {
		at := slices.IndexFunc(suites, func(s testSuite) bool { return s.Name == "agentsync plan: "+provider })
		if at < 0 {
			at = len(suites)
			suites = append(suites, testSuite{Name: "agentsync plan: " + provider})
		}
		return &suites[at]
	}
	for i := range p.Changes {
		suite := in(p.Changes[i].Provider)
		suite.Cases = append(suite.Cases, planned(&p.Changes[i]))
	}
	for _, o := range p.Orphans {
		suite := in(o.Provider)
		suite.Cases = append(suite.Cases, testCase{Name: o.Address, Class: "agentsync.plan." + o.Provider, Skipped: &skipped{o.Reason}})
	}
	return writeSuites(w, "agentsync plan", suites...)
}

// planned is the test case of one agent.
func planned(c *plan.Change) testCase {
	file := c.Manifest[:max(0, strings.LastIndexByte(c.Manifest, ':'))]
	out := testCase{Name: c.Address, Class: "agentsync.plan." + c.Provider, File: file}
	var faults, notes []string
	code := ""
	for _, f := range c.Findings {
		text := withHint(f.Code+": "+f.Message, f.Hint)
		if f.Severity != providers.Blocking {
			notes = append(notes, text)
			continue
		}
		if code == "" {
			code = f.Code
		}
		faults = append(faults, text)
	}
	if c.Action != plan.None {
		lines := []string{string(c.Action)}
		for _, f := range c.Fields {
			lines = append(lines, fmt.Sprintf("  %s %s (%s)", f.Op, f.Path, f.Origin))
		}
		notes = append([]string{strings.Join(lines, "\n")}, notes...)
	}
	out.fail(code, faults)
	out.say(notes)
	return out
}

func (c *testCase) fail(kind string, faults []string) {
	if len(faults) > 0 {
		first, _, _ := strings.Cut(faults[0], "\n")
		c.Failure = &failure{Message: first, Type: kind, Text: strings.Join(faults, "\n")}
	}
}

func (c *testCase) say(lines []string) {
	if len(lines) > 0 {
		c.Out = &caseText{strings.Join(lines, "\n")}
	}
}

// writeSuites counts and writes.
func writeSuites(w io.Writer, name string, suites ...testSuite) error {
	all := testSuites{Name: name, Time: "0", Suites: suites}
	for i := range suites {
		s := &suites[i]
		s.Time, s.Tests = "0", len(s.Cases)
		for j := range s.Cases {
			c := &s.Cases[j]
			c.Time = "0"
			if c.Failure != nil {
				s.Failures++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		all.Tests += s.Tests
		all.Failures += s.Failures
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err = w.Write(append(append([]byte(xml.Header), data...), '\n'))
	return err
}
