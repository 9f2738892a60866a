package convirza

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	phoneField    = "primary_phone_number"
	statusField   = "status"
	revisionField = "updated_on"

	// activeStatus is the only status on record (update-agent, checked 2026-11-21).
	activeStatus = "active"
)

// envelope is what every answer of the API comes in (update-agent, checked 2026-11-21).
type envelope struct {
	data any
	// total is what the answer itself says beside data; lists say it inside.
	total any
}

// openEnvelope reads an answer. An answer whose own code says that it failed is an error, whatever its HTTP status was.
func openEnvelope(doc any) (envelope, error) {
	raw, ok := doc.(map[string]any)
	if !ok {
		return envelope{}, errors.New("it is no object with code and data")
	}
	if code, there := raw["code"]; there {
		n, ok := wholeNumber(code)
		if !ok {
			return envelope{}, fmt.Errorf("its code is %v", code)
		}
		if n < 200 || n > 299 {
			text, requestID := words(raw)
			return envelope{}, fmt.Errorf("its code is %d: %s (request id %q)", n, text, requestID)
		}
	}
	return envelope{data: raw["data"], total: raw["total"]}, nil
}

// wholeNumber reads a whole number, also one in quotes.
func wholeNumber(v any) (int64, bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = string(v)
	case string:
		text = strings.TrimSpace(v)
	default:
		return 0, false
	}
	canonical, ok := diff.CanonicalNumber(text)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(canonical), 10, 64)
	return n, err == nil
}

// agentID returns the id of an agent, which the vendor writes as a number, as text.
func agentID(v any) (string, error) {
	n, ok := wholeNumber(v)
	if !ok || n <= 0 {
		return "", fmt.Errorf("its id is %v, not a positive whole number", v)
	}
	return strconv.FormatInt(n, 10), nil
}

// decodeAgent reads the answer of get: the agent is the data of the envelope.
func decodeAgent(root *diff.Type, doc any) (providers.Live, error) {
	e, err := openEnvelope(doc)
	if err != nil {
		return providers.Live{}, err
	}
	raw, ok := e.data.(map[string]any)
	if !ok {
		return providers.Live{}, errors.New("its data is no agent")
	}
	l, err := live(root, raw)
	l.Whole = err == nil
	return l, err
}

// live reads one agent object. Fields that the schema does not know are kept.
func live(root *diff.Type, raw map[string]any) (providers.Live, error) {
	id, err := agentID(raw["id"])
	if err != nil {
		return providers.Live{}, err
	}
	config, _ := diff.Normalize(root, raw).(diff.Object)
	l := providers.Live{ID: id, Config: config}
	for _, name := range diff.Keys(config) {
		why := mismatch(root.Field(name), diff.Pointer("").Child(name), config[name])
		if why == "" {
			continue
		}
		if l.Unreadable == nil {
			l.Unreadable = map[diff.Pointer]string{}
		}
		l.Unreadable[diff.Pointer("").Child(name)] = why
		delete(l.Config, name)
	}
	l.Name, _ = config[nameField].(string)
	l.Revision, _ = config[revisionField].(string)
	l.Locked, l.Gone = standing(raw[statusField])
	return l, nil
}

// standing says what an agent's status means. The other values of the status are not documented; users, the one resource whose values are,
// are active, inactive or deleted (api-endpoints-reference, checked 2026-11-21).
func standing(status any) (locked string, gone bool) {
	if status == nil || status == activeStatus {
		return "", false
	}
	text := fmt.Sprint(status)
	gone = strings.EqualFold(text, "deleted") || strings.EqualFold(text, "archived")
	return fmt.Sprintf("has the status %q instead of %q", text, activeStatus), gone
}

// mismatch says where v is not what the schema says of the field, "" if it is. An object with a fault in it is at fault as a whole:
// it is sent as a whole. null is any field's way to have no value.
func mismatch(t *diff.Type, at diff.Pointer, v any) string {
	if t == nil || v == nil {
		return ""
	}
	ok := true
	switch t.Kind {
	case diff.String:
		_, ok = v.(string)
	case diff.Boolean:
		_, ok = v.(bool)
	case diff.Number:
		_, ok = v.(json.Number)
	case diff.Integer:
		_, ok = wholeNumber(v)
	case diff.List:
		return mismatchedItem(t, at, v)
	case diff.Map:
		object, isObject := v.(map[string]any)
		for _, name := range diff.Keys(object) {
			if why := mismatch(t.Field(name), at.Child(name), object[name]); why != "" {
				return why
			}
		}
		ok = isObject
	}
	if !ok {
		return fmt.Sprintf("%s is not of type %s", at, t.Kind)
	}
	return ""
}

func mismatchedItem(t *diff.Type, at diff.Pointer, v any) string {
	items, ok := v.([]any)
	if !ok {
		return fmt.Sprintf("%s is not of type %s", at, t.Kind)
	}
	for i, item := range items {
		if item == nil {
			return fmt.Sprintf("%s is null", at.Item(i))
		}
		if why := mismatch(t.Items, at.Item(i), item); why != "" {
			return why
		}
	}
	return ""
}

// decodeCreated reads the id out of the answer to a create. The page was not readable; users and groups answer with only an id, under a
// name of their own such as userId (create-user, create-group, checked 2026-11-21). Ids of other things that an agent holds
// do not count.
func decodeCreated(root *diff.Type, doc any) (string, error) {
	e, err := openEnvelope(doc)
	if err != nil {
		return "", err
	}
	data, ok := e.data.(map[string]any)
	if !ok {
		return "", errors.New("its data is no object")
	}
	if id, there := data["id"]; there {
		return agentID(id)
	}
	var ids []string
	for _, name := range diff.Keys(data) {
		if root.Field(name) != nil || !strings.HasSuffix(strings.ToLower(name), "id") {
			continue
		}
		if id, err := agentID(data[name]); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) != 1 {
		return "", fmt.Errorf("its data has %d ids", len(ids))
	}
	return ids[0], nil
}

// message finds the vendor's text and request id in an error answer. Their bodies were not readable: they are said to be standard
// JSON that carries a requestId (troubleshooting, checked 2026-11-21), while successes carry code, message and request_id
// (update-agent, checked 2026-11-21). A body with neither a request id nor a code and a message is not Convirza speaking.
func message(_ int, body []byte) (text, requestID string, ok bool) {
	var raw map[string]any
	if rest.DecodeJSON(&rest.Answer{Body: body}, &raw) != nil {
		return "", "", false
	}
	text, requestID = words(raw)
	_, coded := wholeNumber(raw["code"])
	return text, requestID, requestID != "" || (coded && text != "")
}

// words returns what an answer says and its request id.
func words(raw map[string]any) (text, requestID string) {
	for _, name := range []string{"message", "error", "errors", "data"} {
		if text = said(raw[name]); text != "" {
			break
		}
	}
	for _, name := range []string{"requestId", "request_id"} {
		if id, isText := raw[name].(string); isText && id != "" {
			return text, id
		}
	}
	return text, ""
}

// said returns what a member of an error answer says: text as it is, everything else as JSON.
func said(v any) string {
	if text, isText := v.(string); isText {
		return text
	}
	if diff.IsEmpty(v) {
		return ""
	}
	return string(diff.Canonical(v))
}
