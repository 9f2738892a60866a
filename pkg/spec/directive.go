package spec

import (
	"fmt"
	"slices"
	"strings"
)

// The directives, and the keys that may stand beside each.
const (
	fileDirective = "$file"
	envDirective  = "$env"
	joinDirective = "$join"
	defaultKey    = "default"
	separatorKey  = "separator"
)

// values resolves directives.
type values struct {
	tree     *tree // nil: there are no files
	getenv   func(string) (string, bool)
	withheld []string // variables that no agent may name
	secrets  map[string]bool
	joined   int // bytes of $join texts so far
	problems *Problems
}

func (r *values) fault(pos Pos, hint, format string, args ...any) {
	*r.problems = append(*r.problems, Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// resolve replaces the directives in v, which stands in a manifest of folder dir, by their values. In an account's settings a
// variable that is set but empty counts as missing, because an empty key or id can only be a mistake.
func (r *values) resolve(v *Value, dir string, account bool) {
	v.Dir = dir
	for _, item := range v.Items {
		r.resolve(item, dir, account)
	}
	if name := directiveIn(v); name != "" {
		faults := len(*r.problems)
		r.directive(v, name, account)
		v.Faulty = len(*r.problems) > faults
		return
	}
	for _, p := range v.Pairs {
		r.resolve(p.Value, dir, account)
	}
}

// directiveIn returns the first key of v that begins with $.
func directiveIn(v *Value) string {
	for _, p := range v.Pairs {
		if strings.HasPrefix(p.Key, "$") {
			return p.Key
		}
	}
	return ""
}

// directive replaces v, a map with the key name, by the text it stands for; by an empty, faulty one after a fault.
func (r *values) directive(v *Value, name string, account bool) {
	whole := *v
	*v = Value{Kind: Text, Pos: whole.Pos, Dir: whole.Dir}
	argument := whole.Lookup(name)
	beside := map[string][]string{fileDirective: nil, envDirective: {defaultKey}, joinDirective: {separatorKey}}
	allowed, known := beside[name]
	if !known {
		hint := didYouMean(name, []string{fileDirective, envDirective, joinDirective})
		r.fault(keyPos(&whole, name), hint+"; a key that begins with $ is always a directive", "unknown directive %q", name)
		return
	}
	if !r.alone(&whole, name, allowed) {
		return
	}
	switch name {
	case fileDirective:
		r.file(v, argument)
	case envDirective:
		r.env(v, argument, whole.Lookup(defaultKey), account)
	case joinDirective:
		r.join(v, argument, whole.Lookup(separatorKey), account)
	}
}

func keyPos(v *Value, key string) Pos {
	for _, p := range v.Pairs {
		if p.Key == key {
			return p.KeyPos
		}
	}
	return v.Pos
}

// alone reports every key that may not stand beside the directive name, and whether there was none.
func (r *values) alone(v *Value, name string, allowed []string) bool {
	alone := true
	for _, p := range v.Pairs {
		if p.Key == name || slices.Contains(allowed, p.Key) {
			continue
		}
		alone = false
		hint := "a map with " + name + " holds nothing else"
		if len(allowed) > 0 {
			hint = "beside " + name + " only " + strings.Join(allowed, ", ") + " may stand"
		}
		if near := Nearest(p.Key, allowed); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		if strings.HasPrefix(p.Key, "$") {
			hint = "keep one of them; a kustomize patch takes the other out with null"
		}
		r.fault(p.KeyPos, hint, "key %q beside %s", p.Key, name)
	}
	return alone
}

// scalar returns the text of a directive's argument.
func (r *values) scalar(v *Value, what string) (string, bool) {
	if v.Kind != Plain && v.Kind != Text {
		r.fault(v.Pos, "", "%s must be text, not %s", what, describe(v))
		return "", false
	}
	return v.Text, true
}

func (r *values) file(v, argument *Value) {
	name, ok := r.scalar(argument, fileDirective)
	if !ok {
		return
	}
	v.From = "file " + name
	if name == "" {
		r.fault(argument.Pos, "name a file, relative to the manifest's folder", "%s is empty", fileDirective)
		return
	}
	if r.tree == nil {
		r.fault(argument.Pos, "", "file %s: files are not read here", name)
		return
	}
	full, err := join(v.Dir, name)
	if err == nil {
		if v.Text, err = r.tree.text(full); err != nil {
			err = prefixed("file "+name+" ", err)
		}
	}
	if err != nil {
		p := asProblem(err)
		r.fault(argument.Pos, p.Hint, "%s", p.Message)
		return
	}
	if text, ok := strings.CutSuffix(v.Text, "\n"); ok {
		v.Text = strings.TrimSuffix(text, "\r")
	}
}

func (r *values) env(v, argument, fallback *Value, account bool) {
	v.Sensitive = true
	name, ok := r.scalar(argument, envDirective)
	if !ok {
		return
	}
	v.From = "env " + name
	if name == "" || strings.ContainsAny(name, "=\x00") {
		r.fault(argument.Pos, "", "%q is no name of an environment variable", name)
		return
	}
	text, set := r.getenv(name)
	switch {
	case !account && slices.Contains(r.withheld, name):
		r.fault(argument.Pos, "give the agent's secret a variable of its own", "environment variable %s is a credential of agentsync: it must not become part of an agent", name)
	case set && (text != "" || !account):
		v.Text = text
		r.secret(text)
	case fallback != nil:
		v.Text, _ = r.scalar(fallback, defaultKey)
	case set:
		r.fault(argument.Pos, "give it a value, or a default in the manifest", "environment variable %s is empty", name)
	default:
		r.fault(argument.Pos, "set it, or give a default: {$env: "+name+", default: ...}", "environment variable %s is not set", name)
	}
}

func (r *values) secret(text string) {
	if len(text) >= shortSecret {
		r.secrets[text] = true
	}
}

// join concatenates the items, whose own directives are resolved already.
func (r *values) join(v, argument, separator *Value, account bool) {
	if argument.Kind != List || len(argument.Items) == 0 {
		r.fault(argument.Pos, "", "%s must be a list with at least one item, not %s", joinDirective, describe(argument))
		return
	}
	between := ""
	if separator != nil {
		between, _ = r.scalar(separator, separatorKey)
	}
	r.resolve(argument, v.Dir, account)
	var parts, from []string
	size := 0
	for _, item := range argument.Items {
		text, ok := r.scalar(item, "an item of "+joinDirective)
		if !ok {
			continue
		}
		parts = append(parts, text)
		size += len(text) + len(between)
		v.Sensitive = v.Sensitive || item.Sensitive
		if item.From != "" && !slices.Contains(from, item.From) {
			from = append(from, item.From)
		}
	}
	if r.joined += size; size > maxText || r.joined > maxJoined {
		r.fault(v.Pos, "use fewer or smaller parts", "the joined text is larger than %d MiB, or all together than %d MiB", maxText>>20, maxJoined>>20)
		return
	}
	v.Text = strings.Join(parts, between)
	if v.From = "join"; len(from) > 0 {
		v.From += " of " + strings.Join(from, ", ")
	}
}

// describe names what v is, for a message that says what it should be. A text is not repeated: it may be a secret.
func describe(v *Value) string {
	switch v.Kind {
	case Null:
		return "null"
	case Plain:
		return fmt.Sprintf("%q", v.Text)
	case List:
		if len(v.Items) == 0 {
			return "an empty list"
		}
		return "a list"
	case Map:
		return "a map"
	}
	return "text"
}
