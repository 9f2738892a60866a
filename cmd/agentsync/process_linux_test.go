package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestProcessGone(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	id := processID(child.Process.Pid)
	if id == "" || processGone(id) || processGone(processID(os.Getpid())) {
		t.Errorf("a living process is gone: %q", id)
	}
	reused := strings.Fields(id)
	reused[3] += "1"
	if !processGone(strings.Join(reused, " ")) {
		t.Error("a PID that was given out again stands for the old process")
	}
	elsewhere := "another-boot" + strings.TrimPrefix(id, strings.Fields(id)[0])
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if !processGone(id) {
		t.Error("a dead process is not gone")
	}
	for _, unknown := range []string{"", elsewhere, "a b c d", "x"} {
		if processGone(unknown) {
			t.Errorf("%q is gone, and nothing is known of it", unknown)
		}
	}
}
