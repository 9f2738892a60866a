package rest

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects of a read are followed.
const maxRedirects = 3

// redirect is the HTTP client's CheckRedirect: reads follow redirects that stay on scheme, host and port; writes follow none.
func (c *call) redirect(req *http.Request, via []*http.Request) error {
	switch {
	case !c.read:
		return http.ErrUseLastResponse
	case origin(req.URL) != origin(via[0].URL):
		return fmt.Errorf("redirected to another host, %s: refused; is the base URL right?", place(req.URL))
	case len(via) > maxRedirects:
		return fmt.Errorf("redirected more than %d times, last to %s", maxRedirects, place(req.URL))
	}
	return nil
}

// origin is scheme, host and port, in one spelling.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// place is u without what may be a secret.
func place(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
