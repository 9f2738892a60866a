package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// patience is how long a read-back waits for a vendor whose reads lag behind its writes: this long before each further look.
func patience() []time.Duration {
	return []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}
}

// errUnmoved: the agent is exactly as it was before the write.
var errUnmoved = errors.New("the agent is as it was before the request")

// readBack reads the agent after a write and compares all of it: declared fields with what was sent, the others with what they
// were. sure says that the vendor confirmed the write; without that, an agent that is as before is errUnmoved.
func (j *job) readBack(ctx context.Context, before providers.Live, change providers.Change, sure bool) (providers.Live, error) {
	// The write is out: looking at what became of it is part of it, also when the run is being stopped.
	ctx = context.WithoutCancel(ctx)
	var after providers.Live
	var verdict error
	for _, wait := range append(patience(), 0) {
		var err error
		after, err = j.provider().Get(ctx, change.ID)
		if err != nil {
			verdict = fmt.Errorf("reading it back: %w", err)
		} else if verdict = j.judge(before, after, change); verdict == nil {
			return after, nil
		}
		if wait == 0 || !worthWaiting(verdict) || j.Sleep(ctx, wait) != nil {
			break
		}
	}
	if !sure && after.ID != "" && diff.Fingerprint(j.types(), after.Config) == diff.Fingerprint(j.types(), before.Config) {
		return after, errUnmoved
	}
	return after, verdict
}

// worthWaiting reports whether a later read may bring a better verdict: another value of an undeclared field will not go away.
func worthWaiting(verdict error) bool {
	var m *mismatch
	return !errors.As(verdict, &m) || len(m.declared) > 0
}

// mismatch is a read-back that is not what was sent. It names fields, never values.
type mismatch struct {
	declared, undeclared []string
}

// Error names the fields.
func (m *mismatch) Error() string {
	var parts []string
	if len(m.declared) > 0 {
		parts = append(parts, "sent and not as sent: "+strings.Join(m.declared, ", "))
	}
	if len(m.undeclared) > 0 {
		parts = append(parts, "not declared and changed all the same: "+strings.Join(m.undeclared, ", "))
	}
	return "read-back: " + strings.Join(parts, "; ")
}

// judge returns nil if after is what the write should have made of before.
func (j *job) judge(before, after providers.Live, change providers.Change) error {
	m := &mismatch{}
	t := j.types()
	// What was just sent is the base for fields that the vendor does not return.
	for _, f := range diff.Compare(t, change.Desired, after.Config, change.Desired, diff.Options{Skip: j.unjudged(change)}) {
		m.declared = append(m.declared, string(f.Path))
	}
	m.undeclared = moved(t, "", before.Config, after.Config, change.Desired, j.mayMove(change, after))
	m.declared = append(m.declared, j.filesMissing(after, change)...)
	if len(m.declared)+len(m.undeclared) > 0 {
		return m
	}
	return nil
}

// mayMove are the undeclared fields that may change by a write: those that the plan said it would reset, and those whose toggle is
// off now.
func (j *job) mayMove(change providers.Change, after providers.Live) map[string]bool {
	expected := map[string]bool{}
	for _, p := range j.work().Write.Reset {
		expected[p] = true
	}
	for _, p := range j.work().Left {
		expected[string(p)] = true
	}
	for name, field := range j.types().Fields {
		if field.Toggle != "" && !diff.On(j.types(), field.Toggle, change.Desired, after.Config) {
			expected[string(diff.Pointer("").Child(name))] = true
		}
	}
	return expected
}

// unjudged are the declared fields that a read-back cannot judge: those that only a create takes, and lists of files, which
// filesMissing judges by name.
func (j *job) unjudged(change providers.Change) []diff.Pointer {
	var list []diff.Pointer
	for name, field := range j.types().Fields {
		if field.CreateOnly || (field.Items != nil && field.Items.File) {
			list = append(list, diff.Pointer("").Child(name))
		}
	}
	return list
}

// moved lists the undeclared fields that differ between two reads. Top-level fields that the schema does not know are not agentsync's
// business; inside an object that is sent whole they are.
func moved(t *diff.Type, at diff.Pointer, before, after, desired diff.Object, expected map[string]bool) []string {
	var list []string
	for _, name := range union(before, after) {
		field, path := t.Field(name), at.Child(name)
		if (at == "" && t.Fields[name] == nil) || (field != nil && (field.ReadOnly || field.WriteOnly)) || expected[string(path)] {
			continue
		}
		want, declared := desired[name]
		inner, isObject := want.(diff.Object)
		if declared && (!isObject || (field != nil && field.Whole)) {
			continue
		}
		if declared {
			b, _ := before[name].(diff.Object)
			a, _ := after[name].(diff.Object)
			list = append(list, moved(field, path, b, a, inner, expected)...)
			continue
		}
		if !diff.Equal(field, orDefault(field, before[name]), orDefault(field, after[name])) {
			list = append(list, string(path))
		}
	}
	return list
}

// orDefault returns the schema's default for an absent value.
func orDefault(t *diff.Type, v any) any {
	if v == nil && t != nil && t.HasDefault {
		return t.Default
	}
	return v
}

// filesMissing compares the names of uploaded files with what the vendor shows.
func (j *job) filesMissing(after providers.Live, change providers.Change) []string {
	shownAs := j.work().Account.Generation.FilesShownAs
	if shownAs == "" || len(change.Files) == 0 {
		return nil
	}
	var want []any
	for _, f := range change.Files {
		want = append(want, f.Name)
	}
	set := &diff.Type{Kind: diff.List, List: diff.Set}
	if diff.Equal(set, after.Config[shownAs], want) {
		return nil
	}
	return []string{string(change.Files[0].Pointer.Parent())}
}
