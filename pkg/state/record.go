package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/internal/jsontree"
	"agentsync.dev/agentsync/pkg/diff"
)

// Version is the format of a [Record] and of a [Snapshot].
const Version = 1

// Record is what is known of one agent, stored under state/<provider>/<name>.json.
type Record struct {
	Version int    `json:"version"`
	Address string `json:"address"`
	// Type is the vendor's type, with its API generation where it has several ("voicy/functions-v1").
	Type string `json:"type"`
	ID   string `json:"id"`
	// Applied is the last applied config, declared fields only: the base of the comparison. Sensitive values are sealed. A
	// write-only field that is null is known to be at the vendor's default.
	Applied diff.Object `json:"applied"`
	// Files maps the names of uploaded files to the hex SHA-256 of what was uploaded.
	Files    map[string]string `json:"files,omitempty"`
	Revision string            `json:"revision,omitempty"`
	Protect  bool              `json:"protect,omitempty"`
	Pending  *Pending          `json:"pending,omitempty"`
	// AppliedAt is RFC 3339, UTC, whole seconds.
	AppliedAt string `json:"appliedAt,omitempty"`
	Commit    string `json:"commit,omitempty"`
}

// Pending is a create whose outcome is not recorded yet.
type Pending struct {
	Op   string `json:"op"` // "create"
	Run  string `json:"run"`
	At   string `json:"at"`   // RFC 3339, UTC
	Name string `json:"name"` // the agent's display name in the create request
}

// storedRecord is a Record as it lies in the store. MovedFrom is there only while [Book.Move] is under way.
type storedRecord struct {
	Record
	MovedFrom string `json:"movedFrom,omitempty"`
}

const (
	recordPrefix = "state/"
	jsonSuffix   = ".json"
	maxName      = 63
)

// recordKey returns the key of an address's record.
func recordKey(address string) (string, error) {
	if err := checkAddress(address); err != nil {
		return "", err
	}
	return recordPrefix + address + jsonSuffix, nil
}

// recordAddress returns the address whose record lies under key.
func recordAddress(key string) (string, error) {
	address := strings.TrimSuffix(strings.TrimPrefix(key, recordPrefix), jsonSuffix)
	return address, checkAddress(address)
}

// checkAddress reports whether address is provider/name, both safe as a file's name on any system.
func checkAddress(address string) error {
	provider, name, ok := strings.Cut(address, "/")
	if !ok || !safeName(provider) || !safeName(name) {
		return fmt.Errorf("%q is not an address: write provider/name, each of a-z, 0-9, - and single dots, at most %d characters", address, maxName)
	}
	return nil
}

func safeName(s string) bool {
	return s != "" && s != "." && len(s) <= maxName && !strings.Contains(s, "..") && !strings.ContainsFunc(s, notNameRune)
}

func notNameRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-'
}

// encode returns the one way to write v: sorted keys, two spaces, a newline at the end, no HTML escapes. The same content is always
// the same bytes, and a changed field is a changed line in Git.
func encode(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, errNotJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any // a struct's fields come out in the order of its text, a map's keys sorted
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(tree); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// errNotJSON stands for the encoder's own message, which may quote the value: it may be a secret.
var errNotJSON = errors.New("it holds something that JSON cannot say: it is not in normal form")

// quickRecord reads a record that is as agentsync writes it. It is false for any other, and for one with files or a create under way, which
// are few: [decode] reads those, and says what is wrong.
func quickRecord(data []byte, texts jsontree.Texts) (record storedRecord, ok bool) {
	value, _ := texts.Unique(data)
	object, ok := value.(map[string]any)
	for name, value := range object {
		taken := true
		switch name {
		case "version":
			taken = value == json.Number(strconv.Itoa(Version))
			record.Version = Version
		case "address":
			record.Address, taken = value.(string)
		case "type":
			record.Type, taken = value.(string)
		case "id":
			record.ID, taken = value.(string)
		case "applied":
			record.Applied, taken = value.(map[string]any)
		case "revision":
			record.Revision, taken = value.(string)
		case "protect":
			record.Protect, taken = value.(bool)
		case "appliedAt":
			record.AppliedAt, taken = value.(string)
		case "commit":
			record.Commit, taken = value.(string)
		default:
			taken = false
		}
		if !taken {
			return storedRecord{}, false
		}
	}
	return record, ok && record.Version == Version
}

// decode reads a versioned document strictly; place names it for people.
func decode[T any](place string, data []byte) (T, error) {
	var document T
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return document, corrupt(place, err)
	}
	if head.Version > Version {
		return document, fmt.Errorf("%s: format version %d was written by a newer agentsync, this one reads version %d: update agentsync", place, head.Version, Version)
	}
	if head.Version < Version {
		return document, corrupt(place, errors.New("it has no format version"))
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		return document, corrupt(place, err)
	}
	return document, nil
}

func corrupt(place string, err error) error {
	return fmt.Errorf("%s cannot be read: %w: restore it from version control or a backup (deleting it forgets which live agent it is bound to)", place, err)
}

// normal returns a decoded config in normal form, whatever hand wrote it; no config stays none.
func normal(config diff.Object) diff.Object {
	if config == nil {
		return nil
	}
	return diff.Normalize(nil, config).(diff.Object)
}
