package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

// The exit codes, as documented for all commands and output formats.
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2
	exitAuth        = 3
	exitPartial     = 4
	exitRefused     = 5
	exitStale       = 6
	exitUsage       = 64
	exitInterrupted = 130
	exitTerminated  = 143
)

// exitWith is an error that says only how the process ends: what there is to say was said in the report.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a fault of the command line. Its cure is the command's help.
type usageError struct {
	err  error
	hint string
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }
func (e usageError) Hint() string  { return e.hint }

// hinted is an error with its cure.
type hinted struct {
	err  error
	hint string
}

func (e hinted) Error() string { return e.err.Error() }
func (e hinted) Unwrap() error { return e.err }
func (e hinted) Hint() string  { return e.hint }

// worst returns the code that stands for all of codes: 4 before 3, 5, 6, 1 and 2.
func worst(codes ...int) int {
	for _, code := range []int{exitPartial, exitAuth, exitRefused, exitStale, exitError, exitChanges} {
		for _, c := range codes {
			if c == code {
				return code
			}
		}
	}
	return exitOK
}

// exitCode is the one place that turns an error into an exit code.
func exitCode(err error) int {
	var exit exitWith
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, rest.ErrAuth):
		return exitAuth
	case errors.Is(err, state.ErrLocked):
		return exitStale
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitError
}

// complain writes err: two lines for each fault, what and where, then how to mend it.
func complain(w io.Writer, err error) {
	var exit exitWith
	if err == nil || errors.As(err, &exit) {
		return
	}
	for _, fault := range faults(err) {
		fmt.Fprintf(w, "agentsync: error: %s\n", oneLine(fault.Error()))
		if hint := hintOf(fault); hint != "" {
			fmt.Fprintf(w, "agentsync: hint: %s\n", oneLine(hint))
		}
	}
}

// warn writes the problems that stop nothing.
func warn(w io.Writer, problems spec.Problems) {
	for _, p := range problems.Sorted() {
		fmt.Fprintf(w, "agentsync: warning: %s\n", oneLine(p.Error()))
		if p.Hint != "" {
			fmt.Fprintf(w, "agentsync: hint: %s\n", oneLine(p.Hint))
		}
	}
}

// faults takes a joined error apart.
func faults(err error) []error {
	var problems spec.Problems
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range list.Unwrap() {
			all = append(all, faults(e)...)
		}
		return all
	}
	if problems, _ = err.(spec.Problems); problems != nil {
		var all []error
		for _, p := range problems {
			all = append(all, p)
		}
		return all
	}
	return []error{err}
}

func hintOf(err error) string {
	var problem spec.Problem
	if errors.As(err, &problem) {
		return problem.Hint
	}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		return hint.Hint()
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.FieldsFunc(s, isBreak), " ") }

func isBreak(r rune) bool { return r == '\n' || r == '\r' }
