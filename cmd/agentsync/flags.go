package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agentsync.dev/agentsync/internal/render"
)

// flags are the flags that several commands share. A command adds the groups it understands.
type flags struct {
	kustomize   string
	providers   []string
	selector    string
	targets     []string
	state       string
	sandbox     bool
	allowHosts  []string
	parallelism int
	timeout     time.Duration
	output      string
	outputs     []string // what output may be
	color       string
	verbose     bool
	quiet       bool
	logFormat   string
	adopt       bool
	onDrift     string
	prune       bool
	maxDeletes  int
	forceLarge  bool
	// summary and onlyDrift say how a plan is shown as text; markdownLimit, how long markdown may get.
	summary       bool
	onlyDrift     bool
	markdownLimit int
	// base and changedSince name commits; "" for none.
	base, changedSince string
}

func (f *flags) manifests(set *pflag.FlagSet) {
	set.StringVarP(&f.kustomize, "kustomize", "k", "", "build this folder with kustomize instead of reading PATHs")
	set.StringSliceVar(&f.providers, "provider", nil, "only agents of this provider (may be repeated)")
	set.StringVarP(&f.selector, "selector", "l", "", "only agents with these labels, for example env=prod,team!=sales")
	set.StringSliceVar(&f.targets, "target", nil, "only the agent with this address, for example voicy/front-desk (may be repeated)")
}

func (f *flags) online(set *pflag.FlagSet) {
	f.states(set)
	set.StringSliceVar(&f.allowHosts, "allow-host", nil, "let a manifest's baseURL send keys to this host (may be repeated)")
	set.IntVar(&f.parallelism, "parallelism", 4, "agents worked on at once, per account")
	set.DurationVar(&f.timeout, "timeout", 0, "bound on one request (default: the Provider document's, or 30s)")
}

func (f *flags) states(set *pflag.FlagSet) {
	set.StringVar(&f.state, "state", "", "where the state is kept: a folder or s3://bucket/prefix (default: .agentsync beside the Config document or here)")
	set.BoolVar(&f.sandbox, "sandbox", false, "use simulated vendors inside the process, with data under .agentsync/sandbox")
}

func (f *flags) planning(set *pflag.FlagSet) {
	set.BoolVar(&f.adopt, "adopt", false, "bind live agents that have a manifest's name and are not managed yet")
	set.StringVar(&f.onDrift, "on-drift", "", "for all agents: refuse, overwrite or ignore live values agentsync did not write")
	set.BoolVar(&f.prune, "prune", false, "delete agents that the state knows and no manifest declares")
	set.IntVar(&f.maxDeletes, "max-deletes", -1, "most agents one run may delete (default: limits.maxDeletes, or 1)")
	set.BoolVar(&f.forceLarge, "force-large-change", false, "allow a plan beyond limits.maxChangedPercent")
}

func (f *flags) formats(set *pflag.FlagSet, formats ...string) {
	f.writes(set, formats...)
	set.StringVar(&f.color, "color", "auto", "colour: auto, always or never (NO_COLOR is honoured)")
	if slices.Contains(formats, "markdown") {
		set.IntVar(&f.markdownLimit, "markdown-limit", render.GitHubLimit, "most characters of -o markdown; GitLab takes 1000000")
	}
}

// writes adds -o alone, for what is shown without colours.
func (f *flags) writes(set *pflag.FlagSet, formats ...string) {
	f.outputs = formats
	set.StringVarP(&f.output, "output", "o", formats[0], "output format: "+strings.Join(formats, ", "))
}

func (f *flags) checkOutput(c *cobra.Command) error {
	return oneOf(c, "output", f.output, f.outputs...)
}

func (f *flags) summarizing(set *pflag.FlagSet) {
	set.BoolVar(&f.summary, "summary", false, "show one line for each agent")
}

func (f *flags) bases(set *pflag.FlagSet) {
	set.StringVar(&f.base, "base", "", "where the state knows nothing, take the manifests at this commit for what was applied last")
}

func (f *flags) changes(set *pflag.FlagSet) {
	set.StringVar(&f.changedSince, "changed-since", "", "only agents whose manifests changed since this commit")
}

// checkMarkdown refuses a limit into which nothing fits. Commands without the flag have 0.
func (f *flags) checkMarkdown(c *cobra.Command) error {
	if f.markdownLimit == 0 || f.markdownLimit >= render.LeastLimit {
		return nil
	}
	return usageError{fmt.Errorf("--markdown-limit: %d is less than %d", f.markdownLimit, render.LeastLimit),
		fmt.Sprintf("`%s --help` lists the flags", c.CommandPath())}
}

func (f *flags) talking(set *pflag.FlagSet) {
	set.BoolVarP(&f.verbose, "verbose", "v", false, "show requests and more detail")
	set.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	set.StringVar(&f.logFormat, "log-format", "text", "format of log lines on standard error: text or json")
}

// oneOf checks the value of a flag that takes one of a few words.
func oneOf(c *cobra.Command, flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return usageError{fmt.Errorf("--%s: %q is not one of %s", flag, value, strings.Join(allowed, ", ")),
		fmt.Sprintf("`%s --help` lists the flags", c.CommandPath())}
}
