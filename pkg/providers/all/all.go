// Package all is the one place that names every vendor.
package all

import (
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/centerfy"
	"agentsync.dev/agentsync/pkg/providers/convirza"
	"agentsync.dev/agentsync/pkg/providers/nova"
	"agentsync.dev/agentsync/pkg/providers/voicy"
)

// Vendors returns every vendor, in order of name.
func Vendors() []providers.Vendor {
	return []providers.Vendor{
		centerfy.Vendor(),
		convirza.Vendor(),
		nova.Vendor(),
		voicy.Vendor(),
	}
}

// Lookup returns the vendor whose name a manifest gives as type.
func Lookup(name string) (providers.Vendor, bool) {
	for _, v := range Vendors() {
		if v.Name == name {
			return v, true
		}
	}
	return providers.Vendor{}, false
}
