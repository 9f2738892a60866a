package providers

// Code describes a finding code. Codes never change their meaning; a retired code is not used again.
type Code struct {
	Code  string
	Title string
	// Cure is the one-line hint where the place that found it has no better one.
	Cure string
}

// The codes: 1xx who the agent is, 2xx who moved a field, 3xx what a request would do, 4xx deleting and limits, 5xx reading, 6xx
// carrying out.
const (
	CodeAdopt          = "AS101"
	CodeAmbiguous      = "AS102"
	CodeGone           = "AS103"
	CodeArchived       = "AS104"
	CodeLocked         = "AS105"
	CodeBoundTwice     = "AS106"
	CodePending        = "AS107"
	CodeResumed        = "AS108"
	CodeCreateRequired = "AS109"
	CodeCannot         = "AS110"
	CodeMayExist       = "AS111"

	CodeDrift        = "AS201"
	CodeConflict     = "AS202"
	CodeUnknown      = "AS203"
	CodeReleased     = "AS204"
	CodeDriftIgnored = "AS205"
	CodeUnreadable   = "AS206"
	CodeImmutable    = "AS207"
	CodeCreateOnly   = "AS208"
	CodeCannotClear  = "AS209"
	CodeFight        = "AS210"

	CodeLossyPut      = "AS301"
	CodeNodeRequired  = "AS302"
	CodeMasked        = "AS303"
	CodeUnseenItems   = "AS304"
	CodeDeploys       = "AS305"
	CodeFilesStay     = "AS306"
	CodeUndetectable  = "AS307"
	CodeFileLimits    = "AS308"
	CodeGroupRequired = "AS309"

	CodeOrphan     = "AS401"
	CodeProtected  = "AS402"
	CodeInUse      = "AS403"
	CodeMaxDeletes = "AS404"
	CodeMaxChanged = "AS405"
	CodeSuspended  = "AS406"
	CodeNotDeleted = "AS407"

	CodeUnreadAgent = "AS501"
	CodeOddList     = "AS502"

	CodeStale    = "AS601"
	CodeReadBack = "AS602"
	CodeOutcome  = "AS603"
)

