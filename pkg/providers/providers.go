package providers

import (
	"context"
	"time"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers/rest"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

// Vendor is what agentsync knows of a vendor without talking to it. It is a value: no state, safe to share.
type Vendor struct {
	// Name is the type in manifests, and the address of an account that needs no Provider document.
	Name string
	// Title is the vendor's name for people.
	Title string
	// Generations are the API generations, the default first. Their names are what spec.api takes; a vendor with one has one
	// generation named "".
	Generations []Generation
	// OtherURLs are further addresses of the vendor that get credentials (a login service).
	OtherURLs []string
	// Settings are the environment variables and Provider fields the account takes.
	Settings []Setting
	// Open makes an account. It sends nothing. Faults in s (no key, a base URL that is not https) are returned together, as
	// one error that names the environment variables and Provider fields to set.
	Open func(s Settings) (Provider, error)
}

// TypeName names v and one of its generations, as the state records it: "voicy", "voicy/functions-v1".
func (v Vendor) TypeName(g Generation) string {
	if g.Name == "" || g.Name == v.Generations[0].Name {
		return v.Name
	}
	return v.Name + "/" + g.Name
}

// Generation is one API of a vendor.
type Generation struct {
	Name    string
	BaseURL string
	// NameField is the config field that carries the agent's display name, for adoption by name.
	NameField string
	// FilesShownAs is the read-only field that lists the names of uploaded files, "" where there are none.
	FilesShownAs string
	// CheckFiles says what is wrong with the files of one agent, without a request; nil where there are no files.
	CheckFiles func([]File) []Finding
	// Schema parses the generation's schema; it may be called often and does its work once.
	Schema func() *schema.Schema
	// Can says what this API offers.
	Can Abilities
	// Notes are sentences for `agentsync providers`: what the vendor cannot do and what to know before using it.
	Notes []string
}

// Abilities of an API generation.
type Abilities struct {
	// List is "none", "summaries" (ids and names only) or "whole" (every readable field).
	List string
	// PageSize is how many agents one request of the list shows; 0 means all of them.
	PageSize int
	// Mark is the read-only field that the vendor changes with an agent and shows in its list too, see [Live.Revision]; "" where
	// there is none.
	Mark string
	// Update is the documented verb, for people: "PATCH", "PUT", "PUT or PATCH".
	Update string
	// Delete is "delete", "archive" (soft, restorable by a person) or "none".
	Delete string
}

// Pages is how many requests a list of n agents takes, at least.
func (a Abilities) Pages(n int) int {
	if a.PageSize <= 0 {
		return 1
	}
	return max((n+a.PageSize-1)/a.PageSize, 1)
}

// Setting is one thing an account needs, for `agentsync providers` and for messages.
type Setting struct {
	Env   string // environment variable, used where there is no Provider document
	Field string // field of the Provider document, for example "auth.apiKey"
	About string
	// Required settings have no default.
	Required bool
	Secret   bool
}

// Settings are the resolved settings of one account.
type Settings struct {
	// Account is the Provider document's name, or the vendor's.
	Account string
	// Generation is one of the vendor's.
	Generation Generation
	// Values hold the settings by their Setting.Field; empty ones are missing.
	Values map[string]string
	// Limits are 0 where nothing is said.
	RequestsPerMinute, MaxInFlight int
	// Timeout bounds one request; 0 means the vendor's default.
	Timeout time.Duration
	// Rest carries what all accounts share: transport, clock, masking, observer.
	Rest rest.Shared
}

// Provider is one account at a vendor. Create, Update and Delete are pure: they say what would be sent. Get and Send each make one
// call (with the retries that are safe). All methods may be called at the same time from several goroutines.
type Provider interface {
	// Create says how to create an agent with the desired config. Requests after the first contain {id} in their path and are
	// indications for the plan: the applier reads the new agent and asks Update for what is still missing.
	Create(c Change) Write
	// Update says how to bring the live agent to the desired config. c.Live is a fresh read.
	Update(c Change) Write
	// Delete says how to delete or archive the live agent; a blocking finding where the vendor cannot, or must not now.
	Delete(l Live) Write
	// Get reads one agent. A missing agent is an error that matches [rest.ErrNotFound], and only a 404 on the agent itself,
	// with the vendor's own error body, is that.
	Get(ctx context.Context, id string) (Live, error)
	// Send carries out one request of a Write and returns the id of the agent it created ("" for others). Its error matches
	// [rest.ErrUnknownOutcome] where the request may have been carried out all the same.
	Send(ctx context.Context, r Request) (id string, err error)
	// Limits are how fast the account's requests go out, for predictions. Accounts that share a pace give the same.
	Limits() rest.Limits
}

// Lister is a Provider whose vendor lists agents.
type Lister interface {
	// List reads all agents of the account. It fails rather than return fewer than there are.
	List(ctx context.Context) ([]Live, error)
}

// WholeLister is a Lister whose rows alone tell whether they are whole: the vendor does not say.
type WholeLister interface {
	Lister
	// ListWhole is List that ends after the first page if the rows there are not whole: then only those that are hold for anything, and
	// nothing follows from a row that is missing.
	ListWhole(ctx context.Context) (rows []Live, whole bool, err error)
}

// Live is one agent as the vendor returned it.
type Live struct {
	ID   string
	Name string
	// Config is every field of the answer, in normal form: writable, read-only, and those the schema does not know. For a summary it holds
	// what the list item held.
	Config diff.Object
	// Whole is false for summaries: only ID, Name and Locked are to be relied on.
	Whole bool
	// Unreadable says why a field of the answer could not be decoded, by pointer. Such a field is absent from Config, must
	// not be compared and must not be overwritten.
	Unreadable map[diff.Pointer]string
	// Locked says why the agent cannot be written or adopted (a flow agent, an archived one), "" if it can.
	Locked string
	// Gone is set on an agent that the vendor still returns although it is deleted or archived.
	Gone bool
	// Revision is the vendor's own change mark, if it has one. Never proof of anything.
	Revision string
}

// Change is the input to Create and Update.
type Change struct {
	ID string
	// Live is the agent as it is; the zero Live for a create.
	Live Live
	// Desired is what is to be: the declared fields without those that are ignored or left alone. Values are plain, secrets too.
	Desired diff.Object
	// Base is the last applied config, nil if there is none. A WriteOnly field that is null in it is known to be at
	// the vendor's default.
	Base diff.Object
	// Fields are the differences that the update is for. Never empty for Update.
	Fields []diff.Field
	// Update is auto, put or patch.
	Update string
	// AcceptReset are the pointers that a whole update may reset.
	AcceptReset []diff.Pointer
	// Files are the files that Desired names, in its order.
	Files []File
}

// Write is what it takes to carry out a change, as data.
type Write struct {
	Requests []Request
	// Carried and Reset are pointers, in order: live values sent back unchanged, and values a request would reset.
	Carried []string
	Reset   []string
	// Reason says why these requests (which method and why), for the plan; "" where there was no choice.
	Reason   string
	Findings []Finding
}

// Request is one call that writes, as data.
type Request struct {
	rest.Request
	// Fields are the top-level names in the body, in order.
	Fields []string
	// Creates marks the call that makes an agent; its answer carries the id.
	Creates bool
}

// File is a file named by a config, checked and hashed before any request.
type File struct {
	Pointer diff.Pointer // of the path in the config
	Name    string       // base name, what the vendor shows
	Size    int64
	SHA256  string // hex
	Open    rest.Opener
	// Uploaded says that the state knows this content, under this name, to be at the vendor.
	Uploaded bool
}
