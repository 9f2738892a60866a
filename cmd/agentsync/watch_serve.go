package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"agentsync.dev/agentsync/internal/forge"
	"agentsync.dev/agentsync/internal/notify"
	"agentsync.dev/agentsync/internal/watch"
	"agentsync.dev/agentsync/internal/web"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// beside starts what a watcher has beside its loop: the server, the notifications, the statuses of commits. end stops all of it.
func (w *watching) beside(ctx context.Context, watcher *watch.Watcher) (all *sync.WaitGroup, end func(), err error) {
	notifier, err := w.notifier()
	if err != nil {
		return nil, nil, err
	}
	statuses, err := w.statuses()
	if err != nil {
		return nil, nil, err
	}
	ctx, end = context.WithCancel(ctx)
	all = &sync.WaitGroup{}
	if err := w.serve(ctx, all, watcher); err != nil {
		end()
		return nil, nil, err
	}
	if notifier != nil {
		all.Go(func() { notifier.Run(ctx, w.board) })
	}
	if statuses != nil {
		all.Go(func() {
			notify.KeepCommits(ctx, w.board, notify.Commits{Statuses: statuses, Link: w.flags.link, Log: w.log})
		})
	}
	return all, end, nil
}

// serve listens and serves until ctx ends.
func (w *watching) serve(ctx context.Context, all *sync.WaitGroup, watcher *watch.Watcher) error {
	f := w.flags
	if f.listen == "" {
		return nil
	}
	networks, err := prefixes(f.proxies)
	if err != nil {
		return err
	}
	o := web.Options{Board: w.board, Reconcile: watcher.Reconcile, Fetch: watcher.Fetch, Metrics: w.metrics.Handler(), Token: f.authToken,
		ProxyHeader: f.proxyHeader, ProxyFrom: networks, GitHubSecret: f.githubSecret, GitLabToken: f.gitlabHook, Hosts: f.hosts,
		StaleAfter: time.Minute, Done: ctx.Done(), Now: w.app.now, Log: w.log}
	if err := web.CheckExposure(f.listen, o); err != nil {
		return usageError{err, "for example AGENTSYNC_AUTH_TOKEN=$(openssl rand -hex 32)"}
	}
	handler, err := web.New(o)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return hinted{fmt.Errorf("--listen: %w", err), "is another watcher running here? port 0 takes a free one"}
	}
	w.log.Info("serving", "address", "http://"+listener.Addr().String())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	all.Go(func() {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close() // whoever still holds a connection has had his time
		}
	})
	all.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			w.log.Error("the server ended", "error", err)
		}
	})
	return nil
}

func prefixes(texts []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	var faults []error
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			faults = append(faults, usageError{fmt.Errorf("--trusted-proxy: %q is no address or network", text), "for example 10.0.0.7 or 10.0.0.0/8"})
			continue
		}
		list = append(list, prefix)
	}
	return list, errors.Join(faults...)
}

// toldNote is the name under which the state keeps what people were told.
const toldNote = "told.json"

// notifier tells people; nil where nobody is to be told.
func (w *watching) notifier() (*notify.Notifier, error) {
	f := w.flags
	var targets []notify.Target
	for i, url := range f.slack {
		targets = append(targets, notify.Target{Name: fmt.Sprintf("slack-%d", i+1), Format: notify.Slack, URL: url})
	}
	for i, url := range f.webhooks {
		targets = append(targets, notify.Target{Name: fmt.Sprintf("webhook-%d", i+1), Format: notify.JSON, URL: url, Secret: f.webhookSecret})
	}
	if len(targets) == 0 {
		return nil, nil
	}
	for _, t := range targets {
		w.mask.Add(t.URL)
	}
	o := notify.Options{Targets: targets, Settle: f.notifyAfter, Link: f.link, Notified: w.metrics.Notified, Log: w.log,
		Shared: rest.Shared{Log: w.log, Mask: w.mask, Now: w.app.now, UserAgent: userAgent()}}
	if !f.observe { // whoever observes writes nothing, and tells again after a restart
		o.Load = func(ctx context.Context) ([]byte, error) { return w.book.Note(ctx, toldNote) }
		o.Save = func(ctx context.Context, told []byte) error {
			if err := w.lease.Guard(); err != nil {
				return err
			}
			return w.book.SaveNote(ctx, toldNote, told)
		}
	}
	notifier, err := notify.New(o)
	if err != nil {
		return nil, usageError{err, "--notify-slack and --notify-webhook take https URLs"}
	}
	return notifier, nil
}

// statuses are those of the commits' forge; nil where none are to be set.
func (w *watching) statuses() (*forge.Statuses, error) {
	a := w.app
	o := forge.Options{Shared: rest.Shared{Log: w.log, Mask: w.mask, Now: a.now, UserAgent: userAgent()}}
	open, repository, token := forge.GitHubStatuses, "GITHUB_REPOSITORY", "GITHUB_TOKEN"
	switch w.flags.commitStatus {
	case "":
		return nil, nil
	case "github":
		o.BaseURL = cmp.Or(a.env("GITHUB_API_URL"), "https://api.github.com")
	case "gitlab":
		open, repository, token = forge.GitLabStatuses, "CI_PROJECT_ID", "GITLAB_TOKEN"
		o.BaseURL, o.Ref = cmp.Or(a.env("CI_API_V4_URL"), "https://gitlab.com/api/v4"), w.flags.branch
	}
	o.Repository, o.Token = a.env(repository), a.env(token)
	w.mask.Add(o.Token)
	for _, name := range []string{repository, token} {
		if a.env(name) == "" {
			return nil, usageError{fmt.Errorf("--commit-status: %s is not set", name), "repository and token are read from the environment"}
		}
	}
	return open(o)
}
