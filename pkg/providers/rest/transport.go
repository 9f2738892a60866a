package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// connection watches how far an attempt came. The transport may call from other goroutines.
type connection struct{ asked, got atomic.Bool }

func (c *connection) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.got.Store(true) },
	})
}

// nothingSent reports whether err surely came before the first byte of the request: the dial failed, or the transport asked
// for a connection (so it is one that tells) and never got one, as with a name that does not resolve, a proxy that does not
// answer or a failed TLS handshake.
func (c *connection) nothingSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" && !c.got.Load() {
		return true
	}
	return c.asked.Load() && !c.got.Load()
}

// transportKind says what a failure to get an answer means, and whether trying again cannot help.
func transportKind(err error) (kind error, final bool) {
	var certificate *tls.CertificateVerificationError
	var file *fileError
	switch {
	case errors.As(err, &file):
		return nil, true
	case errors.Is(err, errTooLarge):
		return ErrOddAnswer, true
	}
	return ErrUnavailable, errors.As(err, &certificate)
}

var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", MaxBody>>20)

// slowError is an attempt that took too long. It is not context.DeadlineExceeded, which stands for the caller's own.
type slowError struct{ timeout time.Duration }

func (e slowError) Error() string { return fmt.Sprintf("no complete answer within %s", e.timeout) }
