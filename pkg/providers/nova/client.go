package nova

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// No limits are documented (checked 2026-11-21); this is the pace to start at.
const (
	requestsPerMinute = 300
	maxInFlight       = 2
	timeout           = 30 * time.Second
)

// The number of the first page and the largest size are not documented for agents; of the same API's voices they are 1 and 100 (js-sdk,
// checked 2026-11-21). maxPages ends a list that never does.
const (
	pageSize = 50
	maxPages = 1000
)

// wrongAddress is what a 404 of the collection means.
const wrongAddress = "no agents at this address: check NOVA_ORG_ID and NOVA_BASE_URL, or orgID and baseURL in the Provider document"

// account is one organisation at Nova.
type account struct {
	org
	rest *rest.Client
}

var _ interface {
	providers.Provider
	providers.Lister
} = (*account)(nil)

// open makes an account; see [providers.Vendor].
func open(s providers.Settings) (providers.Provider, error) {
	var faults []error
	key := s.Value(fieldKey)
	if key == "" {
		faults = append(faults, &providers.SetupError{Message: "nova: no API key", Cure: "set NOVA_API_KEY, or give the account in a Provider document (auth.apiKey)", Kind: rest.ErrAuth})
	}
	id := s.Value(fieldOrg)
	segment, err := rest.Segment(id)
	switch {
	case id == "":
		faults = append(faults, &providers.SetupError{Message: "nova: no organisation", Cure: "set NOVA_ORG_ID, or orgID in the Provider document"})
	case err != nil:
		faults = append(faults, &providers.SetupError{Message: "nova: organisation " + err.Error(), Cure: "correct NOVA_ORG_ID, or orgID in the Provider document"})
	}
	client, err := rest.New(options(s, key))
	if err != nil {
		faults = append(faults, &providers.SetupError{Message: err.Error(), Cure: "see NOVA_BASE_URL, or baseURL in the Provider document"})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &account{org: org(segment), rest: client}, nil
}

// options are the account's. X-API-Key is the documented header (update-agent, checked 2026-11-21); the SDKs' Bearer is not.
func options(s providers.Settings, key string) rest.Options {
	return s.Options(rest.Options{
		Vendor: vendorName, BaseURL: baseURL,
		Authorize: func(_ context.Context, r *http.Request, _ bool) error {
			r.Header.Set("X-API-Key", key)
			return nil
		},
		RequestsPerMinute: requestsPerMinute, Even: true, MaxInFlight: maxInFlight, Timeout: timeout,
		Message: message,
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
	path, err := a.agent(id)
	if err != nil {
		return providers.Live{}, fmt.Errorf("nova: %w", err)
	}
	answer, fields, err := a.rest.Object(ctx, rest.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return providers.Live{}, err
	}
	l, err := decodeAgent(fields)
	if err != nil {
		return providers.Live{}, answer.Odd("%w", err)
	}
	if l.ID != id {
		return providers.Live{}, answer.Odd("agent %s where %s was asked for", l.ID, id)
	}
	return l, nil
}

// List implements [providers.Lister]. Once the vendor has said how many pages there are, several are read at once.
func (a *account) List(ctx context.Context) ([]providers.Live, error) {
	all, last := newListing(), noPage()
	for number, more := 1, true; more; {
		batch, err := providers.Batch(ctx, a.Limits(), number, last.pages-number+1, a.page)
		if err != nil {
			return nil, err
		}
		for _, last = range batch {
			if more = all.add(number, last); more && number == maxPages {
				return nil, last.answer.Odd("the list does not end after %d pages", maxPages)
			}
			number++
		}
	}
	// Should pages count from 0, then the first is still to come.
	if !all.proven() {
		p, err := a.page(ctx, 0)
		if err != nil && !errors.Is(err, rest.ErrRejected) {
			return nil, err
		}
		all.add(0, p)
	}
	if err := all.complete(); err != nil {
		return nil, last.answer.Odd("%w", err)
	}
	return all.agents, nil
}

// page reads one page of the list.
func (a *account) page(ctx context.Context, number int) (page, error) {
	answer, fields, err := a.rest.Object(ctx, rest.Request{Method: http.MethodGet, Path: a.agents(), Query: url.Values{
		"page": {strconv.Itoa(number)}, "size": {strconv.Itoa(pageSize)},
	}})
	if err != nil {
		return noPage(), rest.OfCollection(err, wrongAddress)
	}
	p, err := decodePage(fields)
	if err != nil {
		return noPage(), answer.Odd("%w", err)
	}
	p.answer = answer
	return p, nil
}

// Limits implements [providers.Provider].
func (a *account) Limits() rest.Limits { return a.rest.Limits() }

// Send implements [providers.Provider].
func (a *account) Send(ctx context.Context, r providers.Request) (string, error) {
	if !r.Creates {
		_, err := a.rest.Do(ctx, r.Request)
		return "", err
	}
	answer, fields, err := a.rest.Object(ctx, r.Request)
	if err != nil {
		return "", err
	}
	l, err := decodeAgent(fields)
	if err != nil {
		return "", answer.Odd("the answer does not say the id of the new agent: %w", err)
	}
	return l.ID, nil
}
