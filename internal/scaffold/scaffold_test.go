package scaffold_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"agentsync.dev/agentsync/internal/scaffold"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/spec"
)

func files(t *testing.T, o scaffold.Options) map[string][]byte {
	t.Helper()
	list, err := scaffold.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string][]byte{}
	for _, f := range list {
		byName[f.Name] = f.Data
	}
	return byName
}

// TestFiles: every choice makes a repository whose manifests are valid, in which no template is left.
func TestFiles(t *testing.T) {
	choices := [][]providers.Vendor{all.Vendors()}
	for _, v := range all.Vendors() {
		choices = append(choices, []providers.Vendor{v})
	}
	for _, vendors := range choices {
		for _, ci := range scaffold.Pipelines() {
			made := files(t, scaffold.Options{Vendors: vendors, CI: ci, Version: "v1.2.3"})
			dir := t.TempDir()
			for name, data := range made {
				if bytes.Contains(data, []byte("<no value>")) || bytes.Contains(data, []byte("[[ ")) || !bytes.HasSuffix(data, []byte("\n")) {
					t.Errorf("%s: %s", name, data)
				}
				path := filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			valid(t, dir, vendors)
		}
	}
}

// valid checks the manifests in dir: one for each vendor, and with all that a create needs.
func valid(t *testing.T, dir string, vendors []providers.Vendor) {
	t.Helper()
	set, err := spec.Load(spec.Input{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Agents) != len(vendors) || set.Config == nil {
		t.Errorf("%d agents for %d vendors, config %v", len(set.Agents), len(vendors), set.Config)
	}
	for _, agent := range set.Agents {
		vendor, ok := all.Lookup(agent.Provider)
		if !ok {
			t.Fatalf("unknown provider %s", agent.Provider)
		}
		schema := vendor.Generations[0].Schema()
		config, problems := schema.Decode(agent.Config, false)
		if len(problems) > 0 {
			t.Errorf("%s: %v", agent.Address(), problems)
		}
		for _, name := range schema.Type().RequiredOnCreate {
			if _, there := config.Object[name]; !there {
				t.Errorf("%s: a create needs %s", agent.Address(), name)
			}
		}
	}
}

// TestPipelines holds what a pipeline must not lack.
func TestPipelines(t *testing.T) {
	for _, tt := range []struct {
		ci, file string
		want     []string
	}{
		{scaffold.GitHub, ".github/workflows/agentsync.yaml", []string{"permissions: {}", "contents: read", "agentsync validate",
			"agentsync plan -o markdown --out plan.json", "agentsync comment plan.json", "agentsync apply --plan plan.json", "group: agentsync-apply", "cancel-in-progress: false",
			"cmd/agentsync@v1.2.3", "NOVA_API_KEY: ${{ secrets.NOVA_API_KEY }}"}},
		{scaffold.GitLab, ".gitlab-ci.yml", []string{"merge_request_event", "agentsync validate", "agentsync plan -o markdown --out plan.json",
			"agentsync apply --plan plan.json", "resource_group: agentsync", "when: manual", "cmd/agentsync@v1.2.3", "NOVA_API_KEY"}},
	} {
		data := files(t, scaffold.Options{Vendors: all.Vendors(), CI: tt.ci, Version: "v1.2.3"})[tt.file]
		var tree map[string]any
		if err := yaml.Unmarshal(data, &tree); err != nil || len(tree) < 3 {
			t.Errorf("%s: %v\n%s", tt.file, err, data)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(data), want) {
				t.Errorf("%s: no %q", tt.file, want)
			}
		}
		if strings.Contains(string(data), "--auto-approve") {
			t.Errorf("%s applies what nobody reviewed", tt.file)
		}
	}
}

// TestSettings: every key of a vendor is named in its pipeline and its README.
func TestSettings(t *testing.T) {
	for _, v := range all.Vendors() {
		for ci, file := range map[string]string{scaffold.GitHub: ".github/workflows/agentsync.yaml", scaffold.GitLab: ".gitlab-ci.yml"} {
			made := files(t, scaffold.Options{Vendors: []providers.Vendor{v}, CI: ci, Version: "latest"})
			for _, s := range v.Settings {
				if s.Secret && (!bytes.Contains(made[file], []byte(s.Env)) || !bytes.Contains(made["README.md"], []byte("`"+s.Env+"`"))) {
					t.Errorf("%s: %s is not named", v.Name, s.Env)
				}
			}
		}
	}
}

func TestUnknownPipeline(t *testing.T) {
	_, err := scaffold.Files(scaffold.Options{Vendors: all.Vendors(), CI: "jenkins"})
	if err == nil || !strings.Contains(err.Error(), "github, gitlab, none") {
		t.Errorf("got %v", err)
	}
	if slices.Contains(scaffold.Pipelines(), "") {
		t.Error("a pipeline without a name")
	}
}
