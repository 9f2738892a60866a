package source

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// refs is what a repository says of its branches and tags.
type refs struct {
	head   plumbing.Hash            // of HEAD, zero if there is none
	names  map[string]plumbing.Hash // by full name
	peeled map[string]plumbing.Hash // the commits of annotated tags, where they are known
}

// tip is where a reference points.
type tip struct {
	name   string        // full, or HEAD
	object plumbing.Hash // a commit or an annotated tag
	commit plumbing.Hash // the tag's commit, where it is known without fetching it
}

// find returns what ref names: a branch before a tag, as git clone does it. "" is HEAD.
func (r refs) find(ref string) (tip, error) {
	if ref == "" {
		if r.head.IsZero() {
			return tip{}, fmt.Errorf("the repository's HEAD names no branch that is there: name a branch")
		}
		return tip{"HEAD", r.head, r.head}, nil
	}
	names := []string{"refs/heads/" + ref, "refs/tags/" + ref}
	if strings.HasPrefix(ref, "refs/") {
		names = []string{ref}
	}
	for _, name := range names {
		object, ok := r.names[name]
		if !ok {
			continue
		}
		commit, ok := r.peeled[name]
		if !ok {
			commit = object
		}
		return tip{name, object, commit}, nil
	}
	return tip{}, fmt.Errorf("there is no branch or tag %s: push it again, or follow another", ref)
}
