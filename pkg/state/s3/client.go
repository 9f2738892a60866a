package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

// maxObject is the largest object that is written or read, and the largest answer, in bytes.
const maxObject = 16 << 20

// client sends single requests to one store.
type client struct {
	address
	http        *http.Client
	credentials *credentials.Credentials
	timeout     time.Duration
	userAgent   string
	mask        rest.Masker
}

// request is one call, as data.
type request struct {
	method string
	key    string // in the bucket; "" for the bucket itself
	query  url.Values
	header map[string]string
	body   []byte
}

type answer struct {
	header http.Header
	body   []byte
}

// do sends r once, and once more with renewed credentials where those it had are too old. Its error is an *Error.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	a, fault := c.attempt(ctx, r)
	if fault != nil && slices.Contains(renewable, fault.Code) {
		c.credentials.Expire()
		a, fault = c.attempt(ctx, r)
	}
	if fault != nil {
		return answer{}, fault
	}
	return a, nil
}

// renewable are the answers to credentials that may have been replaced since they were read.
var renewable = []string{"ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", codeNoUser}

func (c *client) attempt(ctx context.Context, r request) (answer, *Error) {
	fault := &Error{Method: r.method, Place: Scheme + c.bucket}
	if r.key != "" {
		fault.Place += "/" + r.key
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	signed, err := c.signed(ctx, r)
	if err != nil {
		fault.Code, fault.err = codeNoCredentials, errors.New(c.mask.Mask(err.Error()))
		return answer{}, fault
	}
	response, err := c.http.Do(signed)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		fault.err = err
		return answer{}, fault
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxObject+1))
	switch {
	case err != nil:
		fault.err = err
		return answer{}, fault
	case len(body) > maxObject:
		fault.Status, fault.err = response.StatusCode, fmt.Errorf("the answer is longer than %d bytes", maxObject)
		return answer{}, fault
	case response.StatusCode/100 == 2:
		return answer{response.Header, body}, nil
	}
	fault.Status = response.StatusCode
	var said struct{ Code, Message, Region string }
	if xml.Unmarshal(body, &said) == nil {
		fault.Code, fault.Message = short(said.Code), c.mask.Mask(short(said.Message))
	}
	fault.region = short(slices.MaxFunc([]string{said.Region, response.Header.Get("X-Amz-Bucket-Region")}, func(a, b string) int { return len(a) - len(b) }))
	return answer{}, fault
}

// signed makes the HTTP request. The content's hash is part of the signature, so a damaged upload is refused.
func (c *client) signed(ctx context.Context, r request) (*http.Request, error) {
	keys, err := c.keys(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, r.method, c.url(r.key, r.query).String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(r.body)
	request.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	if c.userAgent != "" {
		request.Header.Set("User-Agent", c.userAgent)
	}
	for name, value := range r.header {
		request.Header.Set(name, value)
	}
	return signer.SignV4(*request, keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, c.region), nil
}

// short is a store's own words, on one line and not too long.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), 300)]
}
