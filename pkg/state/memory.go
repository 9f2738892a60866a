package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Memory is a Store that lives as long as the process: for a plan in the sandbox, which writes nothing, and for tests. The
// zero value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

var _ Store = (*Memory)(nil)

// String returns "memory".
func (m *Memory) String() string { return "memory" }

// at checks a call and names the key for its errors.
func (m *Memory) at(ctx context.Context, key string) (place string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return m.String() + "/" + key, CheckKey(key)
}

// Get returns the object, or ErrNotExist.
func (m *Memory) Get(ctx context.Context, key string) (Item, error) {
	place, err := m.at(ctx, key)
	if err != nil {
		return Item{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[key]
	if !ok {
		return Item{}, fmt.Errorf("%s: %w", place, ErrNotExist)
	}
	return Item{Key: key, Data: slices.Clone(data), Version: contentVersion(data)}, nil
}

// Create writes a new object, or returns ErrExists.
func (m *Memory) Create(ctx context.Context, key string, data []byte) (string, error) {
	place, err := m.at(ctx, key)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key]; ok {
		return "", fmt.Errorf("%s: %w", place, ErrExists)
	}
	if m.objects == nil {
		m.objects = map[string][]byte{}
	}
	m.objects[key] = slices.Clone(data)
	return contentVersion(data), nil
}

// Replace writes over the version it names, or returns ErrConflict.
func (m *Memory) Replace(ctx context.Context, key string, data []byte, version string) (string, error) {
	place, err := m.at(ctx, key)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.objects[key]; !ok || contentVersion(old) != version {
		return "", fmt.Errorf("%s: %w", place, ErrConflict)
	}
	m.objects[key] = slices.Clone(data)
	return contentVersion(data), nil
}

// Delete removes the version it names, or returns ErrConflict or ErrNotExist.
func (m *Memory) Delete(ctx context.Context, key, version string) error {
	place, err := m.at(ctx, key)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.objects[key]
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", place, ErrNotExist)
	case contentVersion(old) != version:
		return fmt.Errorf("%s: %w", place, ErrConflict)
	}
	delete(m.objects, key)
	return nil
}

// List returns the objects below prefix in order, with their versions.
func (m *Memory) List(ctx context.Context, prefix string) ([]Listed, error) {
	if err := errors.Join(ctx.Err(), CheckPrefix(prefix)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var listed []Listed
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(key, prefix) {
			listed = append(listed, Listed{Key: key, Version: contentVersion(m.objects[key])})
		}
	}
	return listed, nil
}
