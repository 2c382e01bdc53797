//go:build integration

package contract_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	heading = regexp.MustCompile(`^#{2,3} ([0-9]+(?:\.[0-9]+)?)\.? `)
	item    = regexp.MustCompile(`^\| ([0-9]+)(?: L)? \|`)
	gapRow  = regexp.MustCompile(`^\| ([0-9]+(?:\.[0-9]+)?) \| .+ \|.*\|$`)
	quoted  = regexp.MustCompile("`([^`]+)`")
	pointed = regexp.MustCompile(`rows? ([0-9, ]+)`)
)

// TestEveryGapHasALine holds docs/gaps.md against the contract: each bug that it marks
// and each gap that it lists is there, and the rows of divergences that it names exist.
func TestEveryGapHasALine(t *testing.T) {
	contract := filepath.Join(goldenDir(), "..", "contract")
	bugs, gaps := sections(t, "../../docs/gaps.md")
	section := ""
	for _, line := range lines(t, filepath.Join(contract, "rest-api.md")) {
		if found := heading.FindStringSubmatch(line); found != nil {
			section = found[1]
		}
		if strings.Contains(line, "**BUG") && section != "" && !bugs[section] {
			t.Errorf("the bug of section %s of the contract has no line: %s", section, line)
		}
	}
	listed := 0
	for _, line := range lines(t, filepath.Join(contract, "gaps.md")) {
		if found := heading.FindStringSubmatch(line); found != nil {
			section = found[1]
			continue
		}
		found := item.FindStringSubmatch(line)
		switch {
		case found != nil:
			listed++
			if !gaps[section+"."+found[1]] {
				t.Errorf("gap %s.%s has no line: %s", section, found[1], line)
			}
		case strings.HasPrefix(line, "|") && !gaps[section] && !gaps[section+".1"]:
			t.Errorf("section %s of the gaps has no line", section)
		}
	}
	const least = 130
	if listed < least {
		t.Errorf("only %d gaps are read off the contract", listed)
	}
}

// TestGapsPointAtRowsThatAreThere reads the rows of divergences that gaps names.
func TestGapsPointAtRowsThatAreThere(t *testing.T) {
	there := map[string]bool{}
	for _, line := range lines(t, "../../docs/divergences.md") {
		if found := item.FindStringSubmatch(line); found != nil {
			there[found[1]] = true
		}
	}
	for _, line := range lines(t, "../../docs/gaps.md") {
		for _, found := range pointed.FindAllStringSubmatch(line, -1) {
			for number := range strings.SplitSeq(found[1], ",") {
				if number = strings.TrimSpace(number); number != "" && !there[number] {
					t.Errorf("there is no row %s of divergences: %s", number, line)
				}
			}
		}
	}
}

// TestGapsNameTestsThatAreThere reads the tests that gaps names: a path, then those in it.
func TestGapsNameTestsThatAreThere(t *testing.T) {
	named := 0
	for _, line := range lines(t, "../../docs/gaps.md") {
		cells := strings.Split(line, "|")
		if !gapRow.MatchString(line) || len(cells) < 5 {
			continue
		}
		at := ""
		for _, found := range quoted.FindAllStringSubmatch(cells[3], -1) {
			if strings.Contains(found[1], "/") || !strings.HasPrefix(found[1], "Test") {
				at = found[1]
				continue
			}
			named++
			if !holds(t, at, found[1]) {
				t.Errorf("%s: there is no %s in %s", cells[1], found[1], at)
			}
		}
	}
	const least = 60
	if named < least {
		t.Errorf("only %d tests are named", named)
	}
}

// holds says whether a package has a test of that name.
func holds(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no package %q: %v", dir, err)
	}
	for _, file := range files {
		for _, line := range lines(t, file) {
			if strings.HasPrefix(line, "func "+test+"(") {
				return true
			}
		}
	}
	return false
}

// sections returns which bugs and which gaps a page has lines for.
func sections(t *testing.T, path string) (bugs, gaps map[string]bool) {
	t.Helper()
	bugs, gaps = map[string]bool{}, map[string]bool{}
	into := bugs
	for _, line := range lines(t, path) {
		if strings.HasPrefix(line, "## Known gaps") {
			into = gaps
		}
		if found := gapRow.FindStringSubmatch(line); found != nil {
			into[found[1]] = true
		}
	}
	return bugs, gaps
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the contract is needed beside the recordings: %v", err)
	}
	return strings.Split(string(text), "\n")
}
