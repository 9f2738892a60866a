package diff

import (
	"fmt"
	"strconv"
	"strings"
)

// Pointer is a JSON Pointer (RFC 6901) into a config: "" is the whole, "/a/b" the field b of a.
type Pointer string

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// ParsePointer checks that s is a JSON Pointer: empty, or beginning with a slash, with ~ only as ~0 and ~1.
func ParsePointer(s string) (Pointer, error) {
	if s != "" && s[0] != '/' {
		return "", fmt.Errorf("JSON Pointer %q does not begin with /", s)
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '~' && (i+1 == len(s) || (s[i+1] != '0' && s[i+1] != '1')) {
			return "", fmt.Errorf("JSON Pointer %q: ~ must be written ~0, and / inside a name ~1", s)
		}
	}
	return Pointer(s), nil
}

// Child returns the pointer to the named field below p.
func (p Pointer) Child(name string) Pointer { return p + "/" + Pointer(escaper.Replace(name)) }

// Item returns the pointer to element i of the list at p.
func (p Pointer) Item(i int) Pointer { return p + "/" + Pointer(strconv.Itoa(i)) }

// Tokens returns the unescaped names on the way to p.
func (p Pointer) Tokens() []string {
	if p == "" {
		return nil
	}
	tokens := strings.Split(string(p[1:]), "/")
	for i, t := range tokens {
		tokens[i] = unescaper.Replace(t)
	}
	return tokens
}

// Top returns the name of the top-level field that p is in, "" for the whole.
func (p Pointer) Top() string {
	if p == "" {
		return ""
	}
	first, _, _ := strings.Cut(string(p[1:]), "/")
	return unescaper.Replace(first)
}

// Parent returns the pointer to what p is in; "" for a top-level field and for the whole.
func (p Pointer) Parent() Pointer {
	if i := strings.LastIndexByte(string(p), '/'); i > 0 {
		return p[:i]
	}
	return ""
}

// Covers reports whether p is q or above it.
func (p Pointer) Covers(q Pointer) bool {
	return p == q || (strings.HasPrefix(string(q), string(p)) && (p == "" || q[len(p)] == '/'))
}

// Get returns the value at p in doc and whether there is one.
func (p Pointer) Get(doc any) (any, bool) {
	for _, token := range p.Tokens() {
		switch v := doc.(type) {
		case map[string]any:
			child, ok := v[token]
			if !ok {
				return nil, false
			}
			doc = child
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != token {
				return nil, false
			}
			doc = v[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

// Set writes v at p in doc, making the objects on the way, and reports whether it could: it cannot pass through a scalar or
// a list. doc is changed.
func (p Pointer) Set(doc Object, v any) bool {
	tokens := p.Tokens()
	if len(tokens) == 0 {
		return false
	}
	for _, token := range tokens[:len(tokens)-1] {
		child, ok := doc[token]
		if !ok || child == nil {
			child = Object{}
			doc[token] = child
		}
		if doc, ok = child.(Object); !ok {
			return false
		}
	}
	doc[tokens[len(tokens)-1]] = v
	return true
}

// Delete removes the field at p from doc, if it is there. doc is changed.
func (p Pointer) Delete(doc Object) {
	tokens := p.Tokens()
	if len(tokens) == 0 {
		return
	}
	parent, _ := p.Parent().Get(doc)
	if object, ok := parent.(Object); ok {
		delete(object, tokens[len(tokens)-1])
	}
}
