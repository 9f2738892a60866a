package providers

import (
	"context"

	"golang.org/x/sync/errgroup"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// defaultWidth is how many pages are asked for at once where an account has no bound of its own.
const defaultWidth = 8

// Batch reads up to left pages of a list at once, as many as may be under way, from the number first on, and returns them in order. left is
// 1 for a list whose length is not known yet.
func Batch[T any](ctx context.Context, l rest.Limits, first, left int, read func(ctx context.Context, number int) (T, error)) ([]T, error) {
	width := defaultWidth
	if l.InFlight > 0 {
		width = l.InFlight
	}
	pages := make([]T, max(min(left, width), 1))
	group, ctx := errgroup.WithContext(ctx)
	for i := range pages {
		group.Go(func() (err error) {
			pages[i], err = read(ctx, first+i)
			return err
		})
	}
	return pages, group.Wait()
}
