package web

import (
	"fmt"
	"net"
)

// CheckExposure reports whether it is safe to listen on addr (host:port) with o: beyond loopback, something must tell friend from stranger. The
// error says how to mend it.
func CheckExposure(addr string, o Options) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %q: %w: give host:port, for example 127.0.0.1:8080", addr, err)
	}
	if loopback(host) || o.Token != "" || o.ProxyHeader != "" {
		return nil
	}
	return fmt.Errorf("listening on %s would show the agents to everybody who can reach it: set --auth-token, name a trusted proxy's header, "+
		"or listen on 127.0.0.1:%s", addr, port)
}
