package s3_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/s3test"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
	"agentsync.dev/agentsync/pkg/state/s3"
)

// TestCredentials: the environment goes before a profile, a profile's keys are read again when the store refuses them, and none are a matter
// of permission with a cure.
func TestCredentials(t *testing.T) {
	server := s3test.Start(t)
	dir := t.TempDir()
	profiles := filepath.Join(dir, "credentials")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", profiles) // the library reads the process's own
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "none"))
	open := func(env map[string]string) *s3.Store {
		s, err := s3.Open(server.URL(server.Bucket, "p"), s3.Options{Getenv: func(name string) (string, bool) { return env[name], true }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	profile := func(id, secret string) {
		text := fmt.Sprintf("[team]\naws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret)
		if err := os.WriteFile(profiles, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	get := func(s *s3.Store) error {
		_, err := s.Get(t.Context(), "a")
		return err
	}
	wantRefusal := func(what string, err error, text string) {
		t.Helper()
		var fault *s3.Error
		if !errors.Is(err, rest.ErrAuth) || !errors.As(err, &fault) || fault.Hint() == "" || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %v, want a refusal with %q and a hint", what, err, text)
		}
	}
	wantRefusal("nothing", get(open(map[string]string{"AWS_EC2_METADATA_DISABLED": "true"})), "no credentials")
	wantRefusal("half", get(open(map[string]string{"AWS_ACCESS_KEY_ID": "x"})), "only one of")
	wantRefusal("no such profile", get(open(map[string]string{"AWS_PROFILE": "team", "AWS_EC2_METADATA_DISABLED": "true"})), "no credentials")

	profile("unknown", "topsecret")
	s := open(map[string]string{"AWS_PROFILE": "team"})
	wantRefusal("a profile that is too old", get(s), "XAdminUserNotFound")
	profile(s3test.AccessKey, s3test.SecretKey)
	if err := get(s); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("the renewed profile: %v", err)
	}
	profile("unknown", "topsecret")
	both := open(map[string]string{"AWS_PROFILE": "team", "AWS_ACCESS_KEY_ID": s3test.AccessKey, "AWS_SECRET_ACCESS_KEY": s3test.SecretKey})
	if err := get(both); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("the environment before the profile: %v", err)
	}
}
