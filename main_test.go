// Package agentsync_test holds what the repository shows to its readers to the truth: the README and the examples.
package agentsync_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write the README and the pages of docs")

// binDir is where build puts the command; TestMain makes it and takes it away.
var binDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "agentsync-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binDir = dir
	return m.Run()
}

// build builds the command, once. It looks at every source file first: go test repeats an old result as long as the files that a
// test looked at are the same, and it does not know that this one depends on a command.
var build = sync.OnceValue(func() error {
	for _, dir := range []string{"cmd", "internal", "pkg", "schemas"} {
		err := filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	c := exec.Command("go", "build", "-o", filepath.Join(binDir, "agentsync"), "./cmd/agentsync")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", c.Args, err, out)
	}
	return nil
})

// workspace is a folder of its own with a copy of the examples.
func workspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command prepares a command line in dir, with the built command first in the path and nothing else of the caller's environment.
func command(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), args[0], args[1:]...)
	c.Dir = dir
	c.Env = append([]string{"PATH=" + binDir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir}, env...)
	return c
}

// agentsync runs the command in dir and returns its standard output and exit status.
func agentsync(t *testing.T, dir string, args ...string) (stdout []byte, status int) {
	t.Helper()
	c := command(t, dir, nil, append([]string{filepath.Join(binDir, "agentsync")}, args...)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdout, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Logf("agentsync %q:\n%s", args, &stderr)
	}
	return stdout, c.ProcessState.ExitCode()
}
