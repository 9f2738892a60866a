package spec

import (
	"math"
	"strings"
)

// emailAuth is the entry of spec.auth that is no secret.
const emailAuth = "email"

func (d *decoder) provider(root *Value) {
	p := &Provider{Pos: firstLine(root), Auth: map[string]*Value{}, Options: map[string]*Value{}, At: map[string]Pos{}}
	var labels map[string]string
	d.envelope(root, &p.Name, &labels, func(path string, v *Value) {
		d.object(path, v,
			field{name: "type", read: d.text(&p.Type), missing: "name the vendor: type: ..."},
			field{name: "baseURL", read: d.setting(func(v *Value) { p.BaseURL = v.Text })},
			field{name: "api", read: d.text(&p.API)},
			field{name: "orgID", read: d.setting(func(v *Value) { p.OrgID = v.Text })},
			field{name: "auth", read: d.auth(p)},
			field{name: "oauthURL", read: d.setting(func(v *Value) { p.Options["oauthURL"] = v })},
			field{name: "listPath", read: d.setting(func(v *Value) { p.Options["listPath"] = v })},
			field{name: "limits", read: func(path string, v *Value) {
				d.object(path, v,
					field{name: "requestsPerMinute", read: d.count(&p.Limits.RequestsPerMinute, math.MaxInt32)},
					field{name: "maxInFlight", read: d.count(&p.Limits.MaxInFlight, math.MaxInt32)})
			}},
			field{name: "timeout", read: d.duration(&p.Timeout)})
	}, "write spec: {type: ...}")
	for path, pos := range d.at {
		if name, ok := strings.CutPrefix(path, "spec."); ok {
			p.At[name] = pos
		}
	}
	if p.Name == "" {
		return // reported
	}
	if d.once("Provider "+p.Name, "provider "+p.Name, p.Pos, "keep one of them, or rename one") {
		d.set.Providers = append(d.set.Providers, p)
	}
}

// setting reads a text that directives may stand for.
func (d *decoder) setting(use func(*Value)) func(string, *Value) {
	return func(path string, v *Value) {
		faults := len(d.problems)
		d.values.resolve(v, d.dir, true)
		if len(d.problems) > faults {
			return
		}
		var text string
		if d.text(&text)(path, v); text != "" {
			use(v)
		}
	}
}

func (d *decoder) auth(p *Provider) func(string, *Value) {
	return func(path string, v *Value) {
		var fields []field
		for _, name := range []string{"apiKey", emailAuth, "password", "accessToken"} {
			fields = append(fields, field{name: name, read: func(path string, v *Value) {
				d.setting(func(v *Value) { p.Auth[name] = v })(path, v)
				if p.Auth[name] == nil || name == emailAuth {
					return
				}
				d.values.secret(v.Text)
				if !v.Sensitive {
					d.problems = append(d.problems, Problem{Pos: v.Pos, Message: path + ": a secret in a manifest ends in Git", Hint: "use {$env: NAME}", Warning: true})
				}
			}})
		}
		d.object(path, v, fields...)
	}
}
