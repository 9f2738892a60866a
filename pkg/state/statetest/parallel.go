package statetest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"agentsync.dev/agentsync/pkg/state"
)

const (
	counterKey = "count/er"
	increments = 25
	workers    = 4
	keys       = 3 // that a writer writes

	childMark = "statetest-child"
	jobCount  = "count"
	jobWrite  = "write"
)

// increment adds one to the counter, as often as it takes.
func increment(ctx context.Context, s state.Store) error {
	for {
		item, err := s.Get(ctx, counterKey)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(item.Data))
		if err != nil {
			return err
		}
		_, err = s.Replace(ctx, counterKey, []byte(strconv.Itoa(n+1)), item.Version)
		if !errors.Is(err, state.ErrConflict) {
			return err
		}
	}
}

func testOneCreateWins(t *testing.T, h Harness) {
	place := h.New(t)
	errs := make([]error, 2*workers)
	var group sync.WaitGroup
	for i := range errs {
		s := open(t, h, place)
		group.Go(func() { _, errs[i] = s.Create(t.Context(), "a/b", []byte(strconv.Itoa(i))) })
	}
	group.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("creates %d and %d both won", winner, i)
		case err == nil:
			winner = i
		default:
			wantError(t, "create", err, state.ErrExists)
		}
	}
	wantContent(t, open(t, h, place), "a/b", strconv.Itoa(winner))
}

func testGoroutines(t *testing.T, h Harness) {
	place := h.New(t)
	shared := open(t, h, place)
	create(t, shared, counterKey, "0")
	var group sync.WaitGroup
	for i := range workers {
		s := shared
		if i%2 == 1 { // half of them share a Store, half have their own
			s = open(t, h, place)
		}
		group.Go(func() {
			for range increments {
				if err := increment(t.Context(), s); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	wantContent(t, shared, counterKey, strconv.Itoa(workers*increments))
}

func testProcesses(t *testing.T, h Harness, test string) {
	place := h.New(t)
	create(t, open(t, h, place), counterKey, "0")
	var group sync.WaitGroup
	for range workers {
		child := childCommand(t, test, jobCount, place)
		group.Go(func() {
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("child: %v\n%s", err, out)
			}
		})
	}
	group.Wait()
	wantContent(t, open(t, h, place), counterKey, strconv.Itoa(workers*increments))
}

// testKilledWriters reads while another process writes, and kills that process in the middle of its writes, again and again. Whatever it had
// done, each object is whole and at least as new as the last write that was answered, and the next writer is not kept out.
func testKilledWriters(t *testing.T, h Harness, test string) {
	place := h.New(t)
	s := open(t, h, place)
	const rounds = 6
	for i := range keys {
		create(t, s, writerKey(i), whole(0))
	}
	for round := range rounds {
		answered := killedWriter(t, s, childCommand(t, test, jobWrite, place), 2+3*round)
		for i := range keys {
			item, n := getWhole(t, s, i)
			if n < answered[i] {
				t.Errorf("round %d: %s is at %d, but %d was written", round, item.Key, n, answered[i])
			}
			if _, err := s.Replace(t.Context(), item.Key, []byte(whole(n+1)), item.Version); err != nil {
				t.Fatalf("round %d: write after a crash: %v", round, err)
			}
		}
		if listed, err := s.List(t.Context(), ""); err != nil || len(listed) != keys {
			t.Errorf("round %d: list = %q, %v; want the %d keys", round, listed, err, keys)
		}
	}
}

// getWhole reads one of the writers' objects, which must be whole.
func getWhole(t *testing.T, s state.Store, i int) (state.Item, int) {
	t.Helper()
	item, err := s.Get(t.Context(), writerKey(i))
	if err != nil {
		t.Fatal(err)
	}
	n, ok := parseWhole(string(item.Data))
	if !ok {
		t.Fatalf("%s is not whole: %d bytes", item.Key, len(item.Data))
	}
	return item, n
}

// killedWriter starts a writer, reads what it writes at the same time, kills it after its nth answer, and returns the last number answered
// for each key.
func killedWriter(t *testing.T, s state.Store, child *exec.Cmd, n int) map[int]int {
	t.Helper()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	answered := map[int]int{}
	lines := bufio.NewScanner(out)
	read := 0
	for lines.Scan() {
		var key, number int
		if _, err := fmt.Sscanf(lines.Text(), "wrote %d %d", &key, &number); err != nil {
			continue // the test binary's own output
		}
		answered[key] = number
		for i := range keys {
			getWhole(t, s, i)
		}
		if read++; read == n {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := child.Wait(); err == nil || read < n {
		t.Fatalf("the child ended by itself after %d writes", read)
	}
	return answered
}

// childCommand is the test binary, told to come in by the same test and to do one job.
func childCommand(t *testing.T, test, job, place string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var pattern []string
	for name := range strings.SplitSeq(test, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(name)+"$")
	}
	return exec.CommandContext(t.Context(), binary, "-test.run="+strings.Join(pattern, "/"), "-test.count=1", childMark, job, place)
}

// runChild is the whole work of a child.
func runChild(t *testing.T, h Harness, job, place string) {
	s := open(t, h, place)
	var err error
	switch job {
	case jobCount:
		for range increments {
			err = errors.Join(err, increment(t.Context(), s))
		}
	case jobWrite:
		err = writeForever(t.Context(), s, os.Stdout)
	default:
		err = fmt.Errorf("unknown job %q", job)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writeForever writes the writers' keys in turn, and says so after each write.
func writeForever(ctx context.Context, s state.Store, out io.Writer) error {
	for i := 0; ; i = (i + 1) % keys {
		item, err := s.Get(ctx, writerKey(i))
		if err != nil {
			return err
		}
		n, _ := parseWhole(string(item.Data))
		if _, err := s.Replace(ctx, item.Key, []byte(whole(n+1)), item.Version); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "wrote %d %d\n", i, n+1); err != nil {
			return err
		}
	}
}

func writerKey(i int) string { return fmt.Sprintf("state/voicy/agent-%d.json", i) }

// whole is a content large enough to be cut, which shows whether it was.
func whole(n int) string {
	body := strings.Repeat(strconv.Itoa(n)+" ", 400_000/len(strconv.Itoa(n)+" "))
	sum := sha256.Sum256([]byte(body))
	return fmt.Sprintf("%d\n%s\n%s", n, body, hex.EncodeToString(sum[:]))
}

func parseWhole(s string) (n int, ok bool) {
	first, _, _ := strings.Cut(s, "\n")
	n, err := strconv.Atoi(first)
	return n, err == nil && s == whole(n)
}
