// Package s3test starts a real S3 server for tests: github.com/versity/versitygw, which honours conditional writes. It is built once from the module
// in .ci/tools/versitygw and kept in the user's cache. Its data lies in a temporary folder, whose file system must have extended attributes:
// the server's other way to keep ETags (--sidecar) is not atomic, and loses updates.
package s3test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The credentials and the region of every server.
const (
	AccessKey = "agentsync-test"
	SecretKey = "agentsync-test-secret-key"
	Region    = "us-east-1"
)

// Server is a running S3 server.
type Server struct {
	// Endpoint is its URL, on loopback and in plain HTTP.
	Endpoint string
	// Bucket is there from the start, and empty.
	Bucket string

	root string
}

// startTries is how often a port that somebody else took first is replaced by another.
const startTries = 5

// Start starts a server with an empty bucket. It ends with t, and its data with it.
func Start(t testing.TB) *Server {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatalf("build the S3 server: %v", err)
	}
	s := &Server{root: t.TempDir()}
	var faults []string
	for range startTries {
		fault := s.start(t, binary)
		if fault == "" {
			s.Bucket = s.NewBucket(t)
			return s
		}
		faults = append(faults, fault)
	}
	t.Fatalf("the S3 server does not start:\n%s", strings.Join(faults, "\n"))
	return nil
}

// NewBucket makes another empty bucket and returns its name.
func (s *Server) NewBucket(t testing.TB) string {
	t.Helper()
	name := "b" + strings.ToLower(rand.Text())
	if err := os.Mkdir(filepath.Join(s.root, name), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// URL returns the address of a prefix in a bucket, as --state takes it.
func (s *Server) URL(bucket, prefix string) string {
	return fmt.Sprintf("s3://%s/%s?endpoint=%s&region=%s", bucket, prefix, url.QueryEscape(s.Endpoint), Region)
}

// Getenv is an environment with nothing but the server's credentials.
func Getenv(name string) (string, bool) {
	value, ok := map[string]string{"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey}[name]
	return value, ok
}

// start runs the server on a port that is free, and returns what it said if it ended instead of answering.
func (s *Server) start(t testing.TB, binary string) (fault string) {
	t.Helper()
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	health := "/" + rand.Text() // an answer there is surely this server's
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, binary, "--port", port, "--region", Region, "--quiet", "--keep-alive", "--health", health, "posix", s.root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed in the end
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	s.Endpoint = "http://" + port
	for {
		select {
		case <-ended:
			return said.String()
		case <-time.After(20 * time.Millisecond):
		}
		if answers(ctx, s.Endpoint+health) {
			return ""
		}
	}
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// freePort returns an address on loopback where nobody listens now.
func freePort(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
