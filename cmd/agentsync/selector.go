package main

import (
	"fmt"
	"strings"
)

// parseSelector reads a label selector: comma-separated key=value, key!=value, key (has it) and !key (has it not), all of which must
// hold. "" selects everything.
func parseSelector(text string) (func(map[string]string) bool, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var terms []func(map[string]string) bool
	for _, term := range strings.Split(text, ",") {
		term = strings.TrimSpace(term)
		key, value, isNot := strings.Cut(term, "!=")
		if isNot {
			terms = append(terms, func(l map[string]string) bool { return l[key] != value })
		} else if key, value, isEqual := strings.Cut(term, "="); isEqual {
			value = strings.TrimPrefix(value, "=")
			terms = append(terms, func(l map[string]string) bool { v, ok := l[key]; return ok && v == value })
		} else if key, isAbsent := strings.CutPrefix(term, "!"); isAbsent {
			terms = append(terms, func(l map[string]string) bool { _, ok := l[key]; return !ok })
		} else {
			terms = append(terms, func(l map[string]string) bool { _, ok := l[term]; return ok })
		}
		if key = strings.Trim(key, "!="); strings.TrimSpace(key) == "" || strings.ContainsAny(key, " \t") {
			return nil, fmt.Errorf("--selector: %q is not key=value, key!=value, key or !key", term)
		}
	}
	return func(labels map[string]string) bool {
		for _, term := range terms {
			if !term(labels) {
				return false
			}
		}
		return true
	}, nil
}
