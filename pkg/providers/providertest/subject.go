package providertest

import (
	"maps"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// Subject is one API generation of a vendor, and what the suite needs to know of it.
type Subject struct {
	Vendor     providers.Vendor
	Generation string
	// Start opens a simulated vendor of its own for each test, without agents.
	Start func(t *testing.T) Simulation
	// Desired is a config that a create takes and an update could bring about.
	Desired diff.Object
	// Edits are changes to an agent that was created with Desired, each on its own.
	Edits []Edit
	// Listed is how many agents are listed; more than a page holds, where the vendor pages. 0 means 3.
	Listed int
}

// Edit is a change of one field.
type Edit struct {
	Field diff.Pointer
	Value any
	// Sends are the top-level names that the update sends, in order; nil means the field's own.
	Sends []string
}

// Simulation is a running simulated vendor.
type Simulation struct {
	// Settings open the account: Values, and Rest with the transport and the clock. The suite sets the generation.
	Settings providers.Settings
	// MissingID looks like an id and belongs to no agent.
	MissingID string
	// Raw returns the agent as the vendor holds it.
	Raw func(id string) map[string]any
	// Patch changes top-level fields of the agent behind the provider's back.
	Patch func(id string, fields map[string]any)
}

// Run checks every promise for s.
func Run(t *testing.T, s Subject) {
	for _, promise := range []struct {
		name  string
		check func(*testing.T, Subject)
	}{
		{"description", describes},
		{"open refuses missing settings", opens},
		{"create", creates},
		{"create with unknown outcome", createsOnce},
		{"each field alone", edits},
		{"unknown fields survive", keepsUnknown},
		{"pure methods", isPure},
		{"delete", deletes},
		{"missing is only missing", misses},
		{"another agent's answer", missesOther},
		{"list", lists},
		{"odd list", listsOdd},
		{"concurrent reads", concurrent},
		{"no secret in errors", keepsSecrets},
	} {
		t.Run(promise.name, func(t *testing.T) { promise.check(t, s) })
	}
}

func (s Subject) generation(t *testing.T) providers.Generation {
	t.Helper()
	for _, g := range s.Vendor.Generations {
		if g.Name == s.Generation {
			return g
		}
	}
	t.Fatalf("%s has no generation %q", s.Vendor.Name, s.Generation)
	return providers.Generation{}
}

// trial is an account at a fresh simulation, with a tap on its wire.
type trial struct {
	t *testing.T
	providers.Provider
	Simulation
	generation providers.Generation
	schema     *diff.Type
	wire       *wire
}

func (s Subject) open(t *testing.T) *trial {
	t.Helper()
	x := &trial{t: t, Simulation: s.Start(t), generation: s.generation(t)}
	x.schema = x.generation.Schema().Type()
	x.wire = &wire{next: x.Settings.Rest.Transport}
	x.Settings.Generation = x.generation
	x.Settings.Rest.Transport = x.wire
	p, err := s.Vendor.Open(x.Settings)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	if sent := x.wire.sent(); len(sent) != 0 {
		t.Errorf("open sent %v", sent)
	}
	x.Provider = p
	return x
}

// secrets returns the values of the settings that are secrets.
func (s Subject) secrets(values map[string]string) []string {
	var secrets []string
	for _, setting := range s.Vendor.Settings {
		if value := values[setting.Field]; setting.Secret && value != "" {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

func describes(t *testing.T, s Subject) {
	g := s.generation(t)
	if first := g.Schema(); g.Schema() != first {
		t.Error("the schema is parsed more than once")
	}
	root := g.Schema().Type()
	if root.Field(g.NameField) == nil {
		t.Errorf("the schema does not know the name field %q", g.NameField)
	}
	for _, name := range root.RequiredOnCreate {
		if _, ok := s.Desired[name]; !ok {
			t.Errorf("Desired lacks %q, which a create needs", name)
		}
	}
	if !strings.HasPrefix(g.BaseURL, "https://") {
		t.Errorf("base URL %q is not https", g.BaseURL)
	}
}

func opens(t *testing.T, s Subject) {
	x := s.open(t)
	settings := x.Settings
	settings.Values = maps.Clone(settings.Values)
	var required []providers.Setting
	for _, setting := range s.Vendor.Settings {
		if setting.Required {
			required = append(required, setting)
		}
		if setting.Required || setting.Secret {
			delete(settings.Values, setting.Field)
		}
	}
	_, err := s.Vendor.Open(settings)
	if err == nil {
		t.Fatal("open without credentials succeeds")
	}
	for _, setting := range required {
		if said := Said(err); !strings.Contains(said, setting.Env) || !strings.Contains(said, setting.Field) {
			t.Errorf("open does not name %s and %s: %v", setting.Env, setting.Field, err)
		}
	}
	settings = x.Settings
	settings.Values = maps.Clone(settings.Values)
	settings.Values["baseURL"] = "http://vendor.example/api"
	if _, err := s.Vendor.Open(settings); err == nil {
		t.Error("open takes plain http to a host that is not loopback")
	}
}
