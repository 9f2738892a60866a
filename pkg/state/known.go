package state

import (
	"hash/maphash"
	"maps"
	"sync"
)

// known holds the records that a [Book] has read or written, by key, so that only what moved is read again. The version decides: a
// record counts for no other. Safe for use from several goroutines.
type known struct {
	mu      sync.Mutex
	records map[string]knownRecord
	seed    maphash.Seed
}

type knownRecord struct {
	version string
	content uint64       // a quick hash: where it is the same by chance, the store is asked
	record  storedRecord // as it was decoded
}

// find returns a copy of the record in that version.
func (k *known) find(key, version string) (storedRecord, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.records[key]
	if !ok || version == "" || r.version != version {
		return storedRecord{}, false
	}
	return r.record.own(), true
}

// differs reports whether the version is known to have another content than data.
func (k *known) differs(key, version string, data []byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.records[key]
	return ok && r.version == version && r.content != maphash.Bytes(k.seed, data)
}

// add takes record, which was decoded from item.
func (k *known) add(item Item, record storedRecord) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.records == nil {
		k.records, k.seed = map[string]knownRecord{}, maphash.MakeSeed()
	}
	k.records[item.Key] = knownRecord{version: item.Version, content: maphash.Bytes(k.seed, item.Data), record: record}
}

// keep forgets all records but those of the keys.
func (k *known) keep(keys map[string]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.records, func(key string, _ knownRecord) bool { return !keys[key] })
}

// forget forgets one record.
func (k *known) forget(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.records, key)
}

// own returns a copy of r for the caller to keep, with the applied config in normal form.
func (r storedRecord) own() storedRecord {
	r.Applied = normal(r.Applied)
	r.Files = maps.Clone(r.Files)
	if r.Pending != nil {
		pending := *r.Pending
		r.Pending = &pending
	}
	return r
}
