package s3

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		env  string // NAME=value, separated by blanks
		key  string // its URL
		name string
	}{
		{"s3://bucket/a/b", "AWS_REGION=eu-central-1", "https://bucket.s3.eu-central-1.amazonaws.com/a/b/k", "s3://bucket/a/b"},
		{"s3://bucket", "AWS_DEFAULT_REGION=cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn/k", "s3://bucket"},
		{"s3://bucket/?region=eu-west-3", "AWS_REGION=eu-central-1", "https://bucket.s3.eu-west-3.amazonaws.com/k", "s3://bucket"},
		{"s3://dotted.bucket/p", "AWS_REGION=x-1", "https://s3.x-1.amazonaws.com/dotted.bucket/p/k", "s3://dotted.bucket/p"},
		{"s3://bucket/p", "AWS_ENDPOINT_URL=https://one.example AWS_ENDPOINT_URL_S3=https://two.example:9000/s3/", "https://two.example:9000/s3/bucket/p/k", "s3://bucket/p"},
		{"s3://bucket/p?endpoint=http://127.0.0.1:9000", "AWS_ENDPOINT_URL=https://one.example", "http://127.0.0.1:9000/bucket/p/k", "s3://bucket/p"},
		{"s3://bucket/p/?endpoint=https://own.example&pathStyle=false&region=auto", "", "https://bucket.own.example/p/k", "s3://bucket/p"},
		{"s3://bucket?pathStyle=true&region=x-1", "", "https://s3.x-1.amazonaws.com/bucket/k", "s3://bucket"},
	} {
		a, err := parse(c.text, environment(c.env))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := a.url(a.full("k"), nil).String(); got != c.key || a.String() != c.name {
			t.Errorf("%s: %s at %s, want %s at %s", c.text, a, got, c.name, c.key)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const secret = "topsecret"
	for text, want := range map[string]string{
		"s3:bucket": "not s3://", "http://bucket/x": "not s3://", "s3://bucket/p#x": "not s3://", "s3://AKIA:top/secret@bucket": "not s3://",
		"s3://": "no bucket", "s3:///p": "no bucket", "s3://UPPER/p": "no bucket", "s3://bucket:9000/p": "no bucket", "s3://ab/p": "no bucket",
		"s3://AKIA:topsecret@bucket/p": "holds credentials", "s3://topsecret@bucket/p": "holds credentials",
		"s3://bucket/a//b": "prefix", "s3://bucket/../b": "prefix", "s3://bucket/a b": "prefix",
		"s3://bucket/p?secret=topsecret": `not "secret"`, "s3://bucket/p?region=a&region=b": `not "region"`, "s3://bucket/p?region=": `not "region"`,
		"s3://bucket/p?pathstyle=true": `not "pathstyle"`, "s3://bucket/p?pathStyle=perhaps": "true or false", "s3://bucket/p?region=%zz": "cannot be read",
		"s3://bucket/p": "which region", "s3://bucket/p?region=a/b": "region",
		"s3://bucket/p?endpoint=http://s3.example.com": "must be https", "s3://bucket/p?endpoint=ftp://127.0.0.1": "must be https", "s3://bucket/p?endpoint=host": "must be a URL",
		"s3://bucket/p?endpoint=https://AKIA:topsecret@host": "must be a URL", "s3://bucket/p?endpoint=https://host?key=topsecret": "must be a URL",
	} {
		_, err := parse(text, environment(""))
		var wrong *AddressError
		switch {
		case !errors.As(err, &wrong) || !strings.Contains(err.Error(), want):
			t.Errorf("%s: error %v, want an AddressError with %q", text, err, want)
		case wrong.Hint() == "" || strings.Contains(err.Error()+wrong.Hint(), secret):
			t.Errorf("%s: %v (%s)", text, err, wrong.Hint())
		}
	}
}

// environment is NAME=value pairs, separated by blanks.
func environment(pairs string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range strings.Fields(pairs) {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
}
