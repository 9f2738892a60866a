package centerfy

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// The vendor spells the field with a double c in every page (update-agent, create-agent, get-agent, checked 2026-11-21). The
// common spelling is read too, should the vendor correct itself, and never written.
const (
	backchannelField = "backcchanneling"
	backchannelAlias = "backchanneling"
)

// decodeAgent reads the answer of get: one agent without an envelope (get-agent, checked 2026-11-21).
func decodeAgent(fields map[string]any) (providers.Live, error) {
	l := providers.Live{ID: text(fields["id"]), Name: text(fields["name"]), Revision: text(fields["updated_at"]), Whole: true}
	if _, err := rest.Segment(l.ID); err != nil {
		return providers.Live{}, err
	}
	l.Config, _ = diff.Normalize(agentSchema().Type(), fields).(diff.Object)
	maps.DeleteFunc(l.Config, func(_ string, v any) bool { return v == nil })
	l.Unreadable = spelling(l.Config)
	// How get shows an archived agent is not documented; the answer of archive-agent names archived_at (delete-agent, checked 2026-11-21).
	if l.Config["archived_at"] != nil {
		l.Gone, l.Locked = true, "is archived"
	}
	return l, nil
}

// spelling moves the alias of backcchanneling to the vendor's spelling. Two values that disagree are unreadable.
func spelling(config diff.Object) map[diff.Pointer]string {
	alias, there := config[backchannelAlias]
	if !there {
		return nil
	}
	delete(config, backchannelAlias)
	value, both := config[backchannelField]
	switch {
	case !both:
		config[backchannelField] = alias
	case !diff.Equal(nil, value, alias):
		delete(config, backchannelField)
		return map[diff.Pointer]string{
			diff.Pointer("").Child(backchannelField): "the answer has " + backchannelField + " and " + backchannelAlias + ", and they disagree",
		}
	}
	return nil
}

// decodeCreated reads the id out of the answer to a create, whose shape is not documented: id as get has it, or agent_id as
// archive-agent has it (checked 2026-11-21). An error names the fields of the answer and none of their values.
func decodeCreated(fields map[string]any) (string, error) {
	for _, name := range []string{"id", "agent_id"} {
		if id := text(fields[name]); id != "" {
			_, err := rest.Segment(id)
			return id, err
		}
	}
	return "", fmt.Errorf("no id among its fields (%s)", strings.Join(diff.Keys(fields), ", "))
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// message finds the vendor's text in an error answer: {"error": true, "message": text} (overview, checked 2026-11-21); a text under error
// is taken too. An object without error is the gateway's, not Centerfy's.
func message(_ int, body []byte) (said, requestID string, ok bool) {
	raw := strings.TrimSpace(string(body))
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return raw, "", false
	}
	fault := text(fields["error"])
	if fault == "" && fields["error"] != true {
		return raw, "", false
	}
	if said = text(fields["message"]); said != "" {
		return said, "", true
	}
	if fault != "" {
		return fault, "", true
	}
	return raw, "", true
}