// Codes lists every code, in order.
func Codes() []Code {
	return []Code{
		{CodeAdopt, "a live agent has this name and is not managed yet", "check that it is the same agent, then run with --adopt"},
		{CodeAmbiguous, "several live agents have this name", "bind one with spec.id or `agentsync state bind`"},
		{CodeGone, "the vendor says the bound agent does not exist", "`agentsync state rm ADDRESS`, or take spec.id out, to create it again"},
		{CodeArchived, "the bound agent is archived or deleted at the vendor", "restore it in the vendor's dashboard, or `agentsync state rm ADDRESS` to create a new one"},
		{CodeLocked, "the agent cannot be managed through the API", "take the manifest out, or bind another agent"},
		{CodeBoundTwice, "two addresses are bound to one live agent", "keep one of the manifests, or settle it with `agentsync state rm ADDRESS`"},
		{CodePending, "an earlier create has an unknown outcome", "look in the vendor's dashboard, then `agentsync state bind ADDRESS ID` or `agentsync state rm ADDRESS`"},
		{CodeResumed, "an earlier create was interrupted and is finished now", ""},
		{CodeCreateRequired, "a create needs more fields", "declare them in spec.config"},
		{CodeCannot, "the vendor's API cannot do this", "do it in the vendor's dashboard"},
		{CodeMayExist, "a create without a state might make an agent a second time", "write its id into spec.id; an agent that surely does not exist is created without --base"},

		{CodeDrift, "a field was changed outside agentsync", "apply a reviewed plan (--plan FILE), set `drift: overwrite`, or take the live value into the manifest"},
		{CodeConflict, "a field was changed both in the manifest and outside agentsync", "apply a reviewed plan (--plan FILE), set `drift: overwrite`, or take the live value into the manifest"},
		{CodeUnknown, "a field differs and nothing says who changed it", "apply a reviewed plan (--plan FILE), set `drift: overwrite`, or take the live value into the manifest"},
		{CodeReleased, "a field is no longer declared and stays as it is", ""},
		{CodeDriftIgnored, "a live value differs and is left alone (drift: ignore)", ""},
		{CodeUnreadable, "a field of the answer cannot be decoded", "take the field out of the manifest, or repair it in the vendor's dashboard"},
		{CodeImmutable, "a field cannot change after the create", "declare a new agent under another name, or put the old value back"},
		{CodeCreateOnly, "a field is only accepted by a create", "take the field out, or list it in spec.ignore"},
		{CodeCannotClear, "a field cannot be cleared through the API", "clear it in the vendor's dashboard"},
		{CodeFight, "somebody else keeps changing a field that was put back again and again", "find out who else writes it and take the field out of one of the two; then change the manifest, or ask for the agent with POST /api/v1/reconcile"},

		{CodeLossyPut, "a full update would reset fields", "declare them, list them in spec.acceptReset, or use `update: auto`"},
		{CodeNodeRequired, "an object cannot be sent without its required fields", "declare the missing fields"},
		{CodeMasked, "a live secret is masked and would be overwritten by its mask", "declare the value with {$env: NAME}"},
		{CodeUnseenItems, "live list items may hold values that the vendor does not show", "declare every item completely; the first write replaces the list"},
		{CodeDeploys, "the write is live at once and may deploy pending dashboard edits", ""},
		{CodeFilesStay, "files cannot be removed by this update", "use `update: put` with the complete set of files, or remove them in the dashboard"},
		{CodeUndetectable, "a change of this field at the vendor cannot be seen", ""},
		{CodeFileLimits, "the files are outside the vendor's limits", "at most 10 files of at most 10 000 000 bytes each"},
		{CodeGroupRequired, "a field is required by another field of the same group", "declare it beside the other"},

		{CodeOrphan, "an agent of the state has no manifest", "`agentsync apply --prune` deletes it; `agentsync state rm ADDRESS` forgets it"},
		{CodeProtected, "the agent is protected from being deleted", "apply a manifest with `protect: false` first"},
		{CodeInUse, "the agent is in use", "take it out of use in the vendor's dashboard first"},
		{CodeMaxDeletes, "more deletes than limits.maxDeletes allows", "run with --max-deletes N"},
		{CodeMaxChanged, "the plan changes more than limits.maxChangedPercent of the agents", "run with --force-large-change"},
		{CodeSuspended, "the agent is suspended", "take spec.suspend out of the manifest"},
		{CodeNotDeleted, "the vendor's API cannot delete agents", "remove it in the vendor's dashboard, then `agentsync state rm ADDRESS`"},

		{CodeUnreadAgent, "the agent could not be read", ""},
		{CodeOddList, "the vendor's list is not consistent", "try again; if it stays so, bind the agents with spec.id"},

		{CodeStale, "the agent changed since it was planned", "plan again"},
		{CodeReadBack, "the agent is not as it was sent", "look at it in the vendor's dashboard, then plan again"},
		{CodeOutcome, "the request may or may not have been carried out", "plan again to see what is live"},
	}
}

// About returns the description of a code; its zero value for an unknown one.
func About(code string) Code {
	for _, c := range Codes() {
		if c.Code == code {
			return c
		}
	}
	return Code{}
}

// NewWarning returns a warning; an empty hint stands for the code's own cure.
func NewWarning(code, message, hint string) Finding { return newFinding(code, Warning, message, hint) }

// NewBlocking returns a blocking finding; an empty hint stands for the code's own cure.
func NewBlocking(code, message, hint string) Finding {
	return newFinding(code, Blocking, message, hint)
}

func newFinding(code string, severity Severity, message, hint string) Finding {
	if hint == "" {
		hint = About(code).Cure
	}
	return Finding{Code: code, Severity: severity, Message: message, Hint: hint}
}
