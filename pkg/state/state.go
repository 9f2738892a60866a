// Package state keeps what agentsync must remember between runs: which live agent an address is bound to, the last applied config,
// creates in flight, snapshots, and the lock. It holds no secret: sensitive values are sealed, see [Seal].
package state

import (
	"context"
	"errors"

	"agentsync.dev/agentsync/pkg/diff"
)

// Version is the format of a [Record].
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

// Item is a stored object with the version that a conditional write names.
type Item struct {
	Key     string
	Data    []byte
	Version string
}

// Errors of a Store.
var (
	// ErrNotExist: no such key.
	ErrNotExist = errors.New("does not exist")
	// ErrExists: a create found the key there.
	ErrExists = errors.New("exists already")
	// ErrConflict: the version named by a replace or delete is not the stored one.
	ErrConflict = errors.New("was changed by somebody else")
	// ErrLocked: another run holds the lock. The error is a *LockedError.
	ErrLocked = errors.New("is locked")
)

// Store keeps small objects under slash-separated keys, with conditional writes. Implementations: [Folder], and later S3. A failed
// write leaves the old object or the new one, never a part of either.
type Store interface {
	// Get returns the object, or ErrNotExist.
	Get(ctx context.Context, key string) (Item, error)
	// Create writes a new object and returns its version, or ErrExists.
	Create(ctx context.Context, key string, data []byte) (version string, err error)
	// Replace writes over the version it names, or returns ErrConflict (also where the key is gone).
	Replace(ctx context.Context, key string, data []byte, version string) (newVersion string, err error)
	// Delete removes the version it names, or returns ErrConflict; a key that is gone is ErrNotExist.
	Delete(ctx context.Context, key string, version string) error
	// List returns the keys below prefix in order.
	List(ctx context.Context, prefix string) ([]string, error)
	// String names the store for people, without secrets.
	String() string
}
