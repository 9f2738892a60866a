package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// bench is a server and a client that talks to it without a socket.
type bench struct {
	t *testing.T
	*Server
	rt     http.RoundTripper
	header http.Header
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, s, s.Transport(), http.Header{}}
}

func seeded(t *testing.T, q Quirks) *bench { return newBench(t, Options{Seed: true, Quirks: q}) }

// with sets a header for all calls of a copy.
func (b *bench) with(name, value string) *bench {
	c := *b
	c.header = b.header.Clone()
	c.header.Set(name, value)
	return &c
}

func (b *bench) voicy() *bench    { return b.with("Authorization", "Bearer "+VoicyKey) }
func (b *bench) nova() *bench     { return b.with("X-API-Key", NovaKey) }
func (b *bench) centerfy() *bench { return b.with("x-api-key", CenterfyKey) }
func (b *bench) convirza() *bench { return b.with("Authorization", "Bearer "+ConvirzaToken) }

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	text   string
	json   any
}

func (r reply) object(t *testing.T) map[string]any {
	t.Helper()
	o, ok := r.json.(map[string]any)
	if !ok {
		t.Fatalf("no object: %d %s", r.status, r.text)
	}
	return o
}

// data is the payload of Convirza's envelope.
func (r reply) data(t *testing.T) map[string]any {
	t.Helper()
	o, ok := r.object(t)["data"].(map[string]any)
	if !ok {
		t.Fatalf("no data: %d %s", r.status, r.text)
	}
	return o
}

func (r reply) list(t *testing.T) []any {
	t.Helper()
	l, ok := r.json.([]any)
	if !ok {
		t.Fatalf("no list: %d %s", r.status, r.text)
	}
	return l
}

// do sends a JSON body; "" is none.
func (b *bench) do(method, path, body string) reply {
	b.t.Helper()
	c := b
	if body != "" && b.header.Get("Content-Type") == "" {
		c = b.with("Content-Type", "application/json")
	}
	out, err := c.send(method, path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

func (b *bench) send(method, path string, body io.Reader) (reply, error) {
	r, err := http.NewRequestWithContext(b.t.Context(), method, "https://vendor.example"+path, body)
	if err != nil {
		return reply{}, err
	}
	r.Header = b.header.Clone()
	res, err := b.rt.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	out := reply{status: res.StatusCode, header: res.Header, text: string(data)}
	_ = json.Unmarshal(data, &out.json) // a body without JSON stays nil
	return out, err
}

// part makes a part of a form; a file has a file name.
type part struct{ name, text, file string }

func (b *bench) form(method, path string, parts ...part) reply {
	b.t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, p := range parts {
		create := w.CreateFormField
		if p.file != "" {
			create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, p.file) }
		}
		to, err := create(p.name)
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = io.WriteString(to, p.text)
	}
	_ = w.Close()
	out, err := b.with("Content-Type", w.FormDataContentType()).send(method, path, &buf)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

func (r reply) want(t *testing.T, status int, says string) reply {
	t.Helper()
	if r.status != status || !strings.Contains(r.text, says) {
		t.Fatalf("got %d %s, want %d with %q", r.status, r.text, status, says)
	}
	return r
}

// refusal is a row of a strictness table.
type refusal struct {
	name, method, path, body string
	status                   int
	says                     string
}

// refuse runs a table and checks that nothing was changed by it.
func (b *bench) refuse(store string, rows []refusal) {
	b.t.Helper()
	before, _ := json.Marshal(b.Agents(store))
	for _, r := range rows {
		b.t.Run(r.name, func(t *testing.T) {
			b.do(r.method, r.path, r.body).want(t, r.status, r.says)
		})
	}
	if after, _ := json.Marshal(b.Agents(store)); !bytes.Equal(before, after) {
		b.t.Errorf("a refused call changed the store:\n%s\n%s", before, after)
	}
}

// stored returns one stored agent.
func (b *bench) stored(store, id string) map[string]any {
	b.t.Helper()
	for _, agent := range b.Agents(store) {
		if b.stores[store].idOf(agent) == id {
			return agent
		}
	}
	b.t.Fatalf("no agent %s in %s", id, store)
	return nil
}
