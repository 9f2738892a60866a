package providers

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/spec"
)

// Resolve finds what an account is: doc is its Provider document, nil where name is a vendor's own. The problem says what a person
// has to change where the type or the API generation does not exist.
func Resolve(vendors []Vendor, name string, doc *spec.Provider) (Vendor, Generation, *spec.Problem) {
	kind, at := name, spec.Pos{}
	if doc != nil {
		kind, at = doc.Type, place(doc, "type")
	}
	var names []string
	for _, v := range vendors {
		names = append(names, v.Name)
		if v.Name != kind {
			continue
		}
		generation, problem := v.generation(doc)
		return v, generation, problem
	}
	hint := "the types are " + strings.Join(names, ", ")
	if doc == nil {
		hint += "; another account needs a Provider document"
	}
	if near := spec.Nearest(kind, names); near != "" {
		hint = fmt.Sprintf("did you mean %q? ", near) + hint
	}
	return Vendor{}, Generation{}, &spec.Problem{Pos: at, Message: fmt.Sprintf("unknown provider %q", kind), Hint: hint}
}

func (v Vendor) generation(doc *spec.Provider) (Generation, *spec.Problem) {
	if doc == nil || doc.API == "" {
		return v.Generations[0], nil
	}
	var names []string
	for _, g := range v.Generations {
		if g.Name == doc.API {
			return g, nil
		}
		names = append(names, g.Name)
	}
	hint := "take spec.api out: this vendor has one API"
	if len(names) > 1 {
		hint = "the generations are " + strings.Join(names, ", ")
	}
	return Generation{}, &spec.Problem{Pos: place(doc, "api"), Message: fmt.Sprintf("%s: unknown API generation %q", v.Name, doc.API), Hint: hint}
}

func place(doc *spec.Provider, field string) spec.Pos {
	if at, ok := doc.At[field]; ok {
		return at
	}
	return doc.Pos
}

// Operator is what the person or pipeline that runs agentsync decides, and no manifest can.
type Operator struct {
	// Getenv looks a variable up, as os.LookupEnv does.
	Getenv func(string) (string, bool)
	// AllowHosts are the hosts, beside the vendor's own and loopback, that a manifest may send keys to.
	AllowHosts []string
}

// SettingsFor gathers an account's settings from its Provider document and the environment; what the document leaves out comes
// from the environment. A host that only a manifest names is a problem: keys go to the vendor, to loopback, or where the
// operator says.
func (v Vendor) SettingsFor(name string, g Generation, doc *spec.Provider, op Operator, shared rest.Shared) (Settings, spec.Problems) {
	s := Settings{Account: name, Generation: g, Values: map[string]string{}, Rest: shared}
	var problems spec.Problems
	for _, setting := range v.Settings {
		fromEnv, _ := op.Getenv(setting.Env)
		value, declared := declaredSetting(doc, setting.Field)
		if value == "" {
			value = fromEnv
		} else if declared && strings.HasSuffix(setting.Field, "URL") {
			problems = append(problems, v.hostProblem(g, doc, setting, value, fromEnv, op)...)
		}
		s.Values[setting.Field] = value
		if setting.Secret {
			shared.Mask.Add(value)
		}
	}
	if doc != nil {
		s.RequestsPerMinute, s.MaxInFlight, s.Timeout = doc.Limits.RequestsPerMinute, doc.Limits.MaxInFlight, doc.Timeout
	}
	return s, problems
}

// declaredSetting returns what a Provider document says of a setting.
func declaredSetting(doc *spec.Provider, field string) (string, bool) {
	if doc == nil {
		return "", false
	}
	switch field {
	case "baseURL":
		return doc.BaseURL, doc.BaseURL != ""
	case "orgID":
		return doc.OrgID, doc.OrgID != ""
	case "api":
		return doc.API, doc.API != ""
	}
	values, name := doc.Options, field
	if rest, isAuth := strings.CutPrefix(field, "auth."); isAuth {
		values, name = doc.Auth, rest
	}
	if v := values[name]; v != nil {
		return v.Text, true
	}
	return "", false
}

// hostProblem refuses a URL in a manifest that would carry keys to a host that only the manifest names.
func (v Vendor) hostProblem(g Generation, doc *spec.Provider, setting Setting, value, fromEnv string, op Operator) spec.Problems {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return nil // what is wrong with the URL itself is said by rest
	}
	allowed := append(v.hosts(g), op.AllowHosts...)
	if own, err := url.Parse(fromEnv); err == nil && own.Host != "" {
		allowed = append(allowed, own.Host)
	}
	if rest.Loopback(u.Hostname()) || slices.Contains(allowed, u.Host) || slices.Contains(allowed, u.Hostname()) {
		return nil
	}
	return spec.Problems{{Pos: place(doc, setting.Field),
		Message: fmt.Sprintf("%s: %s sends keys to %s, which is not the vendor's host", v.Name, setting.Field, u.Hostname()),
		Hint:    fmt.Sprintf("if that is right, whoever runs agentsync allows it with --allow-host %s", u.Hostname())}}
}

// hosts are the vendor's own hosts, of all generations.
func (v Vendor) hosts(g Generation) []string {
	var hosts []string
	for _, base := range append([]string{g.BaseURL}, v.OtherURLs...) {
		if u, err := url.Parse(base); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}
