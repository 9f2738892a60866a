package source

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// Secret is a password or the like. It does not print itself.
type Secret string

func (Secret) String() string               { return "(secret)" }
func (Secret) GoString() string             { return "(secret)" }
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// location is a repository's address, taken apart.
type location struct {
	kind     string              // file, http or ssh
	endpoint *transport.Endpoint // without credentials, but for the user of ssh
	user     string
	password Secret
}

// String is for people, and without credentials.
func (l location) String() string {
	if l.kind == "file" {
		return l.endpoint.Path
	}
	return l.endpoint.String()
}

// locate takes an address apart. No error repeats it, for it may hold a password.
func locate(url string) (location, error) {
	if url == "" {
		return location{}, errors.New("no Git URL: name a repository, as https://git.example.com/team/agents.git")
	}
	end, err := transport.NewEndpoint(url)
	if err != nil {
		return location{}, errors.New("the Git URL cannot be read: write it as https://git.example.com/team/agents.git, git@git.example.com:team/agents.git or a path")
	}
	l := location{endpoint: end, user: end.User, password: Secret(end.Password)}
	end.User, end.Password = "", ""
	switch end.Protocol {
	case "file":
		l.kind = "file"
		end.Path = filepath.FromSlash(end.Path)
		return l, nil
	case "https":
		l.kind = "http"
	case "http":
		if !loopback(end.Host) {
			return l, fmt.Errorf("%s: plain http is for loopback addresses only: use https", l)
		}
		l.kind = "http"
	case "ssh", "git+ssh", "ssh+git":
		l.kind = "ssh"
		end.User = l.user
		if end.User == "" {
			end.User = "git"
		}
	default:
		return l, fmt.Errorf("%s: this protocol is not spoken: use https, ssh, or a path", l)
	}
	if end.Host == "" || strings.Trim(end.Path, "/") == "" {
		return l, fmt.Errorf("%s: the Git URL names no repository", l)
	}
	if l.kind == "http" && strings.ContainsAny(end.Path, "?#") {
		// Some put a token there; it would be shown.
		end.Path, _, _ = strings.Cut(strings.ReplaceAll(end.Path, "#", "?"), "?")
		return l, fmt.Errorf("%s: a Git URL has neither query nor fragment: give the token in the options", l)
	}
	return l, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
