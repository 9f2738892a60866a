package web_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/web"
)

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func TestWebhooks(t *testing.T) {
	const body = `{"ref":"refs/heads/main"}`
	hub := "sha256=" + hex.EncodeToString(mac([]byte("hook"), body))
	key := []byte("0123456789abcdef0123456789abcdef")
	signed := "v1," + base64.StdEncoding.EncodeToString(mac(key, "id-1.1700000000."+body))
	standard := func(signature string) []string {
		return []string{"X-Gitlab-Event", "Push Hook", "Webhook-Id", "id-1", "Webhook-Timestamp", "1700000000", "Webhook-Signature", signature}
	}
	github := func(o *web.Options) { o.GitHubSecret = "hook" }
	gitlab := func(o *web.Options) { o.GitLabToken = "hook" }
	signing := func(o *web.Options) { o.GitLabToken = "whsec_" + base64.StdEncoding.EncodeToString(key) }
	for _, c := range []struct {
		name, path string
		options    func(*web.Options)
		headers    []string
		body       string
		want       int
		fetched    int
	}{
		// The first signature is the one in GitHub's documentation ("Validating webhook deliveries", testing the code).
		{"as GitHub documents it", "github", func(o *web.Options) { o.GitHubSecret = "It's a Secret to Everybody" }, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256",
			"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}, "Hello, World!", 202, 1},
		{"push", "github", github, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", hub}, body, 202, 1},
		{"ping", "github", github, []string{"X-GitHub-Event", "ping", "X-Hub-Signature-256", hub}, body, 202, 1},
		{"another event", "github", github, []string{"X-GitHub-Event", "issues", "X-Hub-Signature-256", hub}, body, 202, 0},
		{"another body", "github", github, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", hub}, body + " ", 401, 0},
		{"no signature", "github", github, []string{"X-GitHub-Event", "push"}, body, 401, 0},
		{"an empty signature", "github", github, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="}, body, 401, 0},
		{"no hex", "github", github, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=zz"}, body, 401, 0},
		{"too large", "github", github, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", hub}, strings.Repeat("x", 27<<20), 413, 0},
		{"off", "github", gitlab, []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", hub}, body, 404, 0},
		{"secret token", "gitlab", gitlab, []string{"X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "hook"}, body, 202, 1},
		{"a tag", "gitlab", gitlab, []string{"X-Gitlab-Event", "Tag Push Hook", "X-Gitlab-Token", "hook"}, body, 202, 1},
		{"another event", "gitlab", gitlab, []string{"X-Gitlab-Event", "Issue Hook", "X-Gitlab-Token", "hook"}, body, 202, 0},
		{"wrong token", "gitlab", gitlab, []string{"X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "hoo"}, body, 401, 0},
		{"no token", "gitlab", gitlab, []string{"X-Gitlab-Event", "Push Hook"}, body, 401, 0},
		{"off", "gitlab", github, []string{"X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "hook"}, body, 404, 0},
		{"signed", "gitlab", signing, standard(signed), body, 202, 1},
		{"signed, two keys", "gitlab", signing, standard("v1,AAAA " + signed), body, 202, 1},
		{"signed, another body", "gitlab", signing, standard(signed), body + " ", 401, 0},
		{"signing token sent as it is", "gitlab", signing, []string{"X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "whsec_" + base64.StdEncoding.EncodeToString(key)}, body, 401, 0},
	} {
		t.Run(c.path+": "+c.name, func(t *testing.T) {
			// A token for people, and a host name of another, are nothing to a forge.
			w := serve(t, sample(1), withToken, c.options, func(o *web.Options) { o.Hosts = []string{"other.example.com"} })
			got := w.do("POST", "/webhooks/"+c.path, c.body, append(c.headers, "Host", "hooks.example.com", "Content-Type", "application/json")...)
			if asked, fetched := w.orders(); got.Code != c.want || fetched != c.fetched || len(asked) != 0 {
				t.Errorf("%d %s, %d fetches, asked %v", got.Code, got.Body, fetched, asked)
			}
			if c.want >= 400 {
				faultOf(t, got.Body.Bytes())
			}
			if log := w.logged(); strings.Contains(log, "hook\"") || strings.Contains(log, "whsec_") {
				t.Errorf("the log tells a secret: %s", log)
			}
		})
	}
}

func TestASigningTokenThatIsNoneIsRefusedAtTheStart(t *testing.T) {
	_, err := web.New(options(func(o *web.Options) { o.GitLabToken = "whsec_not base64" }))
	if err == nil || strings.Contains(err.Error(), "not base64") {
		t.Errorf("%v", err)
	}
}
