package gittest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSHServer serves one repository over ssh to whoever has a given key.
type SSHServer struct {
	// URL is the repository's address.
	URL string
	// KnownHosts is a file that names the server's key, Strangers one that names another key for the same address.
	KnownHosts, Strangers string
}

// ServeSSH starts a server for the repository, for the key whose public half is given in authorized_keys format.
func ServeSSH(t testing.TB, repo *Repo, public string) *SSHServer {
	t.Helper()
	allowed, _, _, _, err := ssh.ParseAuthorizedKey([]byte(public))
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "git" || !bytes.Equal(key.Marshal(), allowed.Marshal()) {
			return nil, errors.New("this key may not read")
		}
		return nil, nil
	}}
	host := hostKey(t)
	config.AddHostKey(host)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() { cancel(); listener.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serveConn(ctx, conn, config, repo) })
		}
	})
	address := listener.Addr().String()
	return &SSHServer{
		URL:        "ssh://git@" + address + "/" + filepath.Base(repo.Bare),
		KnownHosts: write(t, knownhosts.Line([]string{address}, host.PublicKey())),
		Strangers:  write(t, knownhosts.Line([]string{address}, hostKey(t).PublicKey())),
	}
}

func serveConn(ctx context.Context, conn net.Conn, config *ssh.ServerConfig, repo *Repo) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for c := range channels {
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		all.Go(func() { serveSession(ctx, channel, requests, repo) })
	}
}

func serveSession(ctx context.Context, channel ssh.Channel, requests <-chan *ssh.Request, repo *Repo) {
	defer channel.Close()
	for request := range requests {
		var command struct{ Line string }
		ok := request.Type == "exec" && ssh.Unmarshal(request.Payload, &command) == nil
		_ = request.Reply(ok, nil)
		if !ok {
			continue
		}
		go ssh.DiscardRequests(requests)
		status := uint32(0)
		if command.Line != "git-upload-pack '/"+filepath.Base(repo.Bare)+"'" {
			fmt.Fprintf(channel.Stderr(), "fatal: %s does not appear to be a git repository\n", strings.TrimPrefix(command.Line, "git-upload-pack "))
			status = 128
		} else {
			c := exec.CommandContext(ctx, "git", "upload-pack", repo.Bare)
			c.Env = environment(repo.home)
			c.WaitDelay = time.Second // its input stays open while the client does
			c.Stdin, c.Stdout, c.Stderr = channel, channel, channel.Stderr()
			if err := c.Run(); err != nil {
				status = 1
			}
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		return
	}
}

func hostKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func write(t testing.TB, line string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
