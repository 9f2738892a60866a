package convirza

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// No limit of the API is documented; the login allows 10 a minute for all users behind one address (get-access-token, checked
// 2026-11-21).
const (
	requestsPerMinute = 300
	maxInFlight       = 2
	loginsPerMinute   = 10

	timeout       = 30 * time.Second
	uploadTimeout = 15 * time.Minute
)

// account is one Convirza account.
type account struct {
	listPath string
	// ready says that the token was given and cannot be renewed.
	ready bool
	api   *rest.Client
}

var _ interface {
	providers.Provider
	providers.Lister
} = (*account)(nil)

// open makes an account; see [providers.Vendor].
func open(s providers.Settings) (providers.Provider, error) {
	if s.Rest.Mask == nil {
		s.Rest.Mask = new(rest.Masker)
	}
	t := &tokens{
		email: s.Value(fieldEmail), password: s.Values[fieldPassword], mask: s.Rest.Mask, now: s.Rest.Now,
		current: pair{access: s.Value(fieldToken)},
	}
	t.mask.Add(t.password, t.current.access)
	a := &account{listPath: cmp.Or(s.Value(fieldListPath), agentsPath), ready: !t.canLogIn()}
	faults := []error{checkCredentials(s)}
	if !strings.HasPrefix(a.listPath, "/") || strings.ContainsAny(a.listPath, "?#") {
		faults = append(faults, &providers.SetupError{Message: "convirza: the path of the list begins with / and has no query", Cure: "see CONVIRZA_LIST_PATH, or listPath in the Provider document"})
	}
	connect := func(o rest.Options, cure string) *rest.Client {
		client, err := rest.New(o)
		if err != nil {
			faults = append(faults, &providers.SetupError{Message: err.Error(), Cure: "see " + cure + " in the Provider document"})
		}
		return client
	}
	o := options(s, t)
	a.api = connect(o, "CONVIRZA_BASE_URL, or baseURL and limits")
	o = loginOptions(s)
	if t.logins = connect(o, "CONVIRZA_OAUTH_URL, or oauthURL"); t.logins != nil {
		o.RequestsPerMinute, o.CountedBy = 0, ""
		t.refreshes = connect(o, "oauthURL")
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return a, nil
}

func checkCredentials(s providers.Settings) error {
	email, password := s.Value(fieldEmail), s.Values[fieldPassword]
	switch {
	case s.Value(fieldToken) != "" || (email != "" && password != ""):
		return nil
	case email != "":
		return &providers.SetupError{Message: "convirza: an e-mail address but no password", Cure: "set CONVIRZA_PASSWORD, or auth.password in the Provider document", Kind: rest.ErrAuth}
	case password != "":
		return &providers.SetupError{Message: "convirza: a password but no e-mail address", Cure: "set CONVIRZA_EMAIL, or auth.email in the Provider document", Kind: rest.ErrAuth}
	}
	return &providers.SetupError{Message: "convirza: no credentials", Cure: "set CONVIRZA_ACCESS_TOKEN, or CONVIRZA_EMAIL and CONVIRZA_PASSWORD, or auth in the Provider document", Kind: rest.ErrAuth}
}

func options(s providers.Settings, t *tokens) rest.Options {
	return s.Options(rest.Options{
		Vendor: vendorName, BaseURL: defaultBaseURL,
		Authorize: t.authorize, Renews: t.canLogIn(),
		RequestsPerMinute: requestsPerMinute, Even: true, MaxInFlight: maxInFlight, Timeout: timeout,
		CountedBy: cmp.Or(s.Value(fieldEmail), s.Value(fieldToken)), Message: message,
	})
}

func loginOptions(s providers.Settings) rest.Options {
	return rest.Options{
		Account: s.Account, Vendor: vendorName, BaseURL: cmp.Or(s.Value(fieldOAuthURL), defaultOAuthURL),
		RequestsPerMinute: loginsPerMinute, MaxInFlight: 1, Timeout: timeout, ThrottleWait: time.Minute,
		CountedBy: "logins", Message: message, Shared: s.Rest,
	}
}

// Create implements [providers.Provider].
func (a *account) Create(c providers.Change) providers.Write { return planCreate(c) }

// Update implements [providers.Provider].
func (a *account) Update(c providers.Change) providers.Write {
	return planUpdate(agentSchema().Type(), c)
}

// Delete implements [providers.Provider].
func (a *account) Delete(l providers.Live) providers.Write { return planDelete(l) }

// Get implements [providers.Provider].
func (a *account) Get(ctx context.Context, id string) (providers.Live, error) {
	path, err := agentPath(id)
	if err != nil {
		return providers.Live{}, fmt.Errorf("convirza: %w", err)
	}
	answer, err := a.do(ctx, rest.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return providers.Live{}, err
	}
	return decoded(answer, func(doc any) (providers.Live, error) {
		l, err := decodeAgent(agentSchema().Type(), doc)
		if err == nil && l.ID != id {
			err = fmt.Errorf("it is about agent %s", l.ID)
		}
		return l, err
	})
}

// List implements [providers.Lister].
func (a *account) List(ctx context.Context) ([]providers.Live, error) {
	rows, _, err := a.rows(ctx, false)
	return rows, err
}

// ListWhole implements [providers.WholeLister]: whether list items are whole is not documented.
func (a *account) ListWhole(ctx context.Context) (rows []providers.Live, whole bool, err error) {
	return a.rows(ctx, true)
}

// rows reads the pages of the list; with onlyWhole no more than the first where a row of that is not whole. Once the vendor has said how
// many agents there are, and has shown that it takes the size of a page, several pages are read at once.
func (a *account) rows(ctx context.Context, onlyWhole bool) (rows []providers.Live, whole bool, err error) {
	root := agentSchema().Type()
	var l listing
	for l.pages < maxPages {
		batch, err := providers.Batch(ctx, a.Limits(), 0, l.left(), func(ctx context.Context, i int) (page, error) {
			return a.page(ctx, l.read+i*pageSize)
		})
		if err != nil {
			return nil, false, err
		}
		last := false
		for _, p := range batch {
			if last, err = l.add(root, p); err != nil {
				return nil, false, p.answer.Odd("%w", err)
			}
			if onlyWhole && l.pages == 1 && !l.whole() {
				return l.agents, false, nil
			}
		}
		if !last {
			continue
		}
		if err := l.check(); err != nil {
			return nil, false, batch[len(batch)-1].answer.Odd("%w", err)
		}
		return l.agents, l.whole(), nil
	}
	return nil, false, fmt.Errorf("convirza: GET %s: %w: the list does not end after %d pages", a.listPath, rest.ErrOddAnswer, maxPages)
}

// page reads one page of the list.
func (a *account) page(ctx context.Context, offset int) (page, error) {
	answer, err := a.do(ctx, rest.Request{Method: http.MethodGet, Path: a.listPath, Query: url.Values{
		"limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(offset)},
	}})
	if err != nil {
		return page{}, listError(err)
	}
	p, err := decoded(answer, decodePage)
	p.answer = answer
	return p, err
}

// listError keeps a 404 of the list from looking like a missing agent: the list's path is an assumption (architecture, checked
// 2026-11-21).
func listError(err error) error {
	odd := rest.OfCollection(err, "")
	if odd == err {
		return err
	}
	return fmt.Errorf("%w; is the path of the list right? It is CONVIRZA_LIST_PATH, or listPath in the Provider document", odd)
}

// Limits implements [providers.Provider].
func (a *account) Limits() rest.Limits { return a.api.Limits() }

// Send implements [providers.Provider].
func (a *account) Send(ctx context.Context, r providers.Request) (string, error) {
	if slices.ContainsFunc(r.Form, func(p rest.Part) bool { return p.Open != nil }) {
		r.Timeout = uploadTimeout
	}
	answer, err := a.do(ctx, r.Request)
	if err != nil {
		return "", err
	}
	if !slices.Contains(accepted(r), answer.Status) {
		return "", answer.Odd("a status that the vendor does not document here")
	}
	if r.Creates {
		return decoded(answer, func(doc any) (string, error) {
			id, err := decodeCreated(agentSchema().Type(), doc)
			if err != nil {
				err = fmt.Errorf("the agent may be there, but the answer does not say its id; look for it by its name: %w", err)
			}
			return id, err
		})
	}
	if len(answer.Body) == 0 {
		return "", nil
	}
	_, err = decoded(answer, openEnvelope)
	return "", err
}

// accepted returns the statuses that may mean success. Only PUT's 200 is documented; the others are the usual ones, and reading the
// agent again settles what they mean.
func accepted(r providers.Request) []int {
	if r.Creates {
		return []int{http.StatusOK, http.StatusCreated}
	}
	return []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent}
}

