package source

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/crypto/ssh"

	"agentsync.dev/agentsync/internal/gittest"
)

// signedBy pushes a commit whose signature is what sign makes of its bytes.
func signedBy(t *testing.T, repo *gittest.Repo, headers string, sign func(payload []byte) string) string {
	t.Helper()
	hash := repo.Commit("signed by hand", nil)
	payload := repo.Git("cat-file", "commit", hash) + "\n"
	header, message, _ := strings.Cut(payload, "\n\n")
	signature := strings.ReplaceAll(strings.TrimSpace(sign([]byte(payload))), "\n", "\n ")
	file := filepath.Join(t.TempDir(), "commit")
	put(t, file, header+"\ngpgsig "+signature+"\n"+headers+"\n"+message)
	repo.Git("reset", "-q", "--hard", repo.Git("hash-object", "-t", "commit", "-w", "--literally", file))
	repo.Git("push", "-q", "--force", "origin", "main")
	return repo.Head()
}

// sshSign signs as ssh-keygen does.
func sshSign(t *testing.T, key, namespace string) func([]byte) string {
	return func(payload []byte) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "payload")
		put(t, file, string(payload))
		if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", namespace, file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return read(t, "", file+".sig")
	}
}

func pgpSign(t *testing.T, key *openpgp.Entity) func([]byte) string {
	return func(payload []byte) string {
		t.Helper()
		var out bytes.Buffer
		must(t, openpgp.ArmoredDetachSign(&out, key, bytes.NewReader(payload), &packet.Config{Time: func() time.Time { return signTime }}))
		return out.String()
	}
}

// signTime is when OpenPGP keys are made and used, now is when signatures are checked.
var signTime, now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func pgpKey(t *testing.T, lifetime time.Duration) *openpgp.Entity {
	t.Helper()
	key, err := openpgp.NewEntity("A", "", "a@example.com", &packet.Config{Time: func() time.Time { return signTime },
		Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: uint32(lifetime / time.Second), DefaultHash: crypto.SHA256})
	must(t, err)
	return key
}

func armored(t *testing.T, keys ...*openpgp.Entity) string {
	t.Helper()
	var out bytes.Buffer
	for _, key := range keys {
		w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
		must(t, err)
		must(t, key.Serialize(w))
		must(t, w.Close())
		out.WriteString("\n")
	}
	return out.String()
}

// keys reads signers from a file with this text.
func keys(t *testing.T, text string) *signers {
	t.Helper()
	file := filepath.Join(t.TempDir(), "signers")
	put(t, file, text)
	s, err := readSigners([]string{file})
	must(t, err)
	return s
}

