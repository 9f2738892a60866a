package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func BenchmarkLoad(b *testing.B) {
	const agents = 100
	dir := b.TempDir()
	for i := range agents {
		text := strings.Replace(string(manifest4K("literal")), "name: a", fmt.Sprintf("name: agent-%d", i), 1)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if set, err := Load(Input{Dir: dir}); err != nil || len(set.Agents) != agents {
			b.Fatal(err)
		}
	}
}
