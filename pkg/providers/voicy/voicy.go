// Package voicy manages Voicy voice agents. Two API generations are on record for the same host; they share neither paths nor field
// names, so an account speaks one of them, chosen by `api` in its Provider document, and never falls back to the other.
//
// Facts are from docs.voicy.co (api-reference, rate-limits, error-handling, changelog), checked 2026-11-21.
package voicy

import (
	_ "embed"
	"sync"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

const vendorName = "voicy"

// The fields of the Provider document that an account takes.
const (
	fieldKey     = "auth.apiKey"
	fieldBaseURL = "baseURL"
	fieldAPI     = "api"
)

var (
	//go:embed schema-v1.json
	rawV1 []byte
	//go:embed schema-functions-v1.json
	rawFunctions []byte

	schemaV1        = sync.OnceValue(func() *schema.Schema { return schema.Parse(vendorName, rawV1) })
	schemaFunctions = sync.OnceValue(func() *schema.Schema { return schema.Parse(vendorName+"/functions-v1", rawFunctions) })
)

// Vendor describes Voicy.
func Vendor() providers.Vendor {
	v := providers.Vendor{
		Name:  vendorName,
		Title: "Voicy",
		Settings: []providers.Setting{
			{Env: "VOICY_API_KEY", Field: fieldKey, About: "API key, made in the dashboard", Required: true, Secret: true},
			{Env: "VOICY_BASE_URL", Field: fieldBaseURL, About: "base URL of the chosen API generation"},
			{Field: fieldAPI, About: "API generation: v1 (default) or functions-v1"},
		},
		Open: open,
	}
	for _, d := range dialects() {
		v.Generations = append(v.Generations, d.generation())
	}
	return v
}

// dialect is one API generation as data: what differs between them and nothing else.
type dialect struct {
	name    string
	baseURL string
	schema  func() *schema.Schema
	// nameField carries the display name; foreignName is the same field in the other generation, and other that generation.
	nameField, foreignName, other string
	// The routes; an id is appended after a slash. An empty remove means that there is none.
	list, get, create, update, remove string
	// variables are the two lists of variables, which every write replaces as a whole.
	variables []string
	// listsVariables says that list items are whole.
	listsVariables bool
	// deploys says that the vendor documents its writes as live at once.
	deploys bool
	// mark is the field that changes with the agent, "" where there is none.
	mark  string
	notes []string
}

// dialects returns the API generations, the default first.
func dialects() []dialect {
	return []dialect{
		{
			name: "v1", baseURL: "https://api.voicy.co/v1", schema: schemaV1,
			nameField: "agent_name", foreignName: "name", other: "functions-v1",
			list: "/list-agents", get: "/get-agent", create: "/create-agent", update: "/update-agent", remove: "/delete-agent",
			variables: []string{"vars_provided", "vars_extracted"}, listsVariables: true,
			notes: []string{
				"Voicy documents no create for this generation: POST /create-agent is assumed",
				"Voicy may have withdrawn this generation in favour of functions-v1: a 404 on the list says so",
				"an agent that is assigned to a phone number cannot be deleted",
				"variable lists are replaced as a whole",
				"the pace begins at the standard plan's 60 requests a minute and follows X-RateLimit-Limit; limits.requestsPerMinute fixes it",
			},
		},
		{
			name: "functions-v1", baseURL: "https://api.voicy.co/functions/v1", schema: schemaFunctions,
			nameField: "name", foreignName: "agent_name", other: "v1",
			list: "/agent-list", get: "/agent-get", create: "/agent-create", update: "/agent-modify",
			variables: []string{"variables_provided", "variables_extracted"}, deploys: true, mark: "updated_at",
			notes: []string{
				"create and update deploy at once, and may deploy pending dashboard edits with them",
				"there is no delete: an agent without a manifest stays as an orphan until it is removed in the dashboard",
				"flow agents (conversationalFlow) are read-only",
				"variable lists are replaced as a whole; `default` and `required` of their items may not be shown",
				"the pace begins at the standard plan's 60 requests a minute and follows X-RateLimit-Limit; limits.requestsPerMinute fixes it",
			},
		},
	}
}

func (d dialect) generation() providers.Generation {
	can := providers.Abilities{List: "summaries", Mark: d.mark, Update: "PATCH", Delete: "none"}
	if d.listsVariables {
		can.List = "whole"
	}
	if d.remove != "" {
		can.Delete = "delete"
	}
	return providers.Generation{
		Name: d.name, BaseURL: d.baseURL, NameField: d.nameField, Schema: d.schema, Can: can, Notes: d.notes,
	}
}
