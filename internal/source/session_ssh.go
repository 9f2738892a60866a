package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// sshDialer speaks to git-upload-pack through ssh. The library's own client cannot be interrupted before its session stands. The user's
// ssh_config is not read.
func sshDialer(l location, o RemoteOptions) (dialer, error) {
	if len(o.KnownHosts) == 0 {
		return nil, fmt.Errorf("%s: no known hosts: name a known_hosts file with the server's key (ssh-keyscan prints it; compare it with what the server's owner publishes)", l)
	}
	known, err := knownhosts.NewDB(o.KnownHosts...)
	if err != nil {
		return nil, fmt.Errorf("the known hosts cannot be read: %w", err)
	}
	auth, err := sshAuth(o)
	if err != nil {
		return nil, err
	}
	port := l.endpoint.Port
	if port == 0 {
		port = 22
	}
	address := net.JoinHostPort(strings.Trim(l.endpoint.Host, "[]"), strconv.Itoa(port))
	return func(ctx context.Context) (transport.UploadPackSession, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		s := &sshSession{stop: context.AfterFunc(ctx, func() { conn.Close() })}
		method, done, err := auth(ctx)
		if err != nil {
			return nil, errors.Join(err, s.Close(), conn.Close())
		}
		defer done()
		c, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
			User: l.endpoint.User, Auth: []ssh.AuthMethod{method},
			HostKeyCallback: known.HostKeyCallback(), HostKeyAlgorithms: known.HostKeyAlgorithms(address),
		})
		if err != nil {
			return nil, errors.Join(hostError(l, err), s.Close(), conn.Close())
		}
		s.client = ssh.NewClient(c, channels, requests)
		if err := s.start(l.endpoint.Path); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	}, nil
}

// hostError says what to do about a host key that is not the known one.
func hostError(l location, err error) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return fmt.Errorf("%s: the server's key is not the known one: somebody may sit between; compare it with what the server's owner publishes before you change the known hosts: %w", l, err)
	case knownhosts.IsHostUnknown(err):
		return fmt.Errorf("%s: the server is not among the known hosts: add its key: %w", l, err)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return fmt.Errorf("%s: the server does not accept the key: %w", l, transport.ErrAuthorizationFailed)
	}
	return err
}

// sshAuth returns what proves who we are, for one connection, and what to call after it.
func sshAuth(o RemoteOptions) (func(context.Context) (ssh.AuthMethod, func(), error), error) {
	if o.SSHKey == "" {
		if o.SSHAgent == "" {
			return nil, errors.New("ssh needs a key: name a key file, or the socket of an agent (SSH_AUTH_SOCK)")
		}
		return func(ctx context.Context) (ssh.AuthMethod, func(), error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", o.SSHAgent)
			if err != nil {
				return nil, nil, fmt.Errorf("the ssh agent does not answer: %w", err)
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			return ssh.PublicKeysCallback(agent.NewClient(conn).Signers), func() { stop(); conn.Close() }, nil
		}, nil
	}
	pem, err := os.ReadFile(o.SSHKey)
	if err != nil {
		return nil, fmt.Errorf("the ssh key cannot be read: %w", err)
	}
	var signer ssh.Signer
	if o.SSHPassphrase == "" {
		signer, err = ssh.ParsePrivateKey(pem)
	} else {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(o.SSHPassphrase))
	}
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("%s: the ssh key needs its passphrase", o.SSHKey)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the ssh key cannot be used: is it a private key, and the passphrase right? (%w)", o.SSHKey, err)
	}
	return func(context.Context) (ssh.AuthMethod, func(), error) { return ssh.PublicKeys(signer), func() {}, nil }, nil
}

// sshSession is one run of git-upload-pack. It implements transport.UploadPackSession.
type sshSession struct {
	client  *ssh.Client
	session *ssh.Session
	in      io.WriteCloser
	out     io.Reader
	said    stderr
	stop    func() bool
	refs    *packp.AdvRefs
}

func (s *sshSession) start(path string) (err error) {
	if s.session, err = s.client.NewSession(); err != nil {
		return err
	}
	s.session.Stderr = &s.said
	if s.in, err = s.session.StdinPipe(); err != nil {
		return err
	}
	if s.out, err = s.session.StdoutPipe(); err != nil {
		return err
	}
	return s.session.Start("git-upload-pack " + quote(path))
}

// quote makes one word of s for any shell.
func quote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}

func (s *sshSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

func (s *sshSession) AdvertisedReferencesContext(context.Context) (*packp.AdvRefs, error) {
	if s.refs != nil {
		return s.refs, nil
	}
	refs := packp.NewAdvRefs()
	err := refs.Decode(&cappedBody{io.NopCloser(s.out), maxPack})
	switch {
	case errors.Is(err, packp.ErrEmptyAdvRefs), err == nil && refs.IsEmpty():
		return nil, transport.ErrEmptyRemoteRepository
	case errors.Is(err, packp.ErrEmptyInput):
		_ = s.session.Wait() // for what it has to say
		return nil, fmt.Errorf("%w: the server says: %s", transport.ErrRepositoryNotFound, s.said.String())
	case err != nil:
		return nil, err
	}
	transport.FilterUnsupportedCapabilities(refs.Capabilities)
	s.refs = refs
	return refs, nil
}

func (s *sshSession) UploadPack(_ context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	var out bytes.Buffer
	if err := errors.Join(req.Validate(), req.UploadRequest.Encode(&out), req.UploadHaves.Encode(&out, true)); err != nil {
		return nil, err
	}
	out.WriteString("0009done\n")
	if _, err := s.in.Write(out.Bytes()); err != nil {
		return nil, err
	}
	if err := s.in.Close(); err != nil {
		return nil, err
	}
	res := packp.NewUploadPackResponse(req)
	return res, res.Decode(io.NopCloser(s.out))
}

// Close ends the connection, not politely: the server takes it as a client that has what it wanted.
func (s *sshSession) Close() error {
	s.stop()
	if s.client != nil {
		_ = s.client.Close() // it may be closed already, by the server or by time
		_ = s.client.Wait()
	}
	return nil
}

// stderr keeps the beginning of what a server says beside its answer.
type stderr struct {
	mu   sync.Mutex
	text []byte
}

func (t *stderr) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), 500-len(t.text))]...)
	return len(p), nil
}

func (t *stderr) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.text) == 0 {
		return "nothing"
	}
	return strconv.Quote(strings.TrimSpace(string(t.text)))
}
