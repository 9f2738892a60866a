package rest

import (
	"crypto/sha256"
	"net/url"
	"sync"
)

// Paces are the paces of a process. Accounts whose requests a vendor counts together, because they have one host and one
// [Options.CountedBy], go by one of them, at the strictest of their limits. The zero value is ready; safe for use from several goroutines.
type Paces struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*pace
}

// of returns the pace for an account at base. Without a p, and where nothing says what requests are counted by, each account has its own.
func (p *Paces) of(base *url.URL, o Options) *pace {
	if p == nil || o.CountedBy == "" {
		return newPace(o)
	}
	key := sha256.Sum256([]byte(base.Host + "\x00" + o.CountedBy))
	p.mu.Lock()
	defer p.mu.Unlock()
	if shared := p.known[key]; shared != nil {
		shared.tighten(o)
		return shared
	}
	if p.known == nil {
		p.known = map[[sha256.Size]byte]*pace{}
	}
	p.known[key] = newPace(o)
	return p.known[key]
}
