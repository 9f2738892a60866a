package state

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"
)

// errHeld: somebody else is writing right now.
var errHeld = errors.New("is held by another process: if no agentsync runs, delete the file")

const (
	// A write takes milliseconds.
	longestPause = 20 * time.Millisecond
	// Who waits this long for a writer waits for one that hangs.
	longestWait = time.Minute
)

// waitLock takes the folder's write lock. It is for one write; a whole run holds a [Lock].
func waitLock(ctx context.Context, root *os.Root) (unlock func() error, err error) {
	pause := time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		unlock, err = tryLock(root)
		if !errors.Is(err, errHeld) || waited > longestWait {
			return unlock, err
		}
		pause = min(2*pause, longestPause)
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// removeLock removes the lock file while its lock is still held, so that none lies among the files to commit.
func removeLock(root *os.Root) error {
	err := root.Remove(lockName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
