package render

import (
	"fmt"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
)

const prompt = `You answer the phone of Lumen Dental Group.

1. Greet the caller and ask for their name.
2. Ask what they need: a new appointment, to move or cancel one, or something else.
3. Ask which clinic suits best. Suggest the nearest one if they do not mind.
4. Offer the two earliest slots. Repeat the chosen one back before you book it.

# Opening hours
Monday to Friday, 8:00 to 18:00. Saturday, 9:00 to 13:00, Harbour Street only.

# Limits
- Do not give medical advice.
- In an emergency transfer to the duty dentist at once.`

var newPrompt = strings.NewReplacer("Harbour Street only", "Harbour Street and Northgate", "before you book it.",
	"before you book it.\n5. Ask whether a reminder by text message is welcome.").Replace(prompt)

func list(items ...any) []any { return items }

func object(pairs ...any) map[string]any {
	o := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		o[pairs[i].(string)] = pairs[i+1]
	}
	return o
}

func field(path string, origin diff.Origin, before, after any) plan.Field {
	f := plan.Field{Path: diff.Pointer(path), Op: diff.Replace, Before: before, After: after, Origin: origin}
	if before == nil {
		f.Op = diff.Add
	}
	if origin == diff.Released {
		f.Op = diff.Remove
	}
	return f
}

func withBase(f plan.Field, base any) plan.Field {
	f.Base = base
	return f
}

// change makes a change with the findings and the request that the planner would give it.
func change(provider, name string, action plan.Action, fields ...plan.Field) plan.Change {
	c := plan.Change{Address: provider + "/" + name, Provider: provider, Action: action, ID: "id-of-" + name,
		Manifest: "agents/" + provider + "/" + name + ".yaml:1", Fields: fields}
	r := plan.Request{Method: "PATCH", Path: "/update-agent/" + c.ID}
	for _, f := range fields {
		switch f.Origin {
		case diff.Drift:
			c.Findings = append(c.Findings, providers.NewWarning(providers.CodeDrift, fmt.Sprintf("%s was changed outside agentsync", f.Path), ""))
		case diff.Conflict:
			c.Findings = append(c.Findings, providers.NewWarning(providers.CodeConflict, fmt.Sprintf("%s was changed in the manifest and outside agentsync", f.Path), ""))
		case diff.Unknown:
			c.Findings = append(c.Findings, providers.NewWarning(providers.CodeUnknown, fmt.Sprintf("%s differs, and nothing says who wrote the live value", f.Path), ""))
		case diff.Released:
			c.Findings = append(c.Findings, providers.NewWarning(providers.CodeReleased, fmt.Sprintf("%s is no longer declared and stays as it is", f.Path), ""))
			continue
		}
		r.Fields = append(r.Fields, f.Path.Top())
	}
	switch action {
	case plan.Create:
		c.ID, r.Method, r.Path = "", "POST", "/create-agent"
	case plan.Delete:
		c.Manifest, r.Method, r.Path = "", "DELETE", "/delete-agent/"+c.ID
	}
	if action != plan.None && len(r.Fields)+len(c.Manifest) > 0 || action == plan.Delete {
		c.Requests = []plan.Request{r}
	}
	c.Precondition = plan.Precondition{Live: "sha256:" + name, Desired: "sha256:" + name}
	return c
}

func planOf(unchanged int, changes ...plan.Change) *plan.Plan {
	p := &plan.Plan{FormatVersion: plan.FormatVersion, Changes: changes}
	for range unchanged {
		p.Changes = append(p.Changes, plan.Change{Address: "voicy/quiet", Provider: "voicy", Action: plan.None})
	}
	for _, c := range p.Changes {
		switch c.Action {
		case plan.Create:
			p.Summary.Create++
		case plan.Update:
			p.Summary.Update++
		case plan.Delete:
			p.Summary.Delete++
		case plan.Adopt:
			p.Summary.Adopt++
		default:
			p.Summary.None++
		}
		if c.Blocked() {
			p.Summary.Blocked++
		}
	}
	return p
}

func sampleOne() *plan.Plan {
	return planOf(4, change("voicy", "front-desk", plan.Update,
		field("/begin_message", diff.FromManifest, "Hi", "Hello! How can I help you?"), field("/general_prompt", diff.FromManifest, prompt, newPrompt)))
}

