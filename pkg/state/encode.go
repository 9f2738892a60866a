package state

// Encode returns r as it is stored: canonical JSON, sorted keys, two spaces, a newline at the end.
func Encode(r Record) ([]byte, error) { return encode(r) }
