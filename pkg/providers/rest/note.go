package rest

import (
	"context"
	"log/slog"
	"slices"
)

type noteKey struct{}

// WithLog returns a context whose requests carry attrs in their log lines, beside those that ctx gives them already.
func WithLog(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, noteKey{}, slices.Concat(noted(ctx), attrs))
}

func noted(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(noteKey{}).([]slog.Attr)
	return attrs
}
