package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
)

// payloadSize bounds a payload in bytes. GitHub sends none above 25 MB.
const payloadSize = 26 << 20

// signing is how GitLab's signing tokens begin.
const signing = "whsec_"

// github takes GitHub's webhooks. Of a payload nothing is read but its signature: what changed, the fetch finds out, so a replayed payload does
// no more than make it look once more.
func (s *site) github(w http.ResponseWriter, r *http.Request) {
	if s.GitHubSecret == "" {
		s.fail(w, r, webhookOff("GitHub"))
		return
	}
	sum, fault := sign(w, r, []byte(s.GitHubSecret), "")
	if fault == nil {
		given, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
		if err != nil || !hmac.Equal(given, sum) {
			fault = wrongSignature("X-Hub-Signature-256", "the webhook's secret must be the one that the watcher was started with")
		}
	}
	event := r.Header.Get("X-GitHub-Event")
	s.hooked(w, r, fault, event == "push" || event == "ping")
}

// gitlab takes GitLab's webhooks: with a secret token, which GitLab sends as it is, or with a signing token, which signs as Standard Webhooks says.
func (s *site) gitlab(w http.ResponseWriter, r *http.Request) {
	if s.GitLabToken == "" {
		s.fail(w, r, webhookOff("GitLab"))
		return
	}
	var fault *problem
	if s.signingKey != nil {
		fault = s.gitlabSigned(w, r)
	} else if !same(r.Header.Get("X-Gitlab-Token"), s.GitLabToken) {
		fault = wrongSignature("X-Gitlab-Token", "the webhook's secret token must be the one that the watcher was started with")
	}
	event := r.Header.Get("X-Gitlab-Event")
	s.hooked(w, r, fault, event == "Push Hook" || event == "Tag Push Hook" || event == "System Hook")
}

func (s *site) gitlabSigned(w http.ResponseWriter, r *http.Request) *problem {
	sum, fault := sign(w, r, s.signingKey, r.Header.Get("Webhook-Id")+"."+r.Header.Get("Webhook-Timestamp")+".")
	if fault != nil {
		return fault
	}
	for one := range strings.FieldsSeq(r.Header.Get("Webhook-Signature")) {
		given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(one, "v1,"))
		if err == nil && hmac.Equal(given, sum) {
			return nil
		}
	}
	return wrongSignature("webhook-signature", "the webhook's signing token must be the one that the watcher was started with")
}

// signingKey is the key in a signing token, nil where token is none.
func signingKey(token string) ([]byte, error) {
	text, ok := strings.CutPrefix(token, signing)
	if !ok {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) == 0 {
		return nil, errors.New("web: the GitLab signing token is no base64 after " + signing + ": give it as GitLab shows it")
	}
	return key, nil
}

// sign computes the HMAC-SHA256 of what comes before the body and of the body, without keeping it.
func sign(w http.ResponseWriter, r *http.Request, key []byte, before string) ([]byte, *problem) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(before))
	_, err := io.Copy(mac, http.MaxBytesReader(w, r.Body, payloadSize))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &problem{http.StatusRequestEntityTooLarge, "the payload is too large", "let the webhook send push events only"}
	case err != nil:
		return nil, &problem{http.StatusBadRequest, "the payload cannot be read", "send it again"}
	}
	return mac.Sum(nil), nil
}

// hooked answers a webhook, and asks the source to look where it is of an event that may mean a new commit.
func (s *site) hooked(w http.ResponseWriter, r *http.Request, fault *problem, counts bool) {
	if fault != nil {
		s.Log.Warn("a webhook was turned away", "path", r.URL.Path, "from", clientOf(r), "why", fault.what)
		s.fail(w, r, *fault)
		return
	}
	if counts {
		s.Fetch()
	}
	s.answer(w, http.StatusAccepted, struct {
		Accepted bool `json:"accepted"` // false: an event that means nothing here
	}{counts})
}

func wrongSignature(header, cure string) *problem {
	return &problem{http.StatusUnauthorized, header + " is missing or wrong", cure}
}

func webhookOff(forge string) problem {
	return problem{http.StatusNotFound, "webhooks of " + forge + " are off", "start the watcher with the webhook's secret"}
}
