package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"golang.org/x/crypto/ssh"
)

// maxSigned is how long a commit or tag may be whose signature is checked.
const maxSigned = 1 << 20

var errUnsigned = errors.New("it is not signed: sign it (git commit -S) with a key that is allowed here")

// check returns nil if one of the signers signed the commit that t points to, or the annotated tag that t is. Keys must count now: the
// time that a commit says of itself is its author's to choose.
func (s *signers) check(store storer.EncodedObjectStorer, t tip, now time.Time) error {
	raw, err := rawObject(store, plumbing.CommitObject, t.commit)
	if err != nil {
		return err
	}
	fault := s.checkSigned(splitCommit(raw), now)
	if fault == nil || t.object == t.commit {
		return fault
	}
	if raw, err = rawObject(store, plumbing.TagObject, t.object); err != nil {
		return err
	}
	tag := splitTag(raw)
	tagFault := s.checkSigned(tag, now)
	if tagFault == nil {
		tagFault = tagNames(tag.payload, t)
	}
	if tagFault != nil {
		return fmt.Errorf("its commit: %w; its tag: %w", fault, tagFault)
	}
	return nil
}

// signed is an object's signature and what it covers.
type signed struct {
	payload   []byte
	signature string // "" if there is none
}

// checkSigned returns nil if one of the signers made the signature over the payload.
func (s *signers) checkSigned(o signed, now time.Time) error {
	switch signature := strings.TrimSpace(o.signature); {
	case signature == "":
		return errUnsigned
	case strings.HasPrefix(signature, sshBegin):
		return s.checkSSH(o, now)
	case strings.HasPrefix(signature, "-----BEGIN PGP "):
		return s.checkPGP(o, now)
	default:
		return errors.New("its signature is of a kind that is not known here: sign with ssh or OpenPGP")
	}
}

func (s *signers) checkSSH(o signed, now time.Time) error {
	signature, err := parseSSHSignature(o.signature)
	if err != nil {
		return err
	}
	// Several lines may hold the same key; one that allows it is enough.
	unknown := fmt.Errorf("its ssh signature is by the key %s, which is not among those that are allowed", ssh.FingerprintSHA256(signature.key))
	for _, one := range s.ssh {
		if !bytes.Equal(one.key.Marshal(), signature.key.Marshal()) {
			continue
		}
		if err := one.allows(now); err != nil {
			unknown = err
			continue
		}
		return signature.verify(o.payload)
	}
	return unknown
}

func (s *signers) checkPGP(o signed, now time.Time) error {
	if len(s.pgp) == 0 {
		return errors.New("its signature is by OpenPGP, and no OpenPGP key is allowed")
	}
	config := &packet.Config{Time: func() time.Time { return now }}
	_, err := openpgp.CheckArmoredDetachedSignature(s.pgp, bytes.NewReader(o.payload), strings.NewReader(o.signature), config)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return errors.New("its OpenPGP signature is by a key that is not among those that are allowed, or that may not sign")
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return errors.New("its OpenPGP signature is by a key that has expired")
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return errors.New("its OpenPGP signature is by a key that was revoked")
	}
	return fmt.Errorf("its OpenPGP signature is not good: %w", err)
}

// rawObject returns an object's bytes as they are: what the library makes of them may not be all that was signed.
func rawObject(store storer.EncodedObjectStorer, kind plumbing.ObjectType, hash plumbing.Hash) (raw []byte, err error) {
	o, err := store.EncodedObject(kind, hash)
	if err != nil {
		return nil, err
	}
	if o.Size() > maxSigned {
		return nil, fmt.Errorf("%s is larger than %d bytes: its signature is not checked", hash, maxSigned)
	}
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	raw, err = io.ReadAll(io.LimitReader(r, maxSigned))
	if err == nil && plumbing.ComputeHash(kind, raw) != hash {
		err = fmt.Errorf("%s is damaged", hash)
	}
	return raw, err
}

// splitCommit takes the signature out of a commit's headers, as Git does.
func splitCommit(raw []byte) (o signed) {
	header, message := raw, []byte(nil)
	if i := bytes.Index(raw, []byte("\n\n")); i >= 0 {
		header, message = raw[:i+1], raw[i+1:]
	}
	var signature strings.Builder
	within, count := "", 0
	for line := range bytes.Lines(header) {
		name, value, _ := bytes.Cut(line, []byte(" "))
		switch {
		case within != "" && line[0] == ' ':
			value = line[1:]
		case string(name) == "gpgsig", string(name) == "gpgsig-sha256":
			within = string(name)
			if within == "gpgsig" {
				count++
			}
		default:
			within = ""
			o.payload = append(o.payload, line...)
			continue
		}
		if within == "gpgsig" {
			signature.Write(value)
		}
	}
	o.payload = append(o.payload, message...)
	if count == 1 { // two would leave open which of them counts
		o.signature = signature.String()
	}
	return o
}

// splitTag takes the signature off a tag's end, as Git does.
func splitTag(raw []byte) signed {
	at, match := 0, len(raw)
	for line := range bytes.Lines(raw) {
		if bytes.HasPrefix(line, []byte(sshBegin)) || bytes.HasPrefix(line, []byte("-----BEGIN PGP SIGNATURE-----")) ||
			bytes.HasPrefix(line, []byte("-----BEGIN PGP MESSAGE-----")) {
			match = at
		}
		at += len(line)
	}
	return signed{raw[:match], string(raw[match:])}
}

// tagNames returns an error unless what was signed is t: under another name, a signed tag may have meant another thing.
func tagNames(payload []byte, t tip) error {
	header, _, _ := strings.Cut(string(payload), "\n\n")
	lines := strings.Split(header, "\n")
	if len(lines) < 3 || lines[0] != "object "+t.commit.String() || lines[1] != "type commit" {
		return errors.New("what is signed points elsewhere")
	}
	if name, ok := strings.CutPrefix(lines[2], "tag "); !ok || "refs/tags/"+name != t.name {
		return fmt.Errorf("what is signed is another tag, %q", name)
	}
	return nil
}
