package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// baseVariable names the server's own address among the variables it prints.
const baseVariable = "BENCH_BASE_URL"

// figures are what one command cost.
type figures struct {
	wall, cpu time.Duration
	rss       int64 // bytes at the peak; 0 where the system does not tell
	counts    map[string]int
}

// world is a folder of manifests and a server beside it.
type world struct {
	options
	dir    string
	server *exec.Cmd
	env    []string
	base   string
}

// start starts the server in a process of its own and writes nothing yet.
func start(o options) (*world, error) {
	w := &world{options: o}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if w.dir, err = os.MkdirTemp("", "agentsync-bench-"); err != nil {
		return nil, err
	}
	w.server = exec.Command(self, "-serve", "-vendor", o.vendor, "-agents", fmt.Sprint(o.agents), "-page", fmt.Sprint(o.page),
		"-latency", o.latency.String())
	w.server.Stderr = os.Stderr
	out, err := w.server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.server.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != ""; {
		w.env = append(w.env, lines.Text())
		if base, ok := strings.CutPrefix(lines.Text(), baseVariable+"="); ok {
			w.base = base
		}
	}
	return w, nil
}

// stop ends the server and removes the folder.
func (w *world) stop() {
	_ = w.server.Process.Kill()
	_ = w.server.Wait()
	_ = os.RemoveAll(w.dir)
}

// run runs a command in the world's folder and returns what it cost.
func (w *world) run(command string, args ...string) (figures, error) {
	if _, err := w.counts(); err != nil {
		return figures{}, err
	}
	c := exec.Command(command, args...)
	c.Dir, c.Env = w.dir, slices.Concat(os.Environ(), w.env)
	var out bytes.Buffer
	c.Stdout, c.Stderr = nil, &out
	began := time.Now()
	err := c.Run()
	f := figures{wall: time.Since(began)}
	if err != nil {
		return f, fmt.Errorf("%s %s: %w\n%s", command, strings.Join(args, " "), err, out.Bytes())
	}
	f.cpu, f.rss = c.ProcessState.UserTime()+c.ProcessState.SystemTime(), peak(c.ProcessState)
	f.counts, err = w.counts()
	return f, err
}

// counts returns the requests by verb since it was last called.
func (w *world) counts() (map[string]int, error) {
	answer, err := http.Get(w.base + countsPath)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var counts map[string]int
	return counts, json.NewDecoder(answer.Body).Decode(&counts)
}

// medians runs commands in turns, several times, so that what else the machine does meets all of them alike, and returns for each, figure by
// figure, the median.
func (w *world) medians(commands ...[]string) ([]figures, error) {
	all := make([][]figures, len(commands))
	for range max(1, w.runs) {
		for i, c := range commands {
			f, err := w.run(c[0], c[1:]...)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], f)
		}
	}
	middle := make([]figures, len(commands))
	for i, runs := range all {
		middle[i] = runs[0]
		middle[i].wall = medianOf(runs, func(f figures) time.Duration { return f.wall })
		middle[i].cpu = medianOf(runs, func(f figures) time.Duration { return f.cpu })
		middle[i].rss = medianOf(runs, func(f figures) int64 { return f.rss })
	}
	return middle, nil
}

func medianOf[T int64 | time.Duration](all []figures, of func(figures) T) T {
	values := make([]T, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
