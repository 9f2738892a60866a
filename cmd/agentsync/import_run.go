package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"agentsync.dev/agentsync/internal/importer"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// run reads the agents and writes those that are to be imported. It fails where nothing could be read at all; one agent's failure does not
// stop the others.
func (i *importing) run(ctx context.Context) error {
	ctx, cancel := i.app.until(ctx)
	defer cancel()
	lives, err := i.lives(ctx)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	names := i.names(lives)
	slices.SortFunc(lives, func(a, b providers.Live) int { return cmp.Compare(names[a.ID], names[b.ID]) })
	account := importer.Account{Provider: i.account.Name, Title: i.account.Vendor.Title, Generation: i.account.Generation,
		Dir: i.app.dir, Used: map[string]bool{}}
	for _, live := range lives {
		draft, err := importer.Draft{}, ctx.Err() // after a signal nothing new is begun
		if err == nil {
			draft, err = importer.Write(account, names[live.ID], live)
		}
		if err == nil {
			err = i.put(ctx, live, draft)
		}
		if err != nil {
			i.fail(live.ID, live.Name, err)
		}
	}
	return nil
}

// lives returns the agents to import, read whole.
func (i *importing) lives(ctx context.Context) ([]providers.Live, error) {
	defer i.talk.phase("reading")()
	chosen, err := i.chosen(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]providers.Live, len(chosen))
	faults := make([]error, len(chosen))
	var group errgroup.Group
	workers := i.flags.parallelism
	if workers <= 0 {
		workers = i.account.Provider.Limits().Workers()
	}
	group.SetLimit(workers)
	for n, live := range chosen {
		if reason, _ := i.skips(live); live.Whole || reason != "" {
			found[n] = live
			continue
		}
		group.Go(func() error {
			found[n], faults[n] = i.account.Provider.Get(ctx, live.ID)
			return nil
		})
	}
	_ = group.Wait() // what went wrong is in faults
	var whole []providers.Live
	seen := map[string]bool{}
	for n, live := range found {
		if faults[n] != nil {
			i.fail(chosen[n].ID, chosen[n].Name, faults[n])
			continue
		}
		if reason, by := i.skips(live); reason != "" {
			i.skip(live, reason, by)
			if by == nil && slices.Contains(i.f.ids, chosen[n].ID) {
				i.codes = append(i.codes, exitRefused)
			}
			continue
		}
		if !seen[live.ID] {
			seen[live.ID] = true
			whole = append(whole, live)
		}
	}
	return whole, nil
}

// chosen returns what the flags choose, as far as it is known without reading each: rows of the list, and ids.
func (i *importing) chosen(ctx context.Context) ([]providers.Live, error) {
	var rows []providers.Live
	if len(i.f.ids) == 0 || len(i.f.match) > 0 {
		lister, ok := i.account.Provider.(providers.Lister)
		if !ok {
			return nil, fmt.Errorf("%s has no list of agents", i.account.Vendor.Title)
		}
		var err error
		if rows, err = lister.List(ctx); err != nil {
			return nil, err
		}
	}
	var chosen []providers.Live
	used := map[string]bool{}
	for _, row := range rows {
		picked := len(i.f.ids) == 0 && len(i.f.match) == 0
		for _, glob := range i.globs {
			if glob.pattern.MatchString(row.Name) {
				used[glob.text], picked = true, true
			}
		}
		if picked || slices.Contains(i.f.ids, row.ID) {
			chosen = append(chosen, row)
			used[row.ID] = true
		}
	}
	for _, id := range i.f.ids {
		if !used[id] {
			used[id] = true
			chosen = append(chosen, providers.Live{ID: id})
		}
	}
	return chosen, i.unmatchedGlobs(rows, used)
}

