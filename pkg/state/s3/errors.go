package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

const (
	// codeNoCredentials stands for a request that could not be signed.
	codeNoCredentials = "NoCredentials"
	// codeNoUser is what versitygw answers, with status 404, to a key that it does not know.
	codeNoUser = "XAdminUserNotFound"
)

// Error is a request that the store did not carry out as it should. It matches [rest.ErrAuth] where the store refused the credentials or their
// permissions, or there are none.
type Error struct {
	Method, Place string
	Status        int    // 0 if no answer came
	Code, Message string // the store's own, where it said them; secrets are masked
	region        string // where the store says the bucket is
	err           error  // the cause, where there was no answer
}

// Error returns one line: object, method, answer.
func (e *Error) Error() string {
	said := ""
	if e.Status != 0 {
		said = fmt.Sprintf(": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Code != "" && e.Code != codeNoCredentials {
		said += " (" + e.Code + ")"
	}
	if e.Message != "" {
		said += ": " + e.Message
	}
	switch {
	case errors.Is(e.err, context.DeadlineExceeded):
		said += ": no answer in time"
	case e.err != nil:
		said += ": " + e.err.Error()
	}
	return e.Place + ": " + e.Method + said
}

// Unwrap returns what kept the request from being answered.
func (e *Error) Unwrap() error { return e.err }

// Is reports whether target is [rest.ErrAuth] and e is about credentials or permissions.
func (e *Error) Is(target error) bool {
	return target == rest.ErrAuth && (e.Code == codeNoCredentials || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Code == codeNoUser)
}

// Hint says how to mend it, or "".
func (e *Error) Hint() string {
	switch {
	case e.Code == codeNoCredentials:
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
	case e.Code == "NoSuchBucket":
		return "create the bucket first, and look at its name and its region: agentsync makes no buckets"
	case e.Code == "RequestTimeTooSkewed":
		return "set this machine's clock: it differs too much from the store's"
	case e.Code == "InvalidAccessKeyId" || e.Code == "SignatureDoesNotMatch" || e.Code == codeNoUser:
		return "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the profile), and whether they are this store's"
	case e.Code == "ExpiredToken" || e.Code == "ExpiredTokenException" || e.Code == "InvalidToken":
		return "renew the session: its token is no longer valid"
	case e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized:
		return e.permissions()
	case e.region != "":
		return fmt.Sprintf("the bucket is in the region %s: set AWS_REGION, or write ?region=%s behind the state's address", e.region, e.region)
	case e.Status == 0:
		return "look at the endpoint (AWS_ENDPOINT_URL_S3, or endpoint in the state's address) and the network"
	}
	return ""
}

// permissions names what the bucket's policy has to allow. AWS answers 403 for an object that does not exist, too, where the bucket may not be
// listed.
func (e *Error) permissions() string {
	needed := map[string]string{http.MethodGet: "s3:GetObject and s3:ListBucket", http.MethodPut: "s3:PutObject and s3:GetObject", http.MethodDelete: "s3:DeleteObject"}
	return fmt.Sprintf("allow %s to these credentials, in the bucket's policy or theirs: docs/state.md has a policy to copy", needed[e.Method])
}

// transient reports whether e says nothing about what was asked: a read may be repeated, and the outcome of a write is not known.
func (e *Error) transient() bool {
	switch e.Status {
	case 0:
		return e.Code != codeNoCredentials
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	case http.StatusBadRequest:
		return e.Code == "RequestTimeout"
	}
	return e.Status >= 500
}

// refused reports whether e is the store's final word about a write: it was not carried out, and not for the sake of its condition.
func (e *Error) refused() bool {
	switch e.Status {
	case http.StatusConflict, http.StatusPreconditionFailed:
		return false
	case http.StatusNotFound:
		return e.Code == "NoSuchBucket" || e.Code == codeNoUser
	}
	return !e.transient()
}
