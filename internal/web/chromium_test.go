package web_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a real Chromium with one tab, and what it complained about.
type browser struct {
	context.Context
	origin string

	mu         sync.Mutex
	complaints []string
	foreign    []string // requests to anywhere but origin
}

// browse serves a handler on a port of its own and opens a tab for it. The test fails at its end if the browser complained or asked elsewhere.
func browse(t *testing.T, h http.Handler) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the page is tested in a real browser: install Chromium so that `chromium` is on the PATH (Debian: apt-get install chromium)")
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.BaseContext = func(net.Listener) context.Context { return t.Context() } // ends streams before Close waits for them
	server.Start()
	t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	limited, cancel := context.WithTimeout(tab, 3*time.Minute)
	t.Cleanup(cancel)
	b := &browser{Context: limited, origin: server.URL}
	if err := chromedp.Do(tab); err != nil { // starts the browser, which lives as long as tab
		t.Fatalf("chromium does not start: %v", err)
	}
	if err := chromedp.Listen(tab, b.heard); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, runtime.Enable, cdp.Empty{})
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			t.Errorf("the browser complains: %s", c)
		}
		for _, f := range b.foreign {
			t.Errorf("a request to another origin: %s", f)
		}
	})
	return b
}

func (b *browser) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console."+string(e.Type))
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, string(e.Entry.Source)+": "+e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || (u.Scheme+"://"+u.Host != b.origin && u.Scheme != "data" && u.Scheme != "about") {
			b.foreign = append(b.foreign, e.Request.URL)
		}
	}
}

// expect forgets the complaints that hold a text, and fails without one.
func (b *browser) expect(t *testing.T, text string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var others []string
	for _, c := range b.complaints {
		if !strings.Contains(c, text) {
			others = append(others, c)
		}
	}
	if len(others) == len(b.complaints) {
		t.Errorf("the browser did not say %q", text)
	}
	b.complaints = others
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// call sends a command of the protocol to the tab.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(b, command, params)
	if err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

func (b *browser) open(t *testing.T, path string) {
	t.Helper()
	b.do(t, chromedp.Navigate(b.origin+path))
}

// eval returns what a script comes to.
func eval[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits for a script to be true.
func (b *browser) until(t *testing.T, script string) {
	t.Helper()
	if _, err := chromedp.Run(b, chromedp.Poll[bool](script, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatalf("%s never came true: %v", script, err)
	}
}

// live waits until the page's script is at work.
func (b *browser) live(t *testing.T) {
	t.Helper()
	b.until(t, `document.getElementById("live").textContent === "live"`)
}

// screen sets how wide and high the window is; a narrow one is a phone's.
func (b *browser) screen(t *testing.T, width, height int64) {
	t.Helper()
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		options = append(options, chromedp.EmulateMobile)
	}
	b.do(t, chromedp.EmulateViewport(width, height, options...))
}

// prefer sets prefers-color-scheme: light or dark.
func (b *browser) prefer(t *testing.T, scheme string) {
	t.Helper()
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// picture writes a screenshot of the whole page where AGENTSYNC_PICTURES names a folder, for a person to look at.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("AGENTSYNC_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", png, 0o644); err != nil {
		t.Fatal(err)
	}
}
