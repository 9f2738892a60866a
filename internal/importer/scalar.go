package importer

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"gopkg.in/yaml.v3"
)

// text returns the node of a string, written so that every reader of YAML takes it for the same string: in quotes wherever it could
// be taken for something else.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	switch {
	case isPlain(s):
		n.Style = 0
	case isBlock(s):
		n.Style = yaml.LiteralStyle
	}
	return n
}

// key returns the node of a key, which is never a block.
func key(s string) *yaml.Node {
	n := text(s)
	if n.Style == yaml.LiteralStyle {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// word returns the node of a number or a boolean.
func word(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// isPlain reports whether s is safe without quotes: it begins with a letter, which no number and no date does, is no word that YAML 1.1
// or 1.2 has a meaning for, and holds nothing that ends a scalar.
func isPlain(s string) bool {
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return false
	}
	for i, r := range s {
		switch {
		case r > 0xFFFF:
			return false // the writer escapes these; see unescape
		case unicode.IsLetter(r):
		case i == 0:
			return false
		case unicode.IsDigit(r) || strings.ContainsRune("-_.,;!?'()/+&%@=", r):
		case r == ' ':
			if i+1 == len(s) || s[i+1] == '#' {
				return false
			}
		case r == ':':
			if i+1 == len(s) || s[i+1] == ' ' {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// isBlock reports whether s reads best, and comes back the same, as a block of lines.
func isBlock(s string) bool {
	if !strings.Contains(s, "\n") || strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") || strings.HasSuffix(s, "\n") || strings.Contains(s, `\U`) {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimRight(line, " \t") != line || strings.HasPrefix(line, "\t") {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r > 0xFFFF || r != '\n' && !unicode.IsPrint(r)
	})
}

// escape finds escapes of characters beyond the first plane, and doubled backslashes, which are none.
var escape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\\\\|\\U[0-9A-F]{8}`) })

// unescape puts printable characters (emoji, above all) back in the place of the escapes that the YAML writer makes of them. They stand in
// double quotes only: no other scalar that text makes holds \U.
func unescape(yaml []byte) []byte {
	return escape().ReplaceAllFunc(yaml, func(found []byte) []byte {
		if found[1] != 'U' {
			return found
		}
		code, err := strconv.ParseUint(string(found[2:]), 16, 32)
		if err != nil || !unicode.IsPrint(rune(code)) {
			return found
		}
		return []byte(string(rune(code)))
	})
}

// ownFile reports whether the text of a field is better in a file, and comes back from there as it is: of more than a line, and free of
// what a file or an editor would change. isText says that white space at its end means nothing.
func ownFile(s string, isText bool) bool {
	long := strings.Contains(s, "\n") || isText && len([]rune(s)) > longLine
	if !long || len(s) > maxFile || !isText && strings.TrimRight(s, " \t\n") != s {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r == '\uFEFF' || r != '\n' && r != '\t' && unicode.IsControl(r)
	})
}

const (
	// longLine is the length from which a text is a prompt and not a phrase.
	longLine = 120
	// maxFile is what a $file may hold, less its last line end.
	maxFile = 1<<20 - 1
)

var (
	// mask is what a hidden value looks like where hiding is not expected: nothing but the mask.
	mask = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^(\S+ )?[^\s*•●]{0,8}([*]{3,}|[•]{3,}|[●]{3,})[^\s*•●]{0,8}$|^[<\[(](redacted|masked|hidden|sensitive)[>\])]$`)
	})
	// secretMask is what it looks like in a secret, where a doubt is enough.
	secretMask = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)[*]{3}|[•]{3}|[●]{3}|…|redacted|masked|hidden|xxxx`)
	})
)

// isMasked reports whether a string in v is a mask in the place of a value. How, and whether, vendors mask is not documented.
func isMasked(v any, secret bool) bool {
	switch v := v.(type) {
	case string:
		return mask().MatchString(v) || secret && secretMask().MatchString(v)
	case []any:
		for _, item := range v {
			if isMasked(item, secret) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if isMasked(item, secret) {
				return true
			}
		}
	}
	return false
}
