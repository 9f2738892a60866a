package rest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

var update = flag.Bool("update", false, "write golden files")

func textFile(text string) Opener {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

func TestFormBytes(t *testing.T) {
	form := []Part{
		{Name: "name", Text: "Front \"desk\""},
		{Name: "urls", Text: "https://a.example"},
		{Name: "files", FileName: "Prices.PDF", Open: textFile("%PDF-1.7\r\n")},
		{Name: "urls", Text: "https://b.example"},
		{Name: "files", FileName: `odd "name".bin`, Open: textFile("\x00\x01")},
		{Name: "files", FileName: "empty.txt", Open: textFile("")},
		{Name: "prompt", Text: "line 1\nline 2 é"},
	}
	var bodies [][]byte
	var boundary string
	c := newClient(t, func(o *Options) {
		o.Transport = tripperWithBody(func(r *http.Request) (*http.Response, error) {
			kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
			if err != nil || kind != "multipart/form-data" {
				t.Errorf("content type %q: %v", r.Header.Get("Content-Type"), err)
			}
			if r.ContentLength != -1 {
				t.Errorf("length %d of files of unknown size", r.ContentLength)
			}
			boundary = params["boundary"]
			body, err := io.ReadAll(r.Body)
			bodies = append(bodies, body)
			if len(bodies) == 1 {
				return reply(503, ""), err
			}
			return reply(200, "{}"), err
		})
	})
	if _, err := c.Do(context.Background(), Request{Method: "PATCH", Path: "/a", Form: form}); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 || !bytes.Equal(bodies[0], bodies[1]) {
		t.Fatalf("the repeat differs: %q", bodies)
	}
	got := bytes.ReplaceAll(bodies[0], []byte(boundary), []byte("BOUNDARY"))
	const golden = "testdata/form.golden"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// tripperWithBody leaves the body to its function.
type tripperWithBody func(*http.Request) (*http.Response, error)

func (t tripperWithBody) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestFormLength(t *testing.T) {
	for _, test := range []struct {
		name  string
		form  []Part
		known bool
	}{
		{"text only", []Part{{Name: "a", Text: "1"}, {Name: "b", Text: "2"}}, true},
		{"sized file", []Part{{Name: "a", Text: "1"}, {Name: "f", FileName: "x", Open: textFile("12345"), Size: 5}}, true},
		{"one unsized", []Part{{Name: "f", FileName: "x", Open: textFile("12345"), Size: 5}, {Name: "f", FileName: "y", Open: textFile("1")}}, false},
	} {
		var length, read int64
		c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			length = r.ContentLength
			read, _ = io.Copy(io.Discard, r.Body)
		}, nil)
		if _, err := c.Do(context.Background(), Request{Method: "POST", Path: "/a", Form: test.form, Once: true}); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if test.known && length != read || !test.known && length != -1 {
			t.Errorf("%s: length %d of %d bytes", test.name, length, read)
		}
	}
}

// counted is a file of size bytes that tells how much of it was read.
type counted struct {
	io.Reader
	read, closed *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read.Add(int64(n))
	return n, err
}
func (c counted) Close() error { c.closed.Add(1); return nil }

// A file is read as fast as the vendor takes it, and no faster: what has left the file but not yet come out of the body is at most
// what the reader asked for.
func TestLargeFileIsStreamed(t *testing.T) {
	const size = 20 << 20
	var read, opened, closed atomic.Int64
	file := Part{Name: "files", FileName: "big.bin", Open: func() (io.ReadCloser, error) {
		opened.Add(1)
		return counted{io.LimitReader(zeros{}, size), &read, &closed}, nil
	}}
	sent := 0
	c := newClient(t, func(o *Options) {
		o.Transport = tripperWithBody(func(r *http.Request) (*http.Response, error) {
			defer r.Body.Close()
			if sent++; sent == 1 {
				return nil, errors.New("broken before it was read")
			}
			read.Store(0)
			var got int64
			buf := make([]byte, 8<<10)
			for {
				n, err := r.Body.Read(buf)
				got += int64(n)
				if ahead := read.Load() - got; ahead > int64(len(buf)) {
					t.Fatalf("%d bytes of the file are held", ahead)
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					return nil, err
				}
			}
			if got < size || got > size+1000 {
				t.Errorf("got %d bytes", got)
			}
			return reply(200, "{}"), nil
		})
	})
	if _, err := c.Do(context.Background(), Request{Method: "PATCH", Path: "/a", Form: []Part{file}}); err != nil {
		t.Fatal(err)
	}
	if opened.Load() != 2 || closed.Load() != 2 {
		t.Errorf("opened %d times, closed %d times; want one for each attempt", opened.Load(), closed.Load())
	}
}

func TestLargeFileOverTheNetwork(t *testing.T) {
	const size = 20 << 20
	var got int64
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { got, _ = io.Copy(io.Discard, r.Body) }, nil)
	file := Part{Name: "f", FileName: "big.bin", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}}
	if _, err := c.Do(context.Background(), Request{Method: "POST", Path: "/a", Form: []Part{file}, Once: true}); err != nil || got < size {
		t.Errorf("%d bytes: %v", got, err)
	}
}

func TestFilesThatFail(t *testing.T) {
	var closed atomic.Int64
	good := Part{Name: "f", FileName: "good", Open: func() (io.ReadCloser, error) {
		return counted{strings.NewReader("x"), new(atomic.Int64), &closed}, nil
	}}
	missing := func(name string) Part {
		return Part{Name: "f", FileName: name, Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}
	}
	broken := Part{Name: "f", FileName: "broken", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(halfBody{strings.NewReader("x")}), nil
	}}
	for _, test := range []struct {
		form     []Part
		attempts int
		kinds    string
		says     []string
	}{
		{[]Part{good, missing("one"), missing("two")}, 0, "", []string{"file one", "file two"}},
		{[]Part{good, broken}, 1, "unknown outcome", []string{"file broken"}},
	} {
		closed.Store(0)
		c := serve(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }, nil)
		_, err := c.Do(context.Background(), Request{Method: "PUT", Path: "/a", Form: test.form})
		if e := asError(t, err); e.Attempts != test.attempts || kinds(err) != test.kinds {
			t.Errorf("%d attempts, %q: %v", e.Attempts, kinds(err), err)
		}
		for _, want := range test.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		if test.attempts == 0 && (closed.Load() != 1 || !errors.Is(err, os.ErrNotExist)) {
			t.Errorf("%d files closed: %v", closed.Load(), err)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	c := newClient(t, func(o *Options) {
		o.Transport = tripper(func(*http.Request) (*http.Response, error) { panic("sent") })
	})
	for _, r := range []Request{
		{Method: "GET", Path: "/a", JSON: 1},
		{Method: "GET", Path: "/a", Form: []Part{{Name: "a"}}},
		{Method: "PUT", Path: "/a", JSON: 1, Form: []Part{{Name: "a"}}},
		{Method: "PUT", Path: "/a", JSON: func() {}},
		{Method: "PUT", Path: "/a", Form: []Part{{Text: "no name"}}},
		{Method: "PUT", Path: "/a", Form: []Part{{Name: "a", FileName: "no opener"}}},
		{Method: "PUT", Path: "/a", Form: []Part{{Name: "a", Open: textFile("no file name")}}},
		{Method: "get", Path: "/a"},
		{Method: "TRACE", Path: "/a"},
		{Method: "", Path: "/a"},
	} {
		_, err := c.Do(context.Background(), r)
		if e := asError(t, err); e.Attempts != 0 || kinds(err) != "" {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
