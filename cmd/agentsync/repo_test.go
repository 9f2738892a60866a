package main

import (
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"
	"github.com/rogpeppe/go-internal/testscript"
)

// repo drives a real Git repository in the current folder, without the git command:
//
//	repo init
//	repo commit BRANCH       commit everything that lies there, and let BRANCH and HEAD be that commit
//	repo clone DIR BRANCH    a shallow clone of one branch into DIR
func repo(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(".")
	switch {
	case !neg && len(args) == 1 && args[0] == "init":
		_, err := git.PlainInit(dir, false)
		ts.Check(err)
	case !neg && len(args) == 2 && args[0] == "commit":
		r, err := git.PlainOpen(dir)
		ts.Check(err)
		tree, err := r.Worktree()
		ts.Check(err)
		ts.Check(tree.AddWithOptions(&git.AddOptions{All: true}))
		hash, err := tree.Commit("m", &git.CommitOptions{AllowEmptyCommits: true,
			Author: &gitobject.Signature{Name: "A", Email: "a@example.com", When: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}})
		ts.Check(err)
		ts.Check(r.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(args[1]), hash)))
	case !neg && len(args) == 3 && args[0] == "clone":
		_, err := git.PlainClone(ts.MkAbs(args[1]), false, &git.CloneOptions{URL: dir, Depth: 1, SingleBranch: true,
			ReferenceName: plumbing.NewBranchReferenceName(args[2])})
		ts.Check(err)
	default:
		ts.Fatalf("usage: repo init|commit BRANCH|clone DIR BRANCH")
	}
}
