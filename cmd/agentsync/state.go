package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"agentsync.dev/agentsync/internal/report"
	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/spec"
	"agentsync.dev/agentsync/pkg/state"
)

func (a *app) stateCommand() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "state",
		Short: "Look at and mend what agentsync remembers",
		Long: `state works on what agentsync remembers between runs: which live agent an address is bound to and what was applied last. It
talks to no vendor and never changes a live agent.`,
		Example: `  agentsync state list
  agentsync state bind centerfy/reception d8f2a229-2f5c-42ba-ac65-402f2c25fee2`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f.states(c.PersistentFlags())
	c.AddCommand(a.stateList(f), a.stateShow(f), a.stateBind(f), a.stateRemove(f), a.stateMove(f), a.stateUnlock(f))
	return c
}

// book opens the state for a state command: the manifests are not read for it, except for a Config document in the current folder.
func (a *app) book(f *flags) (*state.Book, error) {
	if f.sandbox {
		simulated, err := a.simulate()
		if err != nil {
			return nil, err
		}
		return state.NewBook(state.OpenFolder(simulated.dir)), nil
	}
	store, err := a.openState(f, a.configOnly())
	if err != nil {
		return nil, err
	}
	return state.NewBook(store), nil
}

// configOnly returns the Config document of the current folder, if the manifests there can be read.
func (a *app) configOnly() *spec.Set {
	set, err := spec.Load(spec.Input{Dir: a.dir, Getenv: func(string) (string, bool) { return "", true }})
	if err != nil {
		return nil
	}
	return set
}

func (a *app) stateList(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the agents that the state knows",
		Example: "  agentsync state list\n  agentsync state list -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.checkOutput(c); err != nil {
				return err
			}
			book, err := a.book(f)
			if err != nil {
				return err
			}
			entries, err := book.Load(c.Context())
			if err != nil {
				return err
			}
			if f.output == "json" {
				return report.JSON(a.stdout, listed(entries))
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ADDRESS\tID\tAPPLIED\tNOTE")
			for _, address := range addresses(entries) {
				r := entries[address].Record
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", address, orDash(r.ID), orDash(r.AppliedAt), notes(r))
			}
			return w.Flush()
		},
	}
	f.writes(c.Flags(), "text", "json")
	return c
}

// The document that `state list -o json` prints.
type (
	stateDocument struct {
		FormatVersion string        `json:"formatVersion"`
		Agents        []stateRecord `json:"agents"` // in order of address
	}
	stateRecord struct {
		Address      string `json:"address"`
		Type         string `json:"type"`
		ID           string `json:"id"`
		AppliedAt    string `json:"appliedAt"`
		Commit       string `json:"commit"`
		Protect      bool   `json:"protect"`
		PendingSince string `json:"pendingSince"` // of a create in flight, else ""
	}
)

func listed(entries map[string]state.Entry) stateDocument {
	doc := stateDocument{FormatVersion: report.FormatVersion, Agents: []stateRecord{}}
	for _, address := range addresses(entries) {
		r := entries[address].Record
		one := stateRecord{Address: address, Type: r.Type, ID: r.ID, AppliedAt: r.AppliedAt, Commit: r.Commit, Protect: r.Protect}
		if r.Pending != nil {
			one.PendingSince = r.Pending.At
		}
		doc.Agents = append(doc.Agents, one)
	}
	return doc
}

func addresses(entries map[string]state.Entry) []string { return slices.Sorted(maps.Keys(entries)) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func notes(r state.Record) string {
	var notes []string
	if r.Pending != nil {
		notes = append(notes, "create in flight since "+r.Pending.At)
	}
	if r.Protect {
		notes = append(notes, "protected")
	}
	return strings.Join(notes, ", ")
}

func (a *app) stateShow(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:     "show ADDRESS",
		Short:   "Print one record as JSON; secrets are fingerprints",
		Example: "  agentsync state show voicy/front-desk",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			book, err := a.book(f)
			if err != nil {
				return err
			}
			entry, err := a.entry(c.Context(), book, args[0])
			if err != nil {
				return err
			}
			data, err := state.Encode(entry.Record)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(data)
			return err
		},
	}
}

// entry reads one record; an unknown address is an error with the nearest known one.
func (a *app) entry(ctx context.Context, book *state.Book, address string) (state.Entry, error) {
	entry, err := book.Get(ctx, address)
	if !errors.Is(err, state.ErrNotExist) {
		return entry, err
	}
	hint := "`agentsync state list` lists the addresses"
	if entries, err := book.Load(ctx); err == nil {
		if near := spec.Nearest(address, addresses(entries)); near != "" {
			hint = fmt.Sprintf("did you mean %q? ", near) + hint
		}
	}
	return entry, hinted{fmt.Errorf("the state does not know %s", address), hint}
}

