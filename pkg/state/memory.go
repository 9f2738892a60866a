package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

func versionOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Get returns the object, or ErrNotExist.
func (m *Memory) Get(_ context.Context, key string) (Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[key]
	if !ok {
		return Item{}, fmt.Errorf("memory: %s: %w", key, ErrNotExist)
	}
	return Item{Key: key, Data: slices.Clone(data), Version: versionOf(data)}, nil
}

// Create writes a new object, or returns ErrExists.
func (m *Memory) Create(_ context.Context, key string, data []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key]; ok {
		return "", fmt.Errorf("memory: %s: %w", key, ErrExists)
	}
	if m.objects == nil {
		m.objects = map[string][]byte{}
	}
	m.objects[key] = slices.Clone(data)
	return versionOf(data), nil
}

// Replace writes over the version it names, or returns ErrConflict.
func (m *Memory) Replace(_ context.Context, key string, data []byte, version string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.objects[key]; !ok || versionOf(old) != version {
		return "", fmt.Errorf("memory: %s: %w", key, ErrConflict)
	}
	m.objects[key] = slices.Clone(data)
	return versionOf(data), nil
}

// Delete removes the version it names, or returns ErrConflict or ErrNotExist.
func (m *Memory) Delete(_ context.Context, key, version string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.objects[key]
	switch {
	case !ok:
		return fmt.Errorf("memory: %s: %w", key, ErrNotExist)
	case versionOf(old) != version:
		return fmt.Errorf("memory: %s: %w", key, ErrConflict)
	}
	delete(m.objects, key)
	return nil
}

// List returns the keys below prefix in order.
func (m *Memory) List(_ context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
