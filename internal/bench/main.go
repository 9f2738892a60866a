// Command bench measures agentsync as people run it, beside the least that a program could do. It builds the command and the bare
// program, generates manifests, serves the simulated vendors from a process of its own, and prints what each command cost: time on the
// wall, time on the processors, memory at its peak, and requests by verb.
//
//	go run ./internal/bench                                      the tables of docs/performance.md
//	go run ./internal/bench -agents 100 -latency 0 -runs 1       a look
//	go run ./internal/bench -steps 'version;plan' -agents 1000   some of the steps
//
// Every figure is the median of its runs, which take turns with those of the bare program; what changes the world runs once.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options say what one world is like.
type options struct {
	vendor, style  string
	agents, page   int
	latency        time.Duration
	inFlight, runs int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	o := options{}
	agents := flag.String("agents", "100,1000,5000", "numbers of agents, with commas")
	latencies := flag.String("latency", "0,50ms", "how long each answer takes, with commas")
	flag.StringVar(&o.vendor, "vendor", "voicy", "voicy, nova, centerfy or convirza")
	flag.StringVar(&o.style, "prompts", "literal", "how prompts stand in the manifests: literal (|) or quoted")
	flag.IntVar(&o.page, "page", 100, "rows of a page, where lists have pages")
	flag.IntVar(&o.inFlight, "in-flight", 16, "requests at the same time")
	flag.IntVar(&o.runs, "runs", 3, "runs of each command that changes nothing")
	chosen := flag.String("steps", "", "only these steps, with semicolons; the world changes all the same")
	markdown := flag.Bool("markdown", false, "print tables for a page")
	keep := flag.Bool("serve", false, "serve only (the benchmark starts itself so)")
	flag.Parse()
	sizes, err := list(*agents, strconv.Atoi)
	if err != nil {
		return err
	}
	delays, err := list(*latencies, time.ParseDuration)
	if err != nil {
		return err
	}
	if _, known := vendors()[o.vendor]; !known {
		return fmt.Errorf("unknown vendor %q", o.vendor)
	}
	if *keep {
		o.agents, o.latency = sizes[0], delays[0]
		return serve(o)
	}
	tools, err := build()
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(tools.agentsync))
	fmt.Printf("The sandbox enforces no limits, and the Provider document allows %d requests at a time and a million in a minute.\n", o.inFlight)
	for _, o.latency = range delays {
		for _, o.agents = range sizes {
			t := &table{options: o, markdown: *markdown, steps: strings.FieldsFunc(*chosen, func(r rune) bool { return r == ';' })}
			if err := t.measure(tools); err != nil {
				return err
			}
		}
	}
	return nil
}

func list[T any](text string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for part := range strings.SplitSeq(text, ",") {
		value, err := parse(part)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, nil
}

// tools are the built programs.
type tools struct{ agentsync, bare string }

// build builds the command as it is released, and the bare program in the same way.
func build() (tools, error) {
	dir, err := os.MkdirTemp("", "agentsync-bench-tools-")
	if err != nil {
		return tools{}, err
	}
	t := tools{filepath.Join(dir, "agentsync"), filepath.Join(dir, "bare")}
	for path, name := range map[string]string{t.agentsync: "./cmd/agentsync", t.bare: "./internal/bench/bare"} {
		c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, name)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return t, fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return t, nil
}

// measure runs the steps in one world.
func (t *table) measure(with tools) error {
	w, err := start(t.options)
	if err != nil {
		return err
	}
	defer w.stop()
	if err := w.account(); err != nil {
		return err
	}
	if err := w.declare(0, t.agents, 0); err != nil {
		return err
	}
	t.begin()
	bare := []string{with.bare, "-list", w.base + rowsPath + "?page=", w.dir}
	bareStart := []string{with.bare, filepath.Join(w.dir, "none")}
	// Beside the bare program, in turns with it.
	beside := func(name string, against []string, args ...string) step {
		return step{name: name, run: func() (f, than figures, err error) {
			both, err := w.medians(against, append([]string{with.agentsync}, args...))
			if err != nil {
				return f, than, err
			}
			return both[1], both[0], nil
		}}
	}
	once := func(name string, args ...string) step {
		return step{name: name, must: true, run: func() (f, than figures, err error) {
			f, err = w.run(with.agentsync, args...)
			return f, than, err
		}}
	}
	write := func(s step, to, generation int) step {
		s.before = func() error { return w.declare(0, to, generation) }
		return s
	}
	for _, s := range []step{
		beside("version", bareStart, "version"),
		beside("validate", bare, "validate"),
		beside("plan, all to create", bare, "plan", "--summary"),
		once("apply, create all", "apply", "--auto-approve"),
		beside("plan", bare, "plan", "--summary"),
		write(beside("plan, 1 changed", bare, "plan", "--summary"), 1, 1),
		once("apply, 1 changed", "apply", "--auto-approve"),
		write(beside("plan, all changed", bare, "plan", "--summary", "--force-large-change"), t.agents, 2),
		once("apply, all changed", "apply", "--auto-approve", "--force-large-change"),
	} {
		if err := t.step(s); err != nil {
			return err
		}
	}
	return nil
}

// step is one row of a table: run returns its figures and those of the bare program, if they were measured beside it; must says that what
// follows needs it.
type step struct {
	name   string
	must   bool
	before func() error
	run    func() (f, than figures, err error)
}

func (t *table) step(s step) error {
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	wanted := len(t.steps) == 0 || slices.Contains(t.steps, s.name)
	if !wanted && !s.must {
		return nil
	}
	f, than, err := s.run()
	if err == nil && wanted {
		t.row(s.name, f, than)
	}
	return err
}
