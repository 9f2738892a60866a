package spec

import (
	"cmp"
	"slices"
	"strings"
)

// Problem is one fault in a manifest: where, what, and how to mend it. Severity warning does not stop anything.
type Problem struct {
	Pos     Pos
	Message string // lower case, no full stop; names vendor and field where there is one
	Hint    string // one line, may be empty
	Warning bool
	// Field is the name of an unknown config field, "" for other faults.
	Field string
}

// Error returns "file:line:column: message".
func (p Problem) Error() string {
	if p.Pos.File == "" {
		return p.Message
	}
	return p.Pos.String() + ": " + p.Message
}

// Problems is every fault found, as one error. The zero value means none; use [Problems.Err] to return it.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns nil where no problem is an error, else all that are errors, in order of their places.
func (ps Problems) Err() error {
	faults := slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool { return p.Warning })
	if len(faults) == 0 {
		return nil
	}
	return faults.Sorted()
}

// Warnings returns the problems that stop nothing, in order of their places.
func (ps Problems) Warnings() Problems {
	return slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool { return !p.Warning }).Sorted()
}

// Sorted orders ps by file, line, column and message, in place, drops what is said twice, and returns the result.
func (ps Problems) Sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(ps)
}
