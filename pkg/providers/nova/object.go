package nova

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"agentsync.dev/agentsync/pkg/diff"
)

// maxEncoded bounds the JSON that an encoded config field may hold, in bytes.
const maxEncoded = 1 << 20

// decodeConfig reads a config field in any of the forms that it may arrive in: the value itself, JSON text, base64 of JSON, or a
// list of byte values that are JSON. The response documents these fields as integer[], which is how its generator prints Go
// byte slices and raw JSON (update-agent, checked 2026-11-21). kind is Map or List. A nil value without why is a field that is
// not set; why says what cannot be decoded, without quoting it.
func decodeConfig(kind diff.Kind, v any) (value any, why string) {
	switch v := v.(type) {
	case nil:
		return nil, ""
	case string:
		return decodeText(kind, v)
	case []any:
		return decodeList(kind, v)
	case map[string]any:
		if kind == diff.Map {
			return v, ""
		}
	}
	return nil, "neither " + noun(kind) + " nor an encoded one"
}

func decodeText(kind diff.Kind, text string) (any, string) {
	if text == "" {
		return nil, ""
	}
	if len(text) > base64.StdEncoding.EncodedLen(maxEncoded) {
		return nil, tooLarge
	}
	value, err := parse(kind, []byte(text))
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if err == nil || errors.Is(err, errTooLarge) {
			break
		}
		if data, notBase64 := encoding.DecodeString(text); notBase64 == nil {
			value, err = parse(kind, data)
		}
	}
	switch {
	case errors.Is(err, errTooLarge):
		return nil, tooLarge
	case err != nil:
		return nil, "text that is not the JSON of " + noun(kind) + ", nor base64 of it"
	}
	return value, ""
}

// decodeList reads bytes. A list of plugins may also be just that, even one of small integers.
func decodeList(kind diff.Kind, list []any) (any, string) {
	if len(list) == 0 && kind == diff.Map {
		return nil, ""
	}
	data, isBytes := toBytes(list)
	if isBytes {
		value, err := parse(kind, data)
		switch {
		case err == nil:
			return value, ""
		case errors.Is(err, errTooLarge):
			return nil, tooLarge
		}
	}
	switch {
	case kind == diff.List:
		return list, ""
	case isBytes:
		return nil, "bytes that are not the JSON of " + noun(kind)
	}
	return nil, "a list that does not consist of bytes"
}

// toBytes returns the bytes that a list of integers from 0 to 255 stands for.
func toBytes(list []any) ([]byte, bool) {
	data := make([]byte, 0, len(list))
	for _, item := range list {
		number, _ := item.(json.Number)
		b, err := strconv.ParseUint(number.String(), 10, 8)
		if err != nil {
			return nil, false
		}
		data = append(data, byte(b))
	}
	return data, len(data) > 0
}

const tooLarge = "larger than 1 MiB"

var (
	errTooLarge = errors.New(tooLarge)
	errNotJSON  = errors.New("not the JSON expected")
)

// parse reads JSON of the given kind, or null. The JSON may be a string that holds it once more, no deeper.
func parse(kind diff.Kind, data []byte) (any, error) {
	if len(data) > maxEncoded {
		return nil, errTooLarge
	}
	value, err := unmarshal(data)
	if text, ok := value.(string); ok {
		value, err = unmarshal([]byte(text))
	}
	switch value.(type) {
	case map[string]any:
		if kind == diff.Map {
			return value, nil
		}
	case []any:
		if kind == diff.List {
			return value, nil
		}
	case nil:
		return nil, err
	}
	return nil, errNotJSON
}

// unmarshal reads exactly one JSON document, with numbers as they are written. Bytes that are not UTF-8 would not survive.
func unmarshal(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errNotJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errNotJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return value, nil
}

func noun(kind diff.Kind) string {
	if kind == diff.List {
		return "a list"
	}
	return "an object"
}