// do sends r. A refusal gets what the vendor's answer leaves open: 401 is also its word for a missing role and for a foreign
// organisation (get-org-unit-hierarchy, checked 2026-11-21).
func (a *account) do(ctx context.Context, r rest.Request) (*rest.Answer, error) {
	answer, err := a.api.Do(remembering(ctx), r)
	var e *rest.Error
	if !errors.As(err, &e) || (e.Status != http.StatusUnauthorized && e.Status != http.StatusForbidden) {
		return answer, err
	}
	cure := "the cause may be the user's role, or an agent of another organisation"
	if a.ready {
		cure = "the access token may be at its end, and it cannot be renewed: set a new CONVIRZA_ACCESS_TOKEN, or CONVIRZA_EMAIL and CONVIRZA_PASSWORD; else " + cure
	}
	return nil, fmt.Errorf("%w; %s", err, cure)
}

// decoded reads the answer's JSON with read. A fault in either is an error that matches [rest.ErrOddAnswer], for a write
// [rest.ErrUnknownOutcome] too.
func decoded[T any](answer *rest.Answer, read func(doc any) (T, error)) (T, error) {
	var doc any
	var none T
	if err := rest.DecodeJSON(answer, &doc); err != nil {
		return none, err
	}
	v, err := read(doc)
	if err != nil {
		return none, answer.Odd("%w", err)
	}
	return v, nil
}
