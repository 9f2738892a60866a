package state

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"golang.org/x/crypto/argon2"
)

// The parameters of argon2id are OWASP's smallest: enough against guessing, cheap enough to check hundreds of values in a plan. Other
// parameters in a state file are not followed: it could ask for any amount of memory.
const (
	sealedKey    = "$sealed"
	sealedPrefix = "argon2id$v=19$m=19456,t=2,p=1$"
	memory       = 19 * 1024 // KiB
	passes       = 2
	threads      = 1
	saltSize     = 16
	hashSize     = 32
)

// Sealed stands in a revealed document for a value that cannot be known: its seal matches neither live nor desired. It equals no
// value of a document.
type Sealed struct{}

const sensitive = "(sensitive)"

// String returns "(sensitive)".
func (Sealed) String() string { return sensitive }

// MarshalJSON writes "(sensitive)".
func (Sealed) MarshalJSON() ([]byte, error) { return []byte(`"` + sensitive + `"`), nil }

// Seal returns {"$sealed": fingerprint} for v, from which v cannot be had, but which v can be held against, see [Matches]. The salt
// is random: equal values have different seals. v is a JSON value; the error, for any other, does not show it.
func Seal(v any) (diff.Object, error) {
	content, err := content(v)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	return diff.Object{sealedKey: fingerprint(content, salt)}, nil
}

// IsSealed reports whether v has the shape that [Seal] gives.
func IsSealed(v any) bool {
	object, ok := v.(diff.Object)
	if !ok || len(object) != 1 {
		return false
	}
	_, ok = object[sealedKey].(string)
	return ok
}

// Matches reports whether sealed is a seal of v, in a time that does not depend on how near v is.
func Matches(sealed any, v any) bool {
	salt, hash, ok := parseSealed(sealed)
	if !ok {
		return false
	}
	content, err := content(v)
	return err == nil && subtle.ConstantTimeCompare(hash, derive(content, salt)) == 1
}

// FingerprintSecret returns a fingerprint of v that is the same for the same v and context, for where a salt cannot be kept. The
// context (address and pointer, say) keeps equal secrets in different places from showing that they are equal. v must be in
// normal form.
func FingerprintSecret(v any, context string) string {
	content, err := content(v)
	if err != nil {
		panic("state: " + err.Error())
	}
	salt := sha256.Sum256([]byte("agentsync secret fingerprint\n" + context))
	return fingerprint(content, salt[:saltSize])
}

// SealAt returns doc with the values at paths sealed; doc is not changed. A path that leads through a list, through a scalar, or
// below an object to a field that is not there seals the nearest value on its way, whole: what a vendor returned in another
// shape is not left open. A top-level field that is not there is nothing to seal. null is no secret and stays, since a null
// says that a field is at its default; so does what is sealed already.
func SealAt(doc diff.Object, paths []diff.Pointer) (diff.Object, error) {
	var places []diff.Pointer
	for _, path := range paths {
		if place, ok := nearest(doc, path); ok {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	var faults []error
	var v any = doc
	for i, place := range places {
		if slices.ContainsFunc(places[:i], func(above diff.Pointer) bool { return above.Covers(place) }) {
			continue
		}
		next, err := sealPlace(v, place.Tokens())
		if err != nil {
			faults = append(faults, fmt.Errorf("seal %s: %w", place, err))
			continue
		}
		v = next
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return v.(diff.Object), nil
}

// nearest returns path, or what to seal in its stead; false if there is nothing to seal.
func nearest(doc diff.Object, path diff.Pointer) (diff.Pointer, bool) {
	var v any = doc
	place := diff.Pointer("")
	for depth, token := range path.Tokens() {
		object, isObject := v.(diff.Object)
		child, there := object[token]
		if depth == 0 && !there {
			return "", false
		}
		if !isObject || !there || closed(v) {
			break
		}
		v, place = child, place.Child(token)
	}
	return place, !closed(v)
}

// closed reports whether v needs no seal.
func closed(v any) bool {
	_, _, ok := parseSealed(v)
	return ok || v == nil
}

// sealPlace returns v with the value at tokens, which is there, sealed; what is not on the way is shared with v.
func sealPlace(v any, tokens []string) (any, error) {
	if len(tokens) == 0 {
		return Seal(v)
	}
	object := maps.Clone(v.(diff.Object))
	child, err := sealPlace(object[tokens[0]], tokens[1:])
	object[tokens[0]] = child
	return object, err
}

// Reveal returns a copy of base in which each sealed value is the desired or the live value at the same place, if it matches one
// of them, else [Sealed]. It is for comparing only: what it returns holds secrets.
func Reveal(base, live, desired diff.Object) diff.Object {
	if base == nil {
		return nil
	}
	revealed, ok := reveal("", base, live, desired).(diff.Object)
	if !ok { // base is sealed as a whole and matches nothing
		return diff.Object{sealedKey: Sealed{}}
	}
	return revealed
}

func reveal(at diff.Pointer, v any, live, desired diff.Object) any {
	if IsSealed(v) {
		for _, doc := range []diff.Object{desired, live} {
			if candidate, ok := at.Get(doc); ok && Matches(v, candidate) {
				return diff.Clone(candidate)
			}
		}
		return Sealed{}
	}
	switch v := v.(type) {
	case map[string]any:
		object := make(diff.Object, len(v))
		for name, child := range v {
			object[name] = reveal(at.Child(name), child, live, desired)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = reveal(at.Item(i), child, live, desired)
		}
		return list
	}
	return v
}

// content returns what is hashed of v.
func content(v any) ([]byte, error) {
	data, err := encode(diff.Normalize(nil, v))
	if err != nil {
		return nil, err
	}
	return data, nil
}

func derive(content, salt []byte) []byte {
	return argon2.IDKey(content, salt, passes, memory, threads, hashSize)
}

func fingerprint(content, salt []byte) string {
	b64 := base64.RawStdEncoding.Strict()
	return sealedPrefix + b64.EncodeToString(salt) + "$" + b64.EncodeToString(derive(content, salt))
}

// parseSealed returns the parts of a seal; ok is false for anything that Seal did not make.
func parseSealed(sealed any) (salt, hash []byte, ok bool) {
	if !IsSealed(sealed) {
		return nil, nil, false
	}
	text, ok := strings.CutPrefix(sealed.(diff.Object)[sealedKey].(string), sealedPrefix)
	if !ok {
		return nil, nil, false
	}
	saltText, hashText, _ := strings.Cut(text, "$")
	b64 := base64.RawStdEncoding.Strict()
	salt, saltErr := b64.DecodeString(saltText)
	hash, hashErr := b64.DecodeString(hashText)
	ok = saltErr == nil && hashErr == nil && len(salt) == saltSize && len(hash) == hashSize
	return salt, hash, ok
}
