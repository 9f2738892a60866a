package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Item is a stored object with the version that a conditional write names.
type Item struct {
	Key     string
	Data    []byte
	Version string
}

// Listed is an object that a [Store] has, without its content.
type Listed struct {
	Key string
	// Version is the one that Get returns, or "" where the store would have to read the object to know it.
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

// Store keeps small objects under slash-separated keys, with conditional writes. Implementations: [Folder], [Memory], and package s3. A failed
// write leaves the old object or the new one, never a part of either. After an error that is none of the above, a write may have been
// carried out.
type Store interface {
	// Get returns the object, or ErrNotExist.
	Get(ctx context.Context, key string) (Item, error)
	// Create writes a new object and returns its version, or ErrExists.
	Create(ctx context.Context, key string, data []byte) (version string, err error)
	// Replace writes over the version it names, or returns ErrConflict (also where the key is gone).
	Replace(ctx context.Context, key string, data []byte, version string) (newVersion string, err error)
	// Delete removes the version it names, or returns ErrConflict; a key that is gone is ErrNotExist.
	Delete(ctx context.Context, key string, version string) error
	// List returns the objects whose keys begin with prefix ("" for all), in order of their keys' bytes.
	List(ctx context.Context, prefix string) ([]Listed, error)
	// String names the store for people, without secrets; with a slash and a key behind it, it names an object.
	String() string
}

// CheckKey reports whether key is safe in every store: names of letters, digits, dot, dash and underscore, between single
// slashes, none of them "." or "..".
func CheckKey(key string) error {
	for segment := range strings.SplitSeq(key, "/") {
		if !safeSegment(segment) {
			return fmt.Errorf("%q is not a key: write names of letters, digits, ., - and _ between single slashes", key)
		}
	}
	return nil
}

// CheckPrefix reports whether prefix may be listed: "", or the beginning of a safe key, with or without a slash at its end.
func CheckPrefix(prefix string) error {
	if slash := strings.LastIndexByte(prefix, '/'); slash >= 0 {
		return CheckKey(prefix[:slash])
	}
	return nil
}

func safeSegment(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= 255 && !strings.ContainsFunc(s, notKeyRune)
}

func notKeyRune(r rune) bool {
	return notNameRune(r) && (r < 'A' || r > 'Z') && r != '_'
}
