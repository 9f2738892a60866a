package rest

import "context"

type guardKey struct{}

// WithGuard returns a context whose writes ask guard right before each attempt, after all waiting: an error keeps it from being sent, and is
// the cause of the call's error. Whoever may lose the right to write while a request waits for its turn (a lock, a lease) gives one.
func WithGuard(ctx context.Context, guard func() error) context.Context {
	return context.WithValue(ctx, guardKey{}, guard)
}

// guarded asks the guard of ctx, if it has one and the call writes.
func (c *call) guarded(ctx context.Context) error {
	guard, _ := ctx.Value(guardKey{}).(func() error)
	if c.read || guard == nil {
		return nil
	}
	return guard()
}