func TestSignedCommits(t *testing.T) {
	repo := gittest.New(t)
	key, public := gittest.SSHKey(t, "")
	stranger, _ := gittest.SSHKey(t, "")
	pgp, pgpOther, pgpShort, pgpRevoked := pgpKey(t, 0), pgpKey(t, 0), pgpKey(t, 24*time.Hour), pgpKey(t, 0)

	repo.SignWith(key)
	byGit := repo.Push("by git", map[string]string{"a": "a\n"})
	repo.SignWith(stranger)
	byStranger := repo.Push("by a stranger", nil)
	repo.SignWith("")
	unsigned := repo.Push("unsigned", nil)
	other := func(sign func([]byte) string) func([]byte) string {
		return func(payload []byte) string { return sign(append(payload, "\nmore\n"...)) }
	}
	whole := sshSign(t, key, "git")
	commits := map[string]string{
		"git": byGit, "stranger": byStranger, "unsigned": unsigned,
		"by hand":         signedBy(t, repo, "", whole),
		"namespace":       signedBy(t, repo, "", sshSign(t, key, "file")),
		"other bytes":     signedBy(t, repo, "", other(whole)),
		"two":             signedBy(t, repo, "gpgsig x\n", whole),
		"more headers":    signedBy(t, repo, "x-header y\n", whole),
		"damaged":         signedBy(t, repo, "", func(p []byte) string { return strings.Replace(whole(p), "AAAA", "!AAA", 1) }),
		"cut":             signedBy(t, repo, "", func(p []byte) string { return whole(p)[:120] }),
		"nonsense":        signedBy(t, repo, "", func([]byte) string { return "-----BEGIN SIGNED MESSAGE-----\nx" }),
		"pgp":             signedBy(t, repo, "", pgpSign(t, pgp)),
		"pgp other":       signedBy(t, repo, "", pgpSign(t, pgpOther)),
		"pgp short":       signedBy(t, repo, "", pgpSign(t, pgpShort)),
		"pgp revoked":     signedBy(t, repo, "", pgpSign(t, pgpRevoked)),
		"pgp other bytes": signedBy(t, repo, "", other(pgpSign(t, pgp))),
		"pgp nonsense":    signedBy(t, repo, "", func([]byte) string { return "-----BEGIN PGP SIGNATURE-----\nx" }),
	}
	must(t, pgpRevoked.RevokeKey(packet.KeyCompromised, "", &packet.Config{Time: func() time.Time { return signTime }}))
	pgps := armored(t, pgp, pgpShort, pgpRevoked)
	r, err := openAny(repo.Bare)
	must(t, err)
	for _, test := range []struct {
		keys, commit string
		refusal      string // "" accepts
	}{
		{public, "git", ""},
		{public, "by hand", ""},
		{"# people\n\n" + public + "\n", "git", ""},
		{"a@example.com " + public, "git", ""},
		{"a@example.com,b@example.com namespaces=\"file,git\" " + public, "git", ""},
		{"* namespaces=\"g*\",valid-after=\"20260101\",valid-before=\"20270101Z\" " + public, "git", ""},
		{"expiry-time=\"202612010000Z\" " + public, "git", ""},
		{"a valid-before=\"20260101\" " + public + "\na " + public, "git", ""}, // one line is enough
		{"a valid-before=\"20260501\" " + public, "git", "expired"},
		{"a valid-after=\"20260701\" " + public, "git", "does not count before"},
		{"a namespaces=\"file\" " + public, "git", "namespaces"},
		{public, "unsigned", "not signed"},
		{public, "stranger", "not among those that are allowed"},
		{public, "namespace", `made for "file"`},
		{public, "other bytes", "not of these bytes"},
		{public, "more headers", "not of these bytes"},
		{public, "two", "not signed"},
		{public, "damaged", "damaged"},
		{public, "cut", "damaged"},
		{public, "nonsense", "not known"},
		{public, "pgp", "no OpenPGP key is allowed"},
		{pgps, "pgp", ""},
		{pgps, "pgp other", "not among those that are allowed"},
		{pgps, "pgp short", "expired"},
		{pgps, "pgp revoked", "revoked"},
		{pgps, "pgp other bytes", "not good"},
		{pgps, "pgp nonsense", "not good"},
		{pgps, "git", "not among those that are allowed"},
	} {
		hash := plumbing.NewHash(commits[test.commit])
		err := keys(t, test.keys).check(r.Storer, tip{"refs/heads/main", hash, hash}, now)
		if (err == nil) != (test.refusal == "") || err != nil && !strings.Contains(err.Error(), test.refusal) {
			t.Errorf("%s: %v, want %q", test.commit, err, test.refusal)
		}
	}
}

// A signed tag vouches for its commit, under its own name.
func TestSignedTags(t *testing.T) {
	repo := gittest.New(t)
	key, public := gittest.SSHKey(t, "")
	commit := plumbing.NewHash(repo.Push("unsigned", map[string]string{"a": "a\n"}))
	repo.Tag("annotated", "not signed")
	repo.SignWith(key)
	repo.Tag("signed", "signed")
	pgp := pgpKey(t, 0)
	text := "object " + commit.String() + "\ntype commit\ntag pgp\ntagger A <a@example.com> 0 +0000\n\nm\n"
	file := filepath.Join(t.TempDir(), "tag")
	put(t, file, text+pgpSign(t, pgp)([]byte(text))+"\n")
	byPGP := plumbing.NewHash(repo.Git("hash-object", "-t", "tag", "-w", file))
	put(t, file, strings.Replace(text, "m\n", "changed\n", 1)+pgpSign(t, pgp)([]byte(text))+"\n")
	changed := plumbing.NewHash(repo.Git("hash-object", "-t", "tag", "-w", file))
	object := func(tag string) plumbing.Hash { return plumbing.NewHash(repo.Git("rev-parse", "refs/tags/"+tag)) }
	r, err := openAny(repo.Work)
	must(t, err)
	for _, test := range []struct {
		keys    string
		tip     tip
		refusal string
	}{
		{public, tip{"refs/tags/signed", object("signed"), commit}, ""},
		{armored(t, pgp), tip{"refs/tags/pgp", byPGP, commit}, ""},
		{public, tip{"refs/tags/other", object("signed"), commit}, `another tag, "signed"`},
		{public, tip{"refs/tags/annotated", object("annotated"), commit}, "not signed"},
		{public, tip{"refs/tags/light", commit, commit}, "not signed"},
		{armored(t, pgp), tip{"refs/tags/pgp", changed, commit}, "not good"},
		{armored(t, pgp), tip{"refs/tags/signed", object("signed"), commit}, "no ssh key"},
	} {
		err := keys(t, test.keys).check(r.Storer, test.tip, now)
		if test.refusal == "no ssh key" {
			test.refusal = "not among those that are allowed"
		}
		if (err == nil) != (test.refusal == "") || err != nil && !strings.Contains(err.Error(), test.refusal) {
			t.Errorf("%v: %v, want %q", test.tip, err, test.refusal)
		}
	}
}

