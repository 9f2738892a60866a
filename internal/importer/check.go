package importer

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/spec"
)

// check reads the manifest as a plan would, with the live values in the place of secrets, and returns what it declares and all that is
// wrong with it.
func (w *writer) check() (diff.Object, []string, error) {
	getenv := func(name string) (string, bool) {
		if value, ok := w.secrets[name]; ok {
			return value, true
		}
		value, ok := w.files[name]
		return value, ok
	}
	set, err := spec.Load(spec.Input{Paths: []string{"-"}, Dir: w.account.Dir, Stdin: bytes.NewReader(w.manifest(true)), Getenv: getenv})
	if problems, ok := err.(spec.Problems); ok {
		return nil, messages(problems), nil
	}
	if err != nil {
		return nil, nil, err
	}
	config, problems := w.account.Generation.Schema().Decode(set.Agents[0].Config, false)
	return config.Object, messages(problems), nil
}

// messages are the texts of the problems that are errors.
func messages(problems spec.Problems) []string {
	var said []string
	for _, p := range problems {
		if !p.Warning {
			said = append(said, p.Message)
		}
	}
	return said
}

// otherPlace is the part of a message that says where else something is: in a file that nobody will see.
var otherPlace = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`, (the )?first (is )?at <stdin>[:0-9]*`) })

// culprit finds a declared value without which there are fewer faults, or, where each needs another, at least other ones; and the fault
// that goes with it.
func (w *writer) culprit(faults []string) (at diff.Pointer, why string, err error) {
	found := false
	for _, leaf := range w.leaves {
		left := maps.Clone(w.left)
		left[leaf] = "left out"
		without := newWriter(w.account, w.name, w.live, left)
		without.config()
		_, remaining, err := without.check()
		if err != nil {
			return "", "", err
		}
		gone := slices.IndexFunc(faults, func(fault string) bool { return !slices.Contains(remaining, fault) })
		if gone < 0 || len(remaining) > len(faults) {
			continue
		}
		if fewer := len(remaining) < len(faults); fewer || !found {
			at, why, found = leaf, "agentsync would refuse it: "+otherPlace().ReplaceAllString(faults[gone], ""), true
			if fewer {
				break
			}
		}
	}
	if !found {
		return "", "", fmt.Errorf("no manifest can say what is live: %s", strings.Join(faults, "; "))
	}
	return at, why, nil
}

// people names a field as a person would.
func people(at diff.Pointer) string {
	var names []string
	for _, token := range at.Tokens() {
		names = append(names, shown(token))
	}
	return strings.Join(names, ".")
}

// shown makes a text from a vendor fit for a comment: one line, not long, in quotes if it is anything but a word.
func shown(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "..."
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	}) {
		return s
	}
	return strconv.Quote(s)
}

func list(names []any) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = shown(fmt.Sprint(name))
	}
	return strings.Join(words, ", ")
}

// oneLine keeps a comment a comment.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }), " ")
}

func pointers(m map[diff.Pointer]string) iter.Seq[diff.Pointer] { return maps.Keys(m) }
