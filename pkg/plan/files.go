package plan

import (
	"cmp"
	"slices"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// known returns the agent's files, those marked whose content is known to be at the vendor.
func (d *decider) known() []providers.File {
	files, uploaded := slices.Clone(d.agent.Files), d.uploaded()
	for i, f := range files {
		files[i].Uploaded = uploaded[f.Name] == f.SHA256
	}
	return files
}

// named returns doc with the paths of files replaced by their names, which is what a vendor gets and shows.
func (a *Agent) named(doc diff.Object) diff.Object {
	if len(a.Files) == 0 {
		return doc
	}
	named := diff.Clone(doc).(diff.Object)
	for _, f := range a.Files {
		replaceAt(named, f.Pointer, f.Name)
	}
	return named
}

// files replaces what the comparison says of fields that name files: the vendor shows names only, so names are compared with
// what it shows and contents with what the state knows to be uploaded.
func (d *decider) files(fields []diff.Field, live providers.Live, desired diff.Object) []diff.Field {
	t := d.types()
	for _, name := range diff.Keys(desired) {
		field := t.Field(name)
		if field == nil || field.Items == nil || !field.Items.File {
			continue
		}
		at := diff.Pointer("").Child(name)
		fields = slices.DeleteFunc(fields, func(f diff.Field) bool { return f.Path == at && f.Origin != diff.Released })
		if f, differs := d.fileField(at, field, live); differs {
			fields = append(fields, f)
		}
	}
	slices.SortFunc(fields, func(a, b diff.Field) int { return cmp.Compare(a.Path, b.Path) })
	return fields
}

func (d *decider) fileField(at diff.Pointer, t *diff.Type, live providers.Live) (diff.Field, bool) {
	var want []any
	uploaded := true
	for _, f := range d.known() {
		if at.Covers(f.Pointer) {
			want = append(want, f.Name)
			uploaded = uploaded && f.Uploaded
		}
	}
	now, _ := live.Config[d.account.Generation.FilesShownAs].([]any)
	set := &diff.Type{Kind: diff.List, List: diff.Set}
	same := diff.Equal(set, now, want)
	if same && uploaded {
		return diff.Field{}, false
	}
	origin := diff.FromManifest
	if recorded := d.recorded(); len(recorded) > 0 && !diff.Equal(set, now, recorded) {
		origin = diff.Conflict
		if uploaded && len(recorded) == len(want) {
			origin = diff.Drift
		}
	} else if len(recorded) == 0 && len(now) > 0 {
		origin = diff.Unknown
	}
	op := diff.Replace
	if len(now) == 0 {
		op = diff.Add
	}
	return diff.Field{Path: at, Op: op, Before: nilIfEmpty(now), After: want, Base: nilIfEmpty(d.recorded()), Origin: origin, Type: t}, true
}

// recorded are the names of the files that are known to be uploaded.
func (d *decider) recorded() []any {
	var names []string
	for name := range d.uploaded() {
		names = append(names, name)
	}
	slices.Sort(names)
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list
}

func nilIfEmpty(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}
