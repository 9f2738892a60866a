package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"agentsync.dev/agentsync/internal/s3test"
	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/s3"
)

// bucketVerb drives a script's bucket on a real S3 server, which all scripts share and the first one starts:
//
//	bucket new         make an empty bucket, and point the environment at it: AGENTSYNC_STATE, and the AWS variables
//	bucket list        print the keys below the state's prefix
//	bucket wait KEY    wait until an object is there
func bucketVerb(t *testing.T) func(ts *testscript.TestScript, neg bool, args []string) {
	server := sync.OnceValue(func() *s3test.Server { return s3test.Start(t) })
	return func(ts *testscript.TestScript, neg bool, args []string) {
		switch {
		case neg || len(args) == 0:
			ts.Fatalf("usage: bucket new|list|wait [KEY]")
		case args[0] == "new":
			ts.Setenv("AGENTSYNC_STATE", "s3://"+server().NewBucket(t)+"/team")
			ts.Setenv("AWS_ENDPOINT_URL_S3", server().Endpoint)
			ts.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
			ts.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
		case args[0] == "list":
			out := ts.Stdout() // also where nothing is there: then it is empty
			for _, key := range bucketKeys(t, ts) {
				fmt.Fprintln(out, key)
			}
		case args[0] == "wait" && len(args) == 2:
			for range 1000 {
				for _, key := range bucketKeys(t, ts) {
					if key == args[1] {
						return
					}
				}
				time.Sleep(10 * time.Millisecond)
			}
			ts.Fatalf("%s did not appear", args[1])
		default:
			ts.Fatalf("bucket %q: not one of new, list, wait KEY", args)
		}
	}
}

func bucketKeys(t *testing.T, ts *testscript.TestScript) (keys []string) {
	var store state.Store
	store, err := s3.Open(ts.Getenv("AGENTSYNC_STATE"), s3.Options{Getenv: func(name string) (string, bool) { return ts.Getenv(name), true }})
	ts.Check(err)
	listed, err := store.List(t.Context(), "")
	ts.Check(err)
	for _, l := range listed {
		keys = append(keys, l.Key)
	}
	return keys
}
