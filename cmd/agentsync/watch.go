package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agentsync.dev/agentsync/internal/source"
	"agentsync.dev/agentsync/internal/watch"
)

// watchFlags are watch's own.
type watchFlags struct {
	flags
	git                      string
	branch, tag              string
	gitUser, gitToken        string
	gitInterval              time.Duration
	sshKey, sshPassphrase    string
	knownHosts, signers      []string
	cache                    string
	interval, lease, grace   time.Duration
	observe                  bool
	keepRuns                 int
	listen, authToken        string
	hosts                    []string
	proxyHeader              string
	proxies                  []string
	githubSecret, gitlabHook string
	slack, webhooks          []string
	webhookSecret, link      string
	notifyAfter              time.Duration
	commitStatus             string
}

func (a *app) watchCommand() *cobra.Command {
	f := &watchFlags{}
	c := &cobra.Command{
		Use:   "watch [PATH...]",
		Short: "Keep the live agents equal to a config repository, all the time",
		Long: `watch follows manifests in folders, or a branch or tag of a Git remote (--git; PATHs count from its top then), and keeps the live agents equal
to them: it looks at what changed when a manifest changes, and at everything once in an --interval. It plans and applies as plan and apply
do, with the same refusals: live values that agentsync did not write are put back only where the policy says "drift: overwrite".

A broken commit, and a branch that was rewritten, leave the last good revision in force. One broken agent or vendor holds up no other. Of
several watchers with the same --state one writes; another takes over within the time of --lease. SIGTERM finishes what is in flight; SIGHUP
looks at everything again.

--listen serves a page for people, an API, metrics and webhooks. Secrets are best given by their variables: AGENTSYNC_AUTH_TOKEN,
AGENTSYNC_GIT_TOKEN, AGENTSYNC_NOTIFY_SLACK.`,
		Example: `  agentsync watch agents/
  agentsync watch --observe --listen 127.0.0.1:8080 agents/         look, and never write
  agentsync watch --git https://git.example.com/voice/agents.git --branch main --state s3://bucket/voice`,
		RunE: func(c *cobra.Command, paths []string) error {
			if err := f.checkWatch(c, paths); err != nil {
				return err
			}
			return a.watch(c.Context(), f, paths)
		},
	}
	f.manifests(c.Flags())
	f.online(c.Flags())
	f.following(c.Flags())
	f.looping(c.Flags())
	f.serving(c.Flags())
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log reads and rounds that found nothing to do")
	c.Flags().StringVar(&f.logFormat, "log-format", "text", "format of the log on standard error: text or json")
	return c
}

func (f *watchFlags) following(set *pflag.FlagSet) {
	set.StringVar(&f.git, "git", "", "follow this Git remote instead of a folder: https://, ssh://, git@host:path, file://")
	set.StringVar(&f.branch, "branch", "", "the branch of --git (default: the remote's HEAD)")
	set.StringVar(&f.tag, "tag", "", "the tag of --git, instead of a branch")
	set.StringVar(&f.gitUser, "git-user", "", "user name for https, where the remote needs one")
	set.StringVar(&f.gitToken, "git-token", "", "token or password for https")
	set.StringVar(&f.sshKey, "ssh-key", "", "file of the private key for ssh (default: the agent at $SSH_AUTH_SOCK)")
	set.StringVar(&f.sshPassphrase, "ssh-passphrase", "", "passphrase of --ssh-key")
	set.StringSliceVar(&f.knownHosts, "known-hosts", nil, "files with the keys of ssh servers (default: ~/.ssh/known_hosts)")
	set.StringSliceVar(&f.signers, "verify-signatures", nil, "follow only commits signed by a key in these files (ssh allowed_signers, or armored OpenPGP)")
	set.DurationVar(&f.gitInterval, "git-interval", time.Minute, "how often to fetch; a webhook fetches at once")
	set.StringVar(&f.cache, "git-cache", "", "folder for what is fetched (default: in the user's cache folder)")
}

func (f *watchFlags) looping(set *pflag.FlagSet) {
	set.DurationVar(&f.interval, "interval", 5*time.Minute, "how often to look at every agent")
	set.BoolVar(&f.observe, "observe", false, "plan and report, never write")
	set.DurationVar(&f.lease, "lease", 15*time.Second, "within this time another watcher takes over from one that is gone")
	set.DurationVar(&f.grace, "grace", 30*time.Second, "how long to wait for writes in flight when stopped")
	set.IntVar(&f.keepRuns, "keep-runs", 200, "of how many runs to keep the snapshots that undo needs; 0 keeps all")
	set.BoolVar(&f.adopt, "adopt", false, "bind live agents that have a manifest's name and are not managed yet")
	set.StringVar(&f.onDrift, "on-drift", "", "for all agents: refuse, overwrite or ignore live values agentsync did not write")
	set.BoolVar(&f.prune, "prune", false, "delete agents that the state knows and no manifest declares")
	set.IntVar(&f.maxDeletes, "max-deletes", -1, "most agents deleted for one revision (default: limits.maxDeletes, or 1)")
}

