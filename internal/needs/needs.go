// Package needs finds the programs that single tests need beside Go: a browser, a metrics server.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program. Where it is not installed, the test is skipped with the name of the Debian package that has it; in CI,
// where the variable CI is set, it fails: .ci/run installs what is missing.
func Program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not installed; Debian's package is %s", name, debianPackage)
	default:
		t.Skipf("%s is not installed (apt-get install %s)", name, debianPackage)
	}
	return ""
}
