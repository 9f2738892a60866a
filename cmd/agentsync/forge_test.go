package main

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"agentsync.dev/agentsync/internal/forge/forgetest"
)

// forgeToken is the token of every forge of a script; it must never be seen.
const forgeToken = "canary-forge-token"

type forgeKey struct{}

// forges are one script's simulated forge, nil until it is started.
type forges struct{ server *forgetest.Server }

// forgeVerb drives the simulated forge of a script:
//
//	forge start github|gitlab  serve pull request 7 of lumen/agents, or merge request 5 of lumen/agents (project 42), and point the
//	                           environment at it as that forge's pipelines do
//	forge add USER FILE        write a comment as the user with this number; 1 is the token's own
//	forge show                 print the comments, the oldest first, each after "== USER"
//	forge log                  print the calls
func forgeVerb(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: forge VERB [ARGS...]")
	}
	f := ts.Value(forgeKey{}).(*forges)
	if args[0] == "start" {
		f.start(ts, args[1:])
		return
	}
	switch {
	case f.server == nil:
		ts.Fatalf("forge start comes first")
	case args[0] == "add" && len(args) == 3:
		user, err := strconv.Atoi(args[1])
		ts.Check(err)
		f.server.Add(forgetest.Comment{Author: user, Body: ts.ReadFile(args[2])})
	case args[0] == "show":
		out := ts.Stdout()
		for _, c := range f.server.Comments() {
			fmt.Fprintf(out, "== %d\n%s\n", c.Author, strings.ReplaceAll(c.Body, "\r\n", "\n"))
		}
	case args[0] == "log":
		out := ts.Stdout()
		for _, call := range f.server.Calls() {
			fmt.Fprintln(out, call)
		}
	default:
		ts.Fatalf("forge %s: not a verb", args[0])
	}
}

func (f *forges) start(ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: forge start github|gitlab")
	}
	server := &forgetest.Server{Token: forgeToken}
	handler := server.GitHub()
	if args[0] == "gitlab" {
		handler = server.GitLab()
	}
	web := httptest.NewServer(handler)
	ts.Defer(web.Close)
	f.server = server
	env := map[string]string{"GITHUB_API_URL": web.URL, "GITHUB_REPOSITORY": forgetest.GitHubRepository,
		"GITHUB_REF": fmt.Sprintf("refs/pull/%d/merge", forgetest.GitHubNumber), "GITHUB_TOKEN": forgeToken}
	if args[0] == "gitlab" {
		env = map[string]string{"CI_API_V4_URL": web.URL + "/api/v4", "CI_PROJECT_ID": "42",
			"CI_MERGE_REQUEST_IID": strconv.Itoa(forgetest.GitLabNumber), "GITLAB_TOKEN": forgeToken}
	}
	for name, value := range env {
		ts.Setenv(name, value)
	}
}
