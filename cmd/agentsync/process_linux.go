package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// processID names a process so that nothing else can be taken for it: the boot, the PID namespace, the PID, and when it started. "" where
// the system does not tell.
func processID(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, nsErr := os.Readlink("/proc/self/ns/pid")
	_, started, statErr := processStat(pid)
	if errors.Join(err, nsErr, statErr) != nil {
		return ""
	}
	return fmt.Sprintf("%s %s %d %s", strings.TrimSpace(string(boot)), space, pid, started)
}

// processStat reads fields 3 and 22 of /proc/PID/stat: the state, and the start in clock ticks since the boot. The command's name, in
// parentheses before them, may hold anything.
func processStat(pid int) (state, started string, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", "", err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return "", "", errors.New("unexpected /proc/PID/stat")
	}
	return fields[0], fields[19], nil
}

// processGone reports whether a process of this boot and PID namespace has surely ended. Of any other it knows nothing.
func processGone(id string) bool {
	parts := strings.Fields(id)
	mine := strings.Fields(processID(os.Getpid()))
	if len(parts) != 4 || len(mine) != 4 || parts[0] != mine[0] || parts[1] != mine[1] {
		return false
	}
	var pid int
	if _, err := fmt.Sscan(parts[2], &pid); err != nil || pid <= 0 {
		return false
	}
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	state, started, err := processStat(pid)
	return err == nil && (started != parts[3] || state == "Z" || state == "X")
}
