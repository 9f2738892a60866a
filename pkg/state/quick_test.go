package state

import (
	"reflect"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
)

// records are texts of records, good and bad.
func records() []string {
	return []string{
		`{"address":"voicy/a","applied":{"general_prompt":"one\ntwo","n":1.0},"appliedAt":"2026-01-01T00:00:00Z","commit":"c","id":"1","protect":true,"revision":"r","type":"voicy","version":1}`,
		`{"version":1}`, `{"version":1.0}`, `{"version":2}`, `{"version":0}`, `{}`, `null`, `[]`, `{"version":1}{}`, `{"version":1,"applied":null}`,
		`{"version":1,"id":null}`, `{"version":1,"id":7}`, `{"version":1,"Id":"7"}`, `{"version":1,"id":"1","id":"2"}`, `{"version":1,"more":1}`,
		`{"version":1,"files":{"a":"b"}}`, `{"version":1,"pending":{"op":"create"}}`, `{"version":1,"movedFrom":"voicy/b"}`, `{"version":1,"protect":"yes"}`,
		`{"version":1,"version":2}`, `{"version":2,"version":1}`, `{"version":1,"applied":{"a":[]},"applied":{"b":1}}`, `{"version":1,"applied":[]}`, `{"VERSION":1}`,
	}
}

// sameRecord reports how a quick read differs from a strict one. Quick may always leave a record to the other.
func sameRecord(t *testing.T, data string) {
	t.Helper()
	quick, ok := quickRecord([]byte(data), nil)
	if !ok {
		return
	}
	strict, err := decode[storedRecord]("here", []byte(data))
	if err != nil {
		t.Errorf("%s: read quickly, and strictly it is: %v", data, err)
		return
	}
	quick.Applied, strict.Applied = normal(quick.Applied), normal(strict.Applied)
	if !reflect.DeepEqual(quick, strict) {
		t.Errorf("%s: quickly %#v, strictly %#v", data, quick, strict)
	}
}

func TestQuickRecordIsTheStrictOne(t *testing.T) {
	for _, data := range records() {
		sameRecord(t, data)
	}
}

func TestQuickRecordReadsWhatIsWritten(t *testing.T) {
	data, err := Encode(Record{Version: Version, Address: "voicy/a", Type: "voicy", ID: "1", Applied: diff.Object{"a": "b"}, Revision: "r", Protect: true,
		AppliedAt: "2026-01-01T00:00:00Z", Commit: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := quickRecord(data, nil); !ok {
		t.Errorf("left to the strict reader:\n%s", data)
	}
}

func FuzzQuickRecord(f *testing.F) {
	for _, data := range records() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) { sameRecord(t, data) })
}
