package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"agentsync.dev/agentsync/internal/jsontree"
)

// Book is the records, snapshots and lock in a store. It remembers the records that it read or wrote, and reads again only what moved since:
// where the store's List gives versions, a [Book.Load] that finds nothing new costs one List. Its methods may be called at the same
// time from several goroutines.
type Book struct {
	store Store
	known known
	texts atomic.Pointer[jsontree.Texts]
}

// NewBook returns the book kept in s.
func NewBook(s Store) *Book { return &Book{store: s} }

// Share lets records that are read from now on share the long texts that the caller holds anyway.
func (b *Book) Share(texts jsontree.Texts) { b.texts.Store(&texts) }

// shared are the texts to share, nil for none.
func (b *Book) shared() jsontree.Texts {
	if texts := b.texts.Load(); texts != nil {
		return *texts
	}
	return nil
}

// String names the place of the book for people.
func (b *Book) String() string { return b.store.String() }

// Entry is a record with the version that a conditional write names.
type Entry struct {
	Record  Record
	Version string
}

// Load reads all records, by address. It fails rather than return fewer than there are: a record that is left out would look like an
// agent that is still to be created. Every record that cannot be read is named. Files under state/ that do not end in .json are not
// records. Two records that an interrupted [Book.Move] left are an error too, since both are bound to one live agent. What it returns is
// the caller's own, to change as he likes.
func (b *Book) Load(ctx context.Context) (map[string]Entry, error) {
	found, err := readAll(ctx, b.store, recordPrefix, b.find)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	keys := make(map[string]bool, len(found))
	for _, f := range found {
		keys[f.key] = true
	}
	b.known.keep(keys)
	return entriesOf(found)
}

// LoadSome is [Book.Load] for the records of a few addresses, without a look at the others: an address without a record is not in what it
// returns. That another address is taking over the record of one of them (an interrupted [Book.Move]) only Load sees.
func (b *Book) LoadSome(ctx context.Context, addresses []string) (map[string]Entry, error) {
	asked := slices.Compact(slices.Sorted(slices.Values(addresses)))
	found, err := several(ctx, asked, b.findAddress)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	var origins []string // where half a move would have left a second record
	for _, f := range found {
		if from := f.record.MovedFrom; from != "" && !slices.Contains(asked, from) {
			origins = append(origins, from)
		}
	}
	more, err := several(ctx, origins, b.findAddress)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	entries, err := entriesOf(slices.DeleteFunc(append(found, more...), func(f foundRecord) bool { return f.key == "" }))
	for _, from := range origins {
		delete(entries, from)
	}
	return entries, err
}

// foundRecord is a record in the store, or what is wrong with it.
type foundRecord struct {
	key, version string
	record       storedRecord
	fault        error
}

// find returns a listed record, as it is known or as it is read now.
func (b *Book) find(ctx context.Context, l Listed) (foundRecord, error) {
	if record, ok := b.known.find(l.Key, l.Version); ok {
		return foundRecord{key: l.Key, version: l.Version, record: record}, nil
	}
	item, err := b.store.Get(ctx, l.Key)
	if err != nil {
		return foundRecord{}, err
	}
	record, fault := b.decodeRecord(item)
	return foundRecord{key: l.Key, version: item.Version, record: record, fault: fault}, nil
}

// findAddress reads the record of an address; its key is "" where there is none.
func (b *Book) findAddress(ctx context.Context, address string) (foundRecord, error) {
	key, err := recordKey(address)
	if err != nil {
		return foundRecord{}, err
	}
	f, err := b.find(ctx, Listed{Key: key})
	if errors.Is(err, ErrNotExist) {
		err = nil
	}
	return f, err
}

// entriesOf returns the records by address, or all that is wrong with them.
func entriesOf(found []foundRecord) (map[string]Entry, error) {
	entries := make(map[string]Entry, len(found))
	movedFrom := map[string]string{}
	var faults []error
	for _, f := range found {
		if f.fault != nil {
			faults = append(faults, f.fault)
			continue
		}
		entries[f.record.Address] = Entry{Record: f.record.Record, Version: f.version}
		if f.record.MovedFrom != "" {
			movedFrom[f.record.Address] = f.record.MovedFrom
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
	b.known.forget(key)
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
	same, err := b.holds(ctx, key, data, version)
	switch {
	case err != nil:
		return "", err
	case same:
		return version, nil
	}
	var newVersion string
	if version == "" {
		newVersion, err = b.store.Create(ctx, key, data)
	} else {
		newVersion, err = b.store.Replace(ctx, key, data, version)
	}
	if err != nil {
		b.known.forget(key)
		return "", err
	}
	_, _ = b.decodeRecord(Item{Key: key, Data: data, Version: newVersion}) // to know it; what cannot be read back, Load will name
	return newVersion, nil
}

// holds reports whether the store has data under key already, in that version.
func (b *Book) holds(ctx context.Context, key string, data []byte, version string) (bool, error) {
	if version == "" || b.known.differs(key, version, data) {
		return false, nil
	}
	old, err := b.store.Get(ctx, key)
	if errors.Is(err, ErrNotExist) {
		return false, nil
	}
	return err == nil && old.Version == version && string(old.Data) == string(data), err
}

// decodeRecord reads a record, checks that it is the one its key says, and remembers it.
func (b *Book) decodeRecord(item Item) (storedRecord, error) {
	if record, ok := b.known.find(item.Key, item.Version); ok {
		return record, nil
	}
	address, err := recordAddress(item.Key)
	if err != nil {
		return storedRecord{}, fmt.Errorf("%s: %w: rename the file, or move it out of the state", b.place(item.Key), err)
	}
	record, quick := quickRecord(item.Data, b.shared())
	if !quick {
		if record, err = decode[storedRecord](b.place(item.Key), item.Data); err != nil {
			return storedRecord{}, err
		}
	}
	if record.Address != address {
		return storedRecord{}, fmt.Errorf("%s is the record of %q: give the file its name back, and use `agentsync state mv` to rename an agent", b.place(item.Key), record.Address)
	}
	b.known.add(item, record)
	return record.own(), nil
}

// place names an object for people.
func (b *Book) place(key string) string { return b.store.String() + "/" + key }
