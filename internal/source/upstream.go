package source

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// upstream is the repository that is followed: on a server, or on this machine.
type upstream interface {
	// refs asks where branches and tags are.
	refs(ctx context.Context) (refs, error)
	// at returns a repository that holds what t points to, without its history.
	at(ctx context.Context, t tip) (*git.Repository, error)
	// forget drops what at keeps between calls, because it turned out to be incomplete.
	forget()
	// descends reports whether base is among the ancestors of head.
	descends(ctx context.Context, head, base plumbing.Hash) (bool, error)
	close()
}

// local is a repository on this machine. It is read where it is.
type local struct{ dir string }

func (l local) refs(context.Context) (refs, error) {
	r, err := openAny(l.dir)
	if err != nil {
		return refs{}, err
	}
	found := refs{names: map[string]plumbing.Hash{}, peeled: map[string]plumbing.Hash{}}
	if head, err := r.Head(); err == nil {
		found.head = head.Hash()
	}
	all, err := r.References()
	if err != nil {
		return found, err
	}
	return found, all.ForEach(func(ref *plumbing.Reference) error {
		if ref.Type() == plumbing.HashReference {
			found.names[ref.Name().String()] = ref.Hash()
		}
		return nil
	})
}

func (l local) at(context.Context, tip) (*git.Repository, error) { return openAny(l.dir) }

func (l local) descends(ctx context.Context, head, base plumbing.Hash) (bool, error) {
	r, err := openAny(l.dir)
	if err != nil {
		return false, err
	}
	found, whole, err := ancestor(ctx, r, head, base)
	if err == nil && !found && !whole {
		err = fmt.Errorf("the repository holds only a part of its history: whether commit %s follows cannot be told; git fetch --unshallow gets the rest", head)
	}
	return found, err
}

func (local) forget() {}
func (local) close()  {}

// ancestor looks for base among the ancestors of head that r holds. whole is false if r does not hold all of them.
func ancestor(ctx context.Context, r *git.Repository, head, base plumbing.Hash) (found, whole bool, err error) {
	seen := map[plumbing.Hash]bool{head: true}
	whole = true
	for next := []plumbing.Hash{head}; len(next) > 0; {
		hash := next[0]
		next = next[1:]
		if hash == base {
			return true, whole, nil
		}
		if ctx.Err() != nil {
			return false, false, ctx.Err()
		}
		commit, err := object.GetCommit(r.Storer, hash)
		if err == plumbing.ErrObjectNotFound {
			whole = false
			continue
		}
		if err != nil {
			return false, false, err
		}
		for _, parent := range commit.ParentHashes {
			if !seen[parent] {
				seen[parent] = true
				next = append(next, parent)
			}
		}
	}
	return false, whole, nil
}
