package rest

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
)

// masked is what a secret reads as.
const masked = "(sensitive)"

// shortest is the length of the shortest secret that is masked: shorter ones would make every text unreadable.
const shortest = 4

// Masker removes known secrets from text. The zero value masks nothing. Safe for use from several goroutines.
type Masker struct {
	mu       sync.RWMutex
	forms    map[string]bool
	replacer *strings.Replacer
}

// Add makes secrets unsayable. Values under 4 bytes are ignored, and so is a nil Masker.
func (m *Masker) Add(secrets ...string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forms == nil {
		m.forms = map[string]bool{}
	}
	known := len(m.forms)
	for _, secret := range secrets {
		if len(secret) < shortest {
			continue
		}
		for _, form := range spellings(secret) {
			m.forms[form] = true
		}
	}
	if len(m.forms) == known {
		return
	}
	// The replacer takes the first that fits: longest first, so that no tail of a secret is left over.
	var pairs []string
	for _, form := range slices.SortedFunc(maps.Keys(m.forms), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	}) {
		pairs = append(pairs, form, masked)
	}
	m.replacer = strings.NewReplacer(pairs...)
}

// Mask replaces every secret in s (also as JSON, URL-escaped and base64) by "(sensitive)". A nil Masker returns s.
func (m *Masker) Mask(s string) string {
	if m == nil {
		return s
	}
	m.mu.RLock()
	replacer := m.replacer
	m.mu.RUnlock()
	if replacer == nil {
		return s
	}
	if clean := replacer.Replace(s); clean != s {
		return clean
	}
	return s // and not a copy: prompts are long
}

// spellings are the ways in which a secret may be met in a text.
func spellings(secret string) []string {
	raw, quoted := []byte(secret), strconv.Quote(secret)
	return []string{
		secret,
		inJSON(secret, true),
		inJSON(secret, false),
		strings.ReplaceAll(inJSON(secret, false), "/", `\/`),
		inASCII(secret),
		quoted[1 : len(quoted)-1],
		url.QueryEscape(secret),
		url.PathEscape(secret),
		base64.StdEncoding.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw),
		base64.URLEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw),
	}
}

// inJSON returns s as it stands between the quotes of a JSON string.
func inJSON(s string, escapeHTML bool) string {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(escapeHTML)
	// A string always encodes; were it not to, the other spellings stand.
	if err := encoder.Encode(s); err != nil {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(buf.String(), `"`), "\"\n")
}

// inASCII returns s as JSON writers spell it that keep to ASCII.
func inASCII(s string) string {
	var b strings.Builder
	for _, r := range inJSON(s, false) {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
