package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"agentsync.dev/agentsync/internal/jsontree"
)

const (
	// maxReads bounds the reads in flight at one store.
	maxReads = 16
	// maxLists bounds how often a store that changes under a read is listed.
	maxLists = 4
)

// Book is the records, snapshots and lock in a store. Its methods may be called at the same time from several goroutines.
type Book struct {
	store Store
	texts jsontree.Texts
}

// NewBook returns the book kept in s.
func NewBook(s Store) *Book { return &Book{store: s} }

// Share lets records that are read from now on share the long texts that the caller holds anyway. It must come before the first read.
func (b *Book) Share(texts jsontree.Texts) { b.texts = texts }

// String names the place of the book for people.
func (b *Book) String() string { return b.store.String() }

// Entry is a record with the version that a conditional write names.
type Entry struct {
	Record  Record
	Version string
}

// Load reads all records, by address. It fails rather than return fewer than there are: a record that is left out would look like an
// agent that is still to be created. Every record that cannot be read is named. Files under state/ that do not end in .json are not
// records. Two records that an interrupted [Book.Move] left are an error too, since both are bound to one live agent.
func (b *Book) Load(ctx context.Context) (map[string]Entry, error) {
	items, err := b.readAll(ctx, recordPrefix)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	entries := make(map[string]Entry, len(items))
	movedFrom := map[string]string{}
	var faults []error
	for _, item := range items {
		record, err := b.decodeRecord(item)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		entries[record.Address] = Entry{Record: record.Record, Version: item.Version}
		if record.MovedFrom != "" {
			movedFrom[record.Address] = record.MovedFrom
		}
	}
	faults = append(faults, halfMoved(entries, movedFrom)...)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return entries, nil
}

// Get reads one record, also where Load cannot. Its error matches ErrNotExist where there is none.
func (b *Book) Get(ctx context.Context, address string) (Entry, error) {
	record, version, err := b.get(ctx, address)
	return Entry{Record: record.Record, Version: version}, err
}

// Save writes a record over the version that it was read in, or as a new one where version is "", and returns the version it has now.
// The same content is not written again. The error matches ErrConflict or ErrExists where somebody else wrote.
func (b *Book) Save(ctx context.Context, r Record, version string) (newVersion string, err error) {
	return b.save(ctx, storedRecord{Record: r}, version)
}

// Remove deletes the version of a record that was read: the address is bound to nothing from then on. The error matches ErrConflict, or
// ErrNotExist where there is no record.
func (b *Book) Remove(ctx context.Context, address, version string) error {
	key, err := recordKey(address)
	if err != nil {
		return err
	}
	return b.store.Delete(ctx, key, version)
}

func (b *Book) get(ctx context.Context, address string) (storedRecord, string, error) {
	key, err := recordKey(address)
	if err != nil {
		return storedRecord{}, "", err
	}
	item, err := b.store.Get(ctx, key)
	if err != nil {
		return storedRecord{}, "", err
	}
	record, err := b.decodeRecord(item)
	return record, item.Version, err
}

func (b *Book) save(ctx context.Context, r storedRecord, version string) (string, error) {
	key, err := recordKey(r.Address)
	if err != nil {
		return "", err
	}
	r.Version = Version
	data, err := encode(r)
	if err != nil {
		return "", fmt.Errorf("record of %s: %w", r.Address, err)
	}
	if version == "" {
		return b.store.Create(ctx, key, data)
	}
	old, err := b.store.Get(ctx, key)
	if err != nil && !errors.Is(err, ErrNotExist) {
		return "", err
	}
	if err == nil && old.Version == version && string(old.Data) == string(data) {
		return version, nil
	}
	return b.store.Replace(ctx, key, data, version)
}

// decodeRecord reads a record and checks that it is the one its key says.
func (b *Book) decodeRecord(item Item) (storedRecord, error) {
	address, err := recordAddress(item.Key)
	if err != nil {
		return storedRecord{}, fmt.Errorf("%s: %w: rename the file, or move it out of the state", b.place(item.Key), err)
	}
	record, quick := quickRecord(item.Data, b.texts)
	if !quick {
		if record, err = decode[storedRecord](b.place(item.Key), item.Data); err != nil {
			return storedRecord{}, err
		}
	}
	if record.Address != address {
		return storedRecord{}, fmt.Errorf("%s is the record of %q: give the file its name back, and use `agentsync state mv` to rename an agent", b.place(item.Key), record.Address)
	}
	record.Applied = normal(record.Applied)
	return record, nil
}

// place names an object for people.
func (b *Book) place(key string) string { return b.store.String() + "/" + key }

// readAll reads the .json objects below prefix and returns them in the order of their keys. An object that went between the list and
// its read may have moved to another key: then it lists again.
func (b *Book) readAll(ctx context.Context, prefix string) ([]Item, error) {
	for tries := 1; ; tries++ {
		keys, err := b.store.List(ctx, prefix)
		if err != nil {
			return nil, err
		}
		keys = slices.DeleteFunc(keys, func(key string) bool { return !strings.HasSuffix(key, jsonSuffix) })
		items, err := b.getAll(ctx, keys)
		if !errors.Is(err, ErrNotExist) || tries == maxLists {
			return items, err
		}
	}
}

// getAll reads several keys at a time.
func (b *Book) getAll(ctx context.Context, keys []string) ([]Item, error) {
	items := make([]Item, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxReads)
	for i, key := range keys {
		group.Go(func() (err error) {
			items[i], err = b.store.Get(ctx, key)
			return err
		})
	}
	return items, group.Wait()
}
