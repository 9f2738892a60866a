package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"agentsync.dev/agentsync/internal/sandbox"
)

type vendorsKey struct{}

// vendors are one script's simulated vendors.
type vendors struct {
	server *sandbox.Server
	// release lets the call that `vendor hold` holds go on.
	release func()
}

// vendor drives the simulated vendors of a script:
//
//	vendor start [seed] [QUIRK[=VALUE]...]  serve them on loopback and point the environment at them; Nova.Encoding=text is a quirk
//	vendor accounts FILE                    write Provider documents for them that do not pause between requests; voicy-functions is
//	                                        Voicy's functions-v1
//	vendor add VENDOR FILE                  put an agent there as if made in the dashboard
//	vendor edit VENDOR ID FILE              change top-level fields as a person in the dashboard; null clears
//	vendor show VENDOR [ID]                 print what is stored as JSON
//	vendor log [-writes] [VENDOR]           print the calls, one a line: METHOD path field, field
//	vendor body                             print the last write's body: JSON as it was sent, or a form's parts
//	vendor reset-log
//	vendor fault [-body FILE] TEXT          switch a fault on, in the words of `agentsync sandbox --fault`
//	vendor clear-faults
//	vendor hold METHOD PATH                 hold the first call that matches before it is carried out, until vendor release
//	vendor edit-on METHOD PATH VENDOR ID FILE  edit right after the first call that matches was carried out
func vendor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: vendor VERB [ARGS...]")
	}
	v := ts.Value(vendorsKey{}).(*vendors)
	if args[0] == "start" {
		v.start(ts, args[1:])
		return
	}
	if v.server == nil {
		ts.Fatalf("vendor start comes first")
	}
	verbs := map[string]func(*testscript.TestScript, []string){
		"accounts": v.accounts, "add": v.add, "edit": v.edit, "show": v.show, "log": v.log, "body": v.body, "edit-on": v.editOn, "hold": v.hold,
		"release":      func(*testscript.TestScript, []string) { v.release() },
		"reset-log":    func(*testscript.TestScript, []string) { v.server.ResetLog() },
		"fault":        v.fault,
		"clear-faults": func(*testscript.TestScript, []string) { v.server.ClearFaults() },
	}
	run := verbs[args[0]]
	if run == nil {
		ts.Fatalf("vendor %s: not one of %q", args[0], slices.Sorted(maps.Keys(verbs)))
	}
	run(ts, args[1:])
}

func (v *vendors) start(ts *testscript.TestScript, words []string) {
	var options sandbox.Options
	for _, word := range words {
		if word == "seed" {
			options.Seed = true
			continue
		}
		ts.Check(setQuirk(&options.Quirks, word))
	}
	server, err := sandbox.New(options)
	ts.Check(err)
	web := httptest.NewServer(server.Handler())
	ts.Defer(web.Close)
	v.server = server
	for name, value := range server.Env(web.URL) {
		ts.Setenv(name, value)
	}
	ts.Setenv("VENDOR_URL", web.URL)
}

func (v *vendors) accounts(ts *testscript.TestScript, args []string) {
	need(ts, args, 1, "accounts FILE")
	var out strings.Builder
	for _, account := range []struct{ name, spec string }{
		{"convirza", "type: convirza"}, {"nova", "type: nova"}, {"centerfy", "type: centerfy"}, {"voicy", "type: voicy"},
		{"voicy-functions", "type: voicy, api: functions-v1, baseURL: " + ts.Getenv("VENDOR_URL") + "/voicy/functions/v1"},
	} {
		fmt.Fprintf(&out, "---\napiVersion: agentsync.dev/v1\nkind: Provider\nmetadata: {name: %s}\nspec: {%s, limits: {requestsPerMinute: 60000}}\n",
			account.name, account.spec)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out.String()), 0o644))
}

// setQuirk sets a field such as Nova.Encoding=text, StaleReads=2 or TrimText.
func setQuirk(quirks *sandbox.Quirks, word string) error {
	name, value, _ := strings.Cut(word, "=")
	field := reflect.ValueOf(quirks).Elem()
	for _, part := range strings.Split(name, ".") {
		if field = field.FieldByName(part); !field.IsValid() {
			return fmt.Errorf("no quirk %q", name)
		}
	}
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(true)
	case reflect.Int:
		n, err := strconv.Atoi(value)
		field.SetInt(int64(n))
		return err
	default:
		field.SetString(value)
	}
	return nil
}

