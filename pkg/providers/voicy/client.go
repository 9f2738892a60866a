package voicy

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

// The standard plan allows 60 requests a minute; the rate headers say more for others (rate-limits, checked 2026-11-21).
const (
	requestsPerMinute = 60
	maxInFlight       = 4
	timeout           = 30 * time.Second
)

// account is one Voicy account.
type account struct {
	dialect
	rest *rest.Client
}

var _ interface {
	providers.Provider
	providers.Lister
} = (*account)(nil)

// open makes an account; see [providers.Vendor].
func open(s providers.Settings) (providers.Provider, error) {
	var faults []error
	a := new(account)
	for _, d := range dialects() {
		if d.name == s.Generation.Name {
			a.dialect = d
		}
	}
	if a.name == "" {
		faults = append(faults, &providers.SetupError{Message: fmt.Sprintf("voicy: unknown API generation %q", s.Generation.Name), Cure: "set `api` in the Provider document to v1 or functions-v1"})
	}
	key := s.Value(fieldKey)
	if key == "" {
		faults = append(faults, &providers.SetupError{Message: "voicy: no API key", Cure: "set VOICY_API_KEY, or give the account in a Provider document (auth.apiKey)", Kind: rest.ErrAuth})
	}
	o := options(s, a.baseURL, key)
	client, err := rest.New(o)
	if err != nil {
		faults = append(faults, &providers.SetupError{Message: err.Error(), Cure: "see VOICY_BASE_URL, or baseURL and limits in the Provider document"})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	a.rest = client
	return a, nil
}

func options(s providers.Settings, baseURL, key string) rest.Options {
	return s.Options(rest.Options{
		Vendor: vendorName, BaseURL: baseURL,
		Authorize: func(_ context.Context, r *http.Request, _ bool) error {
			r.Header.Set("Authorization", "Bearer "+key)
			return nil
		},
		RequestsPerMinute: requestsPerMinute, MaxInFlight: maxInFlight, Timeout: timeout,
		Pace: pace, Adapts: true, Message: message,
	}, key)
}

// Create implements [providers.Provider].
func (a *account) Create(c providers.Change) providers.Write { return a.planCreate(c) }

// Update implements [providers.Provider].
func (a *account) Update(c providers.Change) providers.Write { return a.planUpdate(c) }

// Delete implements [providers.Provider].
func (a *account) Delete(l providers.Live) providers.Write { return a.planDelete(l) }

// Get implements [providers.Provider].
func (a *account) Get(ctx context.Context, id string) (providers.Live, error) {
	answer, err := a.rest.Do(ctx, rest.Request{Method: http.MethodGet, Path: agentPath(a.get, id)})
	if err != nil {
		return providers.Live{}, err
	}
	l, err := a.decodeAgent(answer)
	if err != nil {
		return providers.Live{}, err
	}
	if !strings.EqualFold(l.ID, id) {
		return providers.Live{}, answer.Odd("agent %s where %s was asked for", l.ID, id)
	}
	return l, nil
}

// List implements [providers.Lister].
func (a *account) List(ctx context.Context) ([]providers.Live, error) {
	answer, err := a.rest.Do(ctx, rest.Request{Method: http.MethodGet, Path: a.list, Rows: true})
	if err != nil {
		return nil, a.collectionError(err)
	}
	return a.decodeAgents(answer)
}

// collectionError keeps a 404 of the list from looking like a missing agent: Voicy's changelog shows routes that were withdrawn within a
// version (changelog, checked 2026-11-21).
func (a *account) collectionError(err error) error {
	return rest.OfCollection(err, fmt.Sprintf("the API generation %s is gone from this base URL: set `api: %s` in the Provider document, or correct baseURL",
		a.name, a.other))
}

// Limits implements [providers.Provider].
func (a *account) Limits() rest.Limits { return a.rest.Limits() }

// Send implements [providers.Provider].
func (a *account) Send(ctx context.Context, r providers.Request) (string, error) {
	answer, err := a.rest.Do(ctx, r.Request)
	if err != nil || !r.Creates {
		return "", err
	}
	return decodeCreated(answer)
}
