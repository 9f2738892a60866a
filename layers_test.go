package agentsync_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "agentsync.dev/agentsync/"

// rooms are the packages of agentsync that each package may import, with the reason. A package that is not listed here has no place in the house
// yet.
var rooms = map[string]struct {
	may []string
	why string
}{
	"pkg/diff":                   {nil, "the words of the lowest room: everybody can depend on it, nothing can pull it upward"},
	"pkg/spec":                   {nil, "manifests know neither documents nor vendors"},
	"pkg/providers/rest":         {[]string{"internal/jsontree"}, "the only HTTP knows no vendor"},
	"pkg/providers/schema":       {[]string{"pkg/diff", "pkg/spec"}, "a schema turns a manifest's values into a document"},
	"pkg/providers":              {[]string{"pkg/diff", "pkg/spec", "pkg/providers/rest", "pkg/providers/schema"}, "the contract"},
	"pkg/providers/centerfy":     {vendor, "a vendor knows no other vendor, and nothing of plans"},
	"pkg/providers/convirza":     {vendor, "a vendor knows no other vendor, and nothing of plans"},
	"pkg/providers/nova":         {vendor, "a vendor knows no other vendor, and nothing of plans"},
	"pkg/providers/voicy":        {vendor, "a vendor knows no other vendor, and nothing of plans"},
	"pkg/providers/all":          {[]string{"pkg/providers", "pkg/providers/centerfy", "pkg/providers/convirza", "pkg/providers/nova", "pkg/providers/voicy"}, "the one roof"},
	"pkg/providers/providertest": {[]string{"pkg/diff", "pkg/spec", "pkg/providers", "pkg/providers/rest", "pkg/providers/schema"}, "the suite knows the contract only"},
	"pkg/state":                  {[]string{"internal/jsontree", "pkg/diff"}, "records hold documents"},
	"pkg/state/statetest":        {[]string{"pkg/state"}, "the suite for stores"},
	"pkg/plan":                   {[]string{"pkg/diff", "pkg/spec", "pkg/state", "pkg/providers", "pkg/providers/rest", "pkg/providers/schema"}, "deciding knows the contract, not the vendors"},
	"pkg/apply":                  {[]string{"pkg/diff", "pkg/spec", "pkg/state", "pkg/plan", "pkg/providers", "pkg/providers/rest"}, "carrying out knows plans, not how they are made"},
	"schemas":                    {nil, "published files"},
	"internal/bench":             {[]string{"pkg/diff", "internal/sandbox"}, "measures the command from outside, as people run it"},
	"internal/bench/bare":        {nil, "the least that a program can do, to measure against"},
	"internal/sandbox":           {nil, "written from the vendors' pages alone, so that a client's mistake cannot hide in it"},
	"internal/forge":             {[]string{"pkg/providers/rest"}, "comments and statuses know no plans, and open connections as everybody does"},
	"internal/forge/forgetest":   {nil, "written from the forges' pages alone"},
	"internal/importer":          {[]string{"pkg/diff", "pkg/spec", "pkg/providers", "pkg/providers/schema"}, "writes manifests as data, knows neither state nor plans"},
	"internal/scaffold":          {[]string{"pkg/providers"}, "the files of a new repository, with the vendors' settings in them"},
	"internal/source":            {nil, "where manifests come from: commits, folders, Git servers; what a manifest is it does not know"},
	"internal/status":            {[]string{"pkg/plan", "pkg/providers"}, "what a watcher knows, as data: who writes it and who reads it do not know each other"},
	"internal/watch":             {[]string{"internal/source", "internal/status", "pkg/apply", "pkg/diff", "pkg/plan", "pkg/providers", "pkg/providers/rest", "pkg/spec", "pkg/state"}, "says when and for whom; what is to be done, plan and apply decide"},
	"internal/web":               {[]string{"internal/status", "internal/render", "pkg/diff", "pkg/plan"}, "shows a status and asks for looks; how the loop works it does not know"},
	"internal/s3test":            {nil, "a real S3 server for tests, which knows nothing of states"},
	"internal/needs":             {nil, "what single tests need beside Go"},
	"internal/gittest":           {nil, "real Git repositories and servers for tests"},
	"pkg/state/s3":               {[]string{"pkg/state", "pkg/providers/rest"}, "a bucket is a store; what loopback, a refusal and a secret are, rest says"},
	"internal/metrics":           {[]string{"internal/status", "pkg/plan", "pkg/providers/rest"}, "counts what others tell and what stands in the status, decides nothing"},
	"internal/notify":            {[]string{"internal/forge", "internal/status", "pkg/plan", "pkg/providers", "pkg/providers/rest"}, "tells people what the status says; knows neither the loop nor who else reads it"},
	"internal/render":            {[]string{"pkg/diff", "pkg/plan", "pkg/apply", "pkg/providers", "pkg/providers/schema"}, "shows documents, decides nothing"},
	"internal/format":            {[]string{"pkg/diff", "pkg/spec", "pkg/providers/schema"}, "lays out and writes manifests; the schemas say in which order"},
	"internal/jsontree":          {nil, "JSON as a tree, quickly; what it means is for others"},
	"internal/report":            {[]string{"pkg/spec", "pkg/plan", "pkg/providers"}, "writes what was found for machines, decides nothing"},
	"cmd/agentsync":              {[]string{"*"}, "wires everything, and is wired by nobody"},
}

