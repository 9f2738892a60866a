// Package nova manages voice agents at Nova (CZMX). The vendor's PATCH is partial for the top-level fields; what it does inside a
// config object is not documented, so such an object is always sent whole, built from live plus desired.
//
// Facts are from docs.cozmox.ai (update-agent, create-agent) and, for get, list and delete, from the vendor's generated SDKs
// (github.com/CozmoXAI/js-sdk, python-sdk), checked 2026-11-21.
package nova

import (
	_ "embed"
	"sync"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

const (
	vendorName = "nova"
	baseURL    = "https://v2-nova-api.prod.czmx.in/api"
)

// The fields of the Provider document that an account takes.
const (
	fieldKey     = "auth.apiKey"
	fieldOrg     = "orgID"
	fieldBaseURL = "baseURL"
)

var (
	//go:embed schema.json
	rawSchema []byte

	agentSchema = sync.OnceValue(func() *schema.Schema { return schema.Parse(vendorName, rawSchema) })
)

// Vendor describes Nova.
func Vendor() providers.Vendor {
	return providers.Vendor{
		Name:  vendorName,
		Title: "Nova",
		Settings: []providers.Setting{
			{Env: "NOVA_API_KEY", Field: fieldKey, About: "API key that may read and write agents", Required: true, Secret: true},
			{Env: "NOVA_ORG_ID", Field: fieldOrg, About: "id of the organisation, part of every path", Required: true},
			{Env: "NOVA_BASE_URL", Field: fieldBaseURL, About: "base URL of the API"},
		},
		Generations: []providers.Generation{{
			BaseURL:   baseURL,
			NameField: "name",
			Schema:    agentSchema,
			Can:       providers.Abilities{List: "summaries", PageSize: pageSize, Mark: "updated_at", Update: "PATCH", Delete: "delete"},
			Notes: []string{
				"a create takes the name, the type and the prompt; the rest follows in a PATCH",
				"config objects are sent whole, so a field inside one cannot be removed",
				"there is no documented way to clear a field; an empty string is sent only where a manifest declares it",
				"tools and SIP trunks have their own API and are not managed",
				"precall_webhook.headers may not be readable: declare them whole, an empty map if there are none",
			},
		}},
		Open: open,
	}
}
