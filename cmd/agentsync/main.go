// Command agentsync keeps the configuration of AI voice agents in Git: it plans manifests against the live agents of Convirza, Nova,
// Centerfy and Voicy, and applies them.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // freeze windows name time zones, and the container has no database of them
)

func main() {
	os.Exit(run())
}

// run is the process: it turns the environment into an [app], and signals into a gentle stop first and a hard one after.
func run() int {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	stop := make(chan struct{})
	a := &app{
		args: os.Args[1:], dir: dir, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.LookupEnv, now: time.Now, stop: stop, pid: os.Getpid(),
	}
	a.hostname, _ = os.Hostname()
	reload := make(chan struct{}, 1)
	a.reload = reload
	hangups := make(chan os.Signal, 1)
	go forward(hangups, reload)
	a.onHangup = func() { signal.Notify(hangups, syscall.SIGHUP) }
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan int, 1)
	go func() { ended <- a.execute() }()
	select {
	case code := <-ended:
		return code
	case first := <-signals:
		a.interrupted.Store(int32(interruptCode(first)))
		close(stop)
		fmt.Fprintln(os.Stderr, "agentsync: stopping: what is under way is finished, nothing new is started; a second signal stops at once")
	}
	select {
	case code := <-ended:
		return code
	case second := <-signals:
		return interruptCode(second)
	}
}

// forward turns each hang-up into a wish to reload, and drops those that come before the last was seen to.
func forward(hangups <-chan os.Signal, reload chan<- struct{}) {
	for range hangups {
		select {
		case reload <- struct{}{}:
		default:
		}
	}
}

func interruptCode(s os.Signal) int {
	if s == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}