// Only signed commits are followed, also when one that was not signed lies between; who is allowed may change meanwhile.
func TestRemoteSigned(t *testing.T) {
	repo, server, token := served(t)
	key, public := gittest.SSHKey(t, "")
	second, secondPublic := gittest.SSHKey(t, "")
	allowed := filepath.Join(t.TempDir(), "allowed_signers")
	put(t, allowed, "a@example.com "+public+"\n")
	repo.SignWith(key)
	first := repo.Push("signed", map[string]string{"a": "one\n"})
	r, f := remote(t, server.URL, func(o *RemoteOptions) { token(o); o.SignedBy = []string{allowed} })
	if rev := f.revision(); rev.Commit != first {
		t.Errorf("%+v", rev)
	}
	r.InForce(first)
	repo.SignWith("")
	unsigned := repo.Push("unsigned", map[string]string{"a": "two\n"})
	if l := f.fails(unsigned, "not signed", "git commit -S"); l.Seen != unsigned || l.Revision != nil {
		t.Errorf("%+v", l)
	}
	repo.SignWith(second)
	hash := repo.Push("by somebody new", map[string]string{"a": "three\n"})
	f.next("refusal", func(l Look) bool {
		return l.Err != nil && strings.Contains(l.Err.Error(), "not among those that are allowed")
	})
	put(t, allowed+".new", public+"\n"+secondPublic+"\n")
	must(t, os.Rename(allowed+".new", allowed))
	if rev := f.revision(); rev.Commit != hash {
		t.Errorf("%+v", rev)
	}
	must(t, os.Remove(allowed))
	repo.Push("later", map[string]string{"a": "four\n"})
	f.fails("keys cannot be read")
}

func TestReadSignersRefuses(t *testing.T) {
	_, public := gittest.SSHKey(t, "")
	private, _ := gittest.SSHKey(t, "")
	for _, text := range []string{
		"", "# nothing\n", "nonsense\n", "a b c d\n", "ssh-ed25519 AAAA\n", "cert-authority " + public, "a cert-authority " + public, "a valid-before=\"soon\" " + public,
		"a unknown=\"x\" " + public, read(t, "", private), "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nx\n",
	} {
		file := filepath.Join(t.TempDir(), "signers")
		put(t, file, text)
		if _, err := readSigners([]string{file}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever a stranger's signature is, it is an error and nothing worse.
func FuzzSSHSignature(f *testing.F) {
	pub, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public())
	if err != nil {
		f.Fatal(err)
	}
	blob := append([]byte(sshMagic), ssh.Marshal(struct {
		Version                        uint32
		Key, Namespace, Reserved, Hash string
		Signature                      string
	}{1, string(pub.Marshal()), "git", "", "sha512", string(ssh.Marshal(ssh.Signature{Format: ssh.KeyAlgoED25519, Blob: make([]byte, 64)}))})...)
	f.Add(blob)
	f.Add(blob[:40])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, blob []byte) {
		s, err := parseSSHSignature(sshBegin + "\n" + base64.StdEncoding.EncodeToString(blob) + "\n" + sshEnd)
		if err == nil && s.verify([]byte("data")) == nil && bytes.Equal(s.key.Marshal(), pub.Marshal()) {
			t.Errorf("%x is a good signature, and nobody made it", blob)
		}
	})
}

// What is taken apart as a commit keeps all that was signed.
func FuzzSplitCommit(f *testing.F) {
	f.Add([]byte("tree x\ngpgsig a\n b\n\nmessage\ngpgsig c\n"))
	f.Add([]byte("gpgsig"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if o := splitCommit(raw); o.signature == "" && !bytes.Contains(raw, []byte("gpgsig")) && !bytes.Equal(o.payload, raw) {
			t.Errorf("%q became %q", raw, o.payload)
		}
		splitTag(raw)
	})
}