func (a *app) stateBind(f *flags) *cobra.Command {
	var kind string
	c := &cobra.Command{
		Use:   "bind ADDRESS ID",
		Short: "Bind an address to a live agent",
		Long: `bind records which live agent an address stands for: for agents that were made elsewhere, and for a create whose outcome stayed
unknown. Nothing is known of what was applied to it, so the next plan shows every difference with unknown origin.`,
		Example: "  agentsync state bind centerfy/reception d8f2a229-2f5c-42ba-ac65-402f2c25fee2",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.bind(c.Context(), f, args[0], args[1], kind)
		},
	}
	c.Flags().StringVar(&kind, "type", "", "the vendor's type, where the address's provider is a Provider document's name")
	return c
}

func (a *app) bind(ctx context.Context, f *flags, address, id, kind string) error {
	provider, _, ok := strings.Cut(address, "/")
	if !ok {
		return usageError{fmt.Errorf("%q is not an address", address), "an address is provider/name, for example voicy/front-desk"}
	}
	if strings.TrimSpace(id) == "" {
		return usageError{errors.New("the id is empty"), "copy it from the vendor's dashboard"}
	}
	book, err := a.book(f)
	if err != nil {
		return err
	}
	return a.underLock(ctx, book, func() error {
		entries, err := book.Load(ctx)
		if err != nil {
			return err
		}
		for other, entry := range entries {
			if other != address && entry.Record.ID == id {
				return hinted{fmt.Errorf("%s is bound to %s already", other, id), fmt.Sprintf("`agentsync state mv %s %s` renames it", other, address)}
			}
		}
		entry := entries[address]
		if kind == "" {
			kind = cmp.Or(entry.Record.Type, a.typeOf(provider))
		}
		if kind == "" {
			return usageError{fmt.Errorf("nothing says which vendor %s is", provider), "give --type, for example --type nova"}
		}
		record := state.Record{Version: state.Version, Address: address, Type: kind, ID: id, Protect: entry.Record.Protect, Applied: diff.Object{}}
		if entry.Record.ID == id {
			record.Applied, record.Files, record.AppliedAt, record.Commit = entry.Record.Applied, entry.Record.Files, entry.Record.AppliedAt, entry.Record.Commit
		}
		if _, err := book.Save(ctx, record, entry.Version); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "%s is bound to %s\n", address, id)
		return err
	})
}

// typeOf returns what the state calls the account named provider: by its Provider document here, or by the vendor of that name.
func (a *app) typeOf(provider string) string {
	set := a.configOnly()
	if set != nil {
		for _, doc := range set.Providers {
			if doc.Name == provider {
				if vendor, generation, problem := providers.Resolve(all.Vendors(), provider, doc); problem == nil {
					return vendor.TypeName(generation)
				}
			}
		}
	}
	if _, ok := all.Lookup(provider); ok {
		return provider
	}
	return ""
}

func (a *app) stateRemove(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "rm ADDRESS...",
		Short: "Forget an agent; the live agent stays as it is",
		Long: `rm forgets an address: the live agent stays, and agentsync no longer knows of it. A manifest of that address is then planned as if it
were new: adopted where the vendor lists an agent of its name, else created.`,
		Example: "  agentsync state rm voicy/old-desk",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			book, err := a.book(f)
			if err != nil {
				return err
			}
			return a.underLock(c.Context(), book, func() error {
				var faults []error
				for _, address := range args {
					entry, err := a.entry(c.Context(), book, address)
					if err == nil {
						err = book.Remove(c.Context(), address, entry.Version)
					}
					if err != nil {
						faults = append(faults, err)
						continue
					}
					fmt.Fprintf(a.stdout, "%s is forgotten (it was bound to %s)\n", address, orDash(entry.Record.ID))
				}
				return errors.Join(faults...)
			})
		},
	}
}

func (a *app) stateMove(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:     "mv FROM TO",
		Short:   "Rename an address, after its manifest was renamed",
		Example: "  agentsync state mv voicy/front-desk voicy/reception",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			book, err := a.book(f)
			if err != nil {
				return err
			}
			return a.underLock(c.Context(), book, func() error {
				if err := book.Move(c.Context(), args[0], args[1]); err != nil {
					if _, unknown := a.entry(c.Context(), book, args[0]); errors.Is(err, state.ErrNotExist) && unknown != nil {
						return unknown
					}
					return err
				}
				_, err := fmt.Fprintf(a.stdout, "%s is now %s\n", args[0], args[1])
				return err
			})
		},
	}
}

func (a *app) stateUnlock(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "unlock",
		Short: "Remove the lock of a run that is dead",
		Long: `unlock removes the state's lock. Do it only when the run that holds it is surely dead: two runs at once are what the lock is there
to prevent. A lock that nobody renews expires by itself after two minutes.`,
		Example: "  agentsync state unlock",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			book, err := a.book(f)
			if err != nil {
				return err
			}
			held, err := book.Unlock(c.Context())
			if errors.Is(err, state.ErrNotExist) {
				_, err = fmt.Fprintln(a.stdout, "the state is not locked")
				return err
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "unlocked: it was held by %s, run %s\n", held.Holder, held.Run)
			return err
		},
	}
}

// underLock runs change while no apply can.
func (a *app) underLock(ctx context.Context, book *state.Book, change func() error) error {
	held, err := a.lock(ctx, book, state.RunID(a.now()), 0)
	if err != nil {
		return err
	}
	defer held.release()
	return change()
}
