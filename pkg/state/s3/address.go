package s3

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/state"
)

// Scheme begins the address of a bucket.
const Scheme = "s3://"

// address is where the objects lie.
type address struct {
	bucket string
	prefix string // "" or without a slash at either end
	// endpoint is the store's URL: scheme, host and perhaps a path.
	endpoint  url.URL
	region    string
	pathStyle bool
}

// AddressError is an address, or an environment, that names no bucket. It repeats no part of what was given that could be a secret.
type AddressError struct {
	text, hint string
}

// Error says what is wrong.
func (e *AddressError) Error() string { return e.text }

// Hint says what to write instead.
func (e *AddressError) Hint() string { return e.hint }

const example = "for example s3://bucket/prefix?region=eu-central-1"

// parse reads s3://bucket/prefix?endpoint=https://host&region=name&pathStyle=true. What the query leaves out comes from the AWS
// environment.
func parse(text string, getenv func(string) (string, bool)) (address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme+"://" != Scheme || u.Opaque != "" || u.Fragment != "" {
		return address{}, &AddressError{"the state's address is not s3://bucket/prefix", example}
	}
	if u.User != nil {
		return address{}, &AddressError{"the state's address holds credentials",
			"take them out of it, and renew them if others could read it: they belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"}
	}
	a := address{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if len(a.bucket) < 3 || len(a.bucket) > 63 || !isHostPart(a.bucket) {
		return address{}, &AddressError{"the state's address names no bucket: 3 to 63 of a-z, 0-9, . and - between s3:// and the next slash", example}
	}
	if a.prefix != "" && state.CheckKey(a.prefix) != nil {
		return address{}, &AddressError{"the prefix in the state's address must be names of letters, digits, ., - and _ between single slashes", example}
	}
	query, err := parameters(u.RawQuery)
	if err != nil {
		return address{}, err
	}
	env := func(names ...string) string { return firstSet(getenv, names...) }
	own := cmp.Or(query["endpoint"], env("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
	a.region = cmp.Or(query["region"], env("AWS_REGION", "AWS_DEFAULT_REGION"))
	a.pathStyle = own != "" || strings.Contains(a.bucket, ".") // a certificate for *.host does not cover two.labels.host
	if style := query["pathStyle"]; style != "" {
		if a.pathStyle, err = strconv.ParseBool(style); err != nil {
			return address{}, &AddressError{"pathStyle in the state's address must be true or false", example}
		}
	}
	if own == "" {
		return a.atAWS()
	}
	return a.at(own)
}

// parameters reads the query: each known name once, and no others.
func parameters(raw string) (map[string]string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &AddressError{"the parameters in the state's address cannot be read", "write special characters in them as %XX, " + example}
	}
	known := []string{"endpoint", "region", "pathStyle"}
	query := map[string]string{}
	for name, given := range values {
		if !slices.Contains(known, name) || len(given) != 1 || given[0] == "" {
			return nil, &AddressError{fmt.Sprintf("the state's address takes endpoint, region and pathStyle, each once: not %q", name), example}
		}
		query[name] = given[0]
	}
	return query, nil
}

// at puts the address on a store of one's own.
func (a address) at(endpoint string) (address, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return a, &AddressError{"the endpoint of the state's store must be a URL such as https://s3.example.com, without credentials and parameters",
			"look at endpoint in the state's address, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL"}
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !rest.Loopback(u.Hostname())) {
		return a, &AddressError{fmt.Sprintf("the endpoint %s must be https (http only for loopback addresses)", u.Host), "the state would cross the network for everybody to read and change"}
	}
	a.endpoint = url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	a.region = cmp.Or(a.region, "us-east-1") // what stores that know no regions go by
	return a, nil
}

// atAWS puts the address on Amazon's store.
func (a address) atAWS() (address, error) {
	if a.region == "" {
		return a, &AddressError{"nothing says in which region the state's bucket lies", "set AWS_REGION, or write ?region=eu-central-1 behind the address; for a store of your own set AWS_ENDPOINT_URL_S3"}
	}
	if !isHostPart(a.region) {
		return a, &AddressError{"the region of the state's bucket must be a name of a-z, 0-9, . and -", example}
	}
	host := "s3." + a.region + ".amazonaws.com"
	if strings.HasPrefix(a.region, "cn-") {
		host += ".cn"
	}
	a.endpoint = url.URL{Scheme: "https", Host: host}
	return a, nil
}

// isHostPart reports whether s can be the beginning of a host's name.
func isHostPart(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" && strings.Trim(s, ".-") == s && !strings.Contains(s, "..")
}

// url returns the URL of an object's key, or of the bucket where key is "".
func (a address) url(key string, query url.Values) *url.URL {
	u := a.endpoint
	if a.pathStyle {
		u.Path += "/" + a.bucket
	} else {
		u.Host = a.bucket + "." + u.Host
	}
	u.Path += "/" + key
	u.RawQuery = query.Encode()
	return &u
}

// String is the address as people know it.
func (a address) String() string { return strings.TrimSuffix(Scheme+a.bucket+"/"+a.prefix, "/") }

// full returns the key in the bucket.
func (a address) full(key string) string {
	if a.prefix == "" {
		return key
	}
	return a.prefix + "/" + key
}

func firstSet(getenv func(string) (string, bool), names ...string) string {
	for _, name := range names {
		if value, _ := getenv(name); value != "" {
			return value
		}
	}
	return ""
}
