package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/providers"
)

const (
	// maxSlug leaves room behind a display name's slug: a name has 63 characters at most.
	maxSlug = 40
	// shortID is how much of an id tells two agents of one name apart, as long as it does; maxID and maxHash are the most.
	shortID, maxID, maxHash = 6, 12, 9
)

// Names gives every agent a name, by id: the one it is bound to already, else the slug of its display name. Where several agents
// would have one slug, or it is taken, each gets the end of its id behind it, so that no name depends on the order of a list.
func Names(agents []providers.Live, bound map[string]string, taken map[string]bool) map[string]string {
	names := map[string]string{}
	used := maps.Clone(taken)
	if used == nil {
		used = map[string]bool{}
	}
	groups := map[string][]string{}
	for _, a := range agents {
		if name, ok := bound[a.ID]; ok {
			names[a.ID] = name
			used[name] = true
			continue
		}
		stem := slug(a.Name)
		groups[stem] = append(groups[stem], a.ID)
	}
	clashing := map[string][]string{}
	for stem, ids := range groups {
		if len(ids) > 1 || stem == "" || used[stem] {
			clashing[stem] = ids
			continue
		}
		names[ids[0]] = stem
	}
	for _, name := range names {
		used[name] = true
	}
	for _, stem := range slices.Sorted(maps.Keys(clashing)) {
		for id, name := range suffixed(stem, clashing[stem], used) {
			names[id] = name
			used[name] = true
		}
	}
	return names
}

// suffixed puts as much of each id behind the stem as it takes to tell all of them apart.
func suffixed(stem string, ids []string, used map[string]bool) map[string]string {
	if stem == "" {
		stem = "agent"
	}
	for length := shortID; ; length++ {
		names, seen, clash := map[string]string{}, map[string]bool{}, false
		for _, id := range ids {
			name := stem + "-" + tail(id, length)
			clash = clash || seen[name] || used[name]
			names[id], seen[name] = name, true
		}
		if !clash || length > maxID+maxHash {
			return names
		}
	}
}

// tail returns the last n letters and digits of an id; where that is all of them, a part of its hash behind it.
func tail(id string, n int) string {
	own := strings.ReplaceAll(slugged(id), "-", "")
	own = own[max(0, len(own)-maxID):]
	whole := max(len(own), shortID)
	if n <= whole {
		return own[max(0, len(own)-n):]
	}
	sum := sha256.Sum256([]byte(id))
	return own + "-" + hex.EncodeToString(sum[:])[:min(n-whole, maxHash)]
}

// slug returns what of a display name can be a name, "" for none.
func slug(name string) string {
	s := slugged(name)
	if len(s) > maxSlug {
		s = s[:maxSlug]
		if cut := strings.LastIndexByte(s, '-'); cut > maxSlug/2 {
			s = s[:cut]
		}
	}
	return strings.Trim(s, "-")
}

// slugged writes s in a-z, 0-9 and single dashes.
func slugged(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('-')
		}
		gap = false
		b.WriteRune(r)
	}
	return b.String()
}