// unmatchedGlobs refuses a pattern that matches nothing: a typing mistake must not look like "nothing to do".
func (i *importing) unmatchedGlobs(rows []providers.Live, used map[string]bool) error {
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
	}
	var faults []error
	for _, text := range i.f.match {
		if !used[text] {
			faults = append(faults, hinted{fmt.Errorf("--match: no agent of %s is named %q", i.account.Name, text), nearest(text, names)})
		}
	}
	return errors.Join(faults...)
}

// shortestMasked is the length from which a live secret is masked wherever text goes out; shorter ones are likely to be ordinary words.
const shortestMasked = 8

// put writes an agent's files and its record.
func (i *importing) put(ctx context.Context, live providers.Live, draft importer.Draft) error {
	for _, p := range draft.Secret {
		if value, _ := p.Get(live.Config); len(fmt.Sprint(value)) >= shortestMasked {
			i.mask.Add(fmt.Sprint(value))
		}
	}
	manifest := path.Join(i.dir, draft.Name+".yaml")
	if a := i.index.byID[live.ID]; a != nil { // with --force: where it is
		at, err := i.place(filepath.Dir(filepath.FromSlash(a.Pos.File)))
		if err != nil {
			return err
		}
		manifest = path.Join(at, path.Base(a.Pos.File))
	}
	files := map[string][]byte{}
	for _, prompt := range draft.Prompts {
		files[path.Join(path.Dir(manifest), prompt.Path)] = prompt.Text
	}
	order := append(slices.Sorted(maps.Keys(files)), manifest) // the manifest last: it names the others
	files[manifest] = draft.Manifest
	var changed []string
	for _, name := range order {
		change, err := i.files.change(name, files[name])
		if err != nil {
			return err
		}
		if change == replaced && !i.f.force {
			return inTheWay{i.shown(name)}
		}
		if change != unchanged {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		i.skip(live, "unchanged", nil)
	} else {
		i.wrote(live, draft, manifest, changed)
	}
	if i.f.dryRun {
		return nil
	}
	for _, name := range changed {
		if err := i.files.write(name, files[name]); err != nil {
			return err
		}
	}
	return i.record(ctx, live, draft)
}

// inTheWay is a file that only --force overwrites.
type inTheWay struct{ name string }

func (e inTheWay) Error() string { return e.name + " is there already, with other content" }
func (e inTheWay) Hint() string  { return "move it away, or overwrite it with --force" }

// record makes what is live the base of the next comparison.
func (i *importing) record(ctx context.Context, live providers.Live, draft importer.Draft) error {
	address := i.account.Name + "/" + draft.Name
	entry := i.entries[address]
	old := entry.Record
	next := state.Record{Version: state.Version, Address: address, Type: i.account.Type(), ID: live.ID, Revision: live.Revision,
		Files: old.Files, Protect: old.Protect, AppliedAt: i.app.now().UTC().Format(time.RFC3339), Commit: commitOf(i.set.Root)}
	base := diff.Clone(draft.Applied).(diff.Object)
	if old.ID == live.ID {
		diff.KeepUnreadable(i.account.Generation.Schema().Type(), base, old.Applied, false)
		plain := func(doc diff.Object) []byte { return diff.Canonical(state.Reveal(doc, live.Config, draft.Applied)) }
		if old.Applied != nil && old.Type == next.Type && old.Pending == nil && bytes.Equal(plain(old.Applied), plain(base)) {
			return nil
		}
	}
	sealed, err := state.SealAt(base, draft.Secret)
	if err == nil {
		next.Applied = sealed
		err = i.guard()
	}
	if err == nil {
		_, err = i.book.Save(context.WithoutCancel(ctx), next, entry.Version)
	}
	if err != nil {
		return fmt.Errorf("the manifest is written, but the state could not be: %w", err)
	}
	return nil
}

// code is the exit status that one agent's failure stands for.
func (i *importing) code(err error) int {
	var file inTheWay
	switch {
	case errors.Is(err, rest.ErrAuth):
		return exitAuth
	case errors.As(err, &file):
		return exitRefused
	}
	return exitError
}
