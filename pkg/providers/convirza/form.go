package convirza

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// The two names of the knowledge-base files: as they are sent, and as their names come back (update-agent, checked 2026-11-21).
const (
	filesField     = "files"
	fileNamesField = "knowledgebase_files"
)

// partOrder is the order of the parts in the vendor's example (update-agent, checked 2026-11-21).
func partOrder() []string {
	return []string{
		nameField, "direction", "org_unit_id", "inherited_prompt_id", "integrations", "created_by", "ext_org_unit_id", "industry_id",
		"voice_id", "greetings", "prompt", "config", "max_call_duration", "notification_time", "notification_message", "urls",
		"knowledge_base", "more_information", filesField,
	}
}

// inOrder sorts names as partOrder does, unknown ones last by name.
func inOrder(names []string) []string {
	order := partOrder()
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int {
		return place(order, a) - place(order, b)
	})
	return slices.Compact(names)
}

func place(order []string, name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

// encode makes the form that carries body and files, in the vendor's order, and the names in it, sorted. A value that a form cannot say is a finding.
func encode(body diff.Object, files []providers.File) (form []rest.Part, fields []string, findings []providers.Finding) {
	for _, name := range inOrder(diff.Keys(body)) {
		parts, ok := textParts(name, body[name])
		if !ok {
			findings = append(findings, providers.NewBlocking(providers.CodeCannotClear,
				fmt.Sprintf("%s: an empty value cannot be sent through a form", name), ""))
			continue
		}
		form = append(form, parts...)
		fields = append(fields, name)
	}
	for _, f := range files {
		form = append(form, rest.Part{Name: filesField, FileName: f.Name, Open: f.Open, Size: f.Size})
	}
	if len(files) > 0 {
		fields = append(fields, filesField)
	}
	slices.Sort(fields)
	return form, fields, findings
}

// textParts encodes one field: a list as one part for each item under the same name, without brackets, everything else as one part
// (update-agent, checked 2026-11-21). ok is false where a form cannot say the value.
func textParts(name string, v any) (parts []rest.Part, ok bool) {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		text, ok := partText(item)
		if !ok || (text == "" && !mayBeEmpty(name)) {
			return nil, false
		}
		parts = append(parts, rest.Part{Name: name, Text: text})
	}
	return parts, len(parts) > 0
}

// mayBeEmpty names the fields that the vendor's own example sends empty (update-agent, checked 2026-11-21). For all others an empty
// part has no documented meaning.
func mayBeEmpty(name string) bool { return name == "integrations" || name == "knowledge_base" }

// partText is the text of one part: objects are JSON, like `config` in the vendor's example.
func partText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return string(v), true
	}
	return string(diff.Canonical(v)), true
}
