package providertest

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"agentsync.dev/agentsync/pkg/providers"
)

// Golden compares a write, with the bodies of its requests, with what file holds. With update it writes file instead: read it before it
// is committed.
func Golden(t *testing.T, file string, update bool, w providers.Write) {
	t.Helper()
	type request struct {
		Method, Path  string
		Once, Creates bool
		Fields        []string
		Body          any
	}
	shown := struct {
		Requests       []request
		Carried, Reset []string
		Reason         string
		Findings       []providers.Finding
	}{Carried: w.Carried, Reset: w.Reset, Reason: w.Reason, Findings: w.Findings}
	for _, r := range w.Requests {
		shown.Requests = append(shown.Requests, request{r.Method, r.Path, r.Once, r.Creates, r.Fields, r.JSON})
	}
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(shown); err != nil {
		t.Fatal(err)
	}
	if update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (-update writes it)", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs (-update writes it)\n got %s\nwant %s", file, got.Bytes(), want)
	}
}
