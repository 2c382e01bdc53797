// Package figure turns measurements into the tables that the benches print.
package figure

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Series is what one thing took, once per round.
type Series []time.Duration

// Quantile returns the duration below which the share q (0 to 1) of s lies, by the
// nearest rank; 0 for an empty series.
func (s Series) Quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// Over returns how much longer each round of s took than the same round of base.
func (s Series) Over(base Series) Series {
	over := make(Series, min(len(s), len(base)))
	for i := range over {
		over[i] = s[i] - base[i]
	}
	return over
}

// Millis prints d in milliseconds.
func Millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case math.Abs(ms) < 1:
		return fmt.Sprintf("%.3f ms", ms)
	case math.Abs(ms) < 100:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}

// MiB prints a size that is given in KiB.
func MiB(kib int) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }

// Rate prints n events in took as a number per second.
func Rate(n int, took time.Duration) string {
	return fmt.Sprintf("%.0f/s", PerSecond(n, took))
}

// PerSecond is n events in took as a number per second.
func PerSecond(n int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}

// Met is the verdict of a table on one target.
func Met(met bool) string {
	if met {
		return "met"
	}
	return "**not met**"
}

// Table is a Markdown table under a heading.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// Add appends a row.
func (t *Table) Add(name string, cells ...string) {
	t.Rows = append(t.Rows, append([]string{name}, cells...))
}

// Print writes the table; the first column is text, all others are aligned right.
func (t *Table) Print(w io.Writer) {
	rule := make([]string, len(t.Head))
	for i := range rule {
		rule[i] = "---:"
	}
	rule[0] = "---"
	lines := append([][]string{t.Head, rule}, t.Rows...)
	_, _ = fmt.Fprintf(w, "\n### %s\n\n", t.Title)
	for _, cells := range lines {
		_, _ = fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
}
