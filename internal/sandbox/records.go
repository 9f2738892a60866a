package sandbox

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed records
var recordFiles embed.FS

// Records are what agentsync would remember of the example company's seeded agents, by key of its state ("state/voicy/front-desk.json").
// They are older than the live agents in places, so that a plan of the example manifests has drift to show.
func Records() map[string][]byte {
	records := map[string][]byte{}
	err := fs.WalkDir(recordFiles, "records", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := recordFiles.ReadFile(path)
		records[strings.TrimPrefix(path, "records/")] = data
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("sandbox: records: %v", err)) // the files are part of the program
	}
	return records
}

// Credentials are the environment variables that open the sandbox's accounts, without addresses: in the process the vendors' own
// addresses lead to it.
func Credentials() map[string]string {
	env := map[string]string{
		"VOICY_API_KEY": VoicyKey, "NOVA_API_KEY": NovaKey, "NOVA_ORG_ID": NovaOrg, "CENTERFY_API_KEY": CenterfyKey,
		"CONVIRZA_EMAIL": ConvirzaEmail, "CONVIRZA_PASSWORD": ConvirzaPassword,
	}
	for _, name := range []string{"VOICY_BASE_URL", "NOVA_BASE_URL", "CENTERFY_BASE_URL", "CONVIRZA_BASE_URL", "CONVIRZA_OAUTH_URL",
		"CONVIRZA_ACCESS_TOKEN", "CONVIRZA_LIST_PATH"} {
		env[name] = ""
	}
	return env
}
