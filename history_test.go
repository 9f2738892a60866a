package agentsync_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"gopkg.in/yaml.v3"
)

// history makes a workspace a repository whose branch main holds the examples and agents/after-hours.yaml, which is bound by its id.
func history(t *testing.T, dir string) {
	t.Helper()
	write(t, filepath.Join(dir, "agents", "after-hours.yaml"), `apiVersion: agentsync.dev/v1
kind: Agent
metadata: {name: night-line}
spec:
  provider: voicy
  id: 550e8400-e29b-41d4-a716-446655440002
  config:
    agent_name: After hours
    begin_message: Lumen Dental Group, our clinics are closed right now. Is it an emergency?
    response_delay_ms: 150
`)
	repo, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	commitAll(t, repo)
}

// commitAll commits everything in the checkout, lets the branch main be that commit, and returns its hash.
func commitAll(t *testing.T, repo *git.Repository) string {
	t.Helper()
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	hash, err := tree.Commit("m", &git.CommitOptions{Author: &object.Signature{Name: "A", Email: "a@example.com", When: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Storer.SetReference(plumbing.NewHashReference("refs/heads/main", hash)); err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

// actionTable writes the inputs or the outputs of action.yml; nothing where it cannot be read.
func actionTable(out *strings.Builder, about string) {
	text, err := os.ReadFile("action.yml")
	var action composite
	if err != nil || yaml.Unmarshal(text, &action) != nil {
		return
	}
	switch about {
	case "inputs":
		out.WriteString("| input | default | what it is |\n|---|---|---|\n")
		for _, name := range slices.Sorted(maps.Keys(action.Inputs)) {
			fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, code(action.Inputs[name].Default), cell(action.Inputs[name].Description))
		}
	case "outputs":
		out.WriteString("| output | what it is |\n|---|---|\n")
		for _, name := range slices.Sorted(maps.Keys(action.Outputs)) {
			fmt.Fprintf(out, "| `%s` | %s |\n", name, cell(action.Outputs[name].Description))
		}
	}
}
