package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// app is the process as its commands see it. Only main fills it from the real one.
type app struct {
	args           []string
	dir            string
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
	now            func() time.Time
	hostname       string
	pid            int
	// reload gets a value for each SIGHUP.
	reload <-chan struct{}
	// onHangup takes SIGHUP for a wish to reload from now on; before that it ends the process, as for any command.
	onHangup func()
	// stop is closed by the first signal; interrupted then holds the exit code that it stands for.
	stop        <-chan struct{}
	interrupted atomic.Int32
}

// execute runs the command line and returns the exit code.
func (a *app) execute() int {
	root := a.root()
	root.SetArgs(a.args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(context.Background())
	complain(a.stderr, err)
	code := exitCode(err)
	if interrupted := int(a.interrupted.Load()); interrupted != 0 && code != exitOK {
		return interrupted
	}
	return code
}

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "agentsync",
		Short: "Keep the configuration of AI voice agents in Git",
		Long: `agentsync keeps the configuration of AI voice agents in Git. Manifests declare the desired agents; plan compares them with
the live agents at Convirza, Nova, Centerfy and Voicy; apply sends the smallest safe request.

Data goes to standard output, everything else to standard error. Every flag has an environment variable: --auto-approve is
AGENTSYNC_AUTO_APPROVE. A flag counts before its variable, that before the Config document, that before the default.`,
		Example: `  agentsync plan --sandbox examples/agents    a real plan, without a key
  agentsync plan agents/                      what would change
  agentsync apply agents/                     plan, ask, apply`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.flagsFromEnvironment(c) },
		Args:              cobra.NoArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{err, fmt.Sprintf("`%s --help` lists the flags", c.CommandPath())}
	})
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	root.AddCommand(a.initCommand(), a.importCommand(), a.fmtCommand(), a.validateCommand(), a.renderCommand(), a.planCommand(), a.commentCommand(), a.applyCommand(), a.driftCommand(), a.watchCommand(), a.undoCommand(), a.stateCommand(), a.schemaCommand(),
		a.explainCommand(), a.providersCommand(), a.sandboxCommand(), a.completionCommand(root), a.versionCommand())
	for _, c := range everyCommand(root) {
		wrapArgs(c)
	}
	return root
}

func everyCommand(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, child := range c.Commands() {
		all = append(all, everyCommand(child)...)
	}
	return all
}

// wrapArgs makes wrong arguments a usage error that points at the help.
func wrapArgs(c *cobra.Command) {
	check := c.Args
	if check == nil {
		return
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{err, fmt.Sprintf("`%s --help` shows how to call it", c.CommandPath())}
		}
		return nil
	}
}

// flagsFromEnvironment sets every flag that was not given from its AGENTSYNC_ variable.
func (a *app) flagsFromEnvironment(c *cobra.Command) error {
	var faults []error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" {
			return
		}
		name := "AGENTSYNC_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := a.getenv(name)
		if !ok || value == "" {
			return
		}
		if err := c.Flags().Set(f.Name, value); err != nil {
			faults = append(faults, usageError{fmt.Errorf("%s: %w", name, err), fmt.Sprintf("it stands for --%s", f.Name)})
		}
	})
	return errors.Join(faults...)
}

// terminal reports whether stream is one, and its width.
func terminal(stream any) (width int, ok bool) {
	file, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	return width, err == nil
}
