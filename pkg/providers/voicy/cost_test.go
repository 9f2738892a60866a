package voicy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

func BenchmarkDecodeAgents(b *testing.B) {
	rows := []any{}
	for i := range 100 {
		rows = append(rows, map[string]any{"agent_id": fmt.Sprint(i), "agent_name": "Desk", "general_prompt": strings.Repeat("A line of a prompt.\n", 200),
			"vars_provided": []any{}, "vars_extracted": []any{}, "response_delay_ms": 100})
	}
	body, err := json.Marshal(rows)
	if err != nil {
		b.Fatal(err)
	}
	v1 := dialects()[0]
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if agents, err := v1.decodeAgents(&rest.Answer{Status: 200, Body: body}); err != nil || len(agents) != len(rows) {
			b.Fatal(err)
		}
	}
}