// sampleTwenty has one of everything that a plan can say.
func sampleTwenty() *plan.Plan {
	put := change("convirza", "implant-campaign", plan.Update, field("/more_information", diff.FromManifest, "Ends on 31 December.", "Ends on 31 January."))
	put.Reason = "PUT: every writable field is declared, can be carried, or is at its default"
	put.Requests[0] = plan.Request{Method: "PUT", Path: "/ai-voice-agents/102", Fields: strings.Fields("config direction greetings max_call_duration more_information notification_message notification_time org_unit_id prompt urls voice_id voiceagent_name")}
	put.Carried = []string{"/config", "/max_call_duration", "/notification_message", "/notification_time", "/urls"}
	reset := change("convirza", "main-line", plan.Update, field("/max_call_duration", diff.FromManifest, 300, 360))
	reset.Reset = []string{"/industry_id", "/created_by"}
	blocked := change("convirza", "old-line", plan.Update, field("/voice_id", diff.FromManifest, 3, 4))
	blocked.Findings = append(blocked.Findings, providers.NewBlocking(providers.CodeLossyPut, "PUT would reset integrations, industry_id (cannot be read back)", ""))
	unread := change("nova", "broken", plan.None)
	unread.Findings = append(unread.Findings, providers.NewBlocking(providers.CodeUnreadAgent, "nova: GET /org/org_lumen/agents/id-of-broken: 502: bad gateway (4 attempts)", ""))
	secret := change("nova", "whitening", plan.Create, field("/name", diff.FromManifest, nil, "Whitening"), field("/prompt_template", diff.FromManifest, nil, prompt),
		plan.Field{Path: "/precall_webhook/headers", Op: diff.Add, Before: plan.Hidden, After: plan.Hidden, Origin: diff.FromManifest, Sensitive: true})
	adopt := change("nova", "reception", plan.Adopt, field("/prompt_template", diff.Unknown, "Answer the phone.", "Answer the phone, in English."))
	adopt.Findings = append(adopt.Findings, providers.NewBlocking(providers.CodeAdopt, "live agent id-of-reception has the name Reception", ""))
	left := change("nova", "lab", plan.None, withBase(field("/llm_config/temperature", diff.Drift, "0.9", "0.3"), "0.3"))
	left.Findings = []providers.Finding{providers.NewWarning(providers.CodeDriftIgnored, "/llm_config/temperature differs and is left as it is live (drift: ignore)", "")}
	gone := change("voicy", "old-desk", plan.Delete)
	gone.Reason = "no manifest declares it"
	p := planOf(120, put, reset, blocked, secret, unread, left, adopt,
		change("voicy", "after-hours", plan.Update, withBase(field("/response_delay_ms", diff.Drift, 250, 150), 150), field("/begin_message", diff.FromManifest, "Hi", "Hello")),
		change("voicy", "both", plan.Update, withBase(field("/begin_message", diff.Conflict, "By hand", "By manifest"), "As it was"),
			withBase(field("/general_prompt", diff.Conflict, strings.Replace(prompt, "two earliest", "three earliest", 1), newPrompt), prompt)),
		change("voicy", "foreign", plan.Update, field("/general_prompt", diff.Unknown, "You answer.", newPrompt), field("/language", diff.Unknown, "he", "en")),
		change("voicy", "hebrew", plan.Update, field("/begin_message", diff.FromManifest, "שלום, איך אפשר לעזור?", "שלום, במה אפשר לעזור?")),
		change("voicy", "japanese", plan.Update, field("/general_prompt", diff.FromManifest, strings.Repeat("お電話ありがとうございます。", 8), strings.Repeat("お電話ありがとうございます。", 7)+"ご用件をどうぞ。")),
		gone,
		change("voicy", "released", plan.Update, field("/begin_message", diff.Released, "Hi", "Hi"), field("/language", diff.Released, "en", "en"), field("/voice_id", diff.FromManifest, "a", "b")),
		change("voicy", "same-1", plan.Update, field("/language", diff.FromManifest, "en", "he")),
		change("voicy", "same-2", plan.Update, field("/language", diff.FromManifest, "en", "he")),
		change("voicy", "same-3", plan.Update, field("/language", diff.FromManifest, "en", "he")),
		change("voicy", "steer", plan.Update, field("/begin_message", diff.FromManifest, "Hi", "\x1b[31mred\x07 \u202etxet"), field("/general_prompt", diff.FromManifest, "one\ttab\nend", "one tab\nend\u200b")),
		change("voicy", "variables", plan.Update, field("/vars_provided", diff.FromManifest,
			list(object("name", "clinic", "type", "string", "description", "The clinic"), object("name", "gone", "type", "string"), object("name", "same", "type", "string")),
			list(object("name", "same", "type", "string"), object("name", "clinic", "type", "string", "description", "The clinic that was called"),
				object("name", "patient", "type", "string", "description", "The patient's full name as the caller spells it, letter by letter")))),
		change("voicy", "webhook", plan.Update, field("/headers", diff.FromManifest, object("X-Old", "1", "X-Same", "s"), object("X-New.Dotted", "2", "X-Same", "s"))),
	)
	p.Orphans = []plan.Orphan{{Address: "voicy/kept", Provider: "voicy", ID: "id-of-kept", Protected: true, Reason: "no manifest declares it"}}
	p.Summary.Orphaned = 1
	return p
}

// sampleMany has n changes: most of them one of a few campaigns, some by themselves.
func sampleMany(n int) *plan.Plan {
	var changes []plan.Change
	for i := range n {
		name := fmt.Sprintf("clinic-%03d", i)
		switch {
		case i%10 < 6:
			changes = append(changes, change("voicy", name, plan.Update, field("/language", diff.FromManifest, "en", "he")))
		case i%10 < 8:
			changes = append(changes, change("voicy", name, plan.Update, field("/general_prompt", diff.FromManifest, prompt, newPrompt)))
		case i%10 == 8:
			changes = append(changes, change("voicy", name, plan.Update, field("/begin_message", diff.FromManifest, "Hi from clinic", "Hello from clinic "+name)))
		case i%50 == 9:
			long := strings.Repeat("This line is about "+name+".\n", 40)
			changes = append(changes, change("voicy", name, plan.Update, field("/general_prompt", diff.FromManifest, long, strings.ReplaceAll(long, "is about", "was about"))))
		default:
			changes = append(changes, change("voicy", name, plan.Update, withBase(field("/response_delay_ms", diff.Drift, 100+i, 150), 150)))
		}
	}
	return planOf(200, changes...)
}
