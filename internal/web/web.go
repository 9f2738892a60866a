// Package web is what a watcher serves over HTTP: health, metrics, a JSON API, the webhooks of the forges, and a page for people. All that it
// shows comes from a [status.Board]; all that it can ask for is a look. It starts no goroutine of its own.
package web

import (
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"agentsync.dev/agentsync/internal/status"
)

// Options say what is served, and to whom.
type Options struct {
	// Board holds what is shown.
	Board *status.Board
	// Reconcile asks for a full look (no addresses) or for single agents. It does not wait, and returns false where nothing is taken any more
	// because the process shuts down.
	Reconcile func(addresses []string) bool
	// Fetch asks the source to look now. It does not wait; asking again before it looked changes nothing.
	Fetch func()
	// Metrics answers /metrics; nil for none.
	Metrics http.Handler
	// Token is the bearer token, and what a person signs in with, for everything but /healthz, /readyz, /metrics and the webhooks; "" for none.
	Token string
	// ProxyHeader names the header in which a trusted proxy says who the user is, and ProxyFrom the addresses it may come from; from any other
	// it means nothing. "" for no proxy.
	ProxyHeader string
	ProxyFrom   []netip.Prefix
	// GitHubSecret and GitLabToken are what the webhooks are checked with; "" turns a webhook off. A GitLabToken that begins with "whsec_" is a
	// signing token, any other a secret token.
	GitHubSecret, GitLabToken string
	// Hosts are the names, without port, under which people reach the page and the API; loopback names always are such. Empty means any name
	// where a Token or a ProxyHeader is set, and loopback names only otherwise, so that a web site cannot reach in by DNS rebinding.
	Hosts []string
	// StaleAfter is how old the last status may be before /healthz says that the loop is stuck; 0 means 15 minutes. It must be longer than the
	// interval at which the loop publishes.
	StaleAfter time.Duration
	// Streams is how many streams of events are served at once; 0 means 64.
	Streams int
	// Done is closed when the process shuts down; streams of events end then. Nil for never.
	Done <-chan struct{}
	Now  func() time.Time
	Log  *slog.Logger
}

const (
	defaultStaleAfter = 15 * time.Minute
	defaultStreams    = 64
)

// site is the handler's parts. Nothing in it changes after New but what is safe to.
type site struct {
	Options
	started time.Time
	pages   *template.Template
	assets  map[string]asset
	tries   *tries
	streams chan struct{} // a place for each stream
	// signingKey checks GitLab's signatures; nil where its webhooks carry a secret token.
	signingKey []byte
}

// New returns the handler. It keeps no goroutine beyond requests, and reads Options' functions only while it serves one.
//
//	/healthz /readyz /metrics           open to all; they name no agent
//	/webhooks/github /webhooks/gitlab   open to who signs
//	/assets/ /login                     open to all; they show nothing
//	/ /agents/PROVIDER/NAME /events     behind Token or ProxyHeader, where either is set
//	/look /logout                       likewise; forms of the page
//	/api/v1/...                         likewise
func New(o Options) (http.Handler, error) {
	switch {
	case o.Board == nil || o.Reconcile == nil || o.Fetch == nil || o.Now == nil || o.Log == nil:
		return nil, errors.New("web: Board, Reconcile, Fetch, Now and Log are needed")
	case o.ProxyHeader != "" && len(o.ProxyFrom) == 0:
		return nil, errors.New("web: a proxy header without the addresses of the proxy would let anybody say who they are: name the addresses")
	}
	if o.StaleAfter == 0 {
		o.StaleAfter = defaultStaleAfter
	}
	if o.Streams == 0 {
		o.Streams = defaultStreams
	}
	s := &site{Options: o, started: o.Now(), tries: newTries(), streams: make(chan struct{}, o.Streams)}
	var err error
	if s.signingKey, err = signingKey(o.GitLabToken); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = s.loadPages(); err != nil {
		return nil, err
	}
	return s.hardened(s.routes()), nil
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	open := func(path, method string, h http.HandlerFunc) { mux.Handle(path, s.only(method, h)) }
	guarded := func(path, method string, h http.HandlerFunc) {
		mux.Handle(path, s.forHosts(s.signedIn(s.only(method, h))))
	}

	open("/healthz", http.MethodGet, s.healthz)
	open("/readyz", http.MethodGet, s.readyz)
	if s.Metrics != nil {
		open("/metrics", http.MethodGet, s.Metrics.ServeHTTP)
	}
	open("/webhooks/github", http.MethodPost, s.github)
	open("/webhooks/gitlab", http.MethodPost, s.gitlab)
	open("/assets/{name}", http.MethodGet, s.asset)
	mux.Handle("/login", s.forHosts(http.HandlerFunc(s.login)))
	mux.Handle("/logout", s.forHosts(s.only(http.MethodPost, s.logout)))

	guarded("/{$}", http.MethodGet, s.overview)
	guarded("/agents/{provider}/{name}", http.MethodGet, s.agentPage)
	guarded("/look", http.MethodPost, s.look)
	guarded("/events", http.MethodGet, s.events)
	guarded("/api/v1/status", http.MethodGet, s.apiStatus)
	guarded("/api/v1/agents/{provider}/{name}", http.MethodGet, s.apiAgent)
	guarded("/api/v1/reconcile", http.MethodPost, s.apiReconcile)
	mux.Handle("/", s.forHosts(s.signedIn(http.HandlerFunc(s.notFound))))
	return mux
}
