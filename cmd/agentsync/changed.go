package main

import (
	"cmp"
	"maps"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/plan"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/spec"
)

// sameAgent reports whether two manifests mean the same, wherever and however they are written.
func sameAgent(a, b *plan.Agent) bool {
	return a.Account.Type() == b.Account.Type() && sameSpec(a.Agent, b.Agent) &&
		diff.Equal(a.Account.Generation.Schema().Type(), a.Config.Object, b.Config.Object) &&
		slices.Equal(a.Config.Sensitive, b.Config.Sensitive) &&
		slices.EqualFunc(a.Files, b.Files, func(a, b providers.File) bool { return a.Name == b.Name && a.SHA256 == b.SHA256 })
}

// sameSpec compares what stands beside the config.
func sameSpec(a, b *spec.Agent) bool {
	suspended := a.Suspend == b.Suspend
	if a.Suspend != nil && b.Suspend != nil {
		suspended = a.Suspend.Reason == b.Suspend.Reason && a.Suspend.Until.Equal(b.Suspend.Until)
	}
	return suspended && a.ID == b.ID && maps.Equal(a.Labels, b.Labels) && slices.Equal(a.Ignore, b.Ignore) &&
		slices.Equal(a.AcceptReset, b.AcceptReset) && a.Drift == b.Drift && a.Update == b.Update && a.Protect == b.Protect &&
		a.AllowUnknownFields == b.AllowUnknownFields
}

// sameAccount reports whether two Provider documents, nil where there is none, are about the same account: what one of them applied is
// what the other finds.
func sameAccount(a, b *spec.Provider) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && a.BaseURL == b.BaseURL && a.API == b.API && a.OrgID == b.OrgID
}

// sameProvider reports whether two Provider documents say the same.
func sameProvider(a, b *spec.Provider) bool {
	if a == nil || b == nil {
		return a == b
	}
	return sameAccount(a, b) && maps.EqualFunc(a.Auth, b.Auth, sameText) && maps.EqualFunc(a.Options, b.Options, sameText) &&
		a.Limits == b.Limits && a.Timeout == b.Timeout
}

// sameText compares settings. Where two come from the environment, its names count: the values are those of now on both sides.
func sameText(a, b *spec.Value) bool {
	return a.Text == b.Text && a.Sensitive == b.Sensitive && (!a.Sensitive || a.From == b.From)
}

// sameConfig reports whether two Config documents, nil where there is none, say the same.
func sameConfig(a, b *spec.Config) bool {
	none := &spec.Config{}
	a, b = cmp.Or(a, none), cmp.Or(b, none)
	return a.State == b.State && a.Drift == b.Drift && sameLimit(a.MaxDeletes, b.MaxDeletes) &&
		sameLimit(a.MaxChangedPercent, b.MaxChangedPercent) && sameLimit(a.MinAgents, b.MinAgents)
}

func sameLimit(a, b *int) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
