package state

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

const (
	// maxReads bounds the reads in flight at one store.
	maxReads = 16
	// maxLists bounds how often a store that changes under a read is listed.
	maxLists = 4
)

// readAll reads the .json objects below prefix with read and returns what it made of them, in the order of their keys. An object that
// went between the list and its read may have moved to another key: then it lists again.
func readAll[T any](ctx context.Context, store Store, prefix string, read func(context.Context, Listed) (T, error)) ([]T, error) {
	for tries := 1; ; tries++ {
		listed, err := store.List(ctx, prefix)
		if err != nil {
			return nil, err
		}
		listed = slices.DeleteFunc(listed, func(l Listed) bool { return !strings.HasSuffix(l.Key, jsonSuffix) })
		all, err := several(ctx, listed, read)
		if !errors.Is(err, ErrNotExist) || tries == maxLists {
			return all, err
		}
	}
}

// several reads several things at a time and returns them in the order in which they were given.
func several[K, T any](ctx context.Context, what []K, read func(context.Context, K) (T, error)) ([]T, error) {
	all := make([]T, len(what))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxReads)
	for i, one := range what {
		group.Go(func() (err error) {
			all[i], err = read(ctx, one)
			return err
		})
	}
	return all, group.Wait()
}
