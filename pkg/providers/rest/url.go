package rest

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Segment returns id escaped as one segment of a [Request.Path]. It refuses ids that would make it another path: empty ones,
// and those with a . or .. in them.
func Segment(id string) (string, error) {
	segment := url.PathEscape(id)
	if err := checkSegment(segment); err != nil {
		return "", fmt.Errorf("id %q: %w", id, err)
	}
	return segment, nil
}

// checkSegment refuses an escaped segment that is empty, or that a server may take for a way up: servers differ in when they
// unescape, so what is inside counts.
func checkSegment(segment string) error {
	if segment == "" {
		return errors.New("empty segment in the path; is an id missing?")
	}
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return err
	}
	for name := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
		if name == "." || name == ".." {
			return fmt.Errorf("%q cannot be part of the path", name)
		}
	}
	return nil
}

func checkPath(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		if err := checkSegment(segment); err != nil {
			return err
		}
	}
	return nil
}

// parseBase checks a base URL. Its faults do not repeat what may be a password.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, errors.New("the base URL is not a URL like https://api.example.com/v1")
	}
	var faults []error
	if u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())) {
		faults = append(faults, fmt.Errorf("base URL of %s: must be https (http only for loopback addresses)", u.Host))
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		faults = append(faults, fmt.Errorf("base URL of %s: cannot carry a user, a query or a fragment", u.Host))
	}
	if path := strings.Trim(u.EscapedPath(), "/"); path != "" {
		if err := checkPath(path); err != nil {
			faults = append(faults, fmt.Errorf("base URL of %s: %w", u.Host, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	return u, nil
}

// Loopback reports whether host, a name or address without a port, is this machine.
func Loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// join returns the URL of path below base. What is escaped in path stays so.
func join(base *url.URL, path string, query url.Values) (*url.URL, error) {
	path = strings.TrimPrefix(path, "/")
	if err := checkPath(path); err != nil {
		return nil, err
	}
	u := *base
	u.RawPath = base.EscapedPath() + "/" + path
	plain, err := url.PathUnescape(u.RawPath)
	if err != nil {
		return nil, err
	}
	u.Path = plain
	if u.EscapedPath() != u.RawPath {
		return nil, errors.New("the path is not escaped")
	}
	u.RawQuery = query.Encode()
	return &u, nil
}
