package all

import (
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

func TestVendors(t *testing.T) {
	vendors := Vendors()
	if !slices.IsSortedFunc(vendors, func(a, b providers.Vendor) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the vendors are not in order of name")
	}
	environment := map[string]string{}
	for _, v := range vendors {
		if found, ok := Lookup(v.Name); !ok || found.Name != v.Name {
			t.Errorf("Lookup(%q) finds %q, %v", v.Name, found.Name, ok)
		}
		if v.Title == "" || v.Open == nil || len(v.Generations) == 0 {
			t.Errorf("%s: no title, Open or generation", v.Name)
		}
		fields := map[string]bool{}
		for _, s := range v.Settings {
			if s.Env != "" && environment[s.Env] != "" {
				t.Errorf("%s and %s both take %s", environment[s.Env], v.Name, s.Env)
			}
			environment[s.Env] = v.Name
			if s.Env != "" && !strings.HasPrefix(s.Env, strings.ToUpper(v.Name)+"_") {
				t.Errorf("%s: the variable %s does not begin with the vendor's name", v.Name, s.Env)
			}
			if fields[s.Field] || s.About == "" {
				t.Errorf("%s: setting %q is there twice, or says nothing of itself", v.Name, s.Field)
			}
			fields[s.Field] = true
		}
	}
	// These names are fixed by the design, for whoever sets them in a pipeline.
	for env, vendor := range map[string]string{
		"CENTERFY_API_KEY": "centerfy", "CENTERFY_BASE_URL": "centerfy",
		"CONVIRZA_ACCESS_TOKEN": "convirza", "CONVIRZA_EMAIL": "convirza", "CONVIRZA_PASSWORD": "convirza",
		"CONVIRZA_BASE_URL": "convirza", "CONVIRZA_OAUTH_URL": "convirza",
		"NOVA_API_KEY": "nova", "NOVA_ORG_ID": "nova", "NOVA_BASE_URL": "nova",
		"VOICY_API_KEY": "voicy", "VOICY_BASE_URL": "voicy",
	} {
		if environment[env] != vendor {
			t.Errorf("%s is taken by %q, want %q", env, environment[env], vendor)
		}
	}
}

func TestGenerations(t *testing.T) {
	for _, v := range Vendors() {
		for _, g := range v.Generations {
			if (g.Name == "") != (len(v.Generations) == 1) {
				t.Errorf("%s: a generation's name is for telling it from others: %q", v.Name, g.Name)
			}
			root := g.Schema().Type()
			if root.Field(g.NameField) == nil {
				t.Errorf("%s %s: the schema does not know the name field %q", v.Name, g.Name, g.NameField)
			}
			if len(root.RequiredOnCreate) == 0 {
				t.Errorf("%s %s: a create needs nothing", v.Name, g.Name)
			}
			if !slices.Contains([]string{"none", "summaries", "whole"}, g.Can.List) || g.Can.Update == "" ||
				!slices.Contains([]string{"delete", "archive", "none"}, g.Can.Delete) {
				t.Errorf("%s %s: abilities %+v", v.Name, g.Name, g.Can)
			}
		}
	}
}

// TestOneKeyIsOneLimit: two accounts with the same credentials at the same host share their vendor's limit.
func TestOneKeyIsOneLimit(t *testing.T) {
	for _, v := range Vendors() {
		shared := rest.Shared{Paces: new(rest.Paces)}
		open := func(key string, perMinute int) providers.Provider {
			t.Helper()
			settings := providers.Settings{Account: "an account", Generation: v.Generations[0], Values: map[string]string{}, RequestsPerMinute: perMinute, Rest: shared}
			for _, s := range v.Settings {
				if s.Required || s.Secret && s.Field == "auth.accessToken" {
					settings.Values[s.Field] = key
				}
			}
			p, err := v.Open(settings)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		first, second, other := open("one key", 40), open("one key", 20), open("another", 30)
		if first.Limits() != second.Limits() || first.Limits().PerMinute != 20 {
			t.Errorf("%s: %+v and %+v with one key", v.Name, first.Limits(), second.Limits())
		}
		if other.Limits().PerMinute != 30 {
			t.Errorf("%s: %+v with another key", v.Name, other.Limits())
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	if v, ok := Lookup("nobody"); ok {
		t.Errorf("found %q", v.Name)
	}
}
