package agentsync_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"agentsync.dev/agentsync/internal/status"
	"agentsync.dev/agentsync/internal/web"
)

const (
	kubernetesBase    = "deploy/kubernetes/base"
	kubernetesExample = "deploy/kubernetes/overlays/git-ssh-s3"
)

// resource is a Kubernetes object.
type resource struct {
	apiVersion, kind, name string
	yaml                   []byte
}

// kustomized builds a kustomization.
func kustomized(t *testing.T, dir string) []resource {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []resource
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resource{r.GetApiVersion(), r.GetKind(), r.GetName(), text})
	}
	return all
}

// onlyOf returns the one object of a kind; of several, the one that has the name of all.
func onlyOf(t *testing.T, all []resource, kind string) any {
	t.Helper()
	var found []resource
	for _, o := range all {
		if o.kind == kind && !strings.HasPrefix(o.name, "agentsync-known-hosts") {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of kind %s, want 1", len(found), kind)
	}
	return parsed(t, found[0].yaml)
}

func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// at returns what stands at a path of names and indices, nil if nothing does.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// TestDeployKubernetes holds every object to its schema, strictly: a field that Kubernetes does not know is a mistake.
func TestDeployKubernetes(t *testing.T) {
	kinds := map[string]bool{}
	check := func(o resource) {
		schema := strictSchema(t, o)
		if schema == nil {
			t.Errorf("%s %s: no schema", o.apiVersion, o.kind)
			return
		}
		conform(t, o.kind+" "+o.name, schema, o.yaml)
		kinds[o.kind] = true
	}
	for _, dir := range []string{kubernetesBase, kubernetesExample} {
		for _, o := range kustomized(t, dir) {
			check(o)
		}
	}
	secret := []byte(readPage(t, kubernetesBase+"/secret.example.yaml"))
	check(resource{"v1", "Secret", "secret.example.yaml", secret})
	for _, kind := range []string{"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "Service", "ServiceAccount",
		"ServiceMonitor"} {
		if !kinds[kind] {
			t.Errorf("no %s", kind)
		}
	}
	for _, dir := range []string{kubernetesBase, kubernetesExample} {
		for _, o := range kustomized(t, dir) {
			if o.kind == "Secret" || o.kind == "Namespace" {
				t.Errorf("%s applies a %s, which is for the user to make", dir, o.kind)
			}
		}
	}
}

// TestDeploySchemasAreStrict: the check above finds what is misspelt, in a kind of Kubernetes' and in one of the operator's.
func TestDeploySchemasAreStrict(t *testing.T) {
	for _, o := range kustomized(t, kubernetesExample) {
		wrong := map[string]string{"Deployment": "readOnlyRootFilesystem", "ServiceMonitor": "scrapeTimeout", "PrometheusRule": "annotations"}[o.kind]
		if wrong == "" {
			continue
		}
		text := bytes.ReplaceAll(o.yaml, []byte(wrong+":"), []byte(wrong+"s:"))
		if bytes.Equal(text, o.yaml) {
			t.Fatalf("%s holds no %s", o.kind, wrong)
		}
		if violation(t, strictSchema(t, o), text) == nil {
			t.Errorf("%s: %ss is taken", o.kind, wrong)
		}
	}
}

// TestDeployIsHardened looks at what matters of the built objects, whatever an overlay did to them.
func TestDeployIsHardened(t *testing.T) {
	for dir, image := range map[string]string{kubernetesBase: "registry.example.com/agentsync:0.0.0-placeholder",
		kubernetesExample: "registry.example.com/voice/agentsync:0.0.0-placeholder"} {
		all := kustomized(t, dir)
		deployment := onlyOf(t, all, "Deployment")
		for path, want := range map[string]any{
			"spec.replicas": 2,
			"spec.template.spec.automountServiceAccountToken":                          false,
			"spec.template.spec.enableServiceLinks":                                    false,
			"spec.template.spec.securityContext.runAsNonRoot":                          true,
			"spec.template.spec.securityContext.seccompProfile.type":                   "RuntimeDefault",
			"spec.template.spec.containers.0.image":                                    image,
			"spec.template.spec.containers.0.args.0":                                   "watch",
			"spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem":   true,
			"spec.template.spec.containers.0.securityContext.allowPrivilegeEscalation": false,
			"spec.template.spec.containers.0.securityContext.capabilities.drop.0":      "ALL",
			"spec.template.spec.containers.0.startupProbe.httpGet.path":                "/healthz",
			"spec.template.spec.containers.0.livenessProbe.httpGet.path":               "/healthz",
			"spec.template.spec.containers.0.readinessProbe.httpGet.path":              "/readyz",
			"spec.template.spec.containers.0.envFrom.1.secretRef.name":                 "agentsync",
		} {
			if got := at(deployment, path); got != want {
				t.Errorf("%s: %s is %v, want %v", dir, path, got, want)
			}
		}
		settings := at(onlyOf(t, all, "ConfigMap"), "data").(map[string]any)
		lasts, err := time.ParseDuration(settings["AGENTSYNC_GRACE"].(string))
		given, _ := at(deployment, "spec.template.spec.terminationGracePeriodSeconds").(int)
		if err != nil || time.Duration(given)*time.Second < lasts+handOver {
			t.Errorf("%s: the pod gets %d s to end, --grace takes %s of it (%v)", dir, given, lasts, err)
		}
		pods := at(deployment, "spec.template.metadata.labels").(map[string]any)
		for kind, path := range map[string]string{"Deployment": "spec.selector.matchLabels", "Service": "spec.selector",
			"NetworkPolicy": "spec.podSelector.matchLabels", "PodDisruptionBudget": "spec.selector.matchLabels"} {
			for name, value := range at(onlyOf(t, all, kind), path).(map[string]any) {
				if pods[name] != value {
					t.Errorf("%s: %s selects %s=%v, the pods have %v", dir, kind, name, value, pods[name])
				}
			}
		}
	}
}

// handOver is how long a watcher may take after --grace: the lease, open connections and what people are to be told.
const handOver = 20 * time.Second

// TestDeployProbesAreServed: what probes and Prometheus ask for is there, and open.
func TestDeployProbesAreServed(t *testing.T) {
	site, err := web.New(web.Options{Board: &status.Board{}, Reconcile: func([]string) bool { return true }, Fetch: func() {}, Token: "a token",
		Metrics: sampleMetrics().Handler(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, o := range kustomized(t, kubernetesExample) {
		for _, match := range regexp.MustCompile(`(?m)^\s*(?:- )?path: (/\S+)$`).FindAllSubmatch(o.yaml, -1) {
			asked++
			w := httptest.NewRecorder()
			site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, string(match[1]), nil))
			if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s asks for %s: %d", o.kind, match[1], w.Code)
			}
		}
	}
	if asked != 4 {
		t.Errorf("%d paths, want those of three probes and a ServiceMonitor", asked)
	}
}

// TestDeployCompose holds the compose file to the specification's schema.
func TestDeployCompose(t *testing.T) {
	text := []byte(readPage(t, "deploy/compose/compose.yaml"))
	conform(t, "compose.yaml", parsed(t, composeModule.file(t, "schema/compose-spec.json")), text)
	service := at(parsed(t, text), "services.watcher")
	for path, want := range map[string]any{"read_only": true, "cap_drop.0": "ALL", "security_opt.0": "no-new-privileges:true", "command.0": "watch",
		"ports.0.host_ip": "127.0.0.1", "volumes.0.read_only": true, "restart": "unless-stopped"} {
		if got := at(service, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	lasts, err := time.ParseDuration(at(service, "environment.AGENTSYNC_GRACE").(string))
	given, givenErr := time.ParseDuration(at(service, "stop_grace_period").(string))
	if err != nil || givenErr != nil || given < lasts+handOver {
		t.Errorf("the container gets %s to end, --grace takes %s of it", given, lasts)
	}
	example := readPage(t, "deploy/compose/.env.example")
	for _, needed := range regexp.MustCompile(`\$\{(\w+)`).FindAllSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^` + string(needed[1]) + `=`).MatchString(example) {
			t.Errorf(".env.example does not name %s", needed[1])
		}
	}
}

// TestDeploySystemd reads the unit as systemd does: sections, and lines of NAME=VALUE.
func TestDeploySystemd(t *testing.T) {
	unit := map[string][]string{}
	for _, file := range []string{"agentsync.service", "git-ssh.conf"} {
		for line := range strings.Lines(readPage(t, "deploy/systemd/"+file)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || slices.Contains([]string{"[Unit]", "[Service]", "[Install]"}, line) {
				continue
			}
			name, value, ok := strings.Cut(line, "=")
			if !ok || !regexp.MustCompile(`^[A-Z]\w+$`).MatchString(name) {
				t.Errorf("%s: %q is no line of a unit", file, line)
			}
			unit[name] = append(unit[name], value)
		}
	}
	for name, want := range map[string]string{"DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "StateDirectory": "agentsync",
		"KillSignal": "SIGTERM", "Restart": "on-failure", "ExecReload": "/bin/kill -HUP $MAINPID", "SuccessExitStatus": "143",
		"RestartPreventExitStatus": "64", "CapabilityBoundingSet": "", "EnvironmentFile": "/etc/agentsync/agentsync.env"} {
		if len(unit[name]) != 1 || unit[name][0] != want {
			t.Errorf("%s is %q, want %q", name, unit[name], want)
		}
	}
	grace := regexp.MustCompile(`AGENTSYNC_GRACE=(\S+)`).FindStringSubmatch(strings.Join(unit["Environment"], " "))
	lasts, err := time.ParseDuration(grace[1])
	given, givenErr := time.ParseDuration(unit["TimeoutStopSec"][0] + "s")
	if err != nil || givenErr != nil || given < lasts+handOver {
		t.Errorf("the service gets %s to end, --grace takes %s of it", given, lasts)
	}
}

// TestDeployVariablesAreFlags: every AGENTSYNC_ variable that is set or told of is a flag of watch.
func TestDeployVariablesAreFlags(t *testing.T) {
	help, code := agentsync(t, t.TempDir(), "watch", "--help")
	if code != 0 {
		t.Fatalf("exit status %d", code)
	}
	// What is not the command's: compose's own.
	known := map[string]bool{"AGENTSYNC_IMAGE": true, "AGENTSYNC_UID": true, "AGENTSYNC_GID": true}
	for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+) `).FindAllSubmatch(help, -1) {
		known["AGENTSYNC_"+strings.ToUpper(strings.ReplaceAll(string(flag[1]), "-", "_"))] = true
	}
	if len(known) < 40 {
		t.Fatalf("only %d flags in the help:\n%s", len(known), help)
	}
	eachWord(t, `\bAGENTSYNC_\w+[A-Z]`, func(file, name string) {
		if !known[name] {
			t.Errorf("%s: %s is no flag of agentsync watch", file, name)
		}
	})
}

// eachWord visits what matches pattern in the files of deploy/ and on the watcher's page.
func eachWord(t *testing.T, pattern string, visit func(file, word string)) {
	t.Helper()
	files := []string{watchPage}
	err := filepath.WalkDir("deploy", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		for _, word := range regexp.MustCompile(pattern).FindAllString(readPage(t, file), -1) {
			found++
			visit(file, word)
		}
	}
	if found == 0 {
		t.Errorf("nothing matches %s", pattern)
	}
}
