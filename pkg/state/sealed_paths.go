package state

import "agentsync.dev/agentsync/pkg/diff"

// SealedPaths returns the pointers of the sealed values in doc, in order.
func SealedPaths(doc diff.Object) []diff.Pointer { return sealedPaths("", doc, nil) }

func sealedPaths(at diff.Pointer, v any, found []diff.Pointer) []diff.Pointer {
	switch v := v.(type) {
	case map[string]any:
		if IsSealed(v) {
			return append(found, at)
		}
		for _, name := range diff.Keys(v) {
			found = sealedPaths(at.Child(name), v[name], found)
		}
	case []any:
		for i, item := range v {
			found = sealedPaths(at.Item(i), item, found)
		}
	}
	return found
}
