//go:build integration

package contract_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// write prints the summary where ZUN_TEST_TABLE says, and to the log of the test.
func (s *summary) write(t *testing.T) {
	t.Helper()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "file\tlines\tequal\tallowed\tnot applicable\twrong\tdescribed\twhat is missing")
	var all row
	for _, file := range slices.Sorted(maps.Keys(s.rows)) {
		r := s.rows[file]
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", file, r.lines, r.equal, r.allowed, r.notApplicable(), r.wrong, r.described, r.reasons())
		all.lines, all.equal, all.allowed, all.wrong = all.lines+r.lines, all.equal+r.equal, all.allowed+r.allowed, all.wrong+r.wrong
		all.described += r.described
	}
	_, _ = fmt.Fprintf(table, "all\t%d\t%d\t%d\t%d\t%d\t%d\t\n", all.lines, all.equal, all.allowed, all.lines-all.equal-all.allowed-all.wrong, all.wrong, all.described)
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
	t.Log("\n" + text.String())
	if path := os.Getenv("ZUN_TEST_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}

func (r *row) notApplicable() int {
	n := 0
	for _, count := range r.missing {
		n += count
	}
	return n
}

func (r *row) reasons() string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(r.missing)) {
		all = append(all, fmt.Sprintf("%s: %d", what, r.missing[what]))
	}
	return strings.Join(all, "; ")
}
