package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/rest"
)

// maxRounds bounds how many writes a create may take to arrive at the desired config.
const maxRounds = 3

// desired returns the subject's config as a manifest would give it.
func (x *trial) desired(config diff.Object) diff.Object {
	return diff.Normalize(x.schema, config).(diff.Object)
}

// get reads an agent that must be there.
func (x *trial) get(id string) providers.Live {
	x.t.Helper()
	l, err := x.Get(context.Background(), id)
	if err != nil {
		x.t.Fatalf("get %s: %v", id, err)
	}
	if l.ID != id || !l.Whole {
		x.t.Fatalf("get %s: id %q, whole %v", id, l.ID, l.Whole)
	}
	return l
}

// change says what it takes to bring l to desired, as the planner would.
func (x *trial) change(l providers.Live, base, desired diff.Object) providers.Change {
	full := diff.Complete(x.schema, l.Config, desired)
	var skip []diff.Pointer
	for p := range l.Unreadable {
		skip = append(skip, p)
	}
	fields := diff.Compare(x.schema, base, l.Config, full, diff.Options{Skip: skip})
	fields = slices.DeleteFunc(fields, func(f diff.Field) bool { return f.Origin == diff.Released })
	return providers.Change{ID: l.ID, Live: l, Base: base, Desired: full, Fields: fields, Update: "auto"}
}

// create makes an agent with the desired config and returns it, in as many rounds as the vendor needs.
func (x *trial) create(desired diff.Object) providers.Live {
	x.t.Helper()
	w := x.Create(providers.Change{Desired: desired, Update: "auto"})
	x.checkWrite(w)
	if len(w.Requests) == 0 || !w.Requests[0].Creates || !w.Requests[0].Once {
		x.t.Fatalf("create: the first request must be marked Creates and Once: %+v", w.Requests)
	}
	if slices.ContainsFunc(w.Requests[1:], func(r providers.Request) bool { return r.Creates }) {
		x.t.Fatal("create: more than one request creates")
	}
	id, err := x.Send(context.Background(), w.Requests[0])
	if err != nil || id == "" {
		x.t.Fatalf("create: id %q: %v", id, err)
	}
	l := x.get(id)
	base := x.created(w, desired)
	for range maxRounds {
		c := x.change(l, base, desired)
		if len(c.Fields) == 0 {
			return l
		}
		l, base = x.update(c), desired
	}
	x.t.Fatalf("create does not arrive at the desired config: %+v", x.change(l, base, desired).Fields)
	return l
}

// created is the base after a create: what its first request sent, which stands in for what cannot be read.
func (x *trial) created(w providers.Write, desired diff.Object) diff.Object {
	base := diff.Object{}
	for _, name := range w.Requests[0].Fields {
		if value, ok := desired[name]; ok {
			base[name] = value
		}
	}
	return base
}

// update carries out c and reads the agent back.
func (x *trial) update(c providers.Change) providers.Live {
	x.t.Helper()
	w := x.Update(c)
	x.checkWrite(w)
	if len(w.Requests) == 0 {
		x.t.Fatalf("update of %v sends nothing", c.Fields)
	}
	for _, r := range w.Requests {
		if r.Creates || !strings.Contains(x.generation.Can.Update, r.Method) {
			x.t.Fatalf("update: %s %s creates, or is not %s", r.Method, r.Path, x.generation.Can.Update)
		}
		if id, err := x.Send(context.Background(), r); err != nil || id != "" {
			x.t.Fatalf("update: id %q: %v", id, err)
		}
	}
	return x.get(c.Live.ID)
}

// checkWrite checks that w can be carried out and that each request says what is in it.
func (x *trial) checkWrite(w providers.Write) {
	x.t.Helper()
	for _, f := range w.Findings {
		if f.Severity == providers.Blocking {
			x.t.Fatalf("blocked: %s %s", f.Code, f.Message)
		}
		if providers.About(f.Code).Code == "" {
			x.t.Errorf("unknown finding code %q", f.Code)
		}
	}
	for _, r := range w.Requests {
		if names := bodyNames(r.Request); !slices.Equal(names, slices.Sorted(slices.Values(r.Fields))) {
			x.t.Errorf("%s %s: Fields are %v, the body has %v", r.Method, r.Path, r.Fields, names)
		}
	}
	if !slices.IsSorted(w.Carried) || !slices.IsSorted(w.Reset) {
		x.t.Errorf("Carried or Reset are not in order: %v, %v", w.Carried, w.Reset)
	}
}

