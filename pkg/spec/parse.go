package spec

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

const bom = "\uFEFF"

// apiGroup begins the apiVersion of every agentsync document, of whatever version.
const apiGroup = "agentsync"

// ours reports whether a document with this apiVersion is for agentsync. A version that is not known counts, so that it is
// reported and not passed over.
func ours(apiVersion string) bool {
	return strings.HasPrefix(strings.ToLower(apiVersion), apiGroup)
}

// parse reads the documents of a YAML or JSON file whose apiVersion is wanted. The faults inside others are nobody's concern, but
// a file that is neither YAML nor JSON is a problem, for nobody knows what it holds.
func parse(file string, data []byte, want func(apiVersion string) bool) ([]*Value, Problems) {
	data = bytes.TrimPrefix(data, []byte(bom))
	if !utf8.Valid(data) {
		pos := Pos{File: file}
		pos.Line, pos.Column = lineColumn(data, firstInvalid(data))
		return nil, Problems{{Pos: pos, Message: "not UTF-8 text", Hint: "save the file as UTF-8"}}
	}
	if path.Ext(file) == ".json" {
		return parseJSON(file, data, want)
	}
	// YAML reads most JSON, but not tabs before a brace, surrogate pairs or long keys.
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') && validJSON(data) {
		return parseJSON(file, data, want)
	}
	return parseYAML(file, data, want)
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

// lineColumn returns the place of a byte, both counted from 1, columns in characters.
func lineColumn(data []byte, offset int) (line, column int) {
	before := data[:min(offset, len(data))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// DecodeConfig reads one YAML or JSON document as a config, without a folder or an environment: {$file} and an {$env} without a
// default are problems. It is for tests and tools; agentsync itself reads configs with [Load]. name is the file in places.
func DecodeConfig(name string, document []byte) (*Value, error) {
	docs, problems := parse(name, document, func(string) bool { return true })
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if len(docs) != 1 || docs[0].Kind != Map {
		return nil, Problems{{Pos: Pos{File: name}, Message: "a config is one document that holds a map"}}
	}
	v := values{getenv: func(string) (string, bool) { return "", false }, secrets: map[string]bool{}, problems: &problems}
	v.resolve(docs[0], ".", false)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return docs[0], nil
}
