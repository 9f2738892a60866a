package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// jsonReader reads JSON values and keeps their places, which encoding/json gives for tokens only.
type jsonReader struct {
	file     string
	data     []byte
	dec      *json.Decoder
	nodes    int
	problems Problems // faults of what could be read
	// offset is where the last token began, pos its place.
	offset int
	pos    Pos
}

func parseJSON(file string, data []byte, want func(string) bool) ([]*Value, Problems) {
	r := &jsonReader{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), pos: Pos{file, 1, 1}}
	r.dec.UseNumber()
	var docs []*Value
	var problems Problems
	for {
		pos := r.next()
		token, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			return docs, problems
		}
		var v *Value
		if err == nil {
			v, err = r.value(token, pos, 0)
		}
		if err != nil {
			return docs, append(problems, r.syntaxProblem(err))
		}
		version := ""
		if found := v.Lookup("apiVersion"); found != nil {
			version = found.Text
		}
		if v.Kind != Null && want(version) {
			docs = append(docs, v)
			problems = append(problems, r.problems...)
		}
		r.problems = nil
	}
}

// validJSON reports whether data is a sequence of JSON values.
func validJSON(data []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// next returns the place of the token that comes next, counting on from the last.
func (r *jsonReader) next() Pos {
	end := int(r.dec.InputOffset())
	rest := r.data[end:]
	end += len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:"))
	passed := r.data[r.offset:end]
	if newline := bytes.LastIndexByte(passed, '\n'); newline >= 0 {
		r.pos.Line += bytes.Count(passed, []byte("\n"))
		r.pos.Column, passed = 1, passed[newline+1:]
	}
	r.pos.Column += utf8.RuneCount(passed)
	r.offset = end
	return r.pos
}

func (r *jsonReader) syntaxProblem(err error) Problem {
	var p Problem
	if errors.As(err, &p) {
		return p
	}
	offset := int(r.dec.InputOffset())
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && int(syntax.Offset) > offset {
		offset = int(syntax.Offset) - 1
	} else {
		offset += len(r.data[offset:]) - len(bytes.TrimLeft(r.data[offset:], " \t\r\n"))
	}
	message := err.Error()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		offset, message = len(r.data), "it ends too early"
	}
	pos := Pos{File: r.file}
	pos.Line, pos.Column = lineColumn(r.data, offset)
	return Problem{Pos: pos, Message: "not valid JSON: " + message, Hint: "an editor that knows JSON shows the place"}
}

func (r *jsonReader) value(token json.Token, pos Pos, depth int) (*Value, error) {
	r.nodes++
	switch {
	case r.nodes > maxNodes:
		return nil, Problem{Pos: pos, Message: fmt.Sprintf("more than %d values", maxNodes), Hint: "split the file"}
	case depth > maxDepth:
		return nil, Problem{Pos: pos, Message: fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return r.list(pos, depth)
		}
		return r.object(pos, depth)
	case string:
		r.checkText(t, pos)
		return &Value{Kind: Text, Text: t, Pos: pos}, nil
	case nil:
		return &Value{Kind: Null, Pos: pos}, nil
	}
	return &Value{Kind: Plain, Text: fmt.Sprint(token), Pos: pos}, nil // json.Number or bool
}

func (r *jsonReader) list(pos Pos, depth int) (*Value, error) {
	v := &Value{Kind: List, Pos: pos}
	for r.dec.More() {
		at := r.next()
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		item, err := r.value(token, at, depth+1)
		if err != nil {
			return nil, err
		}
		v.Items = append(v.Items, item)
	}
	_, err := r.dec.Token()
	return v, err
}

func (r *jsonReader) object(pos Pos, depth int) (*Value, error) {
	v := &Value{Kind: Map, Pos: pos}
	seen := map[string]Pos{}
	for r.dec.More() {
		keyPos := r.next()
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder takes nothing else here
		r.checkText(key, keyPos)
		at := r.next()
		if token, err = r.dec.Token(); err != nil {
			return nil, err
		}
		value, err := r.value(token, at, depth+1)
		if err != nil {
			return nil, err
		}
		if first, ok := seen[key]; ok {
			r.problems = append(r.problems, Problem{Pos: keyPos, Message: fmt.Sprintf("duplicate key %q: also at %s", key, first), Hint: "keep one of them"})
			continue
		}
		seen[key] = keyPos
		v.Pairs = append(v.Pairs, Pair{Key: key, KeyPos: keyPos, Value: value})
	}
	_, err := r.dec.Token()
	return v, err
}

// checkText reports half a surrogate pair in the string just read: encoding/json puts U+FFFD in its place without a word.
func (r *jsonReader) checkText(text string, pos Pos) {
	const replacement = "\uFFFD"
	lost := strings.Count(text, replacement)
	if lost == 0 {
		return
	}
	raw := r.data[r.offset:int(r.dec.InputOffset())]
	written := bytes.Count(raw, []byte(replacement)) + bytes.Count(bytes.ToLower(raw), []byte(`\ufffd`))
	if lost > written {
		r.problems = append(r.problems, Problem{Pos: pos, Message: "half a surrogate pair in a string", Hint: `a character beyond U+FFFF is written as two \u escapes`})
	}
}
