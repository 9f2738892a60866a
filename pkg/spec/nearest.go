package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest returns the one of known that name is most likely a misspelling of, "" if none is near: at most one letter in three is
// wrong, missing, too many or swapped with the next. Case does not count; of two that are equally near the alphabetically
// first is returned.
func Nearest(name string, known []string) string {
	best, limit := "", len(name)/3
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(strings.ToLower(name), strings.ToLower(k), limit); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

// distance is the number of letters to change, add, take out or swap with their neighbour to make b of a (optimal string
// alignment, in bytes); anything above limit if it is more than that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// didYouMean is the hint for a name that is not one of known.
func didYouMean(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + strings.Join(known, ", ")
}
