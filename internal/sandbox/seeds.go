package sandbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed seeds.json
var seedData string

// seeds are the live agents of Lumen Dental Group, a made-up company, by store. Their ids do not change, so that example manifests
// can name them:
//
//	voicy               550e8400-e29b-41d4-a716-446655440001  Front desk: a long prompt in sections; answers a number (no delete)
//	                    550e8400-e29b-41d4-a716-446655440002  After hours
//	                    550e8400-e29b-41d4-a716-446655440003  Recall calls: Hebrew, right to left; may be deleted
//	voicy/functions-v1  7c9e6679-7425-40de-944b-e07fc1f90a01  Insurance desk: variables with values that are not shown
//	                    7c9e6679-7425-40de-944b-e07fc1f90a02  Emergency triage: a flow, which cannot be modified
//	                    7c9e6679-7425-40de-944b-e07fc1f90a03  Waiting list
//	nova                9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0c01  Appointment reminders: every object, a webhook with a secret header
//	                    9b2d6a40-51c7-4f0e-8d13-6e4f7a1b0c02  Web chat: most objects unset, a plugin
//	centerfy            d8f2a229-2f5c-42ba-ac65-402f2c25fee2  New patient line: every toggle on
//	                    d8f2a229-2f5c-42ba-ac65-402f2c25fee3  Billing line: most toggles off
//	convirza            101  Lumen main line: files and write-only values, so that a PUT would lose something
//	                    102  Implant campaign: write-only fields at their defaults, no files, so that a PUT loses nothing
func seeds() (map[string][]map[string]any, error) {
	var all map[string][]map[string]any
	if err := json.Unmarshal([]byte(seedData), &all); err != nil {
		return nil, fmt.Errorf("sandbox: seeds: %w", err)
	}
	return all, nil
}