var vendor = []string{"pkg/diff", "pkg/providers", "pkg/providers/rest", "pkg/providers/schema"}

// only says which packages may import what touches the world.
var only = map[string][]string{
	"os/signal":                             {"cmd/agentsync"},
	"flag":                                  {"internal/bench", "internal/bench/bare", "pkg/state/statetest"},
	"os/exec":                               {"internal/bench", "internal/gittest", "internal/needs", "internal/s3test", "pkg/state/statetest"},
	"net/http/httptest":                     {"internal/gittest", "pkg/providers/providertest"},
	"github.com/spf13/pflag":                {"cmd/agentsync"},
	"github.com/spf13/cobra":                {"cmd/agentsync"},
	"gopkg.in/yaml.v3":                      {"internal/bench/bare", "internal/format", "internal/importer", "pkg/spec"},
	"github.com/google/go-cmp/cmp":          {}, // tests only: its init is a fifth of a start
	"github.com/hashicorp/go-retryablehttp": {"pkg/providers/rest"},
	"sigs.k8s.io/kustomize/api/krusty":      {"pkg/spec"},
	"golang.org/x/crypto/argon2":            {"pkg/state"},
	"github.com/go-git/go-git/v5":           {"internal/source"},
	"github.com/fsnotify/fsnotify":          {"internal/source"},
	"github.com/skeema/knownhosts":          {"internal/source"},
	"golang.org/x/crypto/ssh":               {"internal/gittest", "internal/source"},

	"github.com/minio/minio-go/v7/pkg/credentials":              {"pkg/state/s3"},
	"github.com/minio/minio-go/v7/pkg/signer":                   {"pkg/state/s3"},
	"github.com/prometheus/client_golang/prometheus":            {"internal/metrics"},
	"github.com/prometheus/client_golang/prometheus/promhttp":   {"internal/metrics"},
	"github.com/prometheus/client_golang/prometheus/collectors": {"internal/metrics"},
}

// calls that only some packages may make: dialing, the process's environment, clock and end.
var calls = map[string][]string{
	"os.Exit": {"cmd/agentsync", "internal/bench"}, "os.Getenv": {"internal/gittest", "internal/needs"}, "os.LookupEnv": {"cmd/agentsync"}, "os.Args": {"cmd/agentsync"},
	"time.Now": {"cmd/agentsync", "internal/bench", "pkg/providers/rest", "internal/sandbox"}, "time.Sleep": {},
	"http.DefaultClient": {}, "http.Get": {"internal/bench", "internal/bench/bare"}, "http.Post": {}, "net.Dial": {}, "net.Listen": {"cmd/agentsync", "internal/bench"},
	"rand.Seed": {}, "log.Fatal": {"internal/bench/bare"}, "log.Printf": {},
}

// TestLayers holds the house to its plan: who may import whom, and who may touch the world.
func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || (entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != ".") || entry.Name() == "testdata" {
			if entry != nil && entry.IsDir() && file != "." {
				return filepath.SkipDir
			}
			return err
		}
		if strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			checkFile(t, filepath.ToSlash(file), seen)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("the room %s has no code", room)
		}
	}
}

func checkFile(t *testing.T, file string, seen map[string]bool) {
	t.Helper()
	room := path.Dir(file)
	plan, known := rooms[room]
	if !known {
		t.Errorf("%s: the room %s is not in the plan of the house: add it to rooms, with what it may import and why", file, room)
		return
	}
	seen[room] = true
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range tree.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if own, ok := strings.CutPrefix(name, module); ok && !slices.Contains(plan.may, own) && !slices.Contains(plan.may, "*") {
			t.Errorf("%s imports %s, but: %s", file, own, plan.why)
		}
		if may, guarded := only[name]; guarded && !slices.Contains(may, room) {
			t.Errorf("%s imports %s, which is for %q only", file, name, may)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				t.Errorf("%s: no init functions", fset.Position(n.Pos()))
			}
		case *ast.SelectorExpr:
			if base, ok := n.X.(*ast.Ident); ok {
				name := base.Name + "." + n.Sel.Name
				if may, guarded := calls[name]; guarded && !slices.Contains(may, room) {
					t.Errorf("%s: %s is for %q only", fset.Position(n.Pos()), name, may)
				}
			}
		}
		return true
	})
}
