package state_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/state"
)

func BenchmarkLoad(b *testing.B) {
	const records = 100
	ctx, store := context.Background(), state.OpenFolder(b.TempDir())
	for i := range records {
		record := state.Record{Address: fmt.Sprintf("voicy/agent-%d", i), Type: "voicy", ID: fmt.Sprint(i),
			Applied: diff.Object{"general_prompt": strings.Repeat("A line of a prompt.\n", 200)}}
		if _, err := state.NewBook(store).Save(ctx, record, ""); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if entries, err := state.NewBook(store).Load(ctx); err != nil || len(entries) != records {
			b.Fatal(len(entries), err)
		}
	}
}
