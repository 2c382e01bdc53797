package config

import "slices"

// nearest returns the candidate with the smallest edit distance to name, or ""
// when none is near enough to be a slip of the pen.
func nearest(name string, candidates []string) string {
	limit := 1 + len(name)/4
	best, found := limit+1, ""
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < best {
			best, found = d, candidate
		}
	}
	return found
}

// distance is the number of single-letter insertions, deletions and changes that
// turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// unique returns the sorted names without repetition.
func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
