package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Move gives the record of one address to another. The store cannot do that in one step, so it is done in three that can be taken up
// again: write the new record, marked with where it comes from; delete the old one; take the mark off. A crash in between never loses
// the record. If it leaves both, [Book.Load] fails and names them, so that no plan sees one live agent under two addresses, and the
// same Move finishes the work. The error matches ErrNotExist where there is no record to move, and ErrExists where the new address
// has another.
func (b *Book) Move(ctx context.Context, from, to string) error {
	if from == to {
		return fmt.Errorf("%s is already the address: name another to move it to", from)
	}
	if err := errors.Join(checkAddress(from), checkAddress(to)); err != nil {
		return err
	}
	moved, version, err := b.get(ctx, to)
	switch {
	case errors.Is(err, ErrNotExist):
		return b.startMove(ctx, from, to)
	case err != nil:
		return err
	case moved.MovedFrom != from:
		return b.takenError(to)
	}
	old, oldVersion, err := b.get(ctx, from)
	switch {
	case errors.Is(err, ErrNotExist):
		return b.endMove(ctx, moved, version)
	case err != nil:
		return err
	case !sameButAddress(old.Record, moved.Record):
		return b.takenError(to)
	}
	if err := b.Remove(ctx, from, oldVersion); err != nil {
		return err
	}
	return b.endMove(ctx, moved, version)
}

func (b *Book) startMove(ctx context.Context, from, to string) error {
	old, oldVersion, err := b.get(ctx, from)
	if err != nil {
		return err
	}
	moved := storedRecord{Record: old.Record, MovedFrom: from}
	moved.Address = to
	version, err := b.save(ctx, moved, "")
	if err != nil {
		return err
	}
	if err := b.Remove(ctx, from, oldVersion); err != nil {
		if errors.Is(err, ErrConflict) { // the old record was written meanwhile: it counts, the copy does not
			err = errors.Join(err, b.Remove(ctx, to, version))
		}
		return err
	}
	return b.endMove(ctx, moved, version)
}

// endMove takes the mark off.
func (b *Book) endMove(ctx context.Context, moved storedRecord, version string) error {
	_, err := b.Save(ctx, moved.Record, version)
	return err
}

func (b *Book) takenError(to string) error {
	return fmt.Errorf("%s/%s%s%s %w: `agentsync state rm %s` first, if it is not needed", b.store, recordPrefix, to, jsonSuffix, ErrExists, to)
}

// halfMoved reports the moves of which both records are there.
func halfMoved(entries map[string]Entry, movedFrom map[string]string) (faults []error) {
	for _, to := range slices.Sorted(maps.Keys(movedFrom)) {
		from := movedFrom[to]
		if entry, ok := entries[from]; ok && boundAlike(entry.Record, entries[to].Record) {
			faults = append(faults, fmt.Errorf("the move of %s to %s was interrupted: run `agentsync state mv %s %s` again to finish it, or `agentsync state rm %s` to undo it", from, to, from, to, to))
		}
	}
	return faults
}

// boundAlike reports whether two records are of one live agent, or of one create. A new agent under the old address, made after a
// move that only left its mark, is not.
func boundAlike(a, b Record) bool {
	if a.ID != b.ID || (a.Pending == nil) != (b.Pending == nil) {
		return false
	}
	return a.Pending == nil || *a.Pending == *b.Pending
}

func sameButAddress(a, b Record) bool {
	b.Address = a.Address
	aData, aErr := encode(a)
	bData, bErr := encode(b)
	return aErr == nil && bErr == nil && bytes.Equal(aData, bData)
}
