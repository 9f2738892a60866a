package source

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// What a signature by ssh-keygen -Y sign looks like (OpenSSH's PROTOCOL.sshsig).
const (
	sshBegin     = "-----BEGIN SSH SIGNATURE-----"
	sshEnd       = "-----END SSH SIGNATURE-----"
	sshMagic     = "SSHSIG"
	sshVersion   = 1
	gitNamespace = "git"
	maxSignature = 64 << 10
)

// sshSignature is a signature that was taken apart, and not yet checked.
type sshSignature struct {
	key       ssh.PublicKey
	namespace string
	reserved  string
	hash      string
	signature *ssh.Signature
}

// parseSSHSignature reads an armored signature.
func parseSSHSignature(armored string) (*sshSignature, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(armored), sshBegin)
	body, ok2 := strings.CutSuffix(body, sshEnd)
	if !ok || !ok2 || len(armored) > maxSignature {
		return nil, errors.New("the ssh signature is damaged: it has no proper beginning and end")
	}
	blob, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return nil, fmt.Errorf("the ssh signature is damaged: %w", err)
	}
	rest, ok := bytes.CutPrefix(blob, []byte(sshMagic))
	if !ok {
		return nil, errors.New("the ssh signature is damaged: it does not say that it is one")
	}
	var parts struct {
		Version                        uint32
		Key, Namespace, Reserved, Hash string
		Signature                      string
	}
	if err := ssh.Unmarshal(rest, &parts); err != nil {
		return nil, fmt.Errorf("the ssh signature is damaged: %w", err)
	}
	if parts.Version != sshVersion {
		return nil, fmt.Errorf("the ssh signature has the version %d, which is not known", parts.Version)
	}
	s := &sshSignature{namespace: parts.Namespace, reserved: parts.Reserved, hash: parts.Hash, signature: new(ssh.Signature)}
	if s.key, err = ssh.ParsePublicKey([]byte(parts.Key)); err != nil {
		return nil, fmt.Errorf("the ssh signature's key cannot be read: %w", err)
	}
	if err := ssh.Unmarshal([]byte(parts.Signature), s.signature); err != nil {
		return nil, fmt.Errorf("the ssh signature is damaged: %w", err)
	}
	return s, nil
}

// verify returns an error unless the signature's own key made it, for Git, over exactly data.
func (s *sshSignature) verify(data []byte) error {
	if s.namespace != gitNamespace {
		return fmt.Errorf("the ssh signature was made for %q, not for %q", s.namespace, gitNamespace)
	}
	var sum []byte
	switch s.hash {
	case "sha256":
		h := sha256.Sum256(data)
		sum = h[:]
	case "sha512":
		h := sha512.Sum512(data)
		sum = h[:]
	default:
		return fmt.Errorf("the ssh signature uses the hash %q, which is not accepted", s.hash)
	}
	if s.key.Type() == ssh.KeyAlgoRSA && !slices.Contains([]string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}, s.signature.Format) {
		return fmt.Errorf("the ssh signature uses %s, which is not accepted", s.signature.Format)
	}
	signed := append([]byte(sshMagic), ssh.Marshal(struct{ Namespace, Reserved, Hash, Sum string }{s.namespace, s.reserved, s.hash, string(sum)})...)
	if err := s.key.Verify(signed, s.signature); err != nil {
		return errors.New("the ssh signature is not of these bytes: it was made over something else, or what it covers was changed")
	}
	return nil
}
