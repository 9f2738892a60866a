package main

import (
	"os"
	"path/filepath"
	"strings"
)

// commitOf returns the commit that the checkout at root is on, "" where that cannot be told. It reads Git's files instead of
// running git, which may not be there.
func commitOf(root string) string {
	git := filepath.Join(root, ".git")
	if data, err := os.ReadFile(git); err == nil { // a worktree: a file that points to its folder
		git = strings.TrimSpace(strings.TrimPrefix(string(data), "gitdir:"))
		if !filepath.IsAbs(git) {
			git = filepath.Join(root, git)
		}
	}
	head, err := os.ReadFile(filepath.Join(git, "HEAD"))
	if err != nil {
		return ""
	}
	ref, symbolic := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
	if !symbolic {
		return ref
	}
	common := git
	if data, err := os.ReadFile(filepath.Join(git, "commondir")); err == nil {
		common = filepath.Join(git, strings.TrimSpace(string(data)))
	}
	for _, dir := range []string{git, common} {
		if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(ref))); err == nil {
			return strings.TrimSpace(string(data))
		}
	}
	packed, _ := os.ReadFile(filepath.Join(common, "packed-refs"))
	for _, line := range strings.Split(string(packed), "\n") {
		if hash, name, ok := strings.Cut(line, " "); ok && name == ref {
			return hash
		}
	}
	return ""
}
