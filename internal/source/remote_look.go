package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// look asks the repository and, if there is something new to follow, fetches it.
func (r *Remote) look(ctx context.Context) (l Look) {
	l.At = r.options.Now()
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	// Repositories are made by others, and the library is not proof against all of them.
	defer func() {
		if p := recover(); p != nil {
			l.Revision = nil
			l.Err = r.scrub(fmt.Errorf("%s cannot be read: %v", r.Location(), p))
		}
	}()
	t, err := r.ask(ctx, &l)
	if err == nil && t.object != r.given.object {
		err = r.follow(ctx, t, &l)
	}
	if err == nil {
		return l
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(ctx.Err(), err) // what the library says of a broken connection has another cause
	}
	l.Err = fmt.Errorf("%s: %w", r.Location(), r.scrub(cure(err)))
	return l
}

// ask asks where the reference points.
func (r *Remote) ask(ctx context.Context, l *Look) (tip, error) {
	found, err := r.up.refs(ctx)
	if err != nil {
		return tip{}, err
	}
	t, err := found.find(r.options.Ref)
	if err != nil {
		return tip{}, &Refusal{Reason: err}
	}
	l.Seen = t.commit.String()
	return t, nil
}

// follow judges what t points to and puts its files on disk.
func (r *Remote) follow(ctx context.Context, t tip, l *Look) error {
	repo, err := r.up.at(ctx, t)
	if err != nil {
		return err
	}
	commit, err := peelTip(repo, t)
	if err != nil {
		return err
	}
	t.commit = commit.Hash
	l.Seen = t.commit.String()
	if err := r.judge(ctx, repo, t, commit); err != nil {
		return err
	}
	if t.commit != r.given.commit {
		if l.Revision, err = r.revision(ctx, repo, commit); err != nil {
			if errors.Is(err, ErrIncomplete) {
				r.up.forget()
			}
			return err
		}
	}
	r.given = t
	return nil
}

// judge returns why the commit is not to be followed.
func (r *Remote) judge(ctx context.Context, repo *git.Repository, t tip, commit *object.Commit) error {
	if len(r.options.SignedBy) > 0 {
		keys, err := readSigners(r.options.SignedBy)
		if err != nil {
			return err
		}
		if err := keys.check(repo.Storer, t, r.options.Now()); err != nil {
			return &Refusal{t.commit.String(), fmt.Errorf("commit %s is not followed: %w", t.commit, err)}
		}
	}
	r.mu.Lock()
	base := r.inForce
	r.mu.Unlock()
	if base.IsZero() || base == t.commit || slices.Contains(commit.ParentHashes, base) {
		return nil
	}
	if r.verdict.head != t.commit || r.verdict.base != base {
		descends, err := r.up.descends(ctx, t.commit, base)
		if err != nil {
			return err
		}
		r.verdict = verdict{t.commit, base, descends}
	}
	if !r.verdict.descends {
		return &Refusal{t.commit.String(), fmt.Errorf("%s was moved to commit %s, which does not descend from commit %s that is in force (a force push?): "+
			"push a commit that follows the one in force, or restart to follow what is there", t.name, t.commit, base)}
	}
	return nil
}

// revision writes the commit's files.
func (r *Remote) revision(ctx context.Context, repo *git.Repository, commit *object.Commit) (*Revision, error) {
	hash := commit.Hash.String()
	if err := r.holds(commit); err != nil {
		return nil, err
	}
	dir, release, err := r.space.tree(hash)
	if err != nil {
		return nil, err
	}
	if err := write(ctx, repo, commit, "commit "+hash, dir); err != nil {
		release()
		return nil, err
	}
	return &Revision{Dir: filepath.Join(dir, filepath.FromSlash(r.options.Path)), Commit: hash, Subject: subject(commit.Message), Release: release}, nil
}

// holds returns an error unless the commit has the folder that the options name.
func (r *Remote) holds(commit *object.Commit) error {
	name := path.Clean(filepath.ToSlash(r.options.Path))
	if name == "." {
		return nil
	}
	tree, err := commit.Tree()
	if err == nil {
		_, err = tree.Tree(name)
	}
	if errors.Is(err, object.ErrDirectoryNotFound) || errors.Is(err, object.ErrEntryNotFound) {
		return &Refusal{commit.Hash.String(), fmt.Errorf("commit %s has no folder %s: put it back, or follow another path", commit.Hash, name)}
	}
	return err
}

// peelTip returns the commit that t points to.
func peelTip(r *git.Repository, t tip) (*object.Commit, error) {
	commit, err := peel(r, t.object)
	if err != nil {
		return nil, &Refusal{Commit: t.object.String(), Reason: fmt.Errorf("%s does not point to a commit: follow a branch, or a tag of a commit: %w", t.name, err)}
	}
	return commit, nil
}

// subject returns the first line of a commit's message, fit to be shown.
func subject(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	line = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, line)
	if runes := []rune(line); len(runes) > 200 {
		line = string(runes[:200]) + "…"
	}
	return line
}

// secrets returns the forms in which secrets could come back in an error.
func secrets(all ...Secret) (forms []string) {
	for _, s := range all {
		if len(s) > 3 { // shorter ones would hide half of any text
			forms = append(forms, string(s), url.PathEscape(string(s)), url.QueryEscape(string(s)))
		}
	}
	return forms
}

func pairs(secrets []string) (p []string) {
	for _, s := range secrets {
		p = append(p, s, "(secret)")
	}
	return p
}
