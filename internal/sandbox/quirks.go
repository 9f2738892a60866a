package sandbox

// Quirks choose what the servers do where the vendors' pages are silent or contradict each other. The zero value is the
// likeliest reading of the pages.
type Quirks struct {
	// TrimText stores written text without blanks around it and with LF line ends.
	TrimText bool
	// NumbersAsText shows the numbers of an agent as JSON strings.
	NumbersAsText bool
	// StaleReads is how many reads of an agent after a write to it still answer with what was there before.
	StaleReads int

	Convirza ConvirzaQuirks
	Nova     NovaQuirks
	Centerfy CenterfyQuirks
	Voicy    VoicyQuirks
}

// ConvirzaQuirks are Convirza's.
type ConvirzaQuirks struct {
	// ListPath is where the list is, "/ai-voice-agents" by default; "/ai-voice-agents/list" is how siblings have it.
	ListPath string
	// BareList makes data the array itself, instead of data.agents with data.total.
	BareList bool
	// WholeItems lists whole agents, not only ids, names, org units and times.
	WholeItems bool
	// IgnorePaging lists everything, whatever limit and offset say.
	IgnorePaging bool
	// CreateAnswer is what data holds after a create: "" for voiceAgentId (as siblings have it), "id", or "whole".
	CreateAnswer string
	// Created answers creates with 201 instead of 200.
	Created bool
	// PatchReplacesFiles makes the files of a PATCH the whole set; otherwise they are added, over those of the same name.
	PatchReplacesFiles bool
	// PutKeepsFiles keeps the files when a PUT has none; otherwise they are wiped.
	PutKeepsFiles bool
	// MergeConfig merges config on PATCH; otherwise it is replaced.
	MergeConfig bool
	// RenameFiles shows files under changed names.
	RenameFiles bool
	// SoftDelete keeps deleted agents, listed and readable, with status "deleted"; otherwise they are gone.
	SoftDelete bool
	// NoContent answers deletes with 204.
	NoContent bool
	// ForeignStatus answers for another organisation's agent, 404 by default (PUT lists no 403).
	ForeignStatus int
	// FailInBody answers errors with HTTP 200 and the failing code in the body.
	FailInBody bool
	// ExpirySeconds gives expires_in as a number of seconds, not as a point in time.
	ExpirySeconds bool
}

// NovaQuirks are Nova's.
type NovaQuirks struct {
	// Encoding is how answers carry the fields documented as integer[]: "" as JSON, "text" as a string of JSON, "base64", or
	// "bytes" as an array of byte values.
	Encoding string
	// Unset is how they read when they hold nothing: "" for null, "missing", "text" for "", "list" for [].
	Unset string
	// Merge merges the objects of a PATCH into the stored ones; otherwise they take their place.
	Merge bool
	// EmptyCreate leaves a new agent without configuration; otherwise it has the vendor's defaults.
	EmptyCreate bool
	// WholeItems lists whole agents, not summaries.
	WholeItems bool
	// NoMeta leaves meta out of the list.
	NoMeta bool
	// PagesFromZero counts pages from 0.
	PagesFromZero bool
	// Headers is how precall_webhook.headers reads: "" as written, "masked", or "dropped".
	Headers string
	// InvalidStatus answers what fails validation, 400 by default.
	InvalidStatus int
	// NoContent answers deletes with 204.
	NoContent bool
}

// CenterfyQuirks are Centerfy's.
type CenterfyQuirks struct {
	// ShowArchived answers a get of an archived agent with 200 and archived_at; otherwise with 404.
	ShowArchived bool
	// MergedRules checks the conditional rules against what the agent will be, not against the request alone.
	MergedRules bool
	// ClearDependents clears a dependent field when its toggle goes off; otherwise it keeps its value.
	ClearDependents bool
	// RequireAll demands every field on create, also those whose mark on the page could not be read.
	RequireAll bool
	// CreateOK answers creates with 200 instead of 201.
	CreateOK bool
	// CreateAgentID answers creates with agent_id instead of id.
	CreateAgentID bool
	// FixedSpelling shows backcchanneling as backchanneling.
	FixedSpelling bool
	// TextErrors puts the message into error, which otherwise is true.
	TextErrors bool
}

// VoicyQuirks are those of both generations of Voicy.
type VoicyQuirks struct {
	// ShowAll shows required and default of variables in functions-v1, where the page's answers leave them out.
	ShowAll bool
	// SortVariables shows variables by name, not in the order they were sent.
	SortVariables bool
	// EmptyListVariables lists agents of functions-v1 with empty variables (the page's sample), not without them (its text).
	EmptyListVariables bool
	// OtherErrors gives each generation the other's error shape.
	OtherErrors bool
	// InUseStatus answers the delete of an agent that answers a phone number, 400 by default.
	InUseStatus int
	// ForeignStatus answers for another account's agent, 403 by default; the page's cause list has 404 too.
	ForeignStatus int
	// CreateOK answers creates with 200 instead of 201.
	CreateOK bool
}
