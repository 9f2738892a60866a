package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// What a server may send at most.
const (
	maxPack  = 1 << 30
	maxError = 64 << 10
)

// allDepth is how servers are asked for a whole history.
const allDepth = 0x7fffffff

var errTooLarge = fmt.Errorf("the server sent more than %d MiB: follow a repository without what manifests do not need", maxPack>>20)

// dialer begins one conversation with a Git server. It ends with ctx, whatever the server does.
type dialer func(ctx context.Context) (transport.UploadPackSession, error)

// httpDialer speaks smart HTTP. The returned function closes idle connections.
func httpDialer(l location, user string, password Secret) (dialer, func()) {
	rounds := http.DefaultTransport.(*http.Transport).Clone()
	client := githttp.NewClient(&http.Client{Transport: capped{rounds}})
	var auth transport.AuthMethod
	if password != "" {
		auth = &githttp.BasicAuth{Username: user, Password: string(password)}
	}
	return func(context.Context) (transport.UploadPackSession, error) {
		end := *l.endpoint // the session notes redirects in it
		return client.NewUploadPackSession(&end, auth)
	}, rounds.CloseIdleConnections
}

// capped bounds what is read of an answer.
type capped struct{ rounds http.RoundTripper }

func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.rounds.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	most := int64(maxPack)
	if res.StatusCode >= http.StatusMultipleChoices {
		most = maxError
	}
	res.Body = &cappedBody{res.Body, most}
	return res, nil
}

type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// advertised asks what the repository's branches and tags are.
func advertised(ctx context.Context, s transport.UploadPackSession) (refs, error) {
	ar, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return refs{}, err
	}
	r := refs{names: ar.References, peeled: ar.Peeled}
	if ar.Head != nil {
		r.head = *ar.Head
	}
	return r, nil
}

// pull fetches the commit or tag want, with depth commits of its history, into the repository whose files are in dir. have are commits
// that it holds without their history. With bare, commits may come without their files.
func pull(ctx context.Context, s transport.UploadPackSession, dir string, want plumbing.Hash, depth int, have []plumbing.Hash, bare bool) (err error) {
	ar, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return err
	}
	req := packp.NewUploadPackRequestFromCapabilities(ar.Capabilities)
	if ar.Capabilities.Supports(capability.NoProgress) {
		_ = req.Capabilities.Set(capability.NoProgress)
	}
	req.Wants = []plumbing.Hash{want}
	if ar.Capabilities.Supports(capability.Shallow) {
		_ = req.Capabilities.Set(capability.Shallow)
		req.Depth, req.Shallows, req.Haves = packp.DepthCommits(depth), have, have
	}
	if bare && ar.Capabilities.Supports(capability.Filter) {
		_ = req.Capabilities.Set(capability.Filter)
		req.Filter = packp.FilterTreeDepth(0)
	}
	res, err := s.UploadPack(ctx, req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	var pack io.Reader = res
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, res)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, res)
	}
	return savePack(dir, &cappedBody{io.NopCloser(pack), maxPack})
}
