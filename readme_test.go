package agentsync_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var exitRow = regexp.MustCompile(`(?m)^\| ([0-9, ]+) \|`)

// TestReadmeExitStatus holds the table to the constants of the command.
func TestReadmeExitStatus(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "cmd/agentsync/exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "exit") && len(spec.Values) == 1 {
			if value, isLiteral := spec.Values[0].(*ast.BasicLit); isLiteral {
				want[value.Value] = true
			}
		}
		return true
	})
	got := map[string]bool{}
	for _, row := range exitRow.FindAllStringSubmatch(string(page), -1) {
		for _, status := range strings.Split(row[1], ", ") {
			got[status] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the page says %q, the command %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}
