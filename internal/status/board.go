package status

import (
	"context"
	"sync"
)

// Board holds the latest status. Its methods may be called from several goroutines; the zero value is an empty board.
type Board struct {
	mu      sync.Mutex
	latest  *Status
	changed chan struct{} // closed by the next Publish
}

// Publish makes s the latest status. s must not be changed any more.
func (b *Board) Publish(s *Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latest = s
	if b.changed != nil {
		close(b.changed)
	}
	b.changed = nil
}

// Latest returns the latest status and a channel that is closed once there is a newer one. The status is never nil; before the first Publish
// it is empty.
func (b *Board) Latest() (*Status, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	if b.latest == nil {
		b.latest = &Status{}
	}
	return b.latest, b.changed
}

// Follow calls see with the latest status and then with each newer one that is there when see returns, until ctx ends. A status that is replaced
// while see is at work is left out.
func (b *Board) Follow(ctx context.Context, see func(*Status)) {
	for {
		latest, changed := b.Latest()
		see(latest)
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
