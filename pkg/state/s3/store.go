package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"agentsync.dev/agentsync/pkg/state"
)

const (
	// DefaultTimeout bounds one attempt where Options say nothing.
	DefaultTimeout = 30 * time.Second
	// patience is how many attempts' time one call of a method may take, with all its repeats.
	patience = 4
	// maxTries is how often one request is sent at most.
	maxTries = 5
	// firstPause is the wait before the first repeat; it doubles with each.
	firstPause = 100 * time.Millisecond
	// maxPages keeps a store that never ends its list from being listed for ever.
	maxPages = 10_000
	// markHeader marks an object with the write that made it.
	markHeader = "X-Amz-Meta-Agentsync-Write"
)

// Options are one store's.
type Options struct {
	// Getenv is the environment. AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID,
	// AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_PROFILE are read through it. The library reads the process's own environment
	// for the files of profiles (HOME, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE), for web identities (AWS_WEB_IDENTITY_TOKEN_FILE,
	// AWS_ROLE_ARN) and for a container's role (AWS_CONTAINER_*), and net/http does for proxies.
	Getenv func(string) (string, bool)
	// Timeout bounds one attempt at a request, from its connection to the last byte of its answer; 0 means [DefaultTimeout]. A method takes at
	// most four times as long, with all its repeats.
	Timeout time.Duration
	// UserAgent is sent with every request.
	UserAgent string
}

// Store is a [state.Store] in a bucket. Safe for use from several goroutines. See the package for how it writes.
type Store struct {
	client *client
	proof  proof
}

var _ state.Store = (*Store)(nil)

// Open returns the store at s3://bucket/prefix, with the parameters endpoint, region and pathStyle behind it where the environment does
// not say them. It sends nothing: what is wrong with the address is an *[AddressError].
func Open(address string, o Options) (*Store, error) {
	a, err := parse(address, o.Getenv)
	if err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // a compressed answer's ETag is another
	transport.MaxIdleConnsPerHost = 16
	return &Store{proof: newProof(), client: &client{
		address: a, timeout: o.Timeout, userAgent: o.UserAgent,
		credentials: credentials.New(&chain{getenv: o.Getenv, region: a.region}),
		http: &http.Client{Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}}, nil
}

// String returns s3://bucket/prefix.
func (s *Store) String() string { return s.client.String() }

// Get implements [state.Store].
func (s *Store) Get(ctx context.Context, key string) (state.Item, error) {
	ctx, end, err := s.begin(ctx, key)
	if err != nil {
		return state.Item{}, err
	}
	defer end()
	found, err := s.look(ctx, key)
	return found.Item, err
}

// List implements [state.Store]. Objects whose keys are not safe are none of the store's and are left out.
func (s *Store) List(ctx context.Context, prefix string) ([]state.Listed, error) {
	if err := errors.Join(ctx.Err(), state.CheckPrefix(prefix)); err != nil {
		return nil, err
	}
	above := s.client.full("") // "" or with a slash at its end
	query := url.Values{"list-type": {"2"}, "prefix": {above + prefix}}
	var listed []state.Listed
	for range maxPages {
		page, err := s.page(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			if key, ours := strings.CutPrefix(object.Key, above); ours && strings.HasPrefix(key, prefix) && state.CheckKey(key) == nil {
				listed = append(listed, state.Listed{Key: key, Version: version(object.ETag)})
			}
		}
		if !page.IsTruncated {
			slices.SortFunc(listed, func(a, b state.Listed) int { return strings.Compare(a.Key, b.Key) })
			return listed, nil
		}
		if page.NextContinuationToken == "" || page.NextContinuationToken == query.Get("continuation-token") {
			break
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
	return nil, fmt.Errorf("%s: the store's list of objects has no end", s)
}

// page is what the store says of a list: 1,000 objects at most.
type page struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Contents              []struct{ Key, ETag string }
	IsTruncated           bool
	NextContinuationToken string
}

func (s *Store) page(ctx context.Context, query url.Values) (page, error) {
	ctx, end := s.bounded(ctx)
	defer end()
	answer, err := s.read(ctx, request{method: http.MethodGet, query: query})
	if err != nil {
		return page{}, err
	}
	var p page
	if err := xml.Unmarshal(answer.body, &p); err != nil {
		return page{}, fmt.Errorf("%s: what the store lists cannot be read: %w", s, err)
	}
	return p, nil
}

// found is an object as it is now.
type found struct {
	state.Item
	mark string // of the write that made it
}

// look reads the object; its error matches state.ErrNotExist only where the store says that of the object itself.
func (s *Store) look(ctx context.Context, key string) (found, error) {
	answer, err := s.read(ctx, request{method: http.MethodGet, key: s.client.full(key)})
	var fault *Error
	if errors.As(err, &fault) && fault.Status == http.StatusNotFound && fault.Code == "NoSuchKey" {
		return found{}, s.says(key, state.ErrNotExist)
	}
	if err != nil {
		return found{}, err
	}
	item := state.Item{Key: key, Data: answer.body, Version: version(answer.header.Get("ETag"))}
	if item.Version == "" {
		return found{}, fmt.Errorf("%s/%s: the store's answer has no ETag", s, key)
	}
	return found{item, answer.header.Get(markHeader)}, nil
}

// read sends a request that may be repeated.
func (s *Store) read(ctx context.Context, r request) (answer, error) {
	for try := 1; ; try++ {
		a, err := s.client.do(ctx, r)
		var fault *Error
		if err == nil || try == maxTries || !errors.As(err, &fault) || !fault.transient() {
			return a, err
		}
		if err := pause(ctx, try, err); err != nil {
			return a, err
		}
	}
}

// begin checks a call and bounds it.
func (s *Store) begin(ctx context.Context, key string) (context.Context, context.CancelFunc, error) {
	if err := errors.Join(ctx.Err(), state.CheckKey(key)); err != nil {
		return nil, nil, err
	}
	ctx, end := s.bounded(ctx)
	return ctx, end, nil
}

func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	most := patience * s.client.timeout
	return context.WithTimeoutCause(ctx, most, fmt.Errorf("the store did not answer within %s", most))
}

// says is one of the errors of a [state.Store], which reads on from the object's name.
func (s *Store) says(key string, err error) error { return fmt.Errorf("%s/%s %w", s, key, err) }

// pause waits before try is repeated, or returns why there is no time for that, with the fault of the last try.
func pause(ctx context.Context, try int, last error) error {
	longest := firstPause << (try - 1)
	timer := time.NewTimer(longest/2 + mathrand.N(longest/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(last, cause) {
			return fmt.Errorf("%v: %w", last, cause)
		}
		return last
	}
}

// version is an ETag without its quotes.
func version(etag string) string { return strings.Trim(etag, `"`) }
