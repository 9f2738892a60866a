package agentsync_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameTestsThatExist: a promise that names its test must not outlive it.
func TestDocsNameTestsThatExist(t *testing.T) {
	declared := map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w+)\(`)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, match := range declaration.FindAllSubmatch(data, -1) {
			declared[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	safety, err := os.ReadFile("docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(string(safety), -1)
	if len(named) < 10 {
		t.Fatalf("docs/safety.md names %d tests", len(named))
	}
	for _, name := range named {
		if !declared[name] {
			t.Errorf("docs/safety.md names %s, which does not exist", name)
		}
	}
	for _, match := range regexp.MustCompile("scripts? ((?:`[a-z_*]+`(?:, )?)+)").FindAllStringSubmatch(string(safety), -1) {
		for _, name := range strings.Split(match[1], ", ") {
			files, err := filepath.Glob(filepath.Join("cmd/agentsync/testdata/script", strings.Trim(name, "`")+".txtar"))
			if err != nil || len(files) == 0 {
				t.Errorf("docs/safety.md names the script %s, which does not exist (%v)", name, err)
			}
		}
	}
}
