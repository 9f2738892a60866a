package providers

// Severity of a Finding.
type Severity string

// A warning informs; a blocking finding keeps its agent from being applied.
const (
	Warning  Severity = "warning"
	Blocking Severity = "blocking"
)

// Finding is something a person should know about a change. Code is stable (AS101...); README lists all of them.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint"`
}
