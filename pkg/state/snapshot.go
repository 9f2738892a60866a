package state

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
)

// Snapshot is an agent as it was before a run wrote to it, stored under snapshots/<run>/<provider>/<name>.json.
type Snapshot struct {
	Version int    `json:"version"`
	Address string `json:"address"`
	ID      string `json:"id"`
	Type    string `json:"type"` // as in Record
	// Config is the live config. Sensitive values are sealed.
	Config diff.Object `json:"config"`
	At     string      `json:"at"` // RFC 3339, UTC, whole seconds
	Commit string      `json:"commit,omitempty"`
	// Action is what the run was about to do: update or delete.
	Action string `json:"action"`
}

const (
	snapshotPrefix = "snapshots/"
	runLayout      = "20060102T150405Z"
)

// RunID returns an id for a run that begins at t: the time in UTC, a dash and six random hex digits, as in 20261121T203000Z-4f3a9c. Ids
// sort by time.
func RunID(t time.Time) string {
	var random [3]byte
	rand.Read(random[:]) // never fails
	return t.UTC().Format(runLayout) + "-" + hex.EncodeToString(random[:])
}

// checkRun reports whether run has the form of a RunID, on whose order Runs and Prune rely.
func checkRun(run string) error {
	at, suffix, _ := strings.Cut(run, "-")
	_, err := time.Parse(runLayout, at)
	if err != nil || suffix == "" || len(suffix) > maxName || strings.Trim(suffix, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		return fmt.Errorf("%q is not a run's id: they look like 20261121T203000Z-4f3a9c", run)
	}
	return nil
}

// SaveSnapshot keeps s for the run. The first snapshot of an agent in a run stays: it is what the run found.
func (b *Book) SaveSnapshot(ctx context.Context, run, address string, s Snapshot) error {
	if err := errors.Join(checkRun(run), checkAddress(address)); err != nil {
		return err
	}
	s.Version, s.Address = Version, address
	data, err := encode(s)
	if err != nil {
		return fmt.Errorf("snapshot of %s: %w", address, err)
	}
	_, err = b.store.Create(ctx, snapshotKey(run, address), data)
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// Snapshots returns what was kept for a run, in order of address. The error matches ErrNotExist where nothing was.
func (b *Book) Snapshots(ctx context.Context, run string) ([]Snapshot, error) {
	if err := checkRun(run); err != nil {
		return nil, err
	}
	items, err := b.readRun(ctx, run)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s %w: no agent was written in that run, or its snapshots were pruned", b.place(snapshotPrefix+run), ErrNotExist)
	}
	snapshots := make([]Snapshot, len(items))
	var faults []error
	for i, item := range items {
		s, err := decode[Snapshot](b.place(item.Key), item.Data)
		if err == nil && snapshotKey(run, s.Address) != item.Key {
			err = fmt.Errorf("%s is the snapshot of %q: give the file its name back", b.place(item.Key), s.Address)
		}
		faults = append(faults, err)
		s.Config = normal(s.Config)
		snapshots[i] = s
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	slices.SortFunc(snapshots, func(a, b Snapshot) int { return strings.Compare(a.Address, b.Address) })
	return snapshots, nil
}

// Runs returns the ids of the runs with snapshots, the newest first.
func (b *Book) Runs(ctx context.Context) ([]string, error) {
	listed, err := b.store.List(ctx, snapshotPrefix)
	if err != nil {
		return nil, err
	}
	var runs []string
	for _, one := range listed {
		run, _, _ := strings.Cut(strings.TrimPrefix(one.Key, snapshotPrefix), "/")
		if checkRun(run) == nil {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	slices.Reverse(runs)
	return slices.Compact(runs), nil
}

// Prune deletes the snapshots of all runs but the newest keep, and returns the runs it deleted.
func (b *Book) Prune(ctx context.Context, keep int) ([]string, error) {
	runs, err := b.Runs(ctx)
	if err != nil {
		return nil, err
	}
	old := runs[min(max(keep, 0), len(runs)):]
	for i, run := range old {
		if err := b.deleteRun(ctx, run); err != nil {
			return old[:i], fmt.Errorf("prune snapshots of run %s: %w", run, err)
		}
	}
	return old, nil
}

func (b *Book) deleteRun(ctx context.Context, run string) error {
	items, err := b.readRun(ctx, run)
	if err != nil {
		return err
	}
	for _, item := range items {
		// Somebody else may be pruning too.
		if err := b.store.Delete(ctx, item.Key, item.Version); err != nil && !errors.Is(err, ErrNotExist) {
			return err
		}
	}
	return nil
}

// readRun reads the snapshots of a run.
func (b *Book) readRun(ctx context.Context, run string) ([]Item, error) {
	return readAll(ctx, b.store, snapshotPrefix+run+"/", func(ctx context.Context, l Listed) (Item, error) { return b.store.Get(ctx, l.Key) })
}

func snapshotKey(run, address string) string {
	return snapshotPrefix + run + "/" + address + jsonSuffix
}
