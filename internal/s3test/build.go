package s3test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// The module that the server is built from, and the package in it.
const (
	toolModule = ".ci/tools/versitygw"
	toolCmd    = "github.com/versity/versitygw/cmd/versitygw"
)

// build returns the server's binary, building it where no other test has yet. Tests of several packages may come at the same time: one
// builds, the others wait.
func build() (string, error) {
	module, err := findModule()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "agentsync-tests")
	name, err := binaryName(module)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, name)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(binary + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	unfinished := binary + ".new"
	cmd := exec.Command("go", "build", "-C", module, "-trimpath", "-ldflags", "-s -w", "-o", unfinished, toolCmd)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, os.Rename(unfinished, binary)
}

// binaryName is another for every version of the server and of Go.
func binaryName(module string) (string, error) {
	hash := sha256.New()
	for _, file := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(module, file))
		if err != nil {
			return "", err
		}
		hash.Write(data)
	}
	hash.Write([]byte(runtime.Version()))
	return "versitygw-" + hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// findModule looks for the server's module in the current folder and those above it: a test runs in its package's.
func findModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		module := filepath.Join(dir, filepath.FromSlash(toolModule))
		_, err := os.Stat(filepath.Join(module, "go.mod"))
		if err == nil {
			return module, nil
		}
		above := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || above == dir {
			return "", fmt.Errorf("no %s here or above: %w", toolModule, err)
		}
		dir = above
	}
}
