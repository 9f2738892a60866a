package main

import (
	"fmt"
	"strings"

	"agentsync.dev/agentsync/internal/sandbox"
)

// vendor is what the benchmark knows of one: how its agents are declared, and how its account is reached.
type vendor struct {
	store string
	// config is an agent's, with the long prompt in the field prompt.
	config func(name, prompt string) map[string]any
	prompt string
	// account is the rest of spec of the Provider document. Its variables are the sandbox's.
	account string
}

func vendors() map[string]vendor {
	return map[string]vendor{
		"voicy": {
			store: sandbox.Voicy, prompt: "general_prompt",
			config: func(name, prompt string) map[string]any {
				return map[string]any{"agent_name": name, "language": "en", "general_prompt": prompt,
					"begin_message": "Hello, this is " + name + ". How can I help you?"}
			},
			account: "  baseURL: {$env: VOICY_BASE_URL}\n  auth: {apiKey: {$env: VOICY_API_KEY}}\n",
		},
		"nova": {
			store: sandbox.Nova, prompt: "prompt_template",
			config: func(name, prompt string) map[string]any {
				return map[string]any{"name": name, "type": "voice", "prompt_template": prompt}
			},
			account: "  baseURL: {$env: NOVA_BASE_URL}\n  orgID: {$env: NOVA_ORG_ID}\n  auth: {apiKey: {$env: NOVA_API_KEY}}\n",
		},
		"centerfy": {
			store: sandbox.Centerfy, prompt: "voicemail_message", // Centerfy's agents have no prompt
			config: func(name, prompt string) map[string]any {
				return map[string]any{"name": name, "voice_id": "Aria", "llm_model": "gpt-4o", "language": "en-US", "temperature": 0.5,
					"max_duration": 15, "silence_timeout": 30, "voice_activity_timeout": 1, "background_noise": false,
					"voicemail_detection": true, "voicemail_type": "leave_message", "voicemail_message": prompt, "backcchanneling": false,
					"is_active": true, "webhook": false, "recording": false,
					"organization_id": sandbox.CenterfyOrg, "sub_account_id": sandbox.CenterfyAccount}
			},
			account: "  baseURL: {$env: CENTERFY_BASE_URL}\n  auth: {apiKey: {$env: CENTERFY_API_KEY}}\n",
		},
		"convirza": {
			store: sandbox.Convirza, prompt: "prompt",
			config: func(name, prompt string) map[string]any {
				return map[string]any{"voiceagent_name": name, "direction": "inbound", "org_unit_id": sandbox.ConvirzaOrgUnit, "voice_id": 5,
					"greetings": "Hello, this is " + name + ".", "prompt": prompt}
			},
			account: "  baseURL: {$env: CONVIRZA_BASE_URL}\n  auth: {accessToken: {$env: CONVIRZA_ACCESS_TOKEN}}\n",
		},
	}
}

func agentName(i int) string { return fmt.Sprintf("agent-%05d", i) }

// prompt is about 3.6 KB of text, other for each agent and each generation of it.
func prompt(i, generation int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Agent %d, version %d\n\nYou answer the telephone of a clinic. Be brief, be kind, and never guess: \"I do not know\" is an answer.\n", i, generation)
	for line := range 40 {
		fmt.Fprintf(&b, "\n- Rule %d of agent %d: ask for the caller's name, repeat the date, and say what happens next.", line+1, i)
	}
	b.WriteString("\n")
	return b.String()
}
