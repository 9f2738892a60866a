package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/sandbox"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

func (a *app) sandboxCommand() *cobra.Command {
	var listen, data string
	var faults []string
	var latency time.Duration
	var empty bool
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve the four simulated vendor APIs",
		Long: `sandbox serves simulations of the four vendors' APIs over HTTP, strict as the vendors' pages: a wrong method, content type, field or
type is refused as the vendor would. It prints the environment variables that point agentsync at it, and runs until it is stopped. Data is
kept under .agentsync/sandbox, the same as for --sandbox; it listens on loopback only.

--fault switches something wrong on: "[METHOD] PATH KIND [times=N] [nth=N]", where PATH is a pattern with *.`,
		Example: `  agentsync sandbox --listen 127.0.0.1:8080
  agentsync sandbox --fault "PATCH /voicy/v1/update-agent/* 500 times=2"`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			host, _, err := net.SplitHostPort(listen)
			if err != nil || !rest.Loopback(host) {
				return usageError{fmt.Errorf("--listen: %q is not a loopback address with a port", listen), "for example --listen 127.0.0.1:8080"}
			}
			if data == "" {
				data = filepath.Join(a.dir, ".agentsync", "sandbox", "vendors")
			}
			server, err := sandbox.New(sandbox.Options{Dir: data, Seed: !empty, Latency: latency})
			if err != nil {
				return err
			}
			for _, text := range faults {
				fault, err := sandbox.ParseFault(text)
				if err != nil {
					return usageError{fmt.Errorf("--fault: %w", err), `for example --fault "GET /nova/api/* 503 times=1"`}
				}
				server.Fault(fault)
			}
			return a.serveSandbox(c.Context(), server, listen)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	c.Flags().StringVar(&data, "data", "", "folder of the vendors' data (default: .agentsync/sandbox/vendors)")
	c.Flags().BoolVar(&empty, "empty", false, "begin without the example company's agents")
	c.Flags().DurationVar(&latency, "latency", 0, "how long each answer takes")
	c.Flags().StringArrayVar(&faults, "fault", nil, "a fault to switch on (may be repeated)")
	return c
}

// serveSandbox serves until the first signal.
func (a *app) serveSandbox(ctx context.Context, server *sandbox.Server, listen string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	env := server.Env("http://" + listener.Addr().String())
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(a.stdout, "export %s=%s\n", name, env[name])
	}
	fmt.Fprintf(a.stderr, "agentsync: the sandbox serves http://%s until it is stopped\n", listener.Addr())
	web := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	select {
	case err = <-failed:
	case <-a.stop:
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = web.Shutdown(ending)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
