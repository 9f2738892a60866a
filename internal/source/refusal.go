package source

// Refusal is the error of a look that found something and does not follow it. Any other error says that the look itself failed.
type Refusal struct {
	// Commit is what was seen, "" where the reference itself is gone.
	Commit string
	// Reason says why, and the cure.
	Reason error
}

func (r *Refusal) Error() string { return r.Reason.Error() }

func (r *Refusal) Unwrap() error { return r.Reason }
