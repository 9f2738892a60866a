// Package convirza manages Convirza AI voice agents (platform API v3). Agents travel as multipart forms. A full update (PUT) resets
// every field that it is not sent, and six fields can be written but never read, so each update first sorts the fields by what
// PUT would do to them; see risk.go.
//
// Of the vendor's agent pages only "Update Agent" could be read (docs.convirza.com/update-agent-31106395e0, checked
// 2026-11-21). Get, list, create, partial update and delete are known by method; their shapes are assumed from that page and from the
// pages of users and groups, and the decoders are tolerant where those leave room.
package convirza

import (
	_ "embed"
	"sync"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

const (
	vendorName = "convirza"
	nameField  = "voiceagent_name"

	// The hosts are named on the version page (docs.convirza.com, checked 2026-11-21).
	defaultBaseURL  = "https://platform-api.convirza.com/v3"
	defaultOAuthURL = "https://platform-oauth.convirza.com"

	// agentsPath is the path of the collection: create, and with an id everything else.
	agentsPath = "/ai-voice-agents"
)

// The fields of the Provider document that an account takes.
const (
	fieldBaseURL  = "baseURL"
	fieldToken    = "auth.accessToken"
	fieldEmail    = "auth.email"
	fieldPassword = "auth.password"
	fieldOAuthURL = "oauthURL"
	fieldListPath = "listPath"
)

var (
	//go:embed schema.json
	rawSchema []byte

	agentSchema = sync.OnceValue(func() *schema.Schema { return schema.Parse(vendorName, rawSchema) })
)

// Vendor describes Convirza.
func Vendor() providers.Vendor {
	return providers.Vendor{
		Name:      vendorName,
		Title:     "Convirza",
		OtherURLs: []string{defaultOAuthURL},
		Generations: []providers.Generation{{
			BaseURL:      defaultBaseURL,
			NameField:    nameField,
			FilesShownAs: fileNamesField,
			CheckFiles:   checkFiles,
			Schema:       agentSchema,
			Can:          providers.Abilities{List: "summaries", PageSize: pageSize, Mark: revisionField, Update: "PUT or PATCH", Delete: "delete"},
			Notes: []string{
				"integrations, created_by, ext_org_unit_id, industry_id, knowledge_base and the contents of files are never read back: changes of them at the vendor cannot be seen",
				"a full update (PUT) resets what it is not sent; `update: auto` uses it only when nothing can be lost, and PATCH otherwise",
				"nothing can be set to empty or null through the API",
				"files can be added by any update, and removed only by a full update with the complete set",
				"an agent that has a phone number is not deleted",
				"voices and inherited prompts have no list: take their ids from the dashboard",
				"logins are limited to 10 a minute for all users behind one address",
			},
		}},
		Settings: []providers.Setting{
			{Env: "CONVIRZA_ACCESS_TOKEN", Field: fieldToken, Secret: true, About: "ready access token; without one, e-mail and password log in"},
			{Env: "CONVIRZA_EMAIL", Field: fieldEmail, About: "e-mail address of the user to log in as"},
			{Env: "CONVIRZA_PASSWORD", Field: fieldPassword, Secret: true, About: "password of that user"},
			{Env: "CONVIRZA_BASE_URL", Field: fieldBaseURL, About: "base URL of the API, default " + defaultBaseURL},
			{Env: "CONVIRZA_OAUTH_URL", Field: fieldOAuthURL, About: "base URL of the login, default " + defaultOAuthURL},
			{Env: "CONVIRZA_LIST_PATH", Field: fieldListPath, About: "path of the list of agents, default " + agentsPath},
		},
		Open: open,
	}
}
