package main

import (
	"os"
	"syscall"
)

// peak returns the largest resident memory of a process, in bytes. It is never below what this program itself holds when it starts the
// other.
func peak(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}
