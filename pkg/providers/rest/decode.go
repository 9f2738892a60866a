package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"agentsync.dev/agentsync/internal/jsontree"
)

// DecodeJSON decodes the answer's body into into, with numbers as [json.Number]. A body that is not one JSON value of that
// shape is an *Error as [Answer.Odd] makes it; into is then of no use.
func DecodeJSON(a *Answer, into any) error {
	if list, ok := into.(*[]map[string]any); ok && a.rows.list != nil {
		return decodeRows(a, list)
	}
	if decodeTree(a, into) {
		return nil
	}
	return decodeStrictly(a, into)
}

// decodeTree decodes what the vendors' packages ask for: an object, a list of them, or anything. It is false for everything else, and
// for a body that does not fit: [decodeStrictly] says why.
func decodeTree(a *Answer, into any) bool {
	var texts jsontree.Texts
	if a.call != nil {
		texts = a.call.client.options.Texts
	}
	switch into := into.(type) {
	case *any:
		value, ok := texts.Decode(a.Body)
		if ok {
			*into = value
		}
		return ok
	case *map[string]any:
		value, _ := texts.Decode(a.Body)
		object, ok := value.(map[string]any)
		if ok {
			*into = object
		}
		return ok
	case *[]map[string]any:
		value, _ := texts.Decode(a.Body)
		rows, ok := objects(value)
		if ok {
			*into = rows
		}
		return ok
	}
	return false
}

// rows are what was decoded of a list while it arrived: all of it where the answer has no body left. cut counts the bytes before that.
type rows struct {
	list []map[string]any
	cut  int
}

// decodeRows completes the rows with those that are left in the body.
func decodeRows(a *Answer, into *[]map[string]any) error {
	*into = a.rows.list
	if a.Body == nil {
		return nil
	}
	var more []map[string]any
	if err := decodeStrictly(a, &more); err != nil {
		return err
	}
	*into = append(*into, more...)
	return nil
}

// objects returns a list of objects, and whether it is one.
func objects(value any) ([]map[string]any, bool) {
	list, ok := value.([]any)
	rows := make([]map[string]any, len(list))
	for i, item := range list {
		if rows[i], ok = item.(map[string]any); !ok {
			return nil, false
		}
	}
	return rows, ok
}

func decodeStrictly(a *Answer, into any) error {
	if first := bytes.TrimLeft(a.Body, " \t\r\n"); len(first) == 0 || !bytes.ContainsAny(first[:1], `{["-0123456789tfn`) {
		return a.Odd("not JSON: %s", excerpt(a.Header, a.Body))
	}
	decoder := json.NewDecoder(bytes.NewReader(a.Body))
	decoder.UseNumber()
	// From here on the body may well be an agent, so what is in it is not shown.
	if err := decoder.Decode(into); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return a.Odd("not JSON: %d bytes of %q that end too early", a.rows.cut+len(a.Body), a.Header.Get("Content-Type"))
		}
		return a.Odd("not the JSON that was expected, at byte %d of %q: %w", int64(a.rows.cut)+decoder.InputOffset(), a.Header.Get("Content-Type"), err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return a.Odd("not JSON: more follows at byte %d", int64(a.rows.cut)+decoder.InputOffset())
	}
	return nil
}

// Odd returns the error for an answer that is not what the vendor documents; it matches [ErrOddAnswer]. An answer to a write then
// proves nothing, so its error matches [ErrUnknownOutcome] too.
func (a *Answer) Odd(format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	if a.call != nil {
		return a.call.newError(err, ErrOddAnswer, !a.call.read)
	}
	return &Error{Status: a.Status, Message: capped(oneLine(err.Error())), Kinds: []error{ErrOddAnswer}}
}
