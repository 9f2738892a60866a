package watch_test

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"

	"agentsync.dev/agentsync/internal/status"
)

// rounds lets so many full looks go by.
func (r *rig) rounds(n int) {
	for range n {
		after(r.options.Interval + r.options.Interval/5)
	}
	r.vendor.ResetLog()
}

// heap is what is in use, in bytes, after everything that can go has gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestWatchKeepsItsMemory lets a thousand looks go by in which nothing changes: nothing is kept of them.
func TestWatchKeepsItsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		files := map[string]string{"c.yaml": nova("c", "one")}
		for i := range 40 {
			files[fmt.Sprintf("v%d.yaml", i)] = voicy(fmt.Sprintf("v%d", i), "one")
		}
		r.write(files)
		r.start()
		defer r.end()
		r.show("")
		r.rounds(100)
		before, goroutines := heap(), runtime.NumGoroutine()
		requests := r.requests("voicy")
		r.rounds(1000)
		if looks := r.requests("voicy") - requests; looks < 1000 {
			t.Errorf("%d looks", looks)
		}
		if now := heap(); now > before+256<<10 {
			t.Errorf("%d bytes in use after 1,000 looks, %d before", now, before)
		}
		if now := runtime.NumGoroutine(); now > goroutines {
			t.Errorf("%d goroutines, %d before", now, goroutines)
		}
		r.wantState("voicy/v7", status.Synced)
		r.wantWrites(0)
	})
}
