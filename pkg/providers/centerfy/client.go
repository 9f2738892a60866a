package centerfy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// The vendor allows 60 requests a minute for each key and sends no rate headers (overview, checked 2026-11-21).
const (
	requestsPerMinute = 50
	maxInFlight       = 2
	timeout           = 30 * time.Second
)

// account is one Centerfy account: a key, which is bound to one organisation and sub-account.
type account struct {
	rest *rest.Client
}

var _ providers.Provider = (*account)(nil)

// open makes an account; see [providers.Vendor].
func open(s providers.Settings) (providers.Provider, error) {
	var faults []error
	key := s.Value(fieldKey)
	if key == "" {
		faults = append(faults, &providers.SetupError{Message: "centerfy: no API key", Cure: "set CENTERFY_API_KEY, or give the account in a Provider document (auth.apiKey)", Kind: rest.ErrAuth})
	}
	client, err := rest.New(options(s, key))
	if err != nil {
		faults = append(faults, &providers.SetupError{Message: err.Error(), Cure: "see CENTERFY_BASE_URL, or baseURL in the Provider document"})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &account{rest: client}, nil
}

// options are the account's. Every page shows x-api-key, some offer Bearer besides; one header is enough (overview, checked 2026-11-21).
func options(s providers.Settings, key string) rest.Options {
	return s.Options(rest.Options{
		Vendor: vendorName, BaseURL: baseURL,
		Authorize: func(_ context.Context, r *http.Request, _ bool) error {
			r.Header.Set("x-api-key", key)
			return nil
		},
		RequestsPerMinute: requestsPerMinute, MaxInFlight: maxInFlight, Timeout: timeout,
		Message:      message,
		ThrottleWait: 5 * time.Second, // "wait a few seconds" (overview, checked 2026-11-21)
	}, key)
}

// Create implements [providers.Provider].
func (a *account) Create(c providers.Change) providers.Write { return planCreate(c) }

// Update implements [providers.Provider].
func (a *account) Update(c providers.Change) providers.Write { return planUpdate(c) }

// Delete implements [providers.Provider].
func (a *account) Delete(l providers.Live) providers.Write { return planDelete(l) }

// Get implements [providers.Provider]. A 404 says that the agent is gone or archived: which of the two is not documented.
func (a *account) Get(ctx context.Context, id string) (providers.Live, error) {
	segment, err := rest.Segment(id)
	if err != nil {
		return providers.Live{}, fmt.Errorf("centerfy: %w", err)
	}
	answer, fields, err := a.rest.Object(ctx, rest.Request{Method: http.MethodGet, Path: "/get-agent/" + segment})
	if err != nil {
		return providers.Live{}, err
	}
	l, err := decodeAgent(fields)
	if err != nil {
		return providers.Live{}, answer.Odd("%w", err)
	}
	// Ids are UUIDs, in which case means nothing.
	if !strings.EqualFold(l.ID, id) {
		return providers.Live{}, answer.Odd("agent %s where %s was asked for", l.ID, id)
	}
	return l, nil
}

// Limits implements [providers.Provider].
func (a *account) Limits() rest.Limits { return a.rest.Limits() }

// Send implements [providers.Provider]. The answer of an update shows four fields and proves nothing of the others, so it is not
// read (update-agent, checked 2026-11-21).
func (a *account) Send(ctx context.Context, r providers.Request) (string, error) {
	if !r.Creates {
		_, err := a.rest.Do(ctx, r.Request)
		return "", err
	}
	answer, fields, err := a.rest.Object(ctx, r.Request)
	if err != nil {
		return "", err
	}
	id, err := decodeCreated(fields)
	if err != nil {
		return "", answer.Odd("the answer does not say the id of the new agent: %w", err)
	}
	return id, nil
}
