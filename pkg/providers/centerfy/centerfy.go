// Package centerfy manages voice agents at Centerfy. Its PUT changes only the fields that it is sent, checks rules between fields
// against the request alone, and there is no list: only agents whose id is known can be managed.
//
// Facts are from setup.centerfy.ai/api (overview, create-agent, get-agent, update-agent, delete-agent), checked 2026-11-21.
package centerfy

import (
	_ "embed"
	"sync"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

const (
	vendorName = "centerfy"
	baseURL    = "https://crmwebhook.com/functions/v1/crm-api"
)

// The fields of the Provider document that an account takes.
const (
	fieldKey     = "auth.apiKey"
	fieldBaseURL = "baseURL"
)

var (
	//go:embed schema.json
	rawSchema []byte

	agentSchema = sync.OnceValue(func() *schema.Schema { return schema.Parse(vendorName, rawSchema) })
)

// Vendor describes Centerfy.
func Vendor() providers.Vendor {
	return providers.Vendor{
		Name:  vendorName,
		Title: "Centerfy",
		Settings: []providers.Setting{
			{Env: "CENTERFY_API_KEY", Field: fieldKey, About: "API key of the organisation and sub-account", Required: true, Secret: true},
			{Env: "CENTERFY_BASE_URL", Field: fieldBaseURL, About: "base URL of the API"},
		},
		Generations: []providers.Generation{{
			BaseURL:   baseURL,
			NameField: "name",
			Schema:    agentSchema,
			Can:       providers.Abilities{List: "none", Update: "PUT", Delete: "archive"},
			Notes: []string{
				"there is no list: agents that agentsync does not know are not seen, and an existing one is bound by spec.id",
				"a create with an unknown outcome waits for `agentsync state bind ADDRESS ID` or `agentsync state rm ADDRESS`",
				"a delete archives the agent; it is restored in the dashboard only",
				"prompt, greeting and tools are not part of the API",
				"a field that depends on a toggle is not compared while the toggle is off",
				"a paused agent (is_active: false) does not answer messages of its sub-account either",
			},
		}},
		Open: open,
	}
}
