package providertest

// Said returns everything that an error tells a person: its text, and the cures of all faults in it.
func Said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + cures(err)
}

func cures(err error) (all string) {
	if hinted, ok := err.(interface{ Hint() string }); ok {
		all = "\n" + hinted.Hint()
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all += cures(inner)
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all += cures(inner)
		}
	}
	return all
}
