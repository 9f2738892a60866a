package state

import (
	"context"
	"errors"
)

const notePrefix = "notes/"

// Note returns what SaveNote was given last under a name, nothing if that never happened.
func (b *Book) Note(ctx context.Context, name string) ([]byte, error) {
	item, err := b.store.Get(ctx, notePrefix+name)
	if errors.Is(err, ErrNotExist) {
		return nil, nil
	}
	return item.Data, err
}

// SaveNote keeps a few bytes that are no record, under a name that is a key's segment. Of two who write at the same time one gets an error that
// matches ErrConflict or ErrExists.
func (b *Book) SaveNote(ctx context.Context, name string, data []byte) error {
	key := notePrefix + name
	item, err := b.store.Get(ctx, key)
	switch {
	case errors.Is(err, ErrNotExist):
		_, err = b.store.Create(ctx, key, data)
	case err == nil && string(item.Data) != string(data):
		_, err = b.store.Replace(ctx, key, data, item.Version)
	}
	return err
}
