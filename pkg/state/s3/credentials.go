package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// metadataTimeout bounds the question to the machine for its role: on a machine without one nobody may ever answer.
const metadataTimeout = 5 * time.Second

// chain finds credentials where AWS tools look for them, in their order: the environment, a web identity, a profile, the role of the
// container or machine. A source that is there but does not work is an error, and not a reason to become somebody else.
type chain struct {
	getenv func(string) (string, bool)
	region string
	found  credentials.Provider // nil until one was found
}

// Retrieve implements [credentials.Provider].
func (c *chain) Retrieve() (credentials.Value, error) {
	return c.RetrieveWithCredContext(&credentials.CredContext{Context: context.Background()})
}

// IsExpired implements [credentials.Provider].
func (c *chain) IsExpired() bool { return c.found == nil || c.found.IsExpired() }

// RetrieveWithCredContext implements [credentials.Provider].
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	env := func(names ...string) string { return firstSet(c.getenv, names...) }
	id, secret := env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")
	if id != "" || secret != "" {
		if id == "" || secret == "" {
			return credentials.Value{}, errors.New("only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set")
		}
		return c.from(&credentials.Static{Value: credentials.Value{AccessKeyID: id, SecretAccessKey: secret, SessionToken: env("AWS_SESSION_TOKEN"), SignerType: credentials.SignatureV4}}, cc)
	}
	if env("AWS_WEB_IDENTITY_TOKEN_FILE") != "" {
		return c.from(&credentials.IAM{Region: c.region}, cc)
	}
	value, err := c.from(&credentials.FileAWSCredentials{Profile: env("AWS_PROFILE")}, cc)
	if err == nil && value.AccessKeyID != "" || err != nil && !errors.Is(err, os.ErrNotExist) && env("AWS_PROFILE") != "" {
		return value, err
	}
	if env("AWS_EC2_METADATA_DISABLED") == "true" && env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI") == "" {
		return credentials.Value{}, errNoCredentials
	}
	ctx, cancel := context.WithTimeout(cc.Context, metadataTimeout)
	defer cancel()
	value, err = c.from(&credentials.IAM{Region: c.region}, &credentials.CredContext{Client: cc.Client, Context: ctx})
	if err != nil {
		return value, fmt.Errorf("%w (and the machine has no role: %v)", errNoCredentials, err)
	}
	return value, nil
}

var errNoCredentials = errors.New("no credentials")

func (c *chain) from(p credentials.Provider, cc *credentials.CredContext) (credentials.Value, error) {
	value, err := p.RetrieveWithCredContext(cc)
	if err == nil {
		c.found = p
	}
	return value, err
}

// keys returns the credentials that hold now. While one caller waits for them to be found, the others do too, for as long as his
// request may take.
func (c *client) keys(ctx context.Context) (credentials.Value, error) {
	value, err := c.credentials.GetWithContext(&credentials.CredContext{Client: &http.Client{Transport: c.http.Transport}, Context: ctx})
	if err == nil && (value.AccessKeyID == "" || value.SecretAccessKey == "") {
		err = errNoCredentials
	}
	c.mask.Add(value.SecretAccessKey, value.SessionToken)
	return value, err
}
