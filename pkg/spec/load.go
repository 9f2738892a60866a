package spec

import (
	"errors"
	"io"
)

// Input says what to read. Nothing is read from the process's environment: Getenv and Dir come from the caller.
type Input struct {
	// Paths are files, folders (read recursively) or "-"; none means Dir.
	Paths []string
	// Kustomize is a folder to build with kustomize instead of Paths.
	Kustomize string
	// Dir is the absolute working directory.
	Dir string
	// Stdin is what "-" reads.
	Stdin io.Reader
	// Getenv looks a variable up, as os.LookupEnv does.
	Getenv func(string) (string, bool)
}

// Load reads, resolves and checks everything in. An error that is a [Problems] lists every fault of the manifests; any other
// is a fault of the call (a path that does not exist is a Problem with the path as its File). The Set is usable only
// without an error.
func Load(in Input) (*Set, error) {
	return nil, errors.New("not built")
}

// Open opens the file name, given relative to folder dir (a [Value]'s Dir), for reading. Paths out of s.Root, also
// through symbolic links, are refused.
func (s *Set) Open(dir, name string) (io.ReadCloser, int64, error) {
	return nil, 0, errors.New("not built")
}