// bodyNames returns the top-level names in the body of r, in order.
func bodyNames(r rest.Request) []string {
	var names []string
	if r.JSON != nil {
		text, _ := json.Marshal(r.JSON)
		names = jsonNames(text)
	}
	for _, part := range r.Form {
		names = append(names, part.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// names returns the top-level names in the body of a call, in order.
func (c call) names() []string {
	kind, params, _ := mime.ParseMediaType(c.contentType)
	if kind != "multipart/form-data" {
		return jsonNames(c.body)
	}
	var names []string
	reader := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return []string{"(not a form: " + err.Error() + ")"}
		}
		names = append(names, part.FormName())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func jsonNames(text []byte) []string {
	var object map[string]any
	if len(text) == 0 || json.Unmarshal(text, &object) != nil {
		return nil
	}
	return diff.Keys(object)
}

func creates(t *testing.T, s Subject) {
	x := s.open(t)
	desired := x.desired(s.Desired)
	l := x.create(desired)
	if name, _ := desired[x.generation.NameField].(string); l.Name != name {
		t.Errorf("name is %q, want %q", l.Name, name)
	}
	if l.Locked != "" || l.Gone {
		t.Errorf("a new agent is locked (%q) or gone (%v)", l.Locked, l.Gone)
	}
	posts := 0
	for _, c := range x.wire.written() {
		if c.method == http.MethodPost {
			posts++
		}
	}
	if posts != 1 {
		t.Errorf("%d POSTs for one agent", posts)
	}
}

// createsOnce loses the answer to a create in several ways: none may lead to a second one, all must say that the outcome is not
// known.
func createsOnce(t *testing.T, s Subject) {
	for name, lose := range map[string]func(*http.Request, *http.Response) (*http.Response, error){
		"500": func(r *http.Request, _ *http.Response) (*http.Response, error) {
			return response(r, 500, "text/plain", "oops"), nil
		},
		"503": func(r *http.Request, _ *http.Response) (*http.Response, error) {
			return response(r, 503, "text/plain", "oops"), nil
		},
		"connection": func(*http.Request, *http.Response) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"no id": func(r *http.Request, _ *http.Response) (*http.Response, error) {
			return response(r, 200, "application/json", "{}"), nil
		},
		"not JSON": func(r *http.Request, _ *http.Response) (*http.Response, error) {
			return response(r, 200, "text/html", "<html>"), nil
		},
		"truncated JSON": func(r *http.Request, _ *http.Response) (*http.Response, error) {
			return response(r, 201, "application/json", `{"id":`), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := s.open(t)
			w := x.Create(providers.Change{Desired: x.desired(s.Desired), Update: "auto"})
			x.wire.replace(func(r *http.Request, forward func() (*http.Response, error)) (*http.Response, error) {
				answer, err := forward()
				if err != nil {
					return nil, err
				}
				answer.Body.Close()
				return lose(r, answer)
			})
			_, err := x.Send(context.Background(), w.Requests[0])
			if !errors.Is(err, rest.ErrUnknownOutcome) {
				t.Errorf("error is %v, want an unknown outcome", err)
			}
			if sent := x.wire.written(); len(sent) != 1 {
				t.Errorf("sent %v, want one request", sent)
			}
		})
	}
}

// edits changes each field alone, with nothing else declared: only that may be sent and only that may move.
func edits(t *testing.T, s Subject) {
	for _, e := range s.Edits {
		t.Run(string(e.Field), func(t *testing.T) {
			x := s.open(t)
			l := x.create(x.desired(s.Desired))
			before := x.Raw(l.ID)
			declared := diff.Object{}
			if !e.Field.Set(declared, e.Value) {
				t.Fatalf("cannot set %s", e.Field)
			}
			c := x.change(l, nil, x.desired(declared))
			if len(c.Fields) == 0 {
				t.Fatal("the edit changes nothing")
			}
			x.wire.forget()
			l = x.update(c)
			want := e.Sends
			if want == nil {
				want = []string{e.Field.Top()}
			}
			var sent []string
			for _, c := range x.wire.written() {
				sent = append(sent, c.names()...)
			}
			if slices.Sort(sent); !slices.Equal(sent, want) {
				t.Errorf("sent %v, want %v", sent, want)
			}
			if left := x.change(l, x.desired(declared), x.desired(declared)).Fields; len(left) != 0 {
				t.Errorf("the second run is not empty: %+v", left)
			}
			x.checkMoved(before, x.Raw(l.ID), e.Field)
		})
	}
}

// checkMoved checks that nothing but the field and what the vendor keeps for itself differs.
func (x *trial) checkMoved(before, after map[string]any, field diff.Pointer) {
	x.t.Helper()
	was := diff.Without(x.desired(before), []diff.Pointer{field})
	is := diff.Without(x.desired(after), []diff.Pointer{field})
	for _, name := range slices.Compact(slices.Sorted(slices.Values(append(diff.Keys(was), diff.Keys(is)...)))) {
		if t := x.schema.Field(name); t != nil && t.ReadOnly {
			continue
		}
		same := reflect.DeepEqual(was[name], is[name])
		if name == field.Top() { // an object may come to be by the edit
			same = diff.Equal(nil, was[name], is[name])
		}
		if !same {
			x.t.Errorf("%s moved with %s: before %s, after %s", name, field, diff.Canonical(was[name]), diff.Canonical(is[name]))
		}
	}
}