func (f *watchFlags) serving(set *pflag.FlagSet) {
	set.StringVar(&f.listen, "listen", "", "serve the page, the API, metrics and webhooks at this address, for example 127.0.0.1:8080")
	set.StringVar(&f.authToken, "auth-token", "", "what people sign in with, and the API's bearer token; needed beyond loopback")
	set.StringSliceVar(&f.hosts, "host", nil, "name under which the page is reached (may be repeated)")
	set.StringVar(&f.proxyHeader, "proxy-header", "", "header in which a trusted proxy says who the user is, instead of --auth-token")
	set.StringSliceVar(&f.proxies, "trusted-proxy", nil, "address or network of that proxy (may be repeated)")
	set.StringVar(&f.githubSecret, "github-webhook-secret", "", "secret of the webhook at /webhooks/github")
	set.StringVar(&f.gitlabHook, "gitlab-webhook-token", "", "secret or signing token of the webhook at /webhooks/gitlab")
	set.StringArrayVar(&f.slack, "notify-slack", nil, "tell this Slack-compatible webhook what goes wrong and when it is over (may be repeated)")
	set.StringArrayVar(&f.webhooks, "notify-webhook", nil, "tell this webhook in JSON (may be repeated)")
	set.StringVar(&f.webhookSecret, "notify-secret", "", "sign what --notify-webhook is told with this secret")
	set.DurationVar(&f.notifyAfter, "notify-after", time.Minute, "how long something has to last before it is told")
	set.StringVar(&f.link, "link", "", "address of the page, for notifications and commit statuses")
	set.StringVar(&f.commitStatus, "commit-status", "", "set statuses of commits at github or gitlab, as the environment says: GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_PROJECT_ID and GITLAB_TOKEN")
}

func (f *watchFlags) checkWatch(c *cobra.Command, paths []string) error {
	faults := []error{oneOf(c, "log-format", f.logFormat, "text", "json")}
	if f.onDrift != "" {
		faults = append(faults, oneOf(c, "on-drift", f.onDrift, "refuse", "overwrite", "ignore"))
	}
	if f.commitStatus != "" {
		faults = append(faults, oneOf(c, "commit-status", f.commitStatus, "github", "gitlab"))
	}
	wrong := func(message, hint string) { faults = append(faults, usageError{errors.New(message), hint}) }
	if f.branch != "" && f.tag != "" {
		wrong("--branch and --tag exclude each other", "give one of them")
	}
	if f.git == "" && (f.branch != "" || f.tag != "" || len(f.signers) > 0) {
		wrong("--branch, --tag and --verify-signatures are for --git", "name the remote with --git URL")
	}
	if f.interval < time.Second || f.gitInterval < time.Second {
		wrong("--interval and --git-interval are at least 1s", "for example --interval 5m")
	}
	if f.lease < time.Second || f.grace < 0 || f.keepRuns < 0 {
		wrong("--lease is at least 1s, --grace and --keep-runs are not negative", "for example --lease 15s --grace 30s")
	}
	for _, path := range paths {
		if path == "-" {
			wrong("standard input cannot be watched", "name a folder, or a remote with --git URL")
		}
		if f.git != "" && !filepath.IsLocal(path) {
			wrong(fmt.Sprintf("%s: with --git, PATHs count from the repository's top", path), "for example agents")
		}
	}
	if f.proxyHeader != "" && len(f.proxies) == 0 {
		wrong("--proxy-header needs --trusted-proxy", "name the addresses the header may come from, for example 10.0.0.0/8")
	}
	return errors.Join(faults...)
}

// watch runs until it is stopped.
func (a *app) watch(ctx context.Context, f *watchFlags, paths []string) error {
	a.onHangup()
	w, err := a.newWatching(ctx, f, paths)
	if err != nil {
		return err
	}
	from, err := w.source()
	if err != nil {
		return err
	}
	if err := w.openBook(ctx); err != nil {
		return err
	}
	watcher, err := w.watcher(from)
	if err != nil {
		return err
	}
	beside, end, err := w.beside(ctx, watcher)
	if err != nil {
		return err
	}
	w.log.Info("watching", "source", from.Location(), "state", w.book.String(), "observe", f.observe, "version", version())
	err = watcher.Run(ctx)
	end()
	beside.Wait()
	if errors.Is(err, watch.ErrCutShort) {
		return hinted{err, "the next run settles what is unknown; --grace gives more time"}
	}
	return err
}

// source opens the folder or the remote.
func (w *watching) source() (watch.Source, error) {
	f := w.flags
	if f.git == "" {
		dirs, err := w.folders()
		if err != nil {
			return nil, err
		}
		return source.NewFolder(source.FolderOptions{Dirs: dirs, Now: w.app.now, Log: w.log})
	}
	cache, err := w.cacheFolder()
	if err != nil {
		return nil, err
	}
	remote, err := source.NewRemote(source.RemoteOptions{URL: f.git, User: f.gitUser, Password: source.Secret(f.gitToken), SSHKey: f.sshKey,
		SSHPassphrase: source.Secret(f.sshPassphrase), SSHAgent: w.app.env("SSH_AUTH_SOCK"), KnownHosts: w.knownHosts(), Ref: f.ref(), Cache: cache,
		SignedBy: f.signers, Interval: f.gitInterval, Now: w.app.now, Log: w.log})
	if err != nil {
		return nil, usageError{err, "`agentsync watch --help` lists the flags"}
	}
	return remote, nil
}

// ref is what is followed, in full where the kind is known.
func (f *watchFlags) ref() string {
	switch {
	case f.tag != "":
		return "refs/tags/" + strings.TrimPrefix(f.tag, "refs/tags/")
	case f.branch != "":
		return "refs/heads/" + strings.TrimPrefix(f.branch, "refs/heads/")
	}
	return ""
}

// newLog writes to standard error, with secrets masked.
func (w *watching) newLog() *slog.Logger {
	level := slog.LevelInfo
	if w.flags.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	out := maskedWriter{w.app.stderr, w.mask}
	if w.flags.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
