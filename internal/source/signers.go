package source

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"golang.org/x/crypto/ssh"
)

// signers are those whose signatures count.
type signers struct {
	ssh []sshSigner
	pgp openpgp.EntityList
}

// sshSigner is one line of an allowed_signers or authorized_keys file.
type sshSigner struct {
	key           ssh.PublicKey
	namespaces    []string // patterns; none is any
	after, before time.Time
}

// readSigners reads files of public keys.
func readSigners(files []string) (*signers, error) {
	all := &signers{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("the signers' keys cannot be read: %w", err)
		}
		before := len(all.ssh) + len(all.pgp)
		if bytes.Contains(data, []byte("-----BEGIN PGP")) {
			err = all.addPGP(data)
		} else {
			err = all.addSSH(string(data))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(all.ssh)+len(all.pgp) == before {
			return nil, fmt.Errorf("%s: there is no public key in it: expected lines of allowed_signers or authorized_keys, or armored OpenPGP keys", name)
		}
	}
	return all, nil
}

// addPGP adds armored keys, any number of blocks.
func (s *signers) addPGP(data []byte) error {
	const begin = "-----BEGIN PGP"
	for _, block := range strings.Split(string(data), begin)[1:] {
		if !strings.HasPrefix(block, " PUBLIC KEY BLOCK-----") {
			return errors.New("only public keys belong here: an armored block is something else")
		}
		keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(begin + block))
		if err != nil {
			return fmt.Errorf("an OpenPGP key cannot be read: %w", err)
		}
		s.pgp = append(s.pgp, keys...)
	}
	return nil
}

func (s *signers) addSSH(text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		one, err := parseSSHSigner(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		s.ssh = append(s.ssh, one)
	}
	return nil
}

// parseSSHSigner reads a line: a key; options or principals and a key; or principals, options and a key. Who a principal is does not
// matter: every key of the file counts.
func parseSSHSigner(line string) (sshSigner, error) {
	var one sshSigner
	var before []string
	for range 3 {
		word, rest := cutWord(line)
		if keyType(word) {
			key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
			if err != nil {
				return one, fmt.Errorf("the key cannot be read: %w", err)
			}
			one.key = key
			break
		}
		before = append(before, word)
		line = rest
	}
	if one.key == nil {
		return one, errors.New("there is no ssh public key in it")
	}
	for i, word := range before {
		if i == 0 && !options(word) {
			continue // principals
		}
		for _, option := range splitQuoted(word) {
			if err := one.option(option); err != nil {
				return one, err
			}
		}
	}
	return one, nil
}

// option takes what restricts the key. An option that is not understood could restrict it further, so it is an error.
func (s *sshSigner) option(option string) (err error) {
	name, value, _ := strings.Cut(option, "=")
	value = strings.Trim(value, `"`)
	switch strings.ToLower(name) {
	case "namespaces":
		s.namespaces = strings.Split(value, ",")
	case "valid-after":
		s.after, err = parseTime(value)
	case "valid-before", "expiry-time":
		s.before, err = parseTime(value)
	default:
		return fmt.Errorf("the option %s of the key is not supported: namespaces, valid-after and valid-before are", name)
	}
	return err
}

// allows returns why a signature for Git made with the key does not count at this time.
func (s sshSigner) allows(now time.Time) error {
	if !s.after.IsZero() && now.Before(s.after) {
		return fmt.Errorf("the key %s does not count before %s", ssh.FingerprintSHA256(s.key), s.after.Format(time.RFC3339))
	}
	if !s.before.IsZero() && !now.Before(s.before) {
		return fmt.Errorf("the key %s has expired at %s", ssh.FingerprintSHA256(s.key), s.before.Format(time.RFC3339))
	}
	if len(s.namespaces) == 0 {
		return nil
	}
	for _, pattern := range s.namespaces {
		if ok, err := path.Match(pattern, gitNamespace); ok && err == nil {
			return nil
		}
	}
	return fmt.Errorf("the key %s does not count for Git, by its namespaces", ssh.FingerprintSHA256(s.key))
}

func keyType(word string) bool {
	return strings.HasPrefix(word, "ssh-") || strings.HasPrefix(word, "ecdsa-") || strings.HasPrefix(word, "sk-")
}

// options reports whether the first word of a line is options, not principals.
func options(word string) bool {
	return strings.ContainsRune(word, '=') || strings.EqualFold(word, "cert-authority")
}

// cutWord cuts at the first space or tab that is not inside quotation marks.
func cutWord(line string) (word, rest string) {
	quoted := false
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case (c == ' ' || c == '\t') && !quoted:
			return line[:i], strings.TrimLeft(line[i:], " \t")
		}
	}
	return line, ""
}

// splitQuoted splits at commas that are not inside quotation marks.
func splitQuoted(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(c rune) bool {
		if c == '"' {
			quoted = !quoted
		}
		return c == ',' && !quoted
	})
}

// parseTime reads a time as OpenSSH writes it: YYYYMMDD[HHMM[SS]][Z], local without Z.
func parseTime(value string) (time.Time, error) {
	digits, utc := strings.CutSuffix(value, "Z")
	zone := time.Local
	if utc {
		zone = time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(layout) == len(digits) {
			return time.ParseInLocation(layout, digits, zone)
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write YYYYMMDD or YYYYMMDDHHMMSSZ", value)
}