func (v *vendors) add(ts *testscript.TestScript, args []string) {
	need(ts, args, 2, "add VENDOR FILE")
	_, err := v.server.Add(args[0], object(ts, args[1]))
	ts.Check(err)
}

func (v *vendors) edit(ts *testscript.TestScript, args []string) {
	need(ts, args, 3, "edit VENDOR ID FILE")
	ts.Check(v.change(args[0], args[1], object(ts, args[2])))
}

func (v *vendors) change(vendor, id string, with map[string]any) error {
	return v.server.Edit(vendor, id, func(agent map[string]any) { maps.Copy(agent, with) })
}

func (v *vendors) editOn(ts *testscript.TestScript, args []string) {
	need(ts, args, 5, "edit-on METHOD PATH VENDOR ID FILE")
	with := object(ts, args[4])
	v.server.Fault(sandbox.Fault{Method: args[0], Path: args[1], Kind: sandbox.FaultHook, After: true, Nth: 1, Hook: func() {
		if err := v.change(args[2], args[3], with); err != nil {
			panic(err) // an id of the script that is not there
		}
	}})
}

func (v *vendors) hold(ts *testscript.TestScript, args []string) {
	need(ts, args, 2, "hold METHOD PATH")
	free := make(chan struct{})
	v.release = sync.OnceFunc(func() { close(free) })
	ts.Defer(v.release)
	v.server.Fault(sandbox.Fault{Method: args[0], Path: args[1], Kind: sandbox.FaultHook, Nth: 1, Hook: func() { <-free }})
}

func (v *vendors) show(ts *testscript.TestScript, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: vendor show VENDOR [ID]")
	}
	out := json.NewEncoder(ts.Stdout())
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	for _, agent := range v.server.Agents(args[0]) {
		if len(args) == 1 || idOf(agent) == args[1] {
			ts.Check(out.Encode(agent))
		}
	}
}

func idOf(agent map[string]any) string {
	for _, name := range []string{"agent_id", "id"} {
		if id, ok := agent[name]; ok {
			return fmt.Sprint(id)
		}
	}
	return ""
}

func (v *vendors) fault(ts *testscript.TestScript, args []string) {
	body := ""
	if len(args) > 2 && args[0] == "-body" {
		body, args = ts.ReadFile(args[1]), args[2:]
	}
	fault, err := sandbox.ParseFault(strings.Join(args, " "))
	ts.Check(err)
	fault.Body = body
	v.server.Fault(fault)
}

func isWrite(c sandbox.Call) bool { return c.Method != "GET" && !strings.Contains(c.Path, "/oauth/") }

func (v *vendors) log(ts *testscript.TestScript, args []string) {
	out := ts.Stdout() // also where nothing was called: then it is empty
	writes := len(args) > 0 && args[0] == "-writes"
	if writes {
		args = args[1:]
	}
	for _, c := range v.server.Log() {
		if (writes && !isWrite(c)) || (len(args) > 0 && c.Vendor != args[0]) {
			continue
		}
		line := c.Method + " " + c.Path + " " + strings.Join(c.Fields, ", ")
		fmt.Fprintln(out, strings.TrimSpace(line))
	}
}

func (v *vendors) body(ts *testscript.TestScript, _ []string) {
	var last sandbox.Call
	for _, c := range v.server.Log() {
		if isWrite(c) {
			last = c
		}
	}
	if last.Body != nil {
		var out bytes.Buffer
		ts.Check(json.Indent(&out, last.Body, "", "  "))
		fmt.Fprintln(ts.Stdout(), out.String())
	}
	for _, p := range last.Parts {
		if p.FileName != "" {
			fmt.Fprintf(ts.Stdout(), "%s=@%s (%d bytes)\n", p.Name, p.FileName, p.Size)
			continue
		}
		fmt.Fprintf(ts.Stdout(), "%s=%s\n", p.Name, p.Text)
	}
}

func need(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) != n {
		ts.Fatalf("usage: vendor %s", usage)
	}
}

func object(ts *testscript.TestScript, file string) map[string]any {
	var o map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile(file)), &o); err != nil {
		ts.Fatalf("%s: %v", file, err)
	}
	return o
}

// change FILE OLD NEW replaces a text that occurs exactly once in a file, as an editor would.
func change(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: change FILE OLD NEW")
	}
	data := ts.ReadFile(args[0])
	if n := strings.Count(data, args[1]); n != 1 {
		ts.Fatalf("%s holds %q %d times", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(data, args[1], args[2], 1)), 0o644))
}
